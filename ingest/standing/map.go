package standing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
)

// How much of a role map is taken.
const (
	MaxMap     = 1 << 20
	maxEntries = 10_000
	maxWord    = 200
)

// An Entry of a role map gives somebody a role, or membership of a team, for a time.
type Entry struct {
	Who        string // a mail address, a pseudonym, or another name
	Role, Team string // one of them
	Repository stemma.Ref
	From       stemma.Moment // zero: ever since
	Until      stemma.Moment // zero: until further notice
}

// ParseMap reads a role map:
//
//	roles:
//	  - {who: ada@acme.example, role: security-reviewer, from: 2026-01-01, until: 2026-07-01}
//	  - {who: ada@acme.example, team: "@acme/core", repository: github.com/acme/pay}
func ParseMap(data []byte) ([]Entry, error) {
	if len(data) > MaxMap {
		return nil, fmt.Errorf("a role map of more than %d bytes", MaxMap)
	}
	var file struct {
		Roles []struct{ Who, Role, Team, Repository, From, Until string } `yaml:"roles"`
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the role map: %w", err)
	}
	if len(file.Roles) > maxEntries {
		return nil, fmt.Errorf("the role map has %d entries, more than %d", len(file.Roles), maxEntries)
	}
	var list []Entry
	for i, r := range file.Roles {
		e := Entry{Who: strings.TrimSpace(r.Who), Role: strings.TrimSpace(r.Role), Team: strings.ToLower(strings.TrimSpace(r.Team))}
		fault := func(format string, args ...any) ([]Entry, error) {
			return nil, fmt.Errorf("entry %d of the role map: "+format, append([]any{i + 1}, args...)...)
		}
		var err error
		switch host, name, _ := strings.Cut(strings.TrimSpace(r.Repository), "/"); {
		case e.Who == "":
			return fault("who is missing")
		case (e.Role == "") == (e.Team == ""):
			return fault("it needs a role or a team, and not both")
		case !plainWord(e.Who) || !plainWord(e.Role) || !plainWord(e.Team):
			return fault("a text is longer than %d bytes or has control characters", maxWord)
		case r.Repository != "" && (host == "" || name == "" || !plainWord(r.Repository)):
			return fault("%.100q is no repository: write github.com/acme/pay", r.Repository)
		case r.Repository != "":
			e.Repository = change.RepositoryRef(host, name)
		}
		if e.From, err = day(r.From); err != nil {
			return fault("from: %w", err)
		}
		if e.Until, err = day(r.Until); err != nil {
			return fault("until: %w", err)
		}
		if e.Until != 0 && e.Until <= e.From {
			return fault("it ends before it begins")
		}
		list = append(list, e)
	}
	return list, nil
}

func plainWord(s string) bool {
	return len(s) <= maxWord && stemma.CleanText(s, maxWord) == s && !strings.ContainsFunc(s, isControl)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// day reads a day or a moment; nothing is no time.
func day(s string) (stemma.Moment, error) {
	if s = strings.TrimSpace(s); s == "" {
		return 0, nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, s); err == nil && t.Year() > 1970 {
			return stemma.At(t), nil
		}
	}
	return 0, fmt.Errorf("%.40q is no day: write 2026-03-31", s)
}

// SetMap states a role map in the place of the one before, and says how many of its
// entries are new and how many of the old ones hold no more. Who finds an account.
func SetMap(ctx context.Context, space *ingest.Space, now func() time.Time, entries []Entry, who func(name string) (stemma.Ref, error)) (added, gone int, err error) {
	l := &linker{ctx: ctx, space: space, now: now}
	if err := l.load(); err != nil {
		return 0, 0, fmt.Errorf("the role map: %w", err)
	}
	old := map[stemma.Ref]identity.Mandate{}
	for _, list := range l.held {
		for _, m := range list {
			if m.Method == identity.MandateMap {
				old[m.Ref()] = m
			}
		}
	}
	var facts []identity.Mandate
	for _, e := range entries {
		holder, err := who(e.Who)
		if err != nil {
			return 0, 0, err
		}
		m := identity.Mandate{Holder: holder, Role: e.Role, Team: e.Team, Repository: e.Repository, Since: e.From, Until: e.Until, Method: identity.MandateMap}
		before, known := old[m.Ref()]
		delete(old, m.Ref())
		if known && before == m {
			continue
		}
		if !known || before.Withdrawn {
			added++
		}
		if m.Until == 0 && before.Until != 0 {
			m.Until = never
		}
		facts = append(facts, m)
	}
	for _, m := range old {
		if !m.Withdrawn {
			gone++
			m.Withdrawn = true
			facts = append(facts, m)
		}
	}
	w := ingest.NewWriter(ctx, space, now)
	for _, m := range facts {
		if err := w.Record(ctx, m, Source, stemma.GradeD); err != nil {
			return 0, 0, errors.Join(err, w.Close(ctx))
		}
	}
	return added, gone, w.Close(ctx)
}

// never is an end that takes back an earlier one: what a fact leaves out stays as it was.
var never = stemma.At(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
