package standing_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/repo"
	"github.com/stemma-dev/stemma/ingest/standing"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// A yard is a repository with owners of its code, and its reviewers.
type yard struct {
	t     *testing.T
	repo  *gittest.Repo
	space *ingest.Space
}

// scan reads the repository, and who of the reviewers owned what.
func (y *yard) scan() {
	y.t.Helper()
	r, err := git.Open(y.t.Context(), y.repo.Dir)
	if err != nil {
		y.t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			y.t.Error(err)
		}
	}()
	report, err := repo.Scan(y.t.Context(), y.space, r, repo.Options{Now: now})
	if err != nil {
		y.t.Fatal(err)
	}
	if _, err := standing.Owners(y.t.Context(), y.space, r, report.Repository, now); err != nil {
		y.t.Fatal(err)
	}
}

// review is one by an account with a login, right after a commit was made.
func (y *yard) review(id int, login, after string) {
	y.t.Helper()
	seconds, err := strconv.ParseInt(y.repo.Git("log", "-1", "--format=%ct", after), 10, 64)
	if err != nil {
		y.t.Fatal(err)
	}
	w := ingest.NewWriter(y.t.Context(), y.space, now)
	given := gave(id, w.Account(ingest.Account{Host: "github.com", ID: login + "-id", Login: login, Mail: login + "@acme.example"}), 0)
	given.Submitted = stemma.At(time.Unix(seconds, 1000))
	if err := w.Record(y.t.Context(), given, "test", stemma.GradeA); err != nil {
		y.t.Fatal(err)
	}
	if err := w.Close(y.t.Context()); err != nil {
		y.t.Fatal(err)
	}
}

func TestAnOwnerIsWhoeverTheFileOfOwnersNamedThen(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		y := &yard{t, gittest.New(t), ingesttest.Must(t, open(), now)}
		y.repo.Git("remote", "add", "origin", "https://github.com/acme/pay.git")
		first := y.repo.Commit("owners", ".github/CODEOWNERS", "/src/ @Bo\n/doc/ dee@acme.example\n/lib/ @acme/core\n", "CODEOWNERS", "* @eve\n")
		y.repo.Git("checkout", "-q", "-b", "more")
		y.repo.Commit("other owners, not landed yet", ".github/CODEOWNERS", "/src/ @cy\n")
		work := y.repo.Commit("work", "src/a\tb.go", "a\n", "doc/a.md", "a\n", "lib/a.go", "a\n", "x", "x\n")
		landed := func() string {
			y.repo.Git("checkout", "-q", "main")
			return y.repo.Merge("land", []string{"more"})
		}
		merge := landed()
		y.review(1, "bo", work) // before the other owners landed, however old their commit is
		y.review(2, "cy", work)
		y.review(3, "bo", merge)
		y.review(4, "cy", merge)
		y.review(5, "dee", work)
		y.review(6, "eve", first) // the file at the root does not count beside the other one
		y.review(7, "kim", work)
		core := identity.Mandate{Holder: y.space.Account("github.com", "kim-id", ""), Role: "member", Team: "@acme/core", Host: "github.com", Method: identity.MandateTeam}
		commit := change.ShaRef(work)
		tell(t, y.space, core, change.Change{Repository: repository, Number: 1, Platform: "github", Target: "main", Commits: []stemma.Ref{commit}})
		y.scan()
		want := []string{"1 owner codeowners", "4 owner codeowners", "5 owner codeowners", "7 owner codeowners"}
		if diff := cmp.Diff(want, kept(t, y.space)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		n, err := y.space.Graph.Node(t.Context(), review.Standing{
			Review: review.Ref("github.com", "acme/pay#1/7"), Role: standing.Owner, Method: review.StandingOwners,
		}.Ref())
		if err != nil {
			t.Fatal(err)
		}
		owned, _ := n.Attrs.Int("owned")
		files, _ := n.Attrs.Int("files")
		if owned != 1 || files != 4 || n.Attrs.Text("via") != "@acme/core" || n.Attrs.Text("file") != ".github/CODEOWNERS" || n.Attrs.Ref("commit") != change.ShaRef(first) {
			t.Errorf("%v", n.Attrs)
		}

		size := ingesttest.Facts(t, y.space)
		y.repo.Commit("nobody owns anything", ".github/CODEOWNERS", "")
		y.scan()
		if diff := cmp.Diff(want, kept(t, y.space)); diff != "" {
			t.Errorf("a later file of owners changed earlier reviews (-want +got):\n%s", diff)
		}
		if ingesttest.Facts(t, y.space) == size {
			t.Error("the later commit was not read")
		}
		if !strings.HasPrefix(string(commit), "commit:") {
			t.Error(commit)
		}
	})
}

// The subject has a renamed file under both its paths, and so asks for the owner of the old
// one: who owns only that one has to be found.
func TestAFileThatIsRenamedHasOwnersOfBothItsPaths(t *testing.T) {
	for name, x := range map[string]struct {
		files []change.File
		want  []string
	}{
		"renamed": {
			[]change.File{{Path: "pkg/login.go", OldPath: "auth/login.go", Status: "R"}},
			[]string{"1: 1 of 2", "2: 1 of 2"},
		},
		"renamed, and there again": {
			[]change.File{{Path: "auth/login.go", Status: "A"}, {Path: "pkg/login.go", OldPath: "auth/login.go", Status: "R"}},
			[]string{"1: 1 of 2", "2: 1 of 2"},
		},
		"renamed from a name that git quotes": {
			[]change.File{{Path: "pkg/login.go", OldPath: `"auth/lo\tgin.go"`, Status: "R"}},
			[]string{"1: 1 of 2", "2: 1 of 2"},
		},
		"copied": {
			[]change.File{{Path: "pkg/login.go", OldPath: "auth/login.go", Status: "C"}},
			[]string{"2: 1 of 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
				y := &yard{t, gittest.New(t), ingesttest.Must(t, open(), now)}
				y.repo.Git("remote", "add", "origin", "https://github.com/acme/pay.git")
				first := y.repo.Commit("owners", "CODEOWNERS", "/auth/ @bo\n/pkg/ @cy\n/doc/ @dee\n")
				for i, login := range []string{"bo", "cy", "dee"} {
					y.review(i+1, login, first)
				}
				c := change.Commit{Repository: repository, SHA: strings.Repeat("7", 40), Files: x.files}
				tell(t, y.space, c, change.Change{Repository: repository, Number: 1, Platform: "github", Target: "main", Commits: []stemma.Ref{change.ShaRef(c.SHA)}})
				y.scan()
				if diff := cmp.Diff(x.want, owned(t, y.space)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// owned are the reviews by owners, with how many of the files they own.
func owned(t *testing.T, s *ingest.Space) (list []string) {
	t.Helper()
	err := s.DB.Each(t.Context(), func(scan func(...any) error) error {
		var ref string
		var owned, files int
		err := scan(&ref, &owned, &files)
		list = append(list, fmt.Sprintf("%s: %d of %d", ref[strings.LastIndex(ref, "/")+1:], owned, files))
		return err
	}, `SELECT n.ref, s."owned", s."files" FROM k_standing s JOIN node n ON n.id = s."review" ORDER BY n.ref`)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAFileOfOwnersThatIsTooMuchBecomesAGap(t *testing.T) {
	y := &yard{t, gittest.New(t), ingesttest.Must(t, storagetest.SQLite(t), now)}
	y.repo.Git("remote", "add", "origin", "https://github.com/acme/pay.git")
	y.repo.Commit("owners", "CODEOWNERS", strings.Repeat("/"+strings.Repeat("*a", 400)+" @bo\n", 2500))
	work := y.repo.Commit("work", "src/a.go", "a\n")
	y.review(1, "bo", work)
	tell(t, y.space, change.Change{Repository: repository, Number: 1, Platform: "github", Target: "main", Commits: []stemma.Ref{change.ShaRef(work)}})
	for range 2 {
		y.scan()
	}
	var reason string
	err := y.space.DB.Each(t.Context(), func(scan func(...any) error) error { return scan(&reason) },
		`SELECT g."reason" FROM k_gap g JOIN node n ON n.id = g."about" WHERE g."source" = $1`, standing.Source)
	if err != nil || !strings.Contains(reason, "too many or too large") {
		t.Errorf("the gap says %q, %v", reason, err)
	}
	if list := kept(t, y.space); len(list) != 0 {
		t.Errorf("standings %v by a file that was not followed", list)
	}
}
