// Package clone holds the verbs that work in a clone and need no store: they set
// capture up, are called by hooks of agents and of git, and write and read the
// notes of commits. A file holds one verb: its flags, its help and its run function.
package clone
