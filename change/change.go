package change

import (
	"strconv"

	"github.com/stemma-dev/stemma"
)

// A Change is what came into a branch at once: a merge request, or a push
// without one.
type Change struct {
	Repository   stemma.Ref    `json:"repository" door:"in"`
	Number       int           `json:"number,omitempty"` // of the merge request; 0 if there was none
	Title        string        `json:"title,omitempty"`
	Method       string        `json:"method,omitempty" of:"merge squash rebase direct"`
	Platform     string        `json:"platform,omitempty"` // see [Landing]
	Branch       string        `json:"branch,omitempty"`   // where it was made
	Target       string        `json:"target,omitempty"`   // where it went
	URL          string        `json:"url,omitempty"`
	State        string        `json:"state,omitempty" of:"open merged closed"` // of the merge request
	Opened       stemma.Moment `json:"opened,omitempty"`
	Merged       stemma.Moment `json:"merged,omitempty" fact:"occurred"`
	Closed       stemma.Moment `json:"closed,omitempty"`                        // without having been merged
	Head         stemma.Ref    `json:"head,omitempty"`                          // the last commit that it showed for review
	Queue        string        `json:"queue,omitempty" of:"queued merged left"` // where it stands in the merge queue
	MergedBy     stemma.Ref    `json:"merged_by,omitempty" door:"merged-by"`
	MergeCommit  stemma.Ref    `json:"merge_commit,omitempty"` // the commit it put on the target; needed if Number is 0
	Author       stemma.Ref    `json:"author,omitempty" door:"author"`
	Intent       string        `json:"intent,omitempty" of:"feature fix security-fix refactor docs test build revert other unknown"`
	IntentMethod string        `json:"intent_method,omitempty"` // how the intent was told, see [Evidence]
	CommitCount  int           `json:"commits,omitempty"`
	*Size
	*Lines
	AuthorClass  string `json:"author_class,omitempty" of:"ai human mixed unknown"`
	FixAuthor    string `json:"fix_author,omitempty" of:"ai human mixed unknown"`    // class of the lines that mend
	OriginAuthor string `json:"origin_author,omitempty" of:"ai human mixed unknown"` // class of the lines that were mended
	FixMethod    string `json:"fix_method,omitempty"`                                // how what it fixes was found
	Breaking     bool   `json:"breaking,omitempty"`
	Dropped      *bool  `json:"dropped,omitempty"` // its target does not reach it any more; nil says nothing
	*Iterations
	*Compared

	Credits    []Credit    `json:"credit,omitzero"`
	Fixes      []Fix       `json:"fixes,omitzero"`
	Evidence   []Evidence  `json:"evidence,omitzero"`
	Components []Component `json:"component,omitzero"`

	Commits    []stemma.Ref  `json:"-" door:"carries"`
	Heads      []stemma.Edge `json:"-" door:"head"`        // every commit that it showed, and what a queue made of them
	Drivers    []stemma.Edge `json:"-" door:"driver"`      // who drove the agent that brought it
	PickedFrom []stemma.Ref  `json:"-" door:"picked-from"` // the changes that it brings to another branch
	Implements []stemma.Edge `json:"-" door:"implements"`
	Satisfies  []stemma.Edge `json:"-" door:"satisfies"`
	Repairs    []stemma.Edge `json:"-" door:"fixes"` // the changes and commits of Fixes, with the method
	Reverts    []stemma.Edge `json:"-" door:"reverts"`
	Sessions   []stemma.Edge `json:"-" door:"session"`
}

// Iterations are how often a change was tried, and what that took; they are counted of
// what is known about it.
type Iterations struct {
	Attempts  int  `json:"attempts"` // commits that pipelines judged, up to the first that all of them found good
	Green     bool `json:"green"`    // there is one
	Idle      int  `json:"infrastructure_failures"`
	Reprompts int  `json:"reprompts"` // prompts after tests or pipelines had failed
}

// Compared is what came of holding what landed against what was shown for review.
type Compared struct {
	With    stemma.Ref `json:"compared"` // the head
	Altered int        `json:"altered"`  // files in which what landed is not what the head and the branch make together
}

// A Credit is how many of the added lines one origin wrote.
type Credit struct {
	Origin    string     `json:"origin" of:"ai human unknown"`
	Agent     string     `json:"agent,omitempty"`
	Model     stemma.Ref `json:"model,omitempty"`
	ModelName string     `json:"model_name,omitempty"` // as the source spells it
	Session   stemma.Ref `json:"session,omitempty"`
	Lines     int        `json:"lines"`
}

// A Fix is one thing that a fix mends, with the origin of the lines that it
// changed there.
type Fix struct {
	Change  stemma.Ref `json:"change,omitempty"` // empty if no change is known for the commit
	Commit  stemma.Ref `json:"commit,omitempty"`
	Lines   int        `json:"lines"`
	AI      int        `json:"ai_lines"`
	Human   int        `json:"human_lines"`
	Unknown int        `json:"unknown_lines"`
	Method  string     `json:"method"` // "declared", "revert", "lines"
}

// A Component is a part of the repository that a change touched.
type Component struct {
	Path string `json:"path"`
}

// NumberedRef names merge request number of a repository.
func NumberedRef(repository stemma.Ref, number int) stemma.Ref {
	host, name := repository.Split()
	return stemma.NewRef(stemma.KindChange, host, name+"#"+strconv.Itoa(number))
}

// DirectRef names the change that put commit sha on a branch without a number.
func DirectRef(repository stemma.Ref, sha string) stemma.Ref {
	host, name := repository.Split()
	return stemma.NewRef(stemma.KindChange, host, name+"@"+sha)
}

// Ref names the change: by its number, otherwise by its merge commit.
func (c Change) Ref() stemma.Ref {
	if c.Repository == "" {
		return ""
	}
	if c.Number > 0 {
		return NumberedRef(c.Repository, c.Number)
	}
	_, sha := c.MergeCommit.Split()
	if sha == "" {
		return ""
	}
	return DirectRef(c.Repository, sha)
}

// Fact states the change; with its commits it is stated whole, so that it leads
// to nothing else any more than what is given.
func (c Change) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	f, err := stemma.State(Room, c, source, grade)
	f.Whole = len(c.Commits) > 0
	return f, err
}

// FromFact reads what Fact wrote.
func FromFact(f stemma.Fact) (Change, error) { return stemma.Recall[Change](Room, f) }

// A Release is a tag.
type Release struct {
	Repository stemma.Ref    `json:"repository" door:"in"`
	Name       string        `json:"name"`                         // of the tag, without refs/tags/
	Target     stemma.Ref    `json:"target,omitempty" door:"tags"` // empty if it tags no commit
	Tagged     stemma.Moment `json:"tagged,omitempty" fact:"occurred"`
	Annotated  bool          `json:"annotated"`
	Signature  string        `json:"signature,omitempty"` // its form, unverified
	Title      string        `json:"title,omitempty"`
	TagObject  string        `json:"tag_object,omitempty"`
	Deleted    *bool         `json:"deleted,omitempty"`   // nil says nothing
	Published  stemma.Moment `json:"published,omitempty"` // when the forge told the world
	Prerelease *bool         `json:"prerelease,omitempty"`
	URL        string        `json:"url,omitempty"`

	Tagger stemma.Ref `json:"-" door:"tagger"`
}

// ReleaseRef names a tag of a repository. A tag's name cannot hold a colon, so
// the last one ends the repository's.
func ReleaseRef(repository stemma.Ref, tag string) stemma.Ref {
	host, name := repository.Split()
	return stemma.NewRef(stemma.KindRelease, host, name+":"+tag)
}

// Ref names the release.
func (r Release) Ref() stemma.Ref {
	if r.Repository == "" || r.Name == "" {
		return ""
	}
	return ReleaseRef(r.Repository, r.Name)
}

// Fact states the release, whole unless it was deleted: a tag that was moved tags
// nothing else.
func (r Release) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	f, err := stemma.State(Room, r, source, grade)
	f.Whole = r.Deleted == nil || !*r.Deleted
	return f, err
}

// ReleaseFromFact reads what Fact wrote.
func ReleaseFromFact(f stemma.Fact) (Release, error) { return stemma.Recall[Release](Room, f) }
