package tally

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
)

// A Count says of how many changes a control stands how.
type Count struct {
	Pass          int64 `json:"pass"`
	Fail          int64 `json:"fail"`
	Unknown       int64 `json:"unknown"`
	Waived        int64 `json:"waived"`
	NotApplicable int64 `json:"not_applicable"`
}

// Judged is of how many changes it counts: those to which the control applies and for
// which nobody let it pass.
func (c Count) Judged() int64 { return c.Pass + c.Fail + c.Unknown }

// Share is how many percent pass; what is unknown did not. It is false if there is nothing
// to count.
func (c Count) Share() (percent float64, ok bool) { return share(c.Pass, c.Judged()) }

// ShareKnown is how many percent pass of those that are known.
func (c Count) ShareKnown() (percent float64, ok bool) { return share(c.Pass, c.Pass+c.Fail) }

// Coverage is of how many percent it is known how they stand.
func (c Count) Coverage() (percent float64, ok bool) { return share(c.Pass+c.Fail, c.Judged()) }

func share(part, whole int64) (float64, bool) {
	if whole == 0 {
		return 0, false
	}
	return 100 * float64(part) / float64(whole), true
}

// Plus is the sum of two counts.
func (c Count) Plus(o Count) Count {
	return Count{c.Pass + o.Pass, c.Fail + o.Fail, c.Unknown + o.Unknown, c.Waived + o.Waived, c.NotApplicable + o.NotApplicable}
}

func (c *Count) add(state string, n int64) {
	switch state {
	case "pass":
		c.Pass += n
	case "fail":
		c.Fail += n
	case "unknown":
		c.Unknown += n
	case "waived":
		c.Waived += n
	case "not-applicable":
		c.NotApplicable += n
	}
}

// A Board is how all changes stand.
type Board struct {
	Cells map[Cell]Count
}

// A Cell is one control in one repository.
type Cell struct {
	Repository stemma.Ref
	Control    string
}

// Board reads how all changes stand.
func (t *Tally) Board(ctx context.Context) (Board, error) {
	b := Board{Cells: map[Cell]Count{}}
	err := t.db.Each(ctx, func(scan func(...any) error) error {
		var repository, control, state string
		var n int64
		if err := scan(&repository, &control, &state, &n); err != nil {
			return err
		}
		if n != 0 {
			at := Cell{stemma.Ref(repository), control}
			c := b.Cells[at]
			c.add(state, n)
			b.Cells[at] = c
		}
		return nil
	}, `SELECT repository, control, state, n FROM tally_repository`)
	return b, err
}

// Sum is the count of the cells that a condition holds for.
func (b Board) Sum(of func(Cell) bool) (sum Count) {
	for at, c := range b.Cells {
		if of(at) {
			sum = sum.Plus(c)
		}
	}
	return sum
}

// Controls are those that were judged, sorted.
func (b Board) Controls() []string { return keys(b, func(c Cell) string { return c.Control }) }

// Repositories are those of which changes were judged, sorted.
func (b Board) Repositories() []stemma.Ref {
	return keys(b, func(c Cell) stemma.Ref { return c.Repository })
}

func keys[K ~string](b Board, of func(Cell) K) []K {
	set := map[K]bool{}
	for c := range b.Cells {
		set[of(c)] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// A Day is how the changes stand that came in on one day.
type Day struct {
	Day time.Time
	Count
}

// Days are those of a control, or of [Every], in order; changes that are open are on none.
func (t *Tally) Days(ctx context.Context, control string, since time.Time) (days []Day, err error) {
	return days, t.db.Each(ctx, func(scan func(...any) error) error {
		var number, n int64
		var state string
		if err := scan(&number, &state, &n); err != nil || n == 0 {
			return err
		}
		at := time.Unix(number*int64(24*time.Hour/time.Second), 0).UTC()
		if len(days) == 0 || !days[len(days)-1].Day.Equal(at) {
			days = append(days, Day{Day: at})
		}
		days[len(days)-1].add(state, n)
		return nil
	}, `SELECT day, state, n FROM tally_day WHERE control = $1 AND day >= $2 ORDER BY day, state`, control, max(1, day(stemma.At(since))))
}
