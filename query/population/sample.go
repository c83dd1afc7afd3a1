package population

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// A Drawn is one of a sample, with the number that chose it.
type Drawn struct {
	Name string
	Lot  string // SHA-256 of the seed, a line feed and the name, in hexadecimal
}

// Draw draws n of the names, each once, all of which are equally likely: those with the
// smallest lots, in that order. Whoever has the names and the seed can draw them again:
//
//	while read -r name; do printf '%s\n%s' "$seed" "$name" | sha256sum | sed "s|-|$name|"; done <names | sort | head -n 25
func Draw(seed string, n int, names []string) []Drawn {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	all := make([]Drawn, len(names))
	for i, name := range names {
		sum := sha256.Sum256([]byte(seed + "\n" + name))
		all[i] = Drawn{name, hex.EncodeToString(sum[:])}
	}
	slices.SortFunc(all, func(a, b Drawn) int { return cmp.Or(cmp.Compare(a.Lot, b.Lot), cmp.Compare(a.Name, b.Name)) })
	return all[:min(max(n, 0), len(all))]
}
