package assess

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/policy/subject"
)

// logSource is under which it is remembered what a check of the log showed.
const logSource = Source + "-log"

// checked is what a check of the log showed.
type checked struct {
	At       int64 `json:"at"` // Unix microseconds
	Problems int   `json:"problems"`
	Size     int64 `json:"size"`
}

// CheckLog verifies the whole log and remembers what that showed.
func (j *Judge) CheckLog(ctx context.Context) error {
	size, err := j.Space.Ledger.Size(ctx)
	if err != nil {
		return err
	}
	now := j.Now()
	c := checked{At: now.UnixMicro(), Size: size}
	if err := j.Space.Ledger.Verify(ctx, func(ledger.Problem) { c.Problems++ }); err != nil && c.Problems == 0 {
		return fmt.Errorf("assess: verifying the log: %w", err)
	}
	state, err := json.Marshal(c)
	if err != nil {
		return err
	}
	before, err := j.Space.Bookmark(ctx, logSource)
	if err != nil {
		return err
	}
	_, err = j.Space.MoveBookmark(ctx, ingest.Move{Source: logSource, From: before.State, To: string(state), Now: now})
	return err
}

// LogState is what controls are told of the log of a space.
func LogState(ctx context.Context, space *ingest.Space) (l subject.Log, err error) {
	before, err := space.Bookmark(ctx, logSource)
	if err != nil {
		return l, err
	}
	var c checked
	if before.State != "" && json.Unmarshal([]byte(before.State), &c) == nil {
		l.Checked, l.Problems = time.UnixMicro(c.At).UTC(), c.Problems
	}
	switch cp, err := space.Ledger.Checkpoint(ctx); {
	case errors.Is(err, stemma.ErrNotFound):
	case errors.Is(err, stemma.ErrTampered):
		l.Problems++
	case err != nil:
		return l, err
	default:
		l.Signed, l.Size, l.Behind = true, int(cp.Size), int(cp.Size-c.Size)
		l.Consistent = !l.Checked.IsZero() && l.Problems == 0
	}
	return l, nil
}

// digestOf tells values apart.
func digestOf(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		panic("assess: a value cannot be written: " + err.Error()) // its types are all plain
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}
