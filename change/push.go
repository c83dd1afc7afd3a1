package change

import "github.com/stemma-dev/stemma"

var pushSpec = stemma.KindSpec{
	Kind: stemma.KindPush,
	Doc:  "one move of a branch or a tag, as the forge saw it",
	Columns: []stemma.Column{
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "where"},
		{Name: "name", Type: stemma.Text, Index: true, Doc: "whole name of the branch or tag: refs/heads/main"},
		{Name: "before", Type: stemma.Text, Doc: "hash that it pointed at; empty if it is new"},
		{Name: "after", Type: stemma.Text, Index: true, Doc: "hash that it points at; empty if it is gone"},
		{Name: "forced", Type: stemma.Bool, Doc: "it left commits behind"},
		{Name: "on_default", Type: stemma.Bool, Doc: "it moved the default branch"},
		{Name: "commits", Type: stemma.Int, Doc: "how many commits came with it"},
		{Name: "pushed", Type: stemma.Time, Index: true, Doc: "when"},
		{Name: "actor", Type: stemma.Link, Index: true, Doc: "who pushed"},
	},
	Doors: []stemma.Door{
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "where"},
		{Name: "by", To: people, Doc: "who pushed"},
		{Name: "brought", To: []stemma.Kind{stemma.KindCommit}, Doc: "the commits that came with it, as far as they were told"},
	},
}

// A Push is one move of a branch or a tag.
type Push struct {
	Repository stemma.Ref    `json:"repository" door:"in"`
	Name       string        `json:"name"` // "refs/heads/main"
	Before     string        `json:"before,omitempty"`
	After      string        `json:"after,omitempty"`
	Forced     *bool         `json:"forced,omitempty"`     // nil: the forge does not tell
	OnDefault  *bool         `json:"on_default,omitempty"` // likewise
	Count      int           `json:"commits,omitempty"`
	Pushed     stemma.Moment `json:"pushed,omitempty" fact:"occurred"`
	By         stemma.Ref    `json:"actor,omitempty" door:"by"`

	Brought []stemma.Ref `json:"-" door:"brought"`
}

// Ref names the push by what it moved, from where to where. A hash holds no colon
// and a name of a ref neither.
func (p Push) Ref() stemma.Ref {
	if p.Repository == "" || p.Name == "" || p.Before == "" && p.After == "" {
		return ""
	}
	host, name := p.Repository.Split()
	return stemma.NewRef(stemma.KindPush, host, name+":"+p.Before+".."+p.After+":"+p.Name)
}

// Fact states the push.
func (p Push) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, p, source, grade)
}

// PushFromFact reads what Fact wrote.
func PushFromFact(f stemma.Fact) (Push, error) { return stemma.Recall[Push](Room, f) }

var protectionSpec = stemma.KindSpec{
	Kind: stemma.KindProtection,
	Doc:  "a rule of the forge about which pushes and merges it takes",
	Columns: []stemma.Column{
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "where"},
		{Name: "pattern", Type: stemma.Text, Index: true, Doc: "names of branches that it is about"},
		{Name: "approvals", Type: stemma.Int, Doc: "how many approvals a merge needs"},
		{Name: "owners", Type: stemma.Bool, Doc: "owners of the files must approve"},
		{Name: "stale_dismissed", Type: stemma.Bool, Doc: "an approval ends with the next push"},
		{Name: "checks", Type: stemma.Bool, Doc: "checks must have passed"},
		{Name: "for_admins", Type: stemma.Bool, Doc: "it binds administrators too"},
		{Name: "force_pushes", Type: stemma.Bool, Doc: "history may be rewritten"},
		{Name: "deleted", Type: stemma.Bool, Doc: "it is no more"},
		{Name: "changed", Type: stemma.Time, Index: true, Doc: "when it became so"},
		{Name: "actor", Type: stemma.Link, Doc: "who made it so"},
	},
	Doors: []stemma.Door{
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "where"},
		{Name: "by", To: people, Doc: "who made it so"},
	},
}

// A Protection is a rule of the forge about which pushes and merges a branch takes.
type Protection struct {
	Repository     stemma.Ref    `json:"repository" door:"in"`
	Pattern        string        `json:"pattern"`
	Approvals      *int          `json:"approvals,omitempty"`
	Owners         *bool         `json:"owners,omitempty"`
	StaleDismissed *bool         `json:"stale_dismissed,omitempty"`
	Checks         *bool         `json:"checks,omitempty"`
	ForAdmins      *bool         `json:"for_admins,omitempty"`
	ForcePushes    *bool         `json:"force_pushes,omitempty"`
	Deleted        bool          `json:"deleted"`
	Changed        stemma.Moment `json:"changed,omitempty" fact:"occurred"`
	By             stemma.Ref    `json:"actor,omitempty" door:"by"`
}

// Ref names the rule by the branches that it is about.
func (p Protection) Ref() stemma.Ref {
	if p.Repository == "" || p.Pattern == "" {
		return ""
	}
	host, name := p.Repository.Split()
	return stemma.NewRef(stemma.KindProtection, host, name+":"+p.Pattern)
}

// Fact states the rule.
func (p Protection) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, p, source, grade)
}

// ProtectionFromFact reads what Fact wrote.
func ProtectionFromFact(f stemma.Fact) (Protection, error) {
	return stemma.Recall[Protection](Room, f)
}
