package attribution

import "github.com/stemma-dev/stemma"

// An Attribution is what one record says about the lines of one commit. It is
// always stated whole: a later one replaces counts, spans and credits.
type Attribution struct {
	Commit         stemma.Ref `json:"commit" door:"attributes"`
	Format         string     `json:"format"`           // of the record: "git-ai", "whogitit"
	Note           string     `json:"note,omitempty"`   // object id or place it was read from
	Writer         string     `json:"writer,omitempty"` // program and version that wrote it
	Basis          string     `json:"basis,omitempty"`  // a stemma.Basis
	AILines        int        `json:"ai_lines"`
	HumanLines     int        `json:"human_lines"`
	UnknownLines   int        `json:"unknown_lines"`
	ClaimedLines   int        `json:"claimed_lines"`
	MisplacedLines int        `json:"misplaced_lines"` // claimed, but not added by the commit
	UnresolvedKeys int        `json:"unresolved_keys"`
	Files          int        `json:"files"`
	Withdrawn      bool       `json:"withdrawn"` // it was there once and is not any more; it says nothing now

	Spans   []Span   `json:"span"`
	Credits []Credit `json:"credit"`
	Anchors []Anchor `json:"anchor"` // of a commit that was not at hand

	Occurred stemma.Moment `json:"-" fact:"occurred"`
	Bodies   []stemma.Body `json:"-" fact:"bodies"` // the raw record
}

// A Span is a stretch of lines of one origin in the commit's version of a file.
type Span struct {
	Path      string     `json:"path"`
	Start     int        `json:"start"` // first line, from 1
	End       int        `json:"end"`   // last line, included
	Origin    string     `json:"origin" of:"ai human unknown"`
	Basis     string     `json:"basis,omitempty"`  // a stemma.Basis
	Reason    string     `json:"reason,omitempty"` // why it is unknown
	Agent     string     `json:"agent,omitempty"`
	Model     stemma.Ref `json:"model,omitempty" door:"model"`
	ModelName string     `json:"model_name,omitempty"` // as the source spells it
	Session   stemma.Ref `json:"session,omitempty" door:"session"`
	Prompt    int        `json:"prompt,omitempty"`    // number in the session, from 1
	ToolCall  string     `json:"tool_call,omitempty"` // id of the tool call
	Author    stemma.Ref `json:"author,omitempty" door:"author"`
	Key       string     `json:"key,omitempty"` // in the record
}

// An Anchor is a stretch of lines of one origin in a commit that is not at hand, with
// by what they are known again elsewhere. It credits nobody.
type Anchor struct {
	Path      string     `json:"path"`
	Start     int        `json:"start"` // first line, from 1
	End       int        `json:"end"`   // last line, included
	Blob      string     `json:"blob,omitempty"`
	Text      string     `json:"text"` // base64; four bytes for each line, as edits.Print.AppendShort has them
	Origin    string     `json:"origin" of:"ai human"`
	Agent     string     `json:"agent,omitempty"`
	Model     stemma.Ref `json:"model,omitempty"`
	ModelName string     `json:"model_name,omitempty"` // as the source spells it
	Session   stemma.Ref `json:"session,omitempty"`
	Prompt    int        `json:"prompt,omitempty"`    // number in the session, from 1
	ToolCall  string     `json:"tool_call,omitempty"` // id of the tool call
	Author    stemma.Ref `json:"author,omitempty"`
}

// A Credit is how many lines one origin wrote.
type Credit struct {
	Origin    string     `json:"origin" of:"ai human unknown"`
	Agent     string     `json:"agent,omitempty"`
	Model     stemma.Ref `json:"model,omitempty" door:"model"`
	ModelName string     `json:"model_name,omitempty"`
	Session   stemma.Ref `json:"session,omitempty" door:"session"`
	Lines     int        `json:"lines"`
}

// Ref names what a record of the given format says about a commit.
func Ref(commit stemma.Ref, format string) stemma.Ref {
	objects, sha := commit.Split()
	return stemma.NewRef(stemma.KindAttribution, objects, sha, format)
}

// Ref names the attribution.
func (a Attribution) Ref() stemma.Ref {
	if a.Commit == "" || a.Format == "" {
		return ""
	}
	return Ref(a.Commit, a.Format)
}

// Fact states the attribution, whole: what an earlier one named and this one does
// not, it does not name any more.
func (a Attribution) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	if a.Spans == nil {
		a.Spans = []Span{}
	}
	if a.Credits == nil {
		a.Credits = []Credit{}
	}
	if a.Anchors == nil {
		a.Anchors = []Anchor{}
	}
	for _, s := range a.Spans {
		if s.Start < 1 || s.End < s.Start {
			return stemma.Fact{}, &stemma.InvalidError{Ref: a.Ref(), Field: "span", Why: "its lines do not begin at 1 or end before they begin"}
		}
	}
	f, err := stemma.State(Room, a, source, grade)
	f.Whole = true
	return f, err
}

// FromFact reads what Fact wrote.
func FromFact(f stemma.Fact) (Attribution, error) {
	a, err := stemma.Recall[Attribution](Room, f)
	if len(a.Spans) == 0 {
		a.Spans = nil
	}
	if len(a.Credits) == 0 {
		a.Credits = nil
	}
	if len(a.Anchors) == 0 {
		a.Anchors = nil
	}
	return a, err
}

// A File is the state of one path at the tip of a branch. It is always stated
// whole: a later one replaces counts and runs. A deleted path has no lines
// and no runs, and so may one that is there.
type File struct {
	Repository   stemma.Ref `json:"repository" door:"in"`
	Branch       string     `json:"branch"`
	Path         string     `json:"path"`
	Blob         string     `json:"blob,omitempty"` // of the last content, if it was deleted
	Commit       stemma.Ref `json:"commit" door:"at"`
	Deleted      bool       `json:"deleted"` // it is not at the tip any more
	Lines        int        `json:"lines"`
	AILines      int        `json:"ai_lines"`
	HumanLines   int        `json:"human_lines"`
	UnknownLines int        `json:"unknown_lines"`

	Runs []Run `json:"run"`

	Occurred stemma.Moment `json:"-" fact:"occurred"`
}

// A Run is a stretch of lines that one commit brought with one origin.
type Run struct {
	Start     int        `json:"start"` // first line, from 1
	Count     int        `json:"count"`
	Commit    stemma.Ref `json:"commit,omitempty"`
	Path      string     `json:"path,omitempty"` // there, if it had another
	Line      int        `json:"line,omitempty"` // first line there, from 1
	Origin    string     `json:"origin" of:"ai human unknown"`
	Basis     string     `json:"basis,omitempty"`
	Reason    string     `json:"reason,omitempty"` // why it is unknown
	Agent     string     `json:"agent,omitempty"`
	Model     stemma.Ref `json:"model,omitempty"`
	ModelName string     `json:"model_name,omitempty"`
	Session   stemma.Ref `json:"session,omitempty"`
}

// FileRef names a path at the tip of a branch. A branch's name cannot hold a
// colon, so no two of them share a spelling.
func FileRef(repository stemma.Ref, branch, path string) stemma.Ref {
	host, name := repository.Split()
	return stemma.NewRef(stemma.KindFile, host, name+":"+branch+":"+path)
}

// Ref names the file.
func (f File) Ref() stemma.Ref {
	if f.Repository == "" || f.Path == "" {
		return ""
	}
	return FileRef(f.Repository, f.Branch, f.Path)
}

// Fact states the file.
func (f File) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	if f.Runs == nil {
		f.Runs = []Run{}
	}
	return stemma.State(Room, f, source, grade)
}

// FileFromFact reads what Fact wrote.
func FileFromFact(fact stemma.Fact) (File, error) {
	f, err := stemma.Recall[File](Room, fact)
	if len(f.Runs) == 0 {
		f.Runs = nil
	}
	return f, err
}
