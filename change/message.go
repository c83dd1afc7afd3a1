package change

import "strings"

// maxMessage is how much of a message is read. What follows is ignored: no
// convention puts anything there.
const maxMessage = 256 << 10

// A MessageTrailer is one "Key: value" line of a message.
type MessageTrailer struct {
	Key   string // as it is spelt; [CherryPicked] for the line that git writes
	Value string // folded lines joined with a blank
	Line  int    // from 1
	Block bool   // in the last paragraph, as git demands
}

// CherryPicked is the Key of git's "(cherry picked from commit HASH)", whose
// Value is the hash.
const CherryPicked = "cherry picked from commit"

const cherryPrefix = "(" + CherryPicked + " "

// Is reports whether the trailer has the given key; case does not matter.
func (t MessageTrailer) Is(key string) bool { return strings.EqualFold(t.Key, key) }

// Title returns the first paragraph of a message in one line, as git does.
func Title(message string) string {
	var words []string
	for _, l := range lines(message) {
		if l = strings.TrimSpace(l); l == "" {
			if len(words) > 0 {
				break
			}
			continue
		}
		words = append(words, l)
	}
	return strings.Join(words, " ")
}

// lines are those of the part of a message that is read, without line ends.
func lines(message string) []string {
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	list := strings.Split(message, "\n")
	for i, l := range list {
		list[i] = strings.TrimSuffix(l, "\r")
	}
	return list
}

// Trailers returns the trailers of a message by the rules of git
// interpret-trailers: they stand in the last paragraph, which is not the
// title, and every line of it is one, or one of them is git's own and at least
// a quarter are trailers.
func Trailers(message string) []MessageTrailer {
	return trailersOf(lines(message))
}

func trailersOf(all []string) []MessageTrailer {
	end := textEnd(all)
	start := end
	for start > 0 && !blank(all[start-1]) {
		start--
	}
	if start == 0 || titleParagraph(all[:start]) || !trailerBlock(all[start:end]) {
		return nil
	}
	var list []MessageTrailer
	for i, l := range all[start:end] {
		if continues(l) {
			if len(list) > 0 && list[len(list)-1].Key != CherryPicked {
				last := &list[len(list)-1]
				last.Value = strings.TrimSpace(last.Value + " " + strings.TrimSpace(l))
			}
			continue
		}
		if key, value, ok := cutTrailer(l); ok && !comment(l) {
			list = append(list, MessageTrailer{Key: key, Value: value, Line: start + i + 1, Block: true})
		}
	}
	return list
}

// textEnd is where the comments, blank lines and the list of conflicts begin
// that git leaves at the end of a message and does not read.
func textEnd(all []string) int {
	end, conflicts := len(all), false
	for i, l := range all {
		switch {
		case blank(l) || comment(l):
			end = min(end, i)
		case l == "Conflicts:":
			end, conflicts = min(end, i), true
		case conflicts && strings.HasPrefix(l, "\t"):
		default:
			end, conflicts = len(all), false
		}
	}
	return end
}

func comment(l string) bool { return strings.HasPrefix(l, "#") }

// titleParagraph reports whether what stands above is nothing, so that the
// paragraph below is the title.
func titleParagraph(above []string) bool {
	for _, l := range above {
		if !blank(l) {
			return false
		}
	}
	return true
}

// trailerBlock decides whether a paragraph is one of trailers, counting as git does.
func trailerBlock(paragraph []string) bool {
	trailers, others, folded := 0, 0, 0
	own := false
	for i := len(paragraph) - 1; i >= 0; i-- {
		l := paragraph[i]
		_, _, ok := cutTrailer(l)
		switch {
		case comment(l):
			others += folded
			folded = 0
		case ok && !continues(l):
			trailers++
			folded = 0
			own = own || strings.HasPrefix(l, "Signed-off-by: ") || strings.HasPrefix(l, cherryPrefix)
		case continues(l):
			folded++
		default:
			others += 1 + folded
			folded = 0
		}
	}
	others += folded
	return own && trailers*3 >= others || trailers > 0 && others == 0
}

// looseKeys are the keys that are also looked for outside of the last
// paragraph, where a squash leaves the trailers of the commits it joined.
var looseKeys = map[string]bool{
	"co-authored-by": true, "signed-off-by": true, "assisted-by": true, "generated-by": true, "ai-assisted": true,
	"ai-assisted-by": true, "ai-model": true, "ai-session": true, "agent-logs-url": true, "entire-checkpoint": true, "entire-session": true,
	"entire-attribution": true, "change-id": true, "reviewed-on": true, "reviewed-by": true,
	"refs": true, "requirement": true, "ticket": true, "jira": true, "issue": true,
}

// LooseTrailers returns the trailers of a message and, with Block false, lines
// outside of the last paragraph that have a key that is known. They count for
// less: the rules of git do not take them for trailers.
func LooseTrailers(message string) []MessageTrailer {
	all := lines(message)
	block := trailersOf(all)
	first := len(all) + 1
	if len(block) > 0 {
		first = block[0].Line
	}
	var list []MessageTrailer
	for i, l := range all {
		if i == 0 || i+1 >= first {
			continue
		}
		key, value, ok := cutTrailer(strings.TrimSpace(l))
		if ok && (key == CherryPicked || looseKeys[strings.ToLower(key)] && value != "") {
			list = append(list, MessageTrailer{Key: key, Value: value, Line: i + 1})
		}
	}
	return append(list, block...)
}

// cutTrailer parts a line at its separator. A key has letters, digits and
// dashes; blanks may stand before the colon.
func cutTrailer(l string) (key, value string, ok bool) {
	if rest, found := strings.CutPrefix(l, cherryPrefix); found {
		return CherryPicked, strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), ")")), true
	}
	before, after, found := strings.Cut(l, ":")
	key = strings.TrimRight(before, " \t")
	if !found || key == "" {
		return "", "", false
	}
	for _, c := range []byte(key) {
		if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return "", "", false
		}
	}
	return key, strings.TrimSpace(after), true
}

func continues(l string) bool { return l != "" && (l[0] == ' ' || l[0] == '\t') }

func blank(l string) bool { return strings.TrimSpace(l) == "" }
