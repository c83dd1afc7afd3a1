// Package git reads repositories through the git command, safely and in few
// processes.
//
// What it keeps: per open [Repo] one private directory of a few hundred bytes,
// removed by [Repo.Close]. That directory is a repository of our own, with a
// configuration of our own, which borrows nothing but the object store of the
// repository that is read. Whatever looks at objects (log, differences, trees,
// blame) runs there, so no hook, alias, filter, pager, textconv, external
// differ, file system monitor, promisor remote or attribute of the scanned
// repository is ever in force. Only the names of refs and a few values of the
// configuration are read in the repository itself, with commands that run
// nothing and with the dangerous settings overridden. [Glance] reads them without
// a command where the files of the repository are plain enough.
//
// What it never does: write to the scanned repository, fetch from a network,
// verify a signature, take locks, consult replace refs or the user's own
// configuration, or start one process per commit, file or object.
//
// Names of paths are raw bytes in a Go string; [quote.Path] gives the form for
// human eyes. Everything that comes out of a repository is hostile: sizes are
// bounded.
//
// Histories with their differences are read by git/history, the origins of lines
// by git/blame; both run their commands at [Repo.Apart]. It needs git 2.30 or
// later and knows no room.
package git
