package change

import (
	"strings"

	"github.com/stemma-dev/stemma"
)

// The words for who wrote the added lines of a commit or a change.
const (
	ClassAI      = "ai"
	ClassHuman   = "human"
	ClassMixed   = "mixed"
	ClassUnknown = "unknown"
)

// A Repository is one history, named by where it is at home.
type Repository struct {
	ID            stemma.Ref `json:"-" fact:"subject"` // see [RepositoryRef]
	Name          string     `json:"name,omitempty"`   // "acme/pay"
	Host          string     `json:"host,omitempty"`   // "github.com"
	URL           string     `json:"url,omitempty"`    // to browse, without credentials
	DefaultBranch string     `json:"default_branch,omitempty"`
	ObjectFormat  string     `json:"object_format,omitempty" of:"sha1 sha256"`
	Tip           stemma.Ref `json:"tip,omitempty"` // commit of the default branch when read
	Shallow       bool       `json:"shallow"`       // history is cut off
	Partial       bool       `json:"partial"`       // objects may be missing by filter
	Bare          bool       `json:"bare"`

	Aliases []stemma.Edge `json:"-" door:"alias"` // other names that lead to it, with how that is known

	Occurred stemma.Moment `json:"-" fact:"occurred"`
}

// RepositoryRef names the repository at host with the path name, such as
// "github.com" and "acme/pay". One without a remote has the host "local" and
// the first 12 digits of its root commit as name. Forges tell names apart without regard
// to case, and people write them as they like.
func RepositoryRef(host, name string) stemma.Ref {
	return stemma.NewRef(stemma.KindRepository, strings.ToLower(host), strings.ToLower(name))
}

// Ref names the repository.
func (r Repository) Ref() stemma.Ref { return r.ID }

// Fact states the repository.
func (r Repository) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, r, source, grade)
}

// RepositoryFromFact reads what Fact wrote.
func RepositoryFromFact(f stemma.Fact) (Repository, error) {
	return stemma.Recall[Repository](Room, f)
}

// Size counts what was changed. A record that does not know leaves the whole out;
// a zero in it is a count.
type Size struct {
	FileCount int `json:"files"`
	Added     int `json:"added"`   // lines
	Deleted   int `json:"deleted"` // lines
}

// Lines counts the added lines by origin. A record that does not know leaves
// the whole out; a zero in it is a count.
type Lines struct {
	AI      int `json:"ai_lines"`
	Human   int `json:"human_lines"`
	Unknown int `json:"unknown_lines"`
}

// All is how many lines there are.
func (l Lines) All() int { return l.AI + l.Human + l.Unknown }

// Plus is both together.
func (l Lines) Plus(m Lines) Lines {
	return Lines{l.AI + m.AI, l.Human + m.Human, l.Unknown + m.Unknown}
}

// Class returns the class of the lines: mixed if both people and AI wrote
// some, unknown if there are lines and the origin of more than half of them is
// unknown, or if there are none.
func (l Lines) Class() string {
	total := l.All()
	switch {
	case total == 0 || 2*l.Unknown > total:
		return ClassUnknown
	case l.AI > 0 && l.Human > 0:
		return ClassMixed
	case l.AI > 0:
		return ClassAI
	default:
		return ClassHuman
	}
}

// A Commit is one commit object. Its subject is its hash alone: the same
// commit in two repositories is one thing.
type Commit struct {
	Repository  stemma.Ref    `json:"repository,omitempty" door:"in"`
	SHA         string        `json:"sha"` // 40 or 64 lower-case digits; decides the ref
	Tree        string        `json:"tree,omitempty"`
	ParentCount int           `json:"parents,omitempty"` // as the object lists them
	FirstParent stemma.Ref    `json:"first_parent,omitempty"`
	Author      stemma.Ref    `json:"author,omitempty" door:"author"`
	Committer   stemma.Ref    `json:"committer,omitempty" door:"committer"`
	Authored    stemma.Moment `json:"authored,omitempty"`
	Committed   stemma.Moment `json:"committed,omitempty" fact:"occurred"`
	Title       string        `json:"title,omitempty"`
	Message     string        `json:"message,omitempty"`    // whole, title included
	Signature   string        `json:"signature,omitempty"`  // its form, unverified: "pgp", "ssh", "x509"
	ChangeID    string        `json:"change_id,omitempty"`  // Gerrit's
	OnDefault   *bool         `json:"on_default,omitempty"` // nil says nothing
	Merge       bool          `json:"merge,omitempty"`
	*Size
	BytesBinary int `json:"bytes_binary,omitempty"`
	*Lines
	AuthorClass string `json:"author_class,omitempty" of:"ai human mixed unknown"`

	Files    []File    `json:"file,omitzero"`
	Trailers []Trailer `json:"trailer,omitzero"`

	Parents    []stemma.Ref  `json:"-" door:"parent"` // a set; FirstParent tells the first
	Coauthors  []stemma.Ref  `json:"-" door:"coauthor"`
	Reverts    []stemma.Ref  `json:"-" door:"reverts"`
	PickedFrom []stemma.Ref  `json:"-" door:"picked-from"`
	Sessions   []stemma.Edge `json:"-" door:"session"`
	AssistedBy []stemma.Edge `json:"-" door:"assisted-by"`
	Implements []stemma.Edge `json:"-" door:"implements"`
}

// A File is one path that a commit touched, compared with its first parent.
type File struct {
	Path    string `json:"path"`
	OldPath string `json:"old_path,omitempty"` // of a rename or copy
	Status  string `json:"status,omitempty"`   // git's letter: A M D R C T
	Added   int    `json:"added,omitempty"`
	Deleted int    `json:"deleted,omitempty"`
	Blob    string `json:"blob,omitempty"`
	OldBlob string `json:"old_blob,omitempty"`
	Binary  bool   `json:"binary,omitempty"`
	// Mended has, in a fix, the lines of the old file that it replaced or took
	// away, without blanks and comments: "12-14,20".
	Mended string `json:"mended,omitempty"`
	// Respaced has the lines that differ from old ones in white space only, each
	// run with the first of its old lines: "12-14=8,20=16".
	Respaced string `json:"respaced,omitempty"`
}

// A Trailer is one line at the end of a message, with the person it names.
// The value of a trailer that names a person is empty: facts hold no names.
type Trailer struct {
	Key    string     `json:"key"`
	Value  string     `json:"value,omitempty"`
	Person stemma.Ref `json:"person,omitempty"`
}

// CommitRef names the commit with the given hash in the given object format,
// "sha1" or "sha256".
func CommitRef(format, sha string) stemma.Ref {
	return stemma.NewRef(stemma.KindCommit, format, sha)
}

// ShaRef names the commit with the given hash; its length tells the object
// format. It is empty if sha is not a whole hash.
func ShaRef(sha string) stemma.Ref {
	for _, c := range []byte(sha) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	switch len(sha) {
	case 40:
		return CommitRef("sha1", sha)
	case 64:
		return CommitRef("sha256", sha)
	}
	return ""
}

// Ref names the commit.
func (c Commit) Ref() stemma.Ref { return ShaRef(c.SHA) }

// Fact states the commit.
func (c Commit) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, c, source, grade)
}

// CommitFromFact reads what Fact wrote.
func CommitFromFact(f stemma.Fact) (Commit, error) { return stemma.Recall[Commit](Room, f) }
