package program

import (
	"os"

	"github.com/stemma-dev/stemma/ingest/local"
	"github.com/stemma-dev/stemma/spool"
)

// Transcripts finds the transcripts of agents that belong to work trees where they
// keep them for the account that runs the program, but those that are known.
func Transcripts(trees []spool.Place, known func(path string) bool) []local.File {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // then only what hooks named is looked at
	}
	return local.Find(local.Machine{Home: home, Env: os.Getenv}, trees, known)
}
