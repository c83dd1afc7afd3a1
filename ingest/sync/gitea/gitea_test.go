package gitea

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stemma-dev/stemma/ingest/event"
)

func TestEarlierHeadsAreKnownOrNotClaimed(t *testing.T) {
	for about, c := range map[string]struct {
		now    []string
		pushes [][]string
		want   []string
	}{
		"two pushes":                  {[]string{"d", "c", "b", "a"}, [][]string{{"c"}, {"d"}}, []string{"b", "c", "d"}},
		"one push of two":             {[]string{"c", "b", "a"}, [][]string{{"b", "c"}}, []string{"a", "c"}},
		"rewritten once":              {[]string{"x"}, [][]string{{"a", "x"}}, []string{"a", "x"}},
		"pushed to, then rewritten":   {[]string{"x"}, [][]string{{"b"}, {"b", "x"}}, []string{"b", "x"}},
		"nothing but what was pushed": {[]string{"b"}, [][]string{{"b"}}, []string{"b"}},
	} {
		if got := before(c.now, c.pushes); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", about, got, c.want)
		}
	}
}

func entry(t *testing.T, id int, ref, created, content string) event.Value {
	t.Helper()
	v, err := event.Parse(fmt.Appendf(nil, `{"id":%d,"op_type":"commit_repo","ref_name":%q,"created":"2026-03-01T10:00:%sZ","content":%q}`, id, ref, created, content))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBranchIsMadeByItsFirstPush(t *testing.T) {
	const main, side = "refs/heads/main", "refs/heads/side"
	mark, first, second, other := entry(t, 1, side, "00", ""), entry(t, 2, side, "00", "{}"), entry(t, 3, side, "01", "{}"), entry(t, 4, main, "01", "{}")
	late := entry(t, 9, side, "30", "{}")
	early, behind, then := entry(t, 11, side, "40", "{}"), entry(t, 12, side, "41", ""), entry(t, 13, side, "42", "{}")
	for about, c := range map[string]struct {
		push   event.Value
		around []event.Value
		want   bool
	}{
		"the first":                        {first, []event.Value{second, first, mark}, true},
		"the first, in another order":      {first, []event.Value{mark, second, first}, true},
		"the second":                       {second, []event.Value{second, mark, first}, false},
		"another branch":                   {other, []event.Value{other, second, first, mark}, false},
		"the mark stands next, but before": {late, []event.Value{late, mark}, false},
		"the first, before the mark":       {early, []event.Value{then, behind, early}, true},
		"the second, behind the mark":      {then, []event.Value{then, behind, early}, false},
		"nothing is known":                 {first, []event.Value{first, {}}, false},
	} {
		if got := made(c.push, c.around); got != c.want {
			t.Errorf("%s: %v", about, got)
		}
	}
}
