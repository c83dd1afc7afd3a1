package assess

import "context"

// Concerned is what the tests ask.
var Concerned = concerned

// Current is asked before a judge judges.
func (j *Judge) Current(ctx context.Context) (bool, error) { return j.current(ctx) }

// Hold keeps a judge from going on with many changes.
func (j *Judge) Hold() (goOn func()) {
	j.many.Lock()
	return j.many.Unlock
}

// Lately sets how many changes count as those of the last time.
func Lately(n int) (reset func()) { return set(&lately, n) }

// MaxNews sets how many things may be news at once.
func MaxNews(n int) (reset func()) { return set(&maxNews, n) }

func set(what *int, n int) (reset func()) {
	before := *what
	*what = n
	return func() { *what = before }
}
