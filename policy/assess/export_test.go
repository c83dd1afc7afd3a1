package assess

import "context"

// Concerned is what the tests ask.
var Concerned = concerned

// Current is asked before a judge judges.
func (j *Judge) Current(ctx context.Context) (bool, error) { return j.current(ctx) }
