package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/stemma-dev/stemma/policy"
)

// line is text of somebody else in one line of at most so many bytes: without control and
// direction characters, and without the mark by which old runners of GitHub find a command
// anywhere in a line.
func line(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Bidi_Control):
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return cut(strings.ReplaceAll(strings.TrimSpace(s), "##[", "## ["), limit)
}

// cut shortens valid text to so many bytes, at a character.
func cut(s string, limit int) string {
	const ellipsis = "…"
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:max(limit-len(ellipsis), 0)], "") + ellipsis
}

// Bounds of what is shown of one thing.
const (
	maxTitle  = 200
	maxReason = 1000
)

// name is what people call a change.
func (c Change) name() string {
	switch {
	case c.Number > 0:
		return fmt.Sprintf("#%d", c.Number)
	case c.Commit != "":
		sha := c.Commit[strings.LastIndexByte(c.Commit, '/')+1:]
		return line(sha[:min(len(sha), 12)], maxTitle)
	}
	return line(c.Ref, maxTitle)
}

// reason is why a finding is as it is.
func reason(f policy.Finding) string {
	text := line(f.Reason, maxReason)
	if f.Due > 0 {
		text += "; evidence may still come until " + time.Unix(f.Due, 0).UTC().Format("2006-01-02 15:04 MST")
	}
	return text
}

// mark is the same for the same control of the same change, whenever it is judged.
func mark(c Change, f policy.Finding) string {
	sum := sha256.Sum256([]byte(c.Ref + "\x00" + f.Control))
	return hex.EncodeToString(sum[:])
}

// space is what our ids are derived in.
var space = uuid.NewSHA1(uuid.NameSpaceURL, []byte(home))

// home is where the program is at home.
const home = "https://github.com/stemma-dev/stemma"

// id is a name for something that follows from what it is: version 5 of RFC 9562.
func id(parts ...string) string {
	return uuid.NewSHA1(space, []byte(strings.Join(parts, "\x00"))).String()
}

// share says how many of some there are, and the percentage; nothing of none.
func share(pass, all int) string {
	if all == 0 {
		return "nothing was judged"
	}
	return fmt.Sprintf("evidence for %d of %d (%d %%)", pass, all, pass*100/all)
}

// some counts a thing in words.
func some(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
