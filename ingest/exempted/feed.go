package exempted

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
)

// maxFeed bounds a feed of advisories.
const maxFeed = 16 << 20

// maxPattern is the longest pattern of names of models.
const maxPattern = 200

// maxAdvisories bounds how many it has.
const maxAdvisories = 10_000

// An advisory is one of a feed.
type advisory struct {
	ID        string    `json:"id"`
	Model     string    `json:"model"` // pattern of names
	Title     string    `json:"title"`
	Severity  string    `json:"severity"`
	URL       string    `json:"url"`
	Since     time.Time `json:"since"`
	Published time.Time `json:"published"`
	Modified  time.Time `json:"modified"`
	Withdrawn time.Time `json:"withdrawn"`
}

// ParseFeed reads a feed: a JSON array of advisories, each with id, model, title and
// published, and optionally severity, url, since, modified and withdrawn. The source says
// whose feed it is. One that cannot be read spoils the feed: an advisory that is missed would be silence.
func ParseFeed(source string, body []byte) ([]governance.Advisory, error) {
	if len(body) > maxFeed {
		return nil, fmt.Errorf("advisories: the feed is larger than %d bytes", maxFeed)
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	var feed []advisory
	if err := dec.Decode(&feed); err != nil {
		return nil, fmt.Errorf("advisories: %w", err)
	}
	if _, err := dec.Token(); feed == nil || !errors.Is(err, io.EOF) {
		return nil, errors.New("advisories: it is not one array, and nothing after it")
	}
	if len(feed) > maxAdvisories {
		return nil, fmt.Errorf("advisories: there are more than %d", maxAdvisories)
	}
	var list []governance.Advisory
	var faults []error
	for i, x := range feed {
		a, err := NewAdvisory(source, x.ID, x.Model, x.Title, x.Published)
		if err != nil {
			faults = append(faults, fmt.Errorf("advisories: number %d: %w", i+1, err))
			continue
		}
		a.Severity, a.URL, a.Since, a.Modified = x.Severity, x.URL, stemma.At(x.Since), max(stemma.At(x.Modified), a.Modified)
		if !x.Withdrawn.IsZero() {
			a = Withdrawn(a, x.Withdrawn)
		}
		if _, err := a.Fact(Advisories, stemma.GradeD); err != nil {
			faults = append(faults, fmt.Errorf("advisories: number %d: %w", i+1, err))
		}
		list = append(list, a)
	}
	return list, errors.Join(faults...)
}

// Withdrawn is an advisory that was taken back.
func Withdrawn(a governance.Advisory, at time.Time) governance.Advisory {
	a.Withdrawn, a.Standing = stemma.At(at), "withdrawn"
	return a
}

// NewAdvisory is one with all that it needs, which stands.
func NewAdvisory(source, id, model, title string, published time.Time) (governance.Advisory, error) {
	for name, text := range map[string]string{"source": source, "id": id, "model": model, "title": title} {
		if strings.TrimSpace(text) == "" {
			return governance.Advisory{}, fmt.Errorf("%s is missing", name)
		}
	}
	if len(model) > maxPattern || strings.ContainsAny(model, "{},[]\\") || !doublestar.ValidatePattern(model) {
		return governance.Advisory{}, fmt.Errorf("%.100q is no pattern of names: it has * for anything, and at most %d bytes", model, maxPattern)
	}
	if published.IsZero() {
		return governance.Advisory{}, errors.New("published is missing")
	}
	return governance.Advisory{
		ID: governance.AdvisoryRef(source, id), Model: model, Title: stemma.CleanText(title, 500),
		Published: stemma.At(published), Modified: stemma.At(published), Standing: "open",
	}, nil
}
