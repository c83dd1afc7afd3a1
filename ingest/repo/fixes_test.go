package repo_test

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
)

// fixes are what a change is said to fix: change, lines, method.
func (s *space) fixes(title string) []string {
	s.t.Helper()
	return s.rows(`SELECT COALESCE(o.title, '-'), f.lines, f.method FROM k_change c JOIN k_change_fixes f ON f.id = c.id
		LEFT JOIN k_change o ON o.id = f.change WHERE c.title = $1 ORDER BY f.seq`, title)
}

func TestFixLeadsThroughRenamesAndMerges(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("feat: base", "a.go", gittest.Lines("base", 20))
	r.Git("checkout", "-q", "-b", "side")
	r.Commit("side", "a.go", gittest.Lines("base", 10)+"wrong := side(1)\n"+gittest.Lines("base", 20)[len(gittest.Lines("base", 10)):])
	r.Git("checkout", "-q", "main")
	r.Commit("other", "b.go", gittest.Lines("other", 5))
	r.Merge("Merge pull request #7 from ann/side\n\nfeat: side", []string{"side"})
	r.Git("mv", "a.go", "moved.go")
	r.Commit("move")
	fixed := strings.Replace(r.Git("show", "HEAD:moved.go")+"\n", "wrong := side(1)", "right := side(2)", 1)
	r.Commit("fix: the side", "moved.go", strings.Replace(fixed, "base := value(0,", "base := mended(0,", 1))
	s.scan(r.Dir)
	want(t, "fixes", s.fixes("fix: the side"), "feat: base 1 lines", "feat: side 1 lines")
}

func TestSpaceAndCommentsAreNotMended(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("feat: code", "a.go", "package a\n\nfunc f() {\n\tx := 1\n\treturn x\n}\n")
	r.Commit("docs: comment", "a.go", "package a\n\n// f is wrong\nfunc f() {\n\tx := 1\n\n\treturn x\n}\n")
	r.Commit("fix: only looks", "a.go", "package a\n\n// f is right\nfunc f() {\n\t\tx := 1\n\treturn x\n}\n")
	r.Commit("fix: value", "a.go", "package a\n\n// f is right\nfunc f() {\n\tx := 2\n\treturn x\n}\n")
	s.scan(r.Dir)
	want(t, "looks", s.fixes("fix: only looks"))
	// Its indentation came with the fix before, but the line is older.
	want(t, "value", s.fixes("fix: value"), "feat: code 1 lines")
}

func TestFixLeadsBehindCommitsThatOnlyIndent(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	rest := gittest.Lines("rest", 30) // so that the file is known again under its other name
	r.Commit("feat: code", "a.go", "one()\ntwo()\nthree()\nfour()\n"+rest)
	r.Commit("style: indent", "a.go", "\tone()\n\n\ttwo()\n\tthree()\n\tfour()\n"+rest)
	r.Git("mv", "a.go", "b.go")
	r.Commit("refactor: a loop", "b.go", "for {\n\t\tone()\n\t\ttwo()\n\t\tnew()\n\t\tthree()\n}\n\tfour()\n"+rest)
	r.Commit("fix: all of it", "b.go", "for {\n\t\tuno()\n\t\tdue()\n\t\tnuovo()\n\t\ttre()\n}\n\tquattro()\n"+rest)
	s.scan(r.Dir)
	want(t, "fixes", s.fixes("fix: all of it"), "feat: code 4 lines", "refactor: a loop 1 lines")
}

func TestDeclaredFixStandsBeforeLines(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: one", "a.go", gittest.Lines("one", 5))
	r.Commit("feat: two", "b.go", gittest.Lines("two", 5))
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1-5", ""))
	r.Commit("fix: it\n\nFixes: "+first[:12]+" (\"feat: one\")\n", "b.go", strings.Replace(gittest.Lines("two", 5), "value(2", "better(2", 1))
	s.scan(r.Dir)
	want(t, "fixes", s.fixes("fix: it"), "feat: one 0 declared", "feat: two 1 lines")
	want(t, "method", s.rows(`SELECT fix_method, origin_author FROM k_change WHERE title = 'fix: it'`), "declared ai")
}

func TestAbbreviatedNamesAreFoundInLaterScans(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: one", "a.go", gittest.Lines("one", 5))
	r.Commit("feat: two", "b.go", gittest.Lines("two", 5))
	squash := r.Commit("feat: twelve (#12)", "c.go", gittest.Lines("three", 5))
	s.scan(r.Dir)
	r.Commit("fix: it\n\nFixes: "+first[:8]+"\n", "d.go", "d\n")
	r.Git("rm", "-q", "c.go")
	r.Commit("Revert \"feat: twelve\" (#13)\n\nReverts acme/pay#12\n")
	s.scan(r.Dir)
	want(t, "declared", s.fixes("fix: it"), "feat: one 0 declared")
	once := newSpace(t)
	once.scan(r.Dir)
	same(t, "two scans", s, once)
	want(t, "revert of a number", s.rows(`SELECT n.ref, f.method FROM k_change c JOIN k_change_fixes f ON f.id = c.id JOIN node n ON n.id = f."commit"
		WHERE c.number = 13`), ref(squash)+" revert")
}

func TestWhoWroteTheFixAndWhoTheOriginal(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	byHand := r.Commit("feat: by hand", "hand.go", gittest.Lines("hand", 8))
	byAI := r.Commit("feat: by ai", "ai.go", gittest.Lines("ai", 8))
	r.Note("ai", byHand, notetest.GitAI(byHand, "hand.go", "", "1-8"))
	r.Note("ai", byAI, notetest.GitAI(byAI, "ai.go", "1-8", ""))
	aiFix := r.Commit("fix(security): CVE-2026-1234", "hand.go", strings.Replace(gittest.Lines("hand", 8), "value(3", "checked(3", 1))
	r.Note("ai", aiFix, notetest.GitAI(aiFix, "hand.go", "4", ""))
	handFix := r.Commit("fix(security): CVE-2026-1235", "ai.go", strings.Replace(gittest.Lines("ai", 8), "value(3", "checked(3", 1))
	r.Note("ai", handFix, notetest.GitAI(handFix, "ai.go", "", "4"))
	r.Commit("fix: unrecorded", "ai.go", strings.Replace(gittest.Lines("ai", 8), "value(3", "checked(4", 1))
	s.scan(r.Dir)
	want(t, "authors", s.rows(`SELECT title, intent, fix_author, origin_author, fix_method FROM k_change WHERE fix_method IS NOT NULL ORDER BY merged`),
		"fix(security): CVE-2026-1234 security-fix ai human lines",
		"fix(security): CVE-2026-1235 security-fix human ai lines",
		"fix: unrecorded fix unknown human lines")
}

func TestFixLeadsBehindCommitsThatOnlyMove(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	wrote, rest, other := gittest.Lines("wrote", 8), gittest.Lines("rest", 30), gittest.Lines("other", 30)
	byAI := r.Commit("feat: by ai", "a.go", wrote+rest, "b.go", other)
	r.Note("ai", byAI, notetest.GitAI(byAI, "a.go", "1-8", ""))
	moved := r.Commit("refactor: by hand", "a.go", rest, "b.go", other+wrote+"added := value(by, hand)\n")
	r.Note("ai", moved, notetest.GitAI(moved, "b.go", "", "31-39"))
	s.scan(r.Dir)
	r.Commit("fix: what ai wrote", "b.go", other+strings.Replace(wrote, "value(3", "checked(3", 1)+"added := value(by, hand)\n")
	s.scan(r.Dir)
	r.Commit("fix: what was added", "b.go", other+strings.Replace(wrote, "value(3", "checked(3", 1)+"added := checked(by, hand)\n")
	s.scan(r.Dir)
	want(t, "moved", s.fixes("fix: what ai wrote"), "feat: by ai 1 lines")
	want(t, "added", s.fixes("fix: what was added"), "refactor: by hand 1 lines")
	want(t, "authors", s.rows(`SELECT title, origin_author FROM k_change WHERE fix_method IS NOT NULL ORDER BY merged`),
		"fix: what ai wrote ai", "fix: what was added human")
	once := newSpace(t)
	once.scan(r.Dir)
	same(t, "three scans", s, once)
	s.verify()
}
