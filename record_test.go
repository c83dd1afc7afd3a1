package stemma_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
)

// parcel is a record of a room that exists only here.
type parcel struct {
	Label  string        `json:"label" fact:"authority"`
	State  string        `json:"state,omitempty" of:"open closed"`
	Weight int           `json:"weight,omitempty"`
	Sent   stemma.Moment `json:"sent,omitempty" fact:"occurred"`
	From   stemma.Ref    `json:"from,omitempty" door:"from"`
	*Size
	Stops []stop        `json:"stop,omitzero"`
	Notes []stemma.Edge `json:"-" door:"note"`
}

// misfit says more than its room declares.
type misfit struct {
	parcel
	Extra string `json:"extra,omitempty"`
}

// Size is known as a whole or not at all.
type Size struct {
	Height int `json:"height"`
}

type stop struct {
	Place string `json:"place"`
}

func (p parcel) Ref() stemma.Ref { return stemma.NewRef(stemma.KindArtifact, p.Label) }

var post = stemma.Room{Name: "post", Kinds: []stemma.KindSpec{{
	Kind: stemma.KindArtifact,
	Columns: []stemma.Column{
		{Name: "label", Type: stemma.Text, Index: true},
		{Name: "state", Type: stemma.Text},
		{Name: "weight", Type: stemma.Int},
		{Name: "sent", Type: stemma.Time},
		{Name: "from", Type: stemma.Link},
		{Name: "height", Type: stemma.Int},
	},
	Lists: []stemma.List{{Name: "stop", Columns: []stemma.Column{{Name: "place", Type: stemma.Text}}}},
	Doors: []stemma.Door{
		{Name: "from", To: []stemma.Kind{stemma.KindPerson}},
		{Name: "note", To: []stemma.Kind{stemma.KindTicket}},
	},
}}}

func TestRecordSaysWhatItKnowsAndNoMore(t *testing.T) {
	for _, c := range []struct {
		record parcel
		want   string
	}{
		{parcel{Label: "a"}, `{"label":"a"}`},
		{parcel{Label: "a", Stops: []stop{}}, `{"label":"a","stop":[]}`},
		{parcel{Label: "a", Size: &Size{}}, `{"label":"a","height":0}`},
		{parcel{Label: "a", Sent: 1, From: "person:x"}, `{"label":"a","sent":"1970-01-01T00:00:00.000001Z","from":"person:x"}`},
	} {
		f, err := stemma.State(post, c.record, "test", stemma.GradeD)
		if err != nil || string(f.Attrs) != c.want {
			t.Errorf("State(%+v) = %s, %v; want %s", c.record, f.Attrs, err, c.want)
		}
		if f.Occurred != c.record.Sent.Time() || len(f.Edges) != len(strings.Fields(string(c.record.From))) {
			t.Errorf("State(%+v): occurred %s, edges %v", c.record, f.Occurred, f.Edges)
		}
	}
}

func TestRecordThatCouldNotComeBackIsRefused(t *testing.T) {
	for field, r := range map[string]parcel{
		"label":   {Label: "a/b"},
		"subject": {},
		"state":   {Label: "a", State: "lost"},
		"weight":  {Label: "a", Weight: -1},
		"sent":    {Label: "a", Sent: stemma.At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))},
		"from":    {Label: "a", From: "ticket:x"},
		"place":   {Label: "a", Stops: []stop{{"\xff"}}},
		"note":    {Label: "a", Notes: []stemma.Edge{{Door: "note", To: "ticket:x"}}},
	} {
		if field == "sent" {
			field = "occurred"
		}
		var invalid *stemma.InvalidError
		if _, err := stemma.State(post, r, "test", stemma.GradeD); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("State(%+v) = %v, want a refusal of %s", r, err, field)
		}
	}
	if _, err := stemma.State(post, misfit{parcel: parcel{Label: "a"}}, "test", stemma.GradeD); err == nil {
		t.Error("an attribute that the room does not declare was accepted")
	}
	for _, label := range []string{"a\x00", strings.Repeat("a", stemma.MaxIndexed+1), "\xff"} {
		if _, err := stemma.State(post, parcel{Label: label}, "test", stemma.GradeD); err == nil {
			t.Errorf("a label of %d bytes was accepted", len(label))
		}
	}
}

func TestRecallRefusesAnotherSubject(t *testing.T) {
	f, err := stemma.State(post, parcel{Label: "a"}, "test", stemma.GradeD)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*stemma.Fact){
		"subject": func(f *stemma.Fact) { f.Subject = "artifact:b" },
		"kind":    func(f *stemma.Fact) { f.Subject, f.Kind = "ticket:a", "ticket" },
		"type":    func(f *stemma.Fact) { f.Attrs = json.RawMessage(`{"label":1}`) },
		"time":    func(f *stemma.Fact) { f.Attrs = json.RawMessage(`{"label":"a","sent":"yesterday"}`) },
	} {
		g := f
		spoil(&g)
		var invalid *stemma.InvalidError
		if r, err := stemma.Recall[parcel](post, g); !errors.As(err, &invalid) {
			t.Errorf("%s: Recall = %+v, %v; want a refusal", name, r, err)
		}
	}
}

func TestMomentIsTimeToTheMicrosecond(t *testing.T) {
	at := time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.FixedZone("", -3600))
	m := stemma.At(at)
	if got, want := m.Time(), at.UTC().Truncate(time.Microsecond); got != want {
		t.Errorf("At(%s) is %s, want %s", at, got, want)
	}
	if stemma.At(time.Time{}) != 0 || !stemma.Moment(0).Time().IsZero() {
		t.Error("the zero time is not the zero moment")
	}
	if stemma.At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)).Valid() {
		t.Error("the year 10000 is valid")
	}
	for _, m := range []stemma.Moment{-62167219200_000000, -1, 1, 253402300799_999999} {
		b, err := json.Marshal(m)
		var back stemma.Moment
		if err == nil {
			err = json.Unmarshal(b, &back)
		}
		if err != nil || back != m {
			t.Errorf("%d became %s, then %d, %v", m, b, back, err)
		}
	}
}

func TestCleanTextFitsAFact(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{"plain\nlines\x1b[m", 100, "plain\nlines\x1b[m"},
		{"a\xff\xfeb\x00", 100, "a\ufffdb\ufffd"},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abc…"},
		{"äöüä", 7, "äö…"},
		{"\xffa\xffa", 4, "…"},
		{"", 3, ""},
	} {
		if got := stemma.CleanText(c.in, c.limit); got != c.want {
			t.Errorf("CleanText(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
		}
	}
}

func FuzzCleanText(f *testing.F) {
	f.Add("a\xff\x00é", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 3 || limit > 1<<20 {
			return
		}
		got := stemma.CleanText(s, limit)
		if !utf8.ValidString(got) || len(got) > limit || strings.ContainsRune(got, 0) {
			t.Fatalf("CleanText(%q, %d) = %q", s, limit, got)
		}
		if again := stemma.CleanText(got, limit); again != got {
			t.Fatalf("CleanText(%q) is not clean: %q", got, again)
		}
	})
}
