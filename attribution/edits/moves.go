package edits

import "unicode"

// movedText is how many letters and digits a block must have to count as moved
// and not as written again, as git diff --color-moved has it.
const movedText = 20

// maxPlaces is how many places are tried for a line that is gone from many.
const maxPlaces = 32

// moves gives blocks that are gone in one place and fresh in another to whom
// they belonged, also if they were indented anew. Every line moves once.
func (s *step) moves() {
	if len(s.gone) == 0 || len(s.fresh) == 0 {
		return
	}
	left := map[int]string{} // text of the old lines that are gone
	places := map[string][]int{}
	for _, g := range s.gone {
		for i, l := range strip(s.old[g.from:g.to]) {
			key, at := string(l), g.from+i
			left[at] = key
			if len(places[key]) < maxPlaces {
				places[key] = append(places[key], at)
			}
		}
	}
	for _, b := range s.fresh {
		now := strip(s.now[b.from:b.to])
		for i := 0; i < len(now); {
			from, size := longest(places[string(now[i])], left, now[i:])
			if size == 0 {
				i++
				continue
			}
			for k := range size {
				s.lines[b.from+i+k] = s.before[from+k]
				delete(left, from+k)
			}
			i += size
		}
	}
}

// longest finds the longest block of what is left, beginning at one of the
// places, that is the beginning of now and has enough text to be told.
func longest(places []int, left map[int]string, now [][]byte) (from, size int) {
	for _, p := range places {
		n, text := 0, 0
		for ; n < len(now); n++ {
			l, ok := left[p+n]
			if !ok || l != string(now[n]) {
				break
			}
			text += letters(now[n])
		}
		if text >= movedText && n > size {
			from, size = p, n
		}
	}
	return from, size
}

// letters counts letters and digits.
func letters(line []byte) (n int) {
	for _, r := range string(line) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
