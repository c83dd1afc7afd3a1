package repo_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const forge = "GitHub <noreply@github.com>"

// by makes the next commits those of somebody else.
func by(r *gittest.Repo, author, committer string) {
	r.Env = nil
	for role, who := range map[string]string{"AUTHOR": author, "COMMITTER": committer} {
		if who == "" {
			continue
		}
		name, mail, _ := strings.Cut(who, " <")
		r.Env = append(r.Env, "GIT_"+role+"_NAME="+name, "GIT_"+role+"_EMAIL="+strings.TrimSuffix(mail, ">"))
	}
}

// branchOff makes a branch with commits that each bring a file of their own.
func branchOff(r *gittest.Repo, name string, messages ...string) {
	r.Git("checkout", "-q", "-b", name, "main")
	for i, m := range messages {
		word := fmt.Sprintf("%s%d", strings.NewReplacer("/", "", "-", "").Replace(name), i)
		r.Commit(m, "src/"+word+".go", gittest.Lines(word, 3+i))
	}
	r.Git("checkout", "-q", "main")
}

// everything is a repository with a bit of all that a scan reads.
func everything(t testing.TB) *gittest.Repo {
	r := gittest.New(t)
	r.Git("remote", "add", "origin", "git@GitHub.com:acme/pay.git")
	r.Commit("Initial commit", "README.md", "pay\n", "CODEOWNERS", "* @acme/core\n/src/ ann@example.com\n")
	by(r, "Bea <bea@example.com>", "")
	r.Commit("feat(api): charge cards\n\nRefs: PAY-17\nRequirement: REQ-3\nCo-authored-by: Dee <dee@example.com>\nSigned-off-by: Bea <bea@example.com>\n",
		"src/charge.go", gittest.Lines("charge", 12))
	branchOff(r, "ann/refund", "refund", "refund again, fixes #12")
	by(r, "Ann <ann@example.com>", forge)
	r.Merge("Merge pull request #142 from ann/refund\n\nfeat: refund only once", []string{"ann/refund"})
	by(r, "Cal <cal@example.com>", "")
	branchOff(r, "fix/lock", "lock")
	r.Merge("Merge branch 'fix/lock' into 'main'\n\nLock the ledger\n\nCloses #3\n\nSee merge request acme/pay!17", []string{"fix/lock"})
	branchOff(r, "gitea", "gitea side")
	r.Merge("Merge pull request 'Refund once' (#18) from gitea into main\n\nReviewed-on: https://codeberg.org/acme/pay/pulls/18\n", []string{"gitea"})
	branchOff(r, "bucket", "bucket side")
	r.Merge("Merged in bucket (pull request #19)\n\nRefund only once\n\nApproved-by: Ann\n", []string{"bucket"})
	branchOff(r, "azure", "azure side")
	r.Merge("Merged PR 20: Pay in parts\n\nRelated work items: #5", []string{"azure"})
	by(r, "Ann <ann@example.com>", forge)
	squash := r.Commit("docs: explain refunds (#143)", "docs/refund.md", "words\n")
	by(r, "", "")
	bad := r.Commit("feat: cache", "src/cache.go", gittest.Lines("cache", 6))
	r.Git("rm", "-q", "src/cache.go")
	r.Commit("Revert \"feat: cache\"\n\nThis reverts commit " + bad + ".\n")
	r.Commit("fix: typo\n\n(cherry picked from commit "+squash+")\n", "README.md", "pay!\n")
	r.Commit("ci: workflows", ".github/workflows/test.yml", "on: push\n", ".gitlab-ci.yml", "test: {}\n")
	r.Commit("ci: again", ".github/workflows/test.yml", "on: [push]\n", "CODEOWNERS", "* @acme/core @bea\n")
	r.Git("mv", "src/charge.go", "src/pay.go")
	r.Commit("refactor: rename", "src/pay.go", gittest.Lines("charge", 12)+gittest.Lines("pay", 2))
	r.Commit("a picture", "pay.png", "\x89PNG\x00\x00\x01")
	tagAll(r, bad)
	return r
}

func tagAll(r *gittest.Repo, bad string) {
	r.Git("tag", "light", "HEAD~2")
	r.Git("tag", "-a", "-m", "the first release", "v1.0", "HEAD~1")
	r.Git("tag", "-a", "-m", "a tag of a tag", "nested", "v1.0")
	r.Git("tag", "blob", r.Git("rev-parse", "HEAD:README.md"))
	r.Git("tag", "tree", r.Git("rev-parse", "HEAD^{tree}"))
	r.Git("tag", "-a", "-m", "of a tree", "annotated-tree", r.Git("rev-parse", "HEAD^{tree}"))
	r.Git("tag", "moved", bad)
}

func TestScanOfKnownRepository(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := everything(t), spaceOn(t, open())
		report := s.scan(r.Dir)
		if report.Repository != "repository:github.com/acme/pay" || report.Branch != "main" || len(report.Gaps) > 0 {
			t.Errorf("report %+v", report)
		}
		knownCommits(t, r, s)
		knownChanges(t, s)
		knownReleases(t, r, s)
		knownFiles(t, s)
		s.countsAgree(r)
		s.everyLineHasOneOrigin(r)
		s.verify()
	})
}

// TestBookmarkTellsOthersOfAllScans compares what the bookmark says for others
// with the reports of two scans.
func TestBookmarkTellsOthersOfAllScans(t *testing.T) {
	r, s := gittest.New(t), spaceOn(t, storagetest.SQLite(t))
	r.Commit("one", "a", "a\n")
	r.GitWith([]byte("no note\n"), "notes", "--ref", "ai", "add", "-F", "-", "HEAD")
	first := s.scan(r.Dir)
	r.Commit("two", "b", "b\n")
	second := s.scan(r.Dir)
	mark, err := s.Bookmark(t.Context(), string(first.Repository))
	must(t, err)
	got := mark.Progress()
	if got.Path != second.Path || got.Total.Branch != "main" || got.Total.Commits != 2 || got.Total.Notes != first.Notes+second.Notes || !maps.Equal(got.Total.Gaps, first.Gaps) || len(first.Gaps) == 0 {
		t.Errorf("after %+v and %+v it tells %+v", first, second, got)
	}
	if p := (ingest.Bookmark{State: "its own words"}).Progress(); p.Path != "" {
		t.Errorf("another reader's words tell %+v", p)
	}
}

func knownCommits(t *testing.T, r *gittest.Repo, s *space) {
	bea := string(s.Person("bea@example.com"))
	dee := string(s.Person("dee@example.com"))
	want(t, "author and co-author", s.rows(`SELECT d.name, t.ref FROM k_commit c JOIN edge e ON e.src = c.id JOIN door d ON d.id = e.door JOIN node t ON t.id = e.dst
		WHERE c.title = 'feat(api): charge cards' AND d.name IN ('author', 'coauthor') ORDER BY d.name`), "author "+bea, "coauthor "+dee)
	want(t, "trailers", s.rows(`SELECT t.key, COALESCE(t.value, ''), COALESCE(n.ref, '') FROM k_commit c JOIN k_commit_trailer t ON t.id = c.id LEFT JOIN node n ON n.id = t.person
		WHERE c.title = 'feat(api): charge cards' ORDER BY t.seq`), "Refs PAY-17 ", "Requirement REQ-3 ", "Co-authored-by  "+dee, "Signed-off-by  "+bea)
	want(t, "profile", s.rows(`SELECT name, email FROM profile WHERE ref = $1`, bea), "Bea bea@example.com")
	want(t, "forge", s.rows(`SELECT DISTINCT n.ref FROM k_commit c JOIN node n ON n.id = c.committer WHERE c.title LIKE 'docs:%'`), "bot:github.com/web-flow")
	want(t, "reverts and picks", s.rows(`SELECT c.title, d.name, t.ref FROM k_commit c JOIN edge e ON e.src = c.id JOIN door d ON d.id = e.door JOIN node t ON t.id = e.dst
		WHERE d.name IN ('reverts', 'picked-from') ORDER BY d.name`),
		"fix: typo picked-from "+ref(r.Git("log", "-1", "--format=%H", "--grep=explain refunds", "main")),
		`Revert "feat: cache" reverts `+ref(r.Git("rev-parse", "moved")))
	want(t, "not on the default branch", s.rows(`SELECT title FROM k_commit WHERE on_default IS NULL OR on_default <> 1`))
	facts := s.rows(`SELECT canonical FROM fact`)
	has := func(text string) bool {
		return slices.ContainsFunc(facts, func(f string) bool { return strings.Contains(f, text) })
	}
	if has("@example.com") || !has("feat(api): charge cards") {
		t.Error("facts have mail addresses, or cannot be read")
	}
}

func knownChanges(t *testing.T, s *space) {
	want(t, "changes", s.rows(`SELECT COALESCE(number, 0), method, COALESCE(platform, '-'), COALESCE(branch, '-'), commits, intent, title FROM k_change ORDER BY COALESCE(number, 0), merged`),
		"0 direct - - 1 unknown Initial commit",
		"0 direct - - 1 feature feat(api): charge cards",
		"0 direct - - 1 feature feat: cache",
		"0 direct - - 1 revert Revert \"feat: cache\"",
		"0 direct - - 1 fix fix: typo",
		"0 direct - - 1 build ci: workflows",
		"0 direct - - 1 build ci: again",
		"0 direct - - 1 refactor refactor: rename",
		"0 direct - - 1 unknown a picture",
		"17 merge gitlab fix/lock 2 fix Lock the ledger",
		"18 merge gitea gitea 2 unknown Refund once",
		"19 merge bitbucket-cloud bucket 2 unknown Refund only once",
		"20 merge azure-devops - 2 unknown Pay in parts",
		"142 merge github ann/refund 3 feature feat: refund only once",
		"143 squash github - 1 docs docs: explain refunds",
	)
	want(t, "ref and link", s.rows(`SELECT n.ref, c.url FROM k_change c JOIN node n ON n.id = c.id WHERE number = 142`),
		"change:github.com/acme/pay#142 https://github.com/acme/pay/pull/142")
	want(t, "author of a merge", s.rows(`SELECT n.ref FROM k_change c JOIN node n ON n.id = c.author WHERE number = 142`), string(s.Person("bea@example.com")))
	want(t, "tickets", s.rows(`SELECT COALESCE(c.number, 0), t.ref FROM k_change c JOIN edge e ON e.src = c.id JOIN door d ON d.id = e.door JOIN node t ON t.id = e.dst
		WHERE d.name = 'implements' ORDER BY COALESCE(c.number, 0), t.ref`),
		"0 ticket:jira/PAY-17", "17 ticket:github.com/acme/pay#3", "20 ticket:github.com/acme/pay#5", "142 ticket:github.com/acme/pay#12")
	want(t, "requirements", s.rows(`SELECT t.ref FROM edge e JOIN door d ON d.id = e.door JOIN node t ON t.id = e.dst
		WHERE d.name = 'satisfies'`), "requirement:declared/REQ-3")
	want(t, "a revert fixes what it takes back", s.rows(`SELECT o.title, f.lines, f.method, c.fix_method FROM k_change c JOIN k_change_fixes f ON f.id = c.id JOIN k_change o ON o.id = f.change
		WHERE c.intent = 'revert'`), "feat: cache 6 revert revert")
}

func knownReleases(t *testing.T, r *gittest.Repo, s *space) {
	at := func(rev string) string { return ref(r.Git("rev-parse", rev+"^{commit}")) }
	releases := func() []string {
		return s.rows(`SELECT k.name, COALESCE(k.annotated, 0), COALESCE(n.ref, '-'), COALESCE(k.title, '-') FROM k_release k LEFT JOIN node n ON n.id = k.target ORDER BY k.name`)
	}
	want(t, "releases", releases(), "annotated-tree 1 - of a tree", "blob 0 - -", "light 0 "+at("light")+" -", "moved 0 "+at("moved")+" -",
		"nested 1 "+at("v1.0")+" a tag of a tag", "tree 0 - -", "v1.0 1 "+at("v1.0")+" the first release")
	first := r.Git("rev-parse", "moved")
	for _, to := range []string{"HEAD", first} {
		r.Git("tag", "-f", "moved", to)
		s.scan(r.Dir)
		want(t, "moved tag", s.rows(`SELECT n.ref FROM k_release k JOIN node n ON n.id = k.target WHERE k.name = 'moved'`), at("moved"))
	}
}

func knownFiles(t *testing.T, s *space) {
	want(t, "roles", s.rows(`SELECT k.pattern, COALESCE(k.owner, '-'), COALESCE(n.ref, '-') FROM k_role k LEFT JOIN node n ON n.id = k.holder ORDER BY k.since, k.line, COALESCE(k.owner, '-') DESC`),
		"* @acme/core -", "/src/ - "+string(s.Person("ann@example.com")), "* @acme/core -", "* - "+string(s.Person("login:github.com/bea")))
	want(t, "pipelines", s.rows(`SELECT path, system FROM k_config ORDER BY since, path`),
		".github/workflows/test.yml github-actions", ".gitlab-ci.yml gitlab-ci", ".github/workflows/test.yml github-actions")
	want(t, "a renamed file", s.runs("src/pay.go"), "1 12 unknown - -", "13 2 unknown - -")
	want(t, "where it came from", s.rows(`SELECT r.start, r.path, c.title FROM k_file f JOIN k_file_run r ON r.id = f.id JOIN k_commit c ON c.id = r."commit"
		WHERE f.path = 'src/pay.go' AND r.path IS NOT NULL`), "1 src/charge.go feat(api): charge cards")
}

// countsAgree compares with what git counts by itself.
func (s *space) countsAgree(r *gittest.Repo) {
	s.t.Helper()
	for what, pair := range map[string][2]string{
		"commits":      {s.one(`SELECT COUNT(*) FROM k_commit`), r.Git("rev-list", "--count", "--branches", "--tags")},
		"changes":      {s.one(`SELECT COUNT(*) FROM k_change`), r.Git("rev-list", "--count", "--first-parent", "HEAD")},
		"carried":      {s.one(`SELECT SUM(commits) FROM k_change`), r.Git("rev-list", "--count", "HEAD")},
		"on default":   {s.one(`SELECT COUNT(*) FROM k_commit WHERE on_default = 1`), r.Git("rev-list", "--count", "HEAD")},
		"merges":       {s.one(`SELECT COUNT(*) FROM k_commit WHERE merge = 1`), r.Git("rev-list", "--count", "--merges", "--branches", "--tags")},
		"files at tip": {s.one(`SELECT COUNT(*) FROM k_file WHERE lines > 0`), strconv.Itoa(len(strings.Fields(r.Git("grep", "--files-with-matches", "-I", "-e", "", "HEAD"))))},
	} {
		if pair[0] != pair[1] {
			s.t.Errorf("%s: %s, git counts %s", what, pair[0], pair[1])
		}
	}
	added, deleted := 0, 0
	for line := range strings.Lines(r.Git("log", "--branches", "--tags", "--no-merges", "--numstat", "-M", "--format=")) {
		f := strings.Fields(line)
		a, _ := strconv.Atoi(f[0])
		d, _ := strconv.Atoi(f[1])
		added, deleted = added+a, deleted+d
	}
	got := s.one(`SELECT COALESCE(SUM(added), 0), COALESCE(SUM(deleted), 0) FROM k_commit WHERE merge IS NULL OR merge = 0`)
	if want := fmt.Sprintf("%d %d", added, deleted); got != want {
		s.t.Errorf("lines added and deleted: %s, git counts %s", got, want)
	}
}

// everyLineHasOneOrigin checks that the runs of every file at the tip cover its
// lines without gap or overlap, and name the commits that git blame names.
func (s *space) everyLineHasOneOrigin(r *gittest.Repo) (lines, differ int) {
	s.t.Helper()
	blamed := map[string][]string{}
	for _, row := range s.rows(`SELECT f.path, f.lines, r.start, r.count, n.ref, COALESCE(r.path, f.path), r.line, r.origin
		FROM k_file f JOIN k_file_run r ON r.id = f.id LEFT JOIN node n ON n.id = r."commit" ORDER BY f.path, r.seq`) {
		f := strings.Fields(row)
		at := len(blamed[f[0]])
		start, _ := strconv.Atoi(f[2])
		count, _ := strconv.Atoi(f[3])
		line, _ := strconv.Atoi(f[6])
		if start != at+1 || count < 1 {
			s.t.Errorf("%s: a run begins at line %d, want %d", f[0], start, at+1)
		}
		_, id := stemma.Ref(f[4]).Split()
		for i := range count {
			blamed[f[0]] = append(blamed[f[0]], fmt.Sprintf("%s %s:%d", id, f[5], line+i))
		}
	}
	for _, row := range s.rows(`SELECT path, lines, ai_lines + human_lines + unknown_lines FROM k_file ORDER BY path`) {
		f := strings.Fields(row)
		if n := strconv.Itoa(len(blamed[f[0]])); n != f[1] || n != f[2] {
			s.t.Errorf("%s: runs cover %s lines of %s, counted %s", f[0], n, f[1], f[2])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(blamed)) {
		want := gitBlame(r, path)
		lines += len(want)
		if len(want) != len(blamed[path]) {
			s.t.Errorf("%s: %d lines, git blame has %d", path, len(blamed[path]), len(want))
			continue
		}
		for i := range want {
			if want[i] != blamed[path][i] {
				differ++
			}
		}
	}
	return lines, differ
}

// gitBlame is what git blame says of each line: commit, path and line there.
func gitBlame(r *gittest.Repo, path string) []string {
	var all []string
	at := 0
	for line := range strings.Lines(r.Git("blame", "--line-porcelain", "HEAD", "--", path)) {
		if name, ok := strings.CutPrefix(line, "filename "); ok {
			all[at] = strings.Replace(all[at], "?", strings.TrimSpace(name), 1)
			at++
		}
		f := strings.Fields(line)
		if len(f) >= 3 && len(f[0]) == 40 && line[0] != '\t' {
			all = append(all, f[0]+" ?:"+f[1])
		}
	}
	return all
}
