package filter

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var noon = time.Date(2026, 9, 15, 12, 0, 0, 0, time.UTC)

// kinds are a few fields of every type.
var kinds = map[string]*Kind{
	"changes": {
		Name:   "changes",
		Search: []string{"title", "number", "commit"},
		Fields: []*Field{
			{Name: "repo", Type: Ref},
			{Name: "number", Type: Int},
			{Name: "title", Type: Words},
			{Name: "merged", Type: Time},
			{Name: "intent", Type: Enum, Aliases: []string{"type"}, Values: []string{"feature", "fix", "security-fix", "refactor", "docs", "test", "build", "revert", "other", "unknown"}},
			{Name: "model", Type: Ref, Many: true},
			{Name: "ticket", Type: Ref, Many: true},
			{Name: "commit", Type: Ref, Many: true, Hex: true},
			{Name: "path", Type: Path, Many: true},
			{Name: "release", Type: Ref, AskOnly: true},
			{Name: "author-class", Type: Enum, Values: []string{"ai", "human", "mixed", "unknown"}},
			{Name: "same", Type: Choice, Values: []string{"agent", "author", "model"}},
			{Name: "ai-share", Type: Percent},
			{Name: "lag", Type: Span},
			{Name: "ai-lines", Type: Int, Sum: true},
			{Name: "human-lines", Type: Int, Sum: true},
			{Name: "unknown-lines", Type: Int, Sum: true},
			{Name: "added", Type: Int, Sum: true},
			{Name: "deleted", Type: Int, Sum: true},
			{Name: "is", Type: Choice, Values: []string{"ai", "breaking", "build", "direct", "docs", "feature", "fix", "human", "merge", "mixed", "revert", "reverted", "unknown"}},
		},
	},
	"commits": {
		Name:   "commits",
		Search: []string{"sha"},
		Fields: []*Field{
			{Name: "sha", Type: Hash},
			{Name: "trailer", Type: Trailer},
			{Name: "agent", Type: Text, Many: true},
		},
	},
	"lines": {
		Name:     "lines",
		Branches: true,
		Search:   []string{"path"},
		Fields: []*Field{
			{Name: "path", Type: Path},
			{Name: "origin", Type: Enum, Values: []string{"ai", "human", "unknown"}},
			{Name: "is", Type: Choice, Values: []string{"ai", "human", "unknown"}},
		},
	},
}

func TestEveryFaultIsShownWithItsPlace(t *testing.T) {
	for _, c := range []struct{ kind, text, want string }{
		{"changes", "moddel:x", "query: at column 1: unknown field moddel: did you mean model?"},
		{"changes", "is:ai -moddel:x", "query: at column 8: unknown field moddel: did you mean model?"},
		{"changes", "has:moddel", "query: at column 5: unknown field moddel: did you mean model?"},
		{"changes", "zzzzzz:1", "query: at column 1: unknown field zzzzzz: write it in quotes to look for the text itself, or see the fields of changes"},
		{"changes", "https://x", "query: at column 1: unknown field https: write it in quotes to look for the text itself, or see the fields of changes"},
		{"changes", "is:robot", "query: at column 4: is: has no value robot"},
		{"changes", "is:humna", "query: at column 4: is: has no value humna: did you mean human?"},
		{"changes", "intent:fxi", "query: at column 8: intent: has no value fxi: did you mean fix?"},
		{"changes", "type:secfix", "query: at column 6: intent: has no value secfix: known are build, docs, feature, fix, other, refactor, revert, security-fix, test, unknown"},
		{"changes", "same:mode", "query: at column 6: same: has no value mode: did you mean model?"},
		{"changes", "author-class:nobody", "query: at column 14: author-class: has no value nobody: known are ai, human, mixed, unknown"},
		{"changes", "merged:soon", "query: at column 8: merged: soon is not a time: " + timeHint},
		{"changes", "merged:-30d", "query: at column 8: merged: -30d is one instant: did you mean merged:>-30d?"},
		{"changes", "merged:>-30x", "query: at column 8: merged: -30x is not a time from now: write -12h, -30d, -2w, -6m, -1y or +24h"},
		{"changes", "merged:>-999999d", "query: at column 8: merged: -999999d is not a time from now: write -12h, -30d, -2w, -6m, -1y or +24h"},
		{"changes", "merged:2026-02..2026-01", "query: at column 8: merged: 2026-02..2026-01 ends before it begins: did you mean 2026-01..2026-02?"},
		{"changes", "added:=>5", "query: at column 7: added: => compares nothing: write >, >=, < or <="},
		{"changes", "merged:*..*", "query: at column 8: merged: *..* is open on both sides: did you mean has:merged?"},
		{"changes", "merged:..", "query: at column 8: merged: .. is open on both sides: did you mean has:merged?"},
		{"changes", "added:5..", "query: at column 7: added: 5.. has no end: write added:5..* or added:>=5"},
		{"changes", "merged:..2026-02", "query: at column 8: merged: ..2026-02 has no beginning: write merged:*..2026-02 or merged:<=2026-02"},
		{"changes", "added:>=", "query: at column 7: added: >= has nothing right behind it"},
		{"changes", "title:'abc def'", `query: at column 7: ' quotes nothing here: put it in double quotes: "…"`},
		{"changes", "is:ai -'abc def'", `query: at column 8: ' quotes nothing here: put it in double quotes: "…"`},
		{"changes", "'title:abc def'", `query: at column 1: ' quotes nothing here: put it in double quotes: "…"`},
		{"changes", "added:many", "query: at column 7: added: many is not a whole number: write 5, >=5 or 5..10"},
		{"changes", "added:>=99999999999999999999", "query: at column 7: added: 99999999999999999999 is not a whole number: write 5, >=5 or 5..10"},
		{"changes", "ai-share:>101%", "query: at column 10: ai-share: 101% is not a percentage from 0 to 100, with at most one decimal: write >=50%"},
		{"changes", "lag:>1", "query: at column 5: lag: 1 is not a span of time: write 90s, 30min, 1h, 2d or 1w"},
		{"changes", "lag:-1h", "query: at column 5: lag: -1h is not a span of time: write 90s, 30min, 1h, 2d or 1w"},
		{"changes", "lag:99999999999999999999w", "query: at column 5: lag: 99999999999999999999w is not a span of time: write 90s, 30min, 1h, 2d or 1w"},
		{"changes", "model:", "query: at column 1: model: has no value"},
		{"changes", `model:""`, "query: at column 7: model: has no value: did you mean no:model?"},
		{"changes", "has:release", "query: at column 1: release is nothing that can be there or not"},
		{"changes", "group:release", "query: at column 1: release cannot be grouped by"},
		{"lines", "at:*", "query: at column 1: at: takes no * or ?"},
		{"changes", "limit:0", "query: at column 7: limit: takes a number from 1 on"},
		{"changes", "limit:5 limit:6", "query: at column 9: limit: is given twice"},
		{"changes", "sort:merged sort:number", "query: at column 13: sort: is given twice"},
		{"changes", "sort:merged,merged-desc", "query: at column 1: sort: names merged twice"},
		{"changes", "sort:mergd", "query: at column 1: unknown field mergd: did you mean merged?"},
		{"changes", "limit:5 model:x sort:-", "query: at column 17: unknown field -: write it in quotes to look for the text itself, or see the fields of changes"},
		{"changes", "sort:model", "query: at column 1: model cannot be sorted by"},
		{"changes", "(sort:merged)", "query: at column 2: sort: must stand outside parentheses and without -"},
		{"changes", "-limit:5", "query: at column 2: limit: must stand outside parentheses and without -"},
		{"changes", "group:merged", "query: at column 1: to group by merged say how far to cut it: day, week, month, quarter, year: did you mean merged-month?"},
		{"changes", "group:title", "query: at column 1: title cannot be grouped by"},
		{"changes", "group:repo-month", "query: at column 1: repo-month cannot be grouped by"},
		{"changes", "group:repo,repo", "query: at column 1: repo is given twice"},
		{"changes", "group:repos", "query: at column 7: unknown field repos: did you mean repo?"},
		{"changes", "group:repo sort:title", "query: at column 12: groups cannot be sorted by title: known are added, ai-lines, changes, deleted, human-lines, repo, unknown-lines"},
		{"changes", "at:main", "query: at column 1: unknown field at: write it in quotes to look for the text itself, or see the fields of changes"},
		{"commits", "sha:xyz", "query: at column 5: sha: takes at least 4 hexadecimal digits"},
		{"commits", "trailer:=x", "query: at column 9: trailer: needs a key: did you mean trailer:Key=value?"},
		{"lines", "is:mixed", "query: at column 4: is: has no value mixed: known are ai, human, unknown"},
		{"changes", "(a", "query: at column 1: this ( is never closed"},
		{"changes", "a)", "query: at column 2: this ) closes nothing"},
		{"changes", "()", "query: at column 1: nothing between ( and )"},
		{"changes", "a OR", `query: at column 3: OR needs something on both sides: write "OR" in quotes to look for the word`},
		{"changes", "OR a", `query: at column 1: OR needs something on both sides: write "OR" in quotes to look for the word`},
		{"changes", "a OR limit:5", `query: at column 6: OR needs something on both sides: write "OR" in quotes to look for the word`},
		{"changes", "a AND b", `query: at column 3: AND is no word of this language: words side by side are joined already; write "AND" in quotes to look for the word`},
		{"changes", "NOT a", `query: at column 1: NOT is no word of this language: put - before what should not be; write "NOT" in quotes to look for the word`},
		{"changes", "- a", "query: at column 1: - needs something right behind it"},
		{"changes", `"a`, "query: at column 1: this quote is never closed"},
		{"changes", `"a\x"`, `query: at column 3: after \ may come \, ", n or t`},
		{"changes", `"a"b`, "query: at column 4: a space must follow a closing quote"},
		{"changes", "**", "query: at column 1: nothing to look for"},
		{"changes", `""`, "query: at column 1: nothing to look for"},
		{"changes", "a*b*c*d*e*f*g*h*i*j", "query: at column 1: more than 8 of * and ?"},
		{"changes", "é moddel:x", "query: at column 3: unknown field moddel: did you mean model?"},
		{"changes", "a\x1b[31m", `query: at column 2: the character "\x1b" is not text`},
		{"changes", "a\xff", `query: at column 2: the character "\xff" is not text`},
		{"changes", strings.Repeat("(", 33) + "a" + strings.Repeat(")", 33), "query: at column 33: nested deeper than 32"},
		{"changes", strings.Repeat("a ", 65), "query: at column 129: more than 64 terms"},
		{"changes", strings.Repeat("a", 4097), "query: at column 1: the query has 4097 bytes, more than 4096"},
	} {
		_, err := Parse(kinds[c.kind], c.text, noon)
		if err == nil || err.Error() != c.want {
			t.Errorf("Parse(%s, %.60q):\n got %v\nwant %s", c.kind, c.text, err, c.want)
		}
		var fault *Error
		if errors.As(err, &fault) {
			caret := fault.Caret()
			if !utf8.ValidString(caret) || strings.Count(caret, "\n") != 1 || strings.Contains(caret, "\x1b") {
				t.Errorf("Caret of %.60q is %q", c.text, caret)
			}
		}
	}
}

func TestCaretPointsAtTheFault(t *testing.T) {
	_, err := Parse(kinds["changes"], `"日本" moddel:x limit:3`, noon)
	var fault *Error
	if !errors.As(err, &fault) {
		t.Fatal(err)
	}
	want := "\"日本\" moddel:x limit:3\n       ^^^^^^"
	if got := fault.Caret(); got != want {
		t.Errorf("Caret() =\n%s\nwant\n%s", got, want)
	}
}

func TestEveryQueryHasOneSpelling(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"  model:x   is:ai ":             "model:x is:ai",
		"limit:5 model:x sort:merged":    "model:x sort:merged limit:5",
		"type:FIX":                       "intent:fix",
		"(a b) OR c":                     "a b OR c",
		"(a OR b) c":                     "(a OR b) c",
		"((a OR (b OR c)))":              "a OR b OR c",
		"-(a OR b)":                      "-(a OR b)",
		"-(a)":                           "-a",
		"--a":                            "--a",
		"-(a b) c":                       "-(a b) c",
		`model:"gpt-5"`:                  "model:gpt-5",
		`model:"gpt 5*"`:                 `model:"gpt 5*"`,
		`"a \"b\" \\ c"`:                 `"a \"b\" \\ c"`,
		`"OR"`:                           `"OR"`,
		`"'a'" don't`:                    `"'a'" don't`,
		`"-x"`:                           `"-x"`,
		`merged:>="2026-09-01 10:00"`:    `merged:>="2026-09-01 10:00"`,
		"group:merged-month,repo a":      "a group:merged-month,repo",
		"group:repo sort:changes-desc":   "group:repo sort:changes-desc",
		"sort:merged-desc,number-asc":    "sort:merged-desc,number",
		"has:model no:ticket -has:title": "has:model no:ticket -has:title",
	} {
		q, err := Parse(kinds["changes"], in, noon)
		if err != nil {
			t.Errorf("Parse(%q): %v", in, err)
			continue
		}
		if got := q.String(); got != want {
			t.Errorf("%q prints as %q, want %q", in, got, want)
		}
	}
}

func TestTimesAreStretches(t *testing.T) {
	for in, want := range map[string][2]string{
		"2026":                      {"2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		"2026-Q3":                   {"2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z"},
		"2026-02":                   {"2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"},
		"2026-09-30":                {"2026-09-30T00:00:00Z", "2026-10-01T00:00:00Z"},
		"2026-09-30T10:00":          {"2026-09-30T10:00:00Z", "2026-09-30T10:01:00Z"},
		"2026-09-30T10:00:05+02:00": {"2026-09-30T08:00:05Z", "2026-09-30T08:00:06Z"},
		"2026-W37":                  {"2026-09-07T00:00:00Z", "2026-09-14T00:00:00Z"},
		"2026-W01":                  {"2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"},
		"2020-W53":                  {"2020-12-28T00:00:00Z", "2021-01-04T00:00:00Z"},
		"today":                     {"2026-09-15T00:00:00Z", "2026-09-16T00:00:00Z"},
		"yesterday":                 {"2026-09-14T00:00:00Z", "2026-09-15T00:00:00Z"},
		"-36h":                      {"2026-09-14T00:00:00Z", "2026-09-14T00:00:00.000001Z"},
		"-2w":                       {"2026-09-01T12:00:00Z", "2026-09-01T12:00:00.000001Z"},
		"-1m":                       {"2026-08-15T12:00:00Z", "2026-08-15T12:00:00.000001Z"},
		"-1y":                       {"2025-09-15T12:00:00Z", "2025-09-15T12:00:00.000001Z"},
		"+24h":                      {"2026-09-16T12:00:00Z", "2026-09-16T12:00:00.000001Z"},
		"+1m":                       {"2026-10-15T12:00:00Z", "2026-10-15T12:00:00.000001Z"},
	} {
		lo, hi, err := parseTime(in, noon)
		at := func(us int64) string { return time.UnixMicro(us).UTC().Format(time.RFC3339Nano) }
		got := [2]string{at(lo), at(hi)}
		if err != nil || got != want {
			t.Errorf("parseTime(%s) = %v, %v; want %v", in, got, err, want)
		}
	}
}

// What is read and printed reads back as the same question, and nothing makes
// the parser fall over.
func FuzzParse(f *testing.F) {
	names := slices.Sorted(maps.Keys(kinds))
	for _, s := range []string{
		"", "model:claude-opus-4* merged:>-30d -is:mixed", `(a OR -(b "c d")) sort:merged-desc,number group:repo limit:3`,
		"path:src/**/x?.go merged:2026-Q1..2026-Q3", `trailer:Refs="a b" has:model no:ticket`, "at:main group:origin", "ai-share:>=12.5%", "lag:30min..2w",
		"group:merged-month sort:changes", "OR", "((", `"\n"`, "--a", "sha:abcd", "ancestor:p1 tree:x", "author:Ada*", `"'a" b'`, "added:5..", "title:'a",
	} {
		for i := range names {
			f.Add(uint8(i), s)
		}
	}
	f.Fuzz(func(t *testing.T, k uint8, text string) {
		kind := kinds[names[int(k)%len(names)]]
		q, err := Parse(kind, text, noon)
		if err != nil {
			var fault *Error
			if !errors.As(err, &fault) {
				t.Fatalf("%T: %v", err, err)
			}
			if fault.Pos < 0 || fault.Pos > len(fault.Text) || fault.End < fault.Pos || fault.End > len(fault.Text) {
				t.Fatalf("%q: place %d..%d", text, fault.Pos, fault.End)
			}
			if c := fault.Caret() + fault.Error(); !utf8.ValidString(c) {
				t.Fatalf("%q: caret %q", text, c)
			}
			return
		}
		printed := q.String()
		if len(printed) > maxText {
			return
		}
		again, err := Parse(kind, printed, noon)
		if err != nil {
			t.Fatalf("%q prints as %q: %v", text, printed, err)
		}
		if again.String() != printed {
			t.Fatalf("%q prints as %q, then as %q", text, printed, again.String())
		}
	})
}
