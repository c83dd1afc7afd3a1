package listing

import "testing"

func TestOrderIsFoundAndTakenOutOutsideQuotesOnly(t *testing.T) {
	for _, c := range []struct {
		asked, field, rest string
		descending         bool
	}{
		{"", "", "", false},
		{"is:ai sort:merged-desc", "merged", "is:ai", true},
		{"sort:title,merged-desc x", "title", "x", false},
		{`title:"a sort:b  c"`, "", `title:"a sort:b  c"`, false},
		{`title:"a \" sort:b" sort:c-asc`, "c", `title:"a \" sort:b"`, false},
	} {
		field, descending := order(c.asked)
		if field != c.field || descending != c.descending {
			t.Errorf("%q is in order of %q, %v", c.asked, field, descending)
		}
		if rest := unordered(c.asked); rest != c.rest {
			t.Errorf("%q without order is %q", c.asked, rest)
		}
	}
}
