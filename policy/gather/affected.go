package gather

import (
	"slices"

	"github.com/stemma-dev/stemma/artifact/purl"
)

// A step is a step on the way to which versions of a package are affected, as an advisory
// has it.
type step struct {
	ecosystem, event, version string
	span, seq                 int
}

// affects reports whether a version of a package is one that steps are about. Where that
// cannot be told it says why.
func affects(steps []step, p purl.Package) (hit bool, unsure string) {
	spans := map[int][]step{}
	for _, s := range steps {
		switch is, known := p.OfRelease(s.ecosystem); {
		case known && !is:
			continue
		case !known:
			unsure = "of which release of a distribution it is, is not known"
			continue
		case p.Version == "":
			unsure = "its version is not known"
			continue
		}
		switch s.event {
		case "version":
			switch {
			case same(s, p.Version):
				return true, ""
			case !purl.Placed(p.Version):
				unsure = "its version is none that has a place in an order"
			}
		case "unknown":
			unsure = "the advisory does not say which versions are affected"
		default:
			spans[s.span] = append(spans[s.span], s)
		}
	}
	for _, span := range spans {
		switch in, known := within(span, p.Version); {
		case in && known:
			return true, ""
		case !known:
			unsure = "the order of its versions is not known"
		}
	}
	return false, unsure
}

// same reports whether a version is the one that a step names.
func same(s step, version string) bool {
	if s.version == version {
		return true
	}
	order, known := purl.Compare(s.ecosystem, s.version, version)
	return known && order == 0
}

// within reports whether a version is in a range: a step introduced what no other one ended
// since, up to that version.
func within(span []step, version string) (in, known bool) {
	known = slices.ContainsFunc(span, func(s step) bool { return s.event == "introduced" })
	compare := func(s step, with string) int {
		switch { // "0" is before all versions, however they begin
		case s.version == with:
			return 0
		case s.version == "0":
			return -1
		case with == "0":
			return 1
		}
		order, ok := purl.Compare(s.ecosystem, s.version, with)
		known = known && ok
		return order
	}
	for _, from := range span {
		if from.event != "introduced" || compare(from, version) > 0 {
			continue
		}
		in = in || !slices.ContainsFunc(span, func(end step) bool {
			return end.event == "fixed" && compare(end, version) <= 0 && compare(end, from.version) > 0 ||
				end.event == "last-affected" && compare(end, version) < 0 && compare(end, from.version) >= 0
		})
	}
	return in, known
}
