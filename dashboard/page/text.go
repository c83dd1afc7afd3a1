package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
)

// Show makes text of any origin harmless to the eye: what a terminal or a
// browser would obey rather than show becomes a visible mark.
func Show(s string) string { return visible(s, false) }

// ShowLines is Show for text of several lines.
func ShowLines(s string) string { return visible(s, true) }

func visible(s string, multiline bool) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case multiline && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case r < 0x20:
			b.WriteRune(0x2400 + r)
		case r == 0x7f:
			b.WriteRune(0x2421)
		case hidden(r):
			fmt.Fprintf(&b, "\u27e8U+%04X\u27e9", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hidden reports whether r is a control or format character: one that moves
// the writing about, or that nobody would see. Joiners that scripts and emoji
// need are let through.
func hidden(r rune) bool {
	return unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || r == 0xFEFF ||
		unicode.Is(unicode.Cf, r) && r != 0x200C && r != 0x200D && r != 0xAD
}

// Count writes a number in groups of three.
func Count[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if neg {
		return "\u2212" + s
	}
	return s
}

// Dollars writes micro-dollars: to the cent, or below one as far as it takes.
func Dollars(micro int64) string {
	cents := (micro + 5000) / 10_000
	if cents > 0 || micro <= 0 {
		return fmt.Sprintf("$%s.%02d", Count(cents/100), cents%100)
	}
	return "$" + strings.TrimRight(fmt.Sprintf("0.%06d", micro), "0")
}

// Stamp is a time to the minute, in UTC.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Percent writes tenths of a percent.
func Percent(mille int64) string { return fmt.Sprintf("%d.%d\u00a0%%", mille/10, mille%10) }

// Part is n of all in tenths of a percent.
func Part[N int | int64](n, all N) int64 {
	if all == 0 {
		return 0
	}
	return int64(n) * 1000 / int64(all)
}

// Short cuts text to n characters.
func Short(n int, s string) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)
	return strings.TrimRight(string(runes[:n-1]), " ") + "\u2026"
}

// Abbreviate is the beginning of the id of a commit.
func Abbreviate(sha string) string { return sha[:min(10, len(sha))] }

// Words makes the name of a column readable. Of a cost it leaves the unit to
// the values.
func Words(name string) string {
	name = strings.TrimSuffix(name, "_micro_usd")
	s := strings.ReplaceAll(strings.ReplaceAll(name, "_", " "), "-", " ")
	s = strings.ReplaceAll(" "+s+" ", " ai ", " AI ")
	return strings.TrimSpace(s)
}

// Capital writes a word with a capital.
func Capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func originName(o string) string {
	switch stemma.Origin(o) {
	case stemma.OriginAI:
		return "AI"
	case stemma.OriginHuman:
		return "human"
	case stemma.OriginUnknown:
		return "unknown"
	}
	return o
}

// originMark is the letter that stands beside a line, so that no colour is
// needed to tell.
func originMark(o string) string {
	switch stemma.Origin(o) {
	case stemma.OriginAI:
		return "A"
	case stemma.OriginHuman:
		return "H"
	case stemma.OriginUnknown:
		return "?"
	}
	return ""
}

// Ago is a span of time in its two largest units.
func Ago(d time.Duration) string {
	if d < time.Second {
		return "less than 1 s"
	}
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}
