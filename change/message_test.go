package change_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/change"
)

const hash = "00112233445566778899aabbccddeeff00112233"

func TestTrailersFollowTheRulesOfGit(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		want    []change.MessageTrailer
	}{
		"none":              {"fix: x\n\nText.\n", nil},
		"title is no block": {"fix: x\n", nil},
		"block": {"x\n\nText.\n\nRefs: PAY-17\nSigned-off-by: Ann <ann@x.test>\n\n\n", []change.MessageTrailer{
			{Key: "Refs", Value: "PAY-17", Line: 5, Block: true}, {Key: "Signed-off-by", Value: "Ann <ann@x.test>", Line: 6, Block: true},
		}},
		"folded": {"x\n\nReason: one\n two\n\tthree\nKey : v\n", []change.MessageTrailer{
			{Key: "Reason", Value: "one two three", Line: 3, Block: true}, {Key: "Key", Value: "v", Line: 6, Block: true},
		}},
		"one other line spoils it":                {"x\n\nRefs: 1\nand some text\n", nil},
		"unless git wrote one of them":            {"x\n\nsome text\nSigned-off-by: Ann <a@x.test>\n", []change.MessageTrailer{{Key: "Signed-off-by", Value: "Ann <a@x.test>", Line: 4, Block: true}}},
		"but a quarter at least must be trailers": {"x\n\na\nb\nc\nd\nSigned-off-by: Ann <a@x.test>\n", nil},
		"cherry pick":                             {"x\n\n(cherry picked from commit " + hash + ")\n", []change.MessageTrailer{{Key: change.CherryPicked, Value: hash, Line: 3, Block: true}}},
		"windows":                                 {"x\r\n\r\nRefs: 1\r\n", []change.MessageTrailer{{Key: "Refs", Value: "1", Line: 3, Block: true}}},
		"key with blanks":                         {"x\n\nTwo words: 1\n", nil},
		"url is no trailer in text":               {"x\n\nsee https://x.test\n", nil},
		"empty":                                   {"", nil},
		"comments behind":                         {"x\n\ntext\n\nRefs: 1\n\n# Conflicts:\n#\tx.go\n\n", []change.MessageTrailer{{Key: "Refs", Value: "1", Line: 5, Block: true}}},
		"comments within":                         {"x\n\n# c\nRefs: 1\n#d: e\n", []change.MessageTrailer{{Key: "Refs", Value: "1", Line: 4, Block: true}}},
		"conflicts behind":                        {"x\n\nRefs: 1\n\nConflicts:\n\tx.go\n\ty.go\n", []change.MessageTrailer{{Key: "Refs", Value: "1", Line: 3, Block: true}}},
		"conflicts above":                         {"x\n\nConflicts:\n\tx.go\n\nRefs: 1\n", []change.MessageTrailer{{Key: "Refs", Value: "1", Line: 6, Block: true}}},
		"only a comment":                          {"x\n\n#only: comment\n", nil},
	} {
		if diff := cmp.Diff(c.want, change.Trailers(c.message)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestTrailersInsideASquashAreLoose(t *testing.T) {
	const message = "Refunds (#17)\n\n* one\n\nCo-authored-by: Claude Opus 4.6 <noreply@anthropic.com>\n\n* two\nNote: nothing\n\n---------\n\nRefs: PAY-17\n"
	want := []change.MessageTrailer{
		{Key: "Co-authored-by", Value: "Claude Opus 4.6 <noreply@anthropic.com>", Line: 5},
		{Key: "Refs", Value: "PAY-17", Line: 12, Block: true},
	}
	if diff := cmp.Diff(want, change.LooseTrailers(message)); diff != "" {
		t.Error(diff)
	}
}

func TestLandingIsReadFromTheMessage(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		parents int
		forge   bool
		want    change.Landing
	}{
		"github merge": {
			"Merge pull request #142 from ann/fix-refund\n\nRefund only once", 2, true,
			change.Landing{Platform: change.GitHub, Method: "merge", Numbers: []int{142}, Branch: "ann/fix-refund", Title: "Refund only once", Sure: true, Why: "Merge pull request #142 from ann/fix-refund"},
		},
		"github merge by hand": {
			"Merge pull request 142 from ann/fix-refund\n", 2, false,
			change.Landing{Platform: change.GitHub, Method: "merge", Numbers: []int{142}, Branch: "ann/fix-refund", Sure: true, Why: "Merge pull request 142 from ann/fix-refund"},
		},
		"github squash": {
			"Refund only once (#142)\n\n* try\n* again\n", 1, true,
			change.Landing{Platform: change.GitHub, Method: "squash", Numbers: []int{142}, Title: "Refund only once", Sure: true, Why: "(#142)"},
		},
		"squash without the forge's name": {
			"Refund only once (#142)", 1, false,
			change.Landing{Platform: change.GitHub, Method: "squash", Numbers: []int{142}, Title: "Refund only once", Why: "(#142)"},
		},
		"backport keeps the last number": {
			"Refund only once (#142) (#150)", 1, true,
			change.Landing{Platform: change.GitHub, Method: "squash", Numbers: []int{150}, Title: "Refund only once (#142)", Sure: true, Why: "(#150)"},
		},
		"github merge with title": {
			"Refund only once (#142)", 2, true,
			change.Landing{Platform: change.GitHub, Method: "merge", Numbers: []int{142}, Title: "Refund only once", Sure: true, Why: "(#142)"},
		},
		"gitlab merge": {
			"Merge branch 'fix/refund' into 'main'\n\nRefund only once\n\nCloses #3\n\nSee merge request acme/shop/pay!17", 2, false,
			change.Landing{Platform: change.GitLab, Method: "merge", Numbers: []int{17}, Branch: "fix/refund", Target: "main", Title: "Refund only once", Sure: true, Why: "See merge request acme/shop/pay!17"},
		},
		"gitlab merge with url": {
			"Merge branch 'fix/refund' into 'main'\n\nRefund\n\nSee merge request https://gitlab.example.com/acme/pay/-/merge_requests/17\n", 2, false,
			change.Landing{
				Platform: change.GitLab, Method: "merge", Numbers: []int{17}, Branch: "fix/refund", Target: "main", Title: "Refund",
				URL: "https://gitlab.example.com/acme/pay/-/merge_requests/17", Sure: true, Why: "See merge request https://gitlab.example.com/acme/pay/-/merge_requests/17",
			},
		},
		"gitlab squash": {
			"Refund only once\n\nSee merge request !17\n", 1, false,
			change.Landing{Platform: change.GitLab, Method: "squash", Numbers: []int{17}, Title: "Refund only once", Sure: true, Why: "See merge request !17"},
		},
		"gitea merge": {
			"Merge pull request 'Refund 'once'' (#17) from fix/refund into main\n\nReviewed-on: https://codeberg.org/acme/pay/pulls/17\n", 2, false,
			change.Landing{Platform: change.Gitea, Method: "merge", Numbers: []int{17}, Branch: "fix/refund", Target: "main", Title: "Refund 'once'", Sure: true, Why: "Merge pull request 'Refund 'once'' (#17) from fix/refund into main"},
		},
		"gitea squash": {
			"Refund (#17)\n\nText.\n\nReviewed-on: https://codeberg.org/acme/pay/pulls/17\nReviewed-by: Ann <ann@x.test>\n", 1, false,
			change.Landing{Platform: change.Gitea, Method: "squash", Numbers: []int{17}, Title: "Refund", URL: "https://codeberg.org/acme/pay/pulls/17", Sure: true, Why: "Reviewed-on: https://codeberg.org/acme/pay/pulls/17"},
		},
		"bitbucket cloud": {
			"Merged in fix/refund (pull request #17)\n\nRefund only once\n\nApproved-by: Ann\n", 2, false,
			change.Landing{Platform: change.BitbucketCloud, Method: "merge", Numbers: []int{17}, Branch: "fix/refund", Title: "Refund only once", Sure: true, Why: "Merged in fix/refund (pull request #17)"},
		},
		"bitbucket server": {
			"Pull request #17: Refund only once\n\nMerge in SHOP/pay from fix/refund to main\n\n* commit 'aa':\n  try\n", 2, false,
			change.Landing{Platform: change.BitbucketServer, Method: "merge", Numbers: []int{17}, Branch: "fix/refund", Target: "main", Title: "Refund only once", Sure: true, Why: "Pull request #17: Refund only once"},
		},
		"bitbucket server before": {
			"Merge pull request #17 in SHOP/pay from fix/refund to main\n", 2, false,
			change.Landing{Platform: change.BitbucketServer, Method: "merge", Numbers: []int{17}, Branch: "fix/refund", Target: "main", Sure: true, Why: "Merge pull request #17 in SHOP/pay from fix/refund to main"},
		},
		"azure": {
			"Merged PR 17: Refund only once\n\nRelated work items: #5", 1, false,
			change.Landing{Platform: change.AzureDevOps, Method: "squash", Numbers: []int{17}, Title: "Refund only once", Sure: true, Why: "Merged PR 17: Refund only once"},
		},
		"gerrit": {
			"pay: refund only once\n\nChange-Id: I" + hash + "\nReviewed-on: https://go-review.example.com/c/pay/+/5017\nReviewed-by: Ann <ann@x.test>\n", 1, false,
			change.Landing{Platform: change.Gerrit, Method: "rebase", Numbers: []int{5017}, Title: "pay: refund only once", URL: "https://go-review.example.com/c/pay/+/5017", Sure: true, Why: "Reviewed-on: https://go-review.example.com/c/pay/+/5017"},
		},
		"gerrit without number": {
			"pay: refund\n\nChange-Id: I" + hash + "\n", 1, false,
			change.Landing{Platform: change.Gerrit, Method: "rebase", Title: "pay: refund", Why: "Change-Id: I" + hash},
		},
		"bors batch": {
			"Merge #12 #13\n\n12: Refund r=ann a=bob\n\n13: Pay r=ann a=bob\n", 3, false,
			change.Landing{Platform: change.Bors, Method: "merge", Numbers: []int{12, 13}, Sure: true, Why: "Merge #12 #13"},
		},
		"bors of one": {
			"Merge #12\n\n12: Refund once r=ann a=bob\n\nText.\n", 2, false,
			change.Landing{Platform: change.Bors, Method: "merge", Numbers: []int{12}, Title: "Refund once", Sure: true, Why: "Merge #12"},
		},
		"homu": {
			"Auto merge of #123 - ann:fix-refund, r=bob\n\nRefund once\n", 2, false,
			change.Landing{Platform: change.Bors, Method: "merge", Numbers: []int{123}, Branch: "fix-refund", Title: "Refund once", Sure: true, Why: "Auto merge of #123 - ann:fix-refund, r=bob"},
		},
		"plain merge":        {"Merge branch 'fix/refund'\n", 2, false, change.Landing{Method: "merge", Branch: "fix/refund", Why: "Merge branch 'fix/refund'"}},
		"plain merge into":   {"Merge branch 'main' into fix/refund", 2, false, change.Landing{Method: "merge", Branch: "main", Target: "fix/refund", Why: "Merge branch 'main' into fix/refund"}},
		"pull":               {"Merge branch 'main' of https://x.test/acme/pay into next", 2, false, change.Landing{Method: "merge", Branch: "main", Target: "next", Why: "Merge branch 'main' of https://x.test/acme/pay into next"}},
		"remote-tracking":    {"Merge remote-tracking branch 'origin/main'", 2, false, change.Landing{Method: "merge", Branch: "origin/main", Why: "Merge remote-tracking branch 'origin/main'"}},
		"merge of no form":   {"Bring in the refunds", 2, false, change.Landing{Method: "merge"}},
		"squash by hand":     {"Squashed commit of the following:\n\ncommit aa\n", 1, false, change.Landing{Method: "squash", Why: "Squashed commit of the following:"}},
		"direct":             {"Refund only once\n\nFixes #17\n", 1, false, change.Landing{Method: "direct"}},
		"revert of a squash": {"Revert \"Refund only once (#142)\"\n", 1, false, change.Landing{Method: "direct"}},
		"number zero":        {"Merge pull request #0 from a/b", 2, false, change.Landing{Platform: change.GitHub, Method: "merge", Branch: "a/b", Sure: true, Why: "Merge pull request #0 from a/b"}},
		"no number":          {"Merge pull request #12345678901234567890 from a/b", 2, false, change.Landing{Method: "merge"}},
		"empty":              {"", 0, false, change.Landing{Method: "direct"}},
	} {
		if diff := cmp.Diff(c.want, change.ReadLanding(c.message, c.parents, c.forge)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestIntentIsReadWithItsEvidence(t *testing.T) {
	for _, c := range []struct{ message, branch, intent, method string }{
		{"feat: refunds", "", "feature", change.MethodConventional},
		{"Feat(pay): refunds", "", "feature", change.MethodConventional},
		{"fix(pay)!: refund once", "", "fix", change.MethodConventional},
		{"docs: add refunds", "", "docs", change.MethodConventional},
		{"ci: run on main", "", "build", change.MethodConventional},
		{"chore: tidy", "", "other", change.MethodConventional},
		{"security: check the owner", "", "security-fix", change.MethodSecurityType},
		{"fix(security): check the owner", "", "security-fix", change.MethodSecurityType},
		{"fix: CVE-2024-12345 in refunds", "", "security-fix", change.MethodAdvisory},
		{"Check the owner\n\nText.\n\nCVE: CVE-2024-12345\n", "", "security-fix", change.MethodAdvisory},
		{"Check the owner\n\nThis closes GHSA-2345-6789-cfgh for good.\n", "", "security-fix", change.MethodAdvisoryFixed},
		{"Check the owner\n\nSee also GHSA-2345-6789-cfgh.\n", "", "security-fix", change.MethodAdvisoryBody},
		{"fix: refund once\n\nNot CVE-2024-12345.\n", "", "fix", change.MethodConventional},
		{"fix: refund once\n\nFixes CVE-2024-12345 in the parser.\n", "", "security-fix", change.MethodAdvisoryFixed},
		{"fix(pay): refund once\n\nThis addresses the vulnerability\nCVE-2024-12345.\n", "", "security-fix", change.MethodAdvisoryFixed},
		{"fix(deps): bump x/net from 0.1 to 0.2\n\nRelease notes: fixes CVE-2024-12345\n", "", "fix", change.MethodConventional},
		{"feat: refunds\n\nFixes CVE-2024-12345.\n", "", "feature", change.MethodConventional},
		{"docs: explain CVE-2024-12345", "", "docs", change.MethodConventional},
		{"Bump x/net from 0.1.0 to 0.2.0\n\nRelease notes: fixes CVE-2024-12345\n", "", "build", change.MethodDependencyTitle},
		{"build(deps): bump x/net from 0.1 to 0.2", "", "build", change.MethodConventional},
		{"Revert \"feat: refunds\"\n\nThis reverts commit " + hash + ".\n", "", "revert", change.MethodRevertMessage},
		{"revert: feat: refunds", "", "revert", change.MethodRevertMessage},
		{"Back to single refunds\n\nThis reverts commit " + hash + ", reversing\nchanges made to " + hash + ".\n", "", "revert", change.MethodRevertMessage},
		{"feat: refunds (#7)\n\n* one\n\n* Revert \"one\"\n\nThis reverts commit " + hash + ".\n", "", "feature", change.MethodConventional},
		{"Reapply \"feat: refunds\"\n\nThis reverts commit " + hash + ".\n", "", "unknown", ""},
		{"Revert \"Revert \"feat: refunds\"\"", "", "revert-again", ""},
		{"Revert to plain refunds", "", "revert", change.MethodSubjectWord},
		{"Refunds\n\nType: bug\n", "", "fix", change.MethodLabel},
		{"feat: refunds\n\nLabels: area/pay, security\n", "", "security-fix", change.MethodLabel},
		{"pay: refund once\n\nFixes: 00112233aabb (\"pay: refunds\")\nSigned-off-by: Ann <a@x.test>\n", "", "fix", change.MethodFixesTrailer},
		{"Refund once\n\nFixes #17\n", "", "fix", change.MethodClosingKeyword},
		{"Refund once\n\nFixes acme/pay#17\n", "", "fix", change.MethodClosingKeyword},
		{"Refund once\n\nCloses #17\n", "", "unknown", ""},
		{"Refund once", "ann/fix/refund", "fix", change.MethodBranchPrefix},
		{"Merge pull request #142 from ann/fix-refund\n\nfix: refund once", "", "fix", change.MethodConventional},
		{"Merge branch 'feature/refund' into 'main'", "", "feature", change.MethodBranchPrefix},
		{"Fix refunds", "", "fix", change.MethodSubjectWord},
		{"backup: fix refunds", "", "fix", change.MethodSubjectWord},
		{"backup: count twice", "", "unknown", ""},
		{"Fixture for refunds", "", "unknown", ""},
		{"Prefix the key", "", "unknown", ""},
		{"", "", "unknown", ""},
	} {
		p := change.ReadPurpose(c.message, c.branch)
		if c.intent == "revert-again" {
			if p.Intent == change.IntentRevert && p.Method == change.MethodRevertMessage {
				t.Errorf("ReadPurpose(%q) takes a revert of a revert for a revert", c.message)
			}
			continue
		}
		if p.Intent != c.intent || p.Method != c.method {
			t.Errorf("ReadPurpose(%q, %q) = %s by %q, want %s by %q; evidence %v", c.message, c.branch, p.Intent, p.Method, c.intent, c.method, p.Evidence)
		}
	}
}

func TestBreakingIsDeclared(t *testing.T) {
	for message, want := range map[string]bool{
		"feat!: x": true, "feat(a)!: x": true, "feat: x\n\nBREAKING CHANGE: y\n": true, "feat: x\n\nBREAKING-CHANGE: y": true,
		"feat: x": false, "backup!: x": false, "feat: x\n\nNot a BREAKING CHANGE\n": false,
	} {
		if got := change.ReadPurpose(message, "").Breaking; got != want {
			t.Errorf("ReadPurpose(%q).Breaking = %v", message, got)
		}
	}
}

func TestRevertNamesWhatItTakesBack(t *testing.T) {
	for message, want := range map[string]change.Purpose{
		"Revert \"x (#12)\" (#14)\n\nReverts acme/pay#12":                        {RevertsNumbers: []int{12}},
		"Revert \"x (#12)\"\n\nThis reverts commit " + hash + ".":                {Reverts: []string{hash}, RevertsNumbers: []int{12}},
		"Revert \"x\"\n\nThis reverts merge request !12":                         {RevertsNumbers: []int{12}},
		"Revert two\n\nThis reverts commits 0011223 and\n" + hash + ".":          {Reverts: []string{"0011223", hash}},
		"Revert \"x\"\n\nThis reverts commit " + strings.ToUpper(hash) + ".":     {Reverts: []string{hash}},
		"Reapply \"x\"\n\nThis reverts commit 00112233.\n":                       {Reverts: []string{"00112233"}},
		"Talk\n\nText.\n\nIt says: This reverts commit 00112233, which is wrong": {},
	} {
		p := change.ReadPurpose(message, "")
		if !slices.Equal(p.Reverts, want.Reverts) || !slices.Equal(p.RevertsNumbers, want.RevertsNumbers) {
			t.Errorf("ReadPurpose(%q) takes back %v %v, want %v %v", message, p.Reverts, p.RevertsNumbers, want.Reverts, want.RevertsNumbers)
		}
	}
}

func TestClassCountsUnknownAsUnknown(t *testing.T) {
	for l, want := range map[change.Lines]string{
		{}: "unknown", {AI: 1}: "ai", {Human: 1}: "human", {AI: 1, Human: 9}: "mixed", {AI: 4, Unknown: 5}: "unknown", {AI: 5, Unknown: 5}: "ai",
	} {
		if got := l.Class(); got != want {
			t.Errorf("%+v.Class() = %s, want %s", l, got, want)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("Merge pull request #142 from ann/fix\n\nfix: x\n\nRefs: PAY-17\nSigned-off-by: A <a@x>\n", "fix/x", 2)
	f.Add("Merge branch 'a' into 'b'\n\nSee merge request a/b!1", "", 2)
	f.Add("Revert \"Revert \"x (#1)\"\"\n\nThis reverts commit 0011223, 0011224 and 0011225", "", 1)
	f.Add("Merge #1 #2\n\n1: x r=a a=b", "a/b", 3)
	f.Add("x\n\n: \n \n(cherry picked from commit \n  y", "", 1)
	f.Fuzz(func(t *testing.T, message, branch string, parents int) {
		l := change.ReadLanding(message, parents, false)
		if l.Method == "" || slices.ContainsFunc(l.Numbers, func(n int) bool { return n <= 0 }) {
			t.Fatalf("ReadLanding(%q) = %+v", message, l)
		}
		p := change.ReadPurpose(message, branch)
		if (len(p.Evidence) == 0) != (p.Intent == change.IntentUnknown) {
			t.Fatalf("ReadPurpose(%q) = %+v: an intent without evidence, or the reverse", message, p)
		}
		for _, tr := range change.LooseTrailers(message) {
			if tr.Key == "" || strings.ContainsAny(tr.Key+tr.Value, "\n") {
				t.Fatalf("LooseTrailers(%q) has %+v", message, tr)
			}
		}
		change.Title(message)
	})
}
