package settle

import (
	"time"

	"github.com/stemma-dev/stemma/spool"
)

// A Hearing is what hooks have kept in a work tree.
type Hearing struct {
	Entries     int
	First, Last time.Time
	Lost        []string // why something could not be kept, each time
	Damaged     int      // entries that cannot be read
}

// Heard tells what hooks have kept in a work tree.
func Heard(place spool.Place) (Hearing, error) {
	reading, err := place.Read(0)
	h := Hearing{Entries: len(reading.Entries), Damaged: reading.Damaged}
	for i, e := range reading.Entries {
		if i == 0 {
			h.First = e.At
		}
		h.Last = e.At
		if e.Lost != "" {
			h.Lost = append(h.Lost, e.Lost)
		}
	}
	return h, err
}
