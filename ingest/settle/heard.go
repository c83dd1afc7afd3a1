package settle

import (
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
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

// gapSource is what gaps of hooks say that they come from.
const gapSource = "hooks"

// Silence is what hooks could not keep in the work trees of the repository that a
// directory lies in, and what cannot be read of what they kept.
func Silence(dir string, repository stemma.Ref) (gaps []stemma.Gap, err error) {
	place, ok := find(dir)
	if !ok {
		return nil, nil
	}
	for _, tree := range place.Trees() {
		h, err := Heard(tree)
		if err != nil {
			return nil, err
		}
		reasons := map[string]int64{}
		for _, why := range h.Lost {
			reasons[why]++
		}
		if h.Damaged > 0 {
			reasons["entries of the spool that cannot be read"] = int64(h.Damaged)
		}
		for _, why := range slices.Sorted(maps.Keys(reasons)) {
			gaps = append(gaps, stemma.Gap{
				Repository: repository, Source: gapSource, Place: "spool of " + filepath.Base(tree.WorkTree), Reason: why, Count: reasons[why], Seen: h.First,
			})
		}
	}
	return gaps, nil
}
