package git

import (
	"math/bits"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/git/internal/packs"
	"github.com/stemma-dev/stemma/git/internal/plain"
	"github.com/stemma-dev/stemma/git/internal/wire"
)

// AbbrevLength is how many digits git shows of these ids: as many as core.abbrev in
// the repository says, else so many that two of the packed objects are unlikely to
// share them; and where one of the ids does share them with another object, one more
// than that (repo_find_unique_abbrev_r in git's object-name.c). It asks the files of
// the repository, not git.
func (r *Repo) AbbrevLength(ids []string) int {
	const fewest = 7
	dirs, _ := r.objectDirs()
	objects, alike := packs.Alike(dirs, ids)
	digits, ok := setAbbrev(plain.Abbrev(r.CommonDir), r.Format)
	if !ok {
		digits = max(fewest, (bits.Len64(objects)+1)/2)
	}
	return max(digits, alike+1, looseAlike(dirs, ids)+1)
}

// setAbbrev reads core.abbrev; it is false for "auto", and for what git refuses.
func setAbbrev(value, format string) (digits int, ok bool) {
	whole := 40
	if format == SHA256 {
		whole = 64
	}
	switch strings.ToLower(value) {
	case "no", "off", "false":
		return whole, true
	}
	digits, err := strconv.Atoi(value)
	return digits, err == nil && digits >= 4 && digits <= whole
}

// looseAlike is how many leading digits one of the ids shares at most with another
// object that lies as a file of its own.
func looseAlike(dirs, ids []string) (most int) {
	below := map[string][]string{}
	for _, id := range ids {
		if wire.IsID(id) {
			below[id[:2]] = append(below[id[:2]], id)
		}
	}
	for _, dir := range dirs {
		for _, start := range namesIn(dir) {
			if len(below[start]) == 0 {
				continue
			}
			for _, name := range namesIn(filepath.Join(dir, start)) {
				for _, id := range below[start] {
					if n := sharedDigits(id, start+name); n < len(id) {
						most = max(most, n)
					}
				}
			}
		}
	}
	return most
}

// namesIn are the names in a directory, in any order; none if it cannot be read.
func namesIn(dir string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // it was only read
	names, _ := f.Readdirnames(-1)
	return names
}

func sharedDigits(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
