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
