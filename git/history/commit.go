// Package history streams the commits of a repository, parents before children,
// each with what it changed.
//
// It takes the same few processes however long the history is. What is missing
// or broken in the repository is said of the commit that it concerns, and reading
// goes on: stand-ins for missing objects, in a directory of this run's own, let
// git tell of all other files.
package history

import (
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/patch"
)

// A Commit is one commit with what it changed. Where the commit names another
// encoding than UTF-8, the names and the message have been turned into UTF-8.
type Commit struct {
	git.Commit

	Cut     bool // Message is longer than the limit and was cut
	Shallow bool // its parents were not fetched: Files compares with nothing

	Files []patch.File // what it changed; for a merge, the files that differ from every parent
	Taken []TakenPath  // for a merge: the paths that differ from the first parent but equal another

	// Lost tells, for each of the Files that is Missing because of an object that
	// is not there or cannot be read, which one that is.
	Lost []*DamageError

	// Damage tells why Files or Taken are missing or not whole; with an empty
	// Tree the commit itself cannot be read. Reading goes on after it.
	Damage error
}

// A TakenPath is a path that a merge took over unchanged from another parent
// than the first.
type TakenPath struct {
	Path   string
	Blob   string // "" when that parent has deleted it
	Mode   int
	Old    string       // the first parent's blob, "" when it has none
	Status patch.Status // against the first parent
	// Parent is the index in Parents it was taken from: 1 for a merge of two, 0
	// when there are several and the caller must look which has this blob.
	Parent int
}
