package stemma

import (
	"errors"
	"fmt"
)

// What callers branch on; test with [errors.Is].
var (
	// ErrNotFound: nothing is known under that name.
	ErrNotFound = errors.New("not found")
	// ErrTampered: something that must never change has changed.
	ErrTampered = errors.New("tampering found")
)

// An InvalidError refuses a record: which one, which part of it, and why.
type InvalidError struct {
	Ref   Ref
	Field string
	Why   string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("invalid %s of %.200q: %s", e.Field, string(e.Ref), e.Why)
}

// A HintError is an error with advice for the person who has to mend it.
type HintError struct {
	Err  error
	Hint string
}

func (e *HintError) Error() string { return e.Err.Error() }
func (e *HintError) Unwrap() error { return e.Err }

// WithHint adds advice to err; nil stays nil.
func WithHint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &HintError{Err: err, Hint: fmt.Sprintf(format, args...)}
}
