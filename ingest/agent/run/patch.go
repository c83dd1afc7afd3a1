package run

import "strings"

// PatchPaths returns the files that a patch in the form of apply_patch changes.
// A move names both.
func PatchPaths(patch string) []string {
	var list []string
	for line := range strings.Lines(patch) {
		for _, head := range []string{"*** Update File: ", "*** Add File: ", "*** Delete File: ", "*** Move to: "} {
			if p, ok := strings.CutPrefix(line, head); ok && len(list) < 1000 {
				list = append(list, strings.TrimSpace(p))
			}
		}
	}
	return list
}
