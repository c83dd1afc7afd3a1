// Package drawn lays pictures out: bars over months and weeks, the lanes of a lineage, the way
// from requirement to incident. Each is plain values that a template writes as SVG, and has a
// table beside it that says the same. The package reads nothing.
package drawn
