package intent_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/intent"
)

var github = intent.Context{Host: "github.com", Repo: "acme/pay"}

// spell writes mentions in one line: "trailer ticket:jira/PAY-17 closes".
func spell(found []intent.Mention) string {
	var list []string
	for _, m := range found {
		s := m.Method + " " + string(m.Ref)
		if m.Ref == "" {
			s = m.Method + " ?" + m.Text
		}
		if m.Closes {
			s += " closes"
		}
		list = append(list, s)
	}
	return strings.Join(list, "; ")
}

func TestTicketsAreFoundInMessages(t *testing.T) {
	for message, want := range map[string]string{
		"Refund\n\nfix: a quoted title (#17)\n":                     "message ticket:github.com/acme/pay#17",
		"Refund and fix (PAY-17)":                                   "message ticket:jira/PAY-17",
		"Refund (fixes #17)":                                        "message ticket:github.com/acme/pay#17 closes",
		"Pull in the fixes (#17)":                                   "message change:github.com/acme/pay#17",
		"PAY-17: refund once":                                       "message ticket:jira/PAY-17",
		"[PAY-17] refund once":                                      "message ticket:jira/PAY-17",
		"refund (PAY-17, PAY2-18)":                                  "message ticket:jira/PAY-17; message ticket:jira/PAY2-18",
		"refund PAY-17/PAY-18.":                                     "message ticket:jira/PAY-17; message ticket:jira/PAY-18",
		"Fix PAY-17":                                                "message ticket:jira/PAY-17 closes",
		"refund\n\nsee #17 and GH-18":                               "message ticket:github.com/acme/pay#17; message ticket:github.com/acme/pay#18",
		"refund\n\nFixes #17, #18 and #19, not #20":                 "message ticket:github.com/acme/pay#17 closes; message ticket:github.com/acme/pay#18 closes; message ticket:github.com/acme/pay#19 closes; message ticket:github.com/acme/pay#20",
		"refund\n\nCloses acme/shop#4":                              "message ticket:github.com/acme/shop#4 closes",
		"refund\n\nsee group/sub/pay#4":                             "message ticket:github.com/group/sub/pay#4",
		"refund\n\nsee group/pay!4 and !5":                          "message change:github.com/group/pay#4; message change:github.com/acme/pay#5",
		"Refund (#17)":                                              "message change:github.com/acme/pay#17",
		"Refund (#17)\n\nText (#18)\n":                              "message change:github.com/acme/pay#17; message ticket:github.com/acme/pay#18",
		"Refund (#17) again":                                        "message ticket:github.com/acme/pay#17",
		"Merge pull request #17 from ann/x":                         "message change:github.com/acme/pay#17",
		"refund as in PR #17 and PR-18":                             "message change:github.com/acme/pay#17; message change:github.com/acme/pay#18",
		"issue#17 of ours":                                          "message ticket:github.com/acme/pay#17",
		"Refund AB#17":                                              "message ticket:azure-boards/AB#17",
		"Refund\n\nFixes AB#17":                                     "message ticket:azure-boards/AB#17 closes",
		"Refund\n\nRefs: PAY-17, #18":                               "trailer ticket:jira/PAY-17; trailer ticket:github.com/acme/pay#18",
		"Refund\n\nFixes: #17":                                      "trailer ticket:github.com/acme/pay#17 closes",
		"Refund\n\nTicket: 17":                                      "trailer ticket:github.com/acme/pay#17",
		"Refund\n\nLinear: PAY-17":                                  "trailer ticket:linear/PAY-17",
		"Refund\n\nRequirement: REQ-7, SYS/8 none":                  "trailer requirement:declared/REQ-7; trailer requirement:declared/SYS/8",
		"Refund\n\nRequirement: SRS 3.2.1, ABC 12":                  "trailer requirement:declared/SRS%203.2.1; trailer requirement:declared/ABC%2012",
		"Refund\n\nRequirement: 17; R2 R3, SYS:8 see (4.1)":         "trailer requirement:declared/17; trailer requirement:declared/R2; trailer requirement:declared/R3; trailer requirement:declared/SYS:8",
		"Refund\n\nRequirement: the 2 of us, foo bar 7, see REQ 12": "",
		"Refund\n\nRequirement: https://Req.example.com/items/7.":   "trailer requirement:req.example.com/items/7",

		"see https://github.com/acme/shop/issues/4#issuecomment-5 and more": "url ticket:github.com/acme/shop#4",
		"Closes https://github.com/acme/shop/issues/4.":                     "url ticket:github.com/acme/shop#4 closes",
		"see https://github.com/acme/shop/pull/4":                           "url change:github.com/acme/shop#4",
		"see https://gitlab.example.com/a/b/c/-/issues/4":                   "url ticket:gitlab.example.com/a/b/c#4",
		"see https://gitlab.example.com/a/b/c/-/work_items/4":               "url ticket:gitlab.example.com/a/b/c#4",
		"see https://gitlab.example.com/a/b/-/merge_requests/4":             "url change:gitlab.example.com/a/b#4",
		"(https://codeberg.org/acme/pay/issues/4)":                          "url ticket:codeberg.org/acme/pay#4",
		"https://codeberg.org/acme/pay/pulls/4":                             "url change:codeberg.org/acme/pay#4",
		"https://acme.atlassian.net/browse/PAY-17?focusedCommentId=1":       "url ticket:jira/PAY-17",
		"https://acme.atlassian.net/jira/boards/1?a=b&selectedIssue=PAY-17": "url ticket:jira/PAY-17",
		"https://linear.app/acme/issue/PAY-17/refund-once":                  "url ticket:linear/PAY-17",
		"https://dev.azure.com/acme/shop/_workitems/edit/17":                "url ticket:azure-boards/acme/AB#17",
		"https://acme.visualstudio.com/shop/_workitems/edit/17/":            "url ticket:azure-boards/acme/AB#17",
		"Refund\n\nRefs: https://user:secret@github.com/acme/shop/issues/4": "trailer ticket:github.com/acme/shop#4",
	} {
		if got := spell(intent.FromMessage(message, github)); got != want {
			t.Errorf("FromMessage(%q)\n got %s\nwant %s", message, got, want)
		}
	}
}

func TestWhatLooksLikeATicketIsNone(t *testing.T) {
	for _, message := range []string{
		"use UTF-8, SHA-256, ISO-8601, RFC-1234, HTTP-2, GPT-4, X-509, AES-128, MD-5, PEP-8",
		"mend CVE-2024-1234 and GHSA-2345-6789-cfgh", "UTF-16LE", "LGPL-2.1", "GPL-3", "TLS-1.3", "BASE-64",
		"colour #fff", "color: #333;", "background #112233", "#1a2b3c", "#017", "#0", "#", "##17", "#17a", "#1.5", "# 17",
		"see https://example.com/page#17", "https://example.com/PAY-17", "https://github.com/acme/pay/issues/4x", "https://github.com/issues/4",
		"`PAY-17` and `#17`", "x\n\n```\nPAY-17 #17\n```\n", "x\n\n~~~\n#17", "&#39;", "C#12", "foo#1", "foo!1", "wow!", "a!=1",
		"pay-17 in lower case", "Pay-17", "PAY-017", "PAY-17-refund", "PAY-17.go", "docs/PAY-17.md", "xPAY-17", "PAY-12345678", "mail@PAY-17", "$PAY-17",
		"Fixes: 00112233aabb (\"x\")", "x\n\nFixes: 1234567 (\"x\")", "x\n\nSigned-off-by: Ann <ann@x.test>", "deadbeef#", "/#1", "\\#1", "a/../b#1", "#12345678901",
		"é/pay#1", "from DRON-666/vss-options", "https://x.test/review/acme/pay/pull/17", "0011223344556677889900112233445566778899",
	} {
		if got := intent.FromMessage(message, github); len(got) != 0 {
			t.Errorf("FromMessage(%q) finds %s", message, spell(got))
		}
	}
}

func TestTicketsAreFoundInBranches(t *testing.T) {
	for branch, want := range map[string]string{
		"PAY-17": "ticket:jira/PAY-17", "feature/PAY-17-refund": "ticket:jira/PAY-17", "ann_PAY-17_refund": "ticket:jira/PAY-17", "refund-PAY-17": "ticket:jira/PAY-17",
		"ann/pay-17-refund": "ticket:jira/PAY-17", "17-refund-once": "ticket:github.com/acme/pay#17", "fix/17": "ticket:github.com/acme/pay#17",
		"ann/fix/2157-trace": "ticket:github.com/acme/pay#2157", "issue-17": "ticket:github.com/acme/pay#17", "gh-17-x": "ticket:github.com/acme/pay#17",
		"issues/17": "ticket:github.com/acme/pay#17",
		"main":      "", "release/17": "", "release-17": "", "v1-2-3": "", "2026-plan": "", "utf-8": "", "fix-17": "", "patch-1": "", "ann-patch-1": "", "step-2": "",
		"17-2": "", "devin/1771338878-certs": "", "dependabot/npm_and_yarn/x-1.2.3": "", "feature/2026-01-02": "", "Pay-17": "", "": "", "///": "", "claude/issue-x": "",
	} {
		got := intent.FromBranch(branch, github)
		spelled := ""
		if len(got) > 0 {
			spelled = string(got[0].Ref)
			if m := got[0]; m.Method != intent.MethodBranch || branch[m.Offset:m.Offset+len(m.Text)] != m.Text {
				t.Errorf("FromBranch(%q) has %+v", branch, m)
			}
		}
		if len(got) > 1 || spelled != want {
			t.Errorf("FromBranch(%q) finds %s, want %q", branch, spell(got), want)
		}
	}
}

func TestContextDecidesWhatAShortFormMeans(t *testing.T) {
	for _, c := range []struct {
		context intent.Context
		message string
		want    string
	}{
		{intent.Context{}, "see #17 and PAY-18", "message ?#17; message ticket:jira/PAY-18"},
		{intent.Context{Keys: intent.Linear}, "PAY-18", "message ticket:linear/PAY-18"},
		{intent.Context{Trackers: map[string]string{"PAY": intent.Linear}}, "PAY-18, SHOP-3 (PAY2-1)", "message ticket:linear/PAY-18; message ticket:jira/SHOP-3; message ticket:jira/PAY2-1"},
		{intent.Context{Trackers: map[string]string{"PAY": intent.Linear}}, "x\n\nJira: PAY-18", "trailer ticket:jira/PAY-18"},
		{intent.Context{Projects: []string{"UTF"}}, "PAY-18 UTF-8", "message ticket:jira/UTF-8"},
		{intent.Context{Host: "dev.azure.com", Repo: "acme/shop/_git/pay"}, "AB#17", "message ticket:azure-boards/acme/AB#17"},
		{intent.Context{Source: "polarion"}, "x\n\nRequirement: REQ-7", "trailer requirement:polarion/REQ-7"},
	} {
		if got := spell(intent.FromMessage(c.message, c.context)); got != c.want {
			t.Errorf("FromMessage(%q, %+v) = %s, want %s", c.message, c.context, got, c.want)
		}
	}
}

func TestTrailersNameTickets(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"Fixes", "acme/shop#4", "trailer ticket:github.com/acme/shop#4 closes"},
		{"issue", "17", "trailer ticket:github.com/acme/pay#17"},
		{"Jira", "PAY-17 PAY-18", "trailer ticket:jira/PAY-17; trailer ticket:jira/PAY-18"},
		{"Refs", "17", ""},
		{"Signed-off-by", "PAY-17", ""},
		{"Ticket", "none", ""},
		{"", "", ""},
	} {
		if got := spell(intent.FromTrailer(c.key, c.value, github)); got != c.want {
			t.Errorf("FromTrailer(%q, %q) = %s, want %s", c.key, c.value, got, c.want)
		}
	}
}

func FuzzMentions(f *testing.F) {
	f.Add("PAY-17: x (#17)\n\nFixes #1, a/b#2 and https://github.com/a/b/issues/3\n```\n#4\n```\nRefs: AB#5 !6\nRequirement: R1,R2\n", "feature/PAY-17-x")
	f.Add("`#1` ``x` #2 \\#3 é#4 GH-5 PR-6 issue#7", "17-x_y/fix/2")
	f.Add("x\n\nJira: \xff\x00PAY-1\nTicket: 5", "//-_-/a-1")
	f.Fuzz(func(t *testing.T, message, branch string) {
		check := func(text string, found []intent.Mention) {
			for _, m := range found {
				if m.Offset < 0 || m.Offset+len(m.Text) > len(text) || text[m.Offset:m.Offset+len(m.Text)] != m.Text {
					t.Fatalf("%q has %+v, whose text does not stand there", text, m)
				}
				if m.Ref != "" && (!m.Ref.Valid() || m.Ref.Kind() != m.Kind) || m.Method == "" {
					t.Fatalf("%q has %+v", text, m)
				}
			}
		}
		found := intent.FromMessage(message, github)
		check(message, found)
		if !slices.IsSortedFunc(found, func(a, b intent.Mention) int { return a.Offset - b.Offset }) {
			t.Fatalf("%q gives mentions out of order: %s", message, spell(found))
		}
		check(branch, intent.FromBranch(branch, github))
		check(message, intent.FromTrailer("Ticket", message, github))
		check(message, intent.FromTrailer("Requirement", message, github))
	})
}

func TestHostileTextGivesABoundedNumberOfMentions(t *testing.T) {
	for _, unit := range []string{"`", "``", "#1 ", "PAY-1 ", "a/", "https://", "```\n", "Fixes: ", "(", "é"} {
		found := intent.FromMessage("x\n"+strings.Repeat(unit, 1<<20/len(unit)), github)
		if len(found) > 1000 {
			t.Errorf("%q: %d mentions", unit, len(found))
		}
	}
}
