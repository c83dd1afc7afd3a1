package stemma

import "time"

// A Gap records silence: a hook that did not run, a row that could not be
// read, a delivery that was dropped. What is missing is stated, never guessed.
// A gap is open until another fact says that it is closed.
type Gap struct {
	Repository Ref       `json:"repository,omitempty"` // whose history it is in, if it is in one
	Source     string    `json:"source"`               // which source fell silent: "git-ai-note"
	Place      string    `json:"place"`                // where: a path, a note, a line
	Reason     string    `json:"reason"`               // why it could not be read
	Count      int64     `json:"count"`                // how many times at that place
	About      Ref       `json:"about,omitempty"`      // what it leaves unknown, if that can be told
	Object     string    `json:"object,omitempty"`     // the object of git that could not be read, if that is why
	Closed     bool      `json:"closed"`               // what was missing has been read since
	Seen       time.Time `json:"-"`
}

// GapSpec is the shape of a gap in the graph.
var GapSpec = KindSpec{
	Kind: KindGap,
	Doc:  "something that could not be seen or read, with its reason and place",
	Columns: []Column{
		{Name: "source", Type: Text, Index: true, Doc: "the source that fell silent"},
		{Name: "place", Type: Text, Doc: "where"},
		{Name: "reason", Type: Text, Doc: "why"},
		{Name: "count", Type: Int, Doc: "how many times at that place"},
		{Name: "about", Type: Link, Index: true, Doc: "what it leaves unknown"},
		{Name: "repository", Type: Link, Index: true, Doc: "whose history it is in"},
		{Name: "object", Type: Text, Doc: "the object of git that could not be read, if that is why"},
		{Name: "closed", Type: Bool, Doc: "what was missing has been read since"},
	},
}

// Ref names the gap.
func (g Gap) Ref() Ref {
	id := g.Source + "\x00" + g.Place + "\x00" + g.Reason
	if g.Repository != "" {
		id += "\x00" + string(g.Repository)
	}
	return NewRef(KindGap, "sha256", Sum([]byte(id)).String())
}

// Fact states the gap.
func (g Gap) Fact() (Fact, error) {
	return NewFact(g.Ref(), g, Provenance{
		Source: g.Source, Occurred: g.Seen, Grade: GradeD,
	})
}
