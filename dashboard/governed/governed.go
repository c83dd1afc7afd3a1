// Package governed makes the pages that say how changes stand against the controls: an
// overview, a page for each control, lists behind every figure, and badges.
//
// A share is printed with the number that it is of, with how much of that is known, and
// with what was let pass: unknown counts as not passing. Every figure leads to a list with
// exactly that many rows. No page says that anybody complies with anything; pages say what
// is evidence for what.
package governed

import "github.com/stemma-dev/stemma/dashboard/figure"

// Pages are those of a book. They may be used concurrently. What is not known fails with
// stemma.ErrNotFound, and what cannot be asked with a [figure.AskedError].
type Pages struct{ *figure.Book }
