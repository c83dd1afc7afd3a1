package ingest

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// SyncPrefix begins the names of bookmarks of what is fetched from a system's interface.
const SyncPrefix = "sync:"

// A Synced says how the last fetch of one place went.
type Synced struct {
	System    string       `json:"system"`
	Place     string       `json:"place"` // "github.com/acme/pay"
	Began     time.Time    `json:"began"`
	Ended     time.Time    `json:"ended,omitzero"` // zero: it was broken off, and goes on with the next one
	Looked    int64        `json:"looked"`         // documents that were looked at
	Absent    int64        `json:"absent"`         // things of which no webhook, nor an earlier fetch, had told
	Different int64        `json:"different"`      // things of which they had told something else
	Lists     []SyncedList `json:"lists,omitempty"`
	Missing   []SyncedRef  `json:"missing,omitempty"` // the first of what was absent or different
}

// Unread are the listings that were not read, or not wholly.
func (s Synced) Unread() []string {
	var names []string
	for _, l := range s.Lists {
		if l.Skipped != "" || l.Partly != "" {
			names = append(names, l.Name)
		}
	}
	return names
}

// A SyncedList is what became of one listing.
type SyncedList struct {
	Name    string `json:"name"`
	Looked  int64  `json:"looked"`
	Missing int64  `json:"missing"`
	Skipped string `json:"skipped,omitempty"` // why it was not read
	Partly  string `json:"partly,omitempty"`  // what of it could not be read, and why
}

// A SyncedRef is something that had not been told.
type SyncedRef struct {
	Ref string `json:"ref"`
	Why string `json:"why"` // absent, different
}

// Syncs are the last fetches of all places, in order of their names.
func (s *Space) Syncs(ctx context.Context) ([]Synced, error) {
	marks, err := s.Bookmarks(ctx)
	if err != nil {
		return nil, err
	}
	var all []Synced
	for _, m := range marks {
		var state struct {
			Last Synced `json:"last"`
		}
		if strings.HasPrefix(m.Source, SyncPrefix) && json.Unmarshal([]byte(m.State), &state) == nil {
			all = append(all, state.Last)
		}
	}
	return all, nil
}
