// Package decided makes the pages that say how it came that changes stand so: what was let
// pass, by what they were judged, when they were judged again and why, and the verdicts on
// each.
package decided

import "github.com/stemma-dev/stemma/dashboard/figure"

// Pages are those of a book. They may be used concurrently.
type Pages struct{ *figure.Book }
