package repo_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// loose is the file of an object.
func loose(r *gittest.Repo, id string) string {
	return filepath.Join(r.Dir, ".git", "objects", id[:2], id[2:])
}

func damage(t testing.TB, path string) {
	t.Helper()
	must(t, os.Chmod(path, 0o644))
	must(t, os.WriteFile(path, []byte("nonsense"), 0o644))
}

func TestDamagedObjectsAreGaps(t *testing.T) {
	for _, c := range []struct {
		what, rev string
		harm      func(testing.TB, string)
	}{
		{"corrupt blob", "HEAD~1:a.go", damage},
		{"missing blob", "HEAD~1:a.go", func(t testing.TB, path string) { must(t, os.Remove(path)) }},
		{"corrupt tree", "HEAD~1^{tree}", damage},
		{"missing tree", "HEAD~1^{tree}", func(t testing.TB, path string) { must(t, os.Remove(path)) }},
	} {
		t.Run(c.what, func(t *testing.T) {
			r, s := gittest.New(t), newSpace(t)
			first := r.Commit("feat: one", "a.go", gittest.Lines("one", 5), "b.go", gittest.Lines("bee", 5))
			r.Commit("feat: two", "a.go", gittest.Lines("one", 5)+gittest.Lines("two", 5))
			r.Commit("fix: three", "a.go", gittest.Lines("one", 4)+gittest.Lines("three", 5))
			r.Note("ai", first, notetest.GitAI(first, "b.go", "1-3", ""))
			c.harm(t, loose(r, r.Git("rev-parse", c.rev)))
			report := s.scan(r.Dir)
			if len(report.Gaps) == 0 {
				t.Error("no gap")
			}
			want(t, "commits", s.rows(`SELECT title FROM k_commit ORDER BY title`), "feat: one", "feat: two", "fix: three")
			for _, row := range s.rows(`SELECT f.path, f.lines, COALESCE(SUM(r.count), 0) FROM k_file f LEFT JOIN k_file_run r ON r.id = f.id GROUP BY f.path, f.lines`) {
				if f := strings.Fields(row); f[1] != f[2] {
					t.Errorf("%s: runs cover %s of %s lines", f[0], f[2], f[1])
				}
			}
			before := s.size()
			r.Git("tag", "again")
			s.scan(r.Dir)
			if s.size() > before+3 {
				t.Errorf("%d facts for a new tag", s.size()-before)
			}
			s.verify()
		})
	}
}

func TestMissingCommitIsAGap(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("one", "a.go", gittest.Lines("one", 5))
	middle := r.Commit("two", "a.go", gittest.Lines("two", 5))
	r.Commit("three", "a.go", gittest.Lines("three", 5))
	must(t, os.Remove(loose(r, middle)))
	report := s.scan(r.Dir)
	if report.Gaps["git"] == 0 {
		t.Errorf("gaps %v, want one", report.Gaps)
	}
	want(t, "commits", s.rows(`SELECT title FROM k_commit WHERE title IS NOT NULL`), "three")
	want(t, "file", s.rows(`SELECT SUM(r.count) FROM k_file f JOIN k_file_run r ON r.id = f.id`), "5")
	s.verify()
}

func TestShallowClone(t *testing.T) {
	w, s := newWalker(t, 11), newSpace(t)
	for range 20 {
		w.step()
	}
	w.onMain()
	w.Commit("last", "last.go", w.fresh(3))
	c := w.Clone("--depth", "1")
	url := c.Git("remote", "get-url", "origin")
	c.Git("remote", "set-url", "origin", "https://git.example.com/acme/pay")
	s.scan(c.Dir)
	want(t, "repository", s.rows(`SELECT shallow FROM k_repository`), "1")
	if n := s.one(`SELECT COUNT(*) FROM k_file WHERE lines > 0`); n != s.one(`SELECT COUNT(DISTINCT id) FROM k_file_run`) {
		t.Errorf("%s files, not all with runs", n)
	}
	if n := s.one(`SELECT COUNT(*) FROM k_file_run WHERE origin <> 'unknown'`); n != "0" {
		t.Errorf("%s runs are not unknown", n)
	}
	if n := s.one(`SELECT COUNT(*) FROM k_file_run WHERE reason = 'the history of this line is not known'`); n == "0" {
		t.Error("no run whose history is not known")
	}
	want(t, "gaps", s.open(), "git repository:git.example.com/acme/pay the history is cut off: this is a shallow clone 1")
	// Deepened, it is right.
	c.Git("-c", "protocol.file.allow=always", "fetch", "-q", "--unshallow", "--update-shallow", url, "main")
	s.scan(c.Dir)
	s.countsAgree(c)
	s.everyLineHasOneOrigin(c)
	want(t, "gaps", s.open())
	s.verify()
}

func TestPartialClone(t *testing.T) {
	w, s := newWalker(t, 12), newSpace(t)
	for range 15 {
		w.step()
	}
	w.onMain()
	w.Git("config", "uploadpack.allowFilter", "true")
	c := w.Clone("--filter=blob:none", "--no-checkout")
	report := s.scan(c.Dir)
	if len(report.Gaps) == 0 {
		t.Error("no gap for blobs that are not there")
	}
	want(t, "repository", s.rows(`SELECT partial FROM k_repository`), "1")
	if got, want := s.one(`SELECT COUNT(*) FROM k_commit`), w.Git("rev-list", "--count", "--branches", "--tags"); got != want {
		t.Errorf("%s commits, want %s", got, want)
	}
	s.verify()
}

func TestEmptyRepository(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	report := s.scan(r.Dir)
	if report.Commits != 0 {
		t.Errorf("%d commits", report.Commits)
	}
	s.scan(r.Dir)
	r.Commit("first", "a.go", gittest.Lines("a", 3))
	s.scan(r.Dir)
	want(t, "file", []string{s.file("a.go")}, "3 0 0 3")
	bare := gittest.New(t, "--bare")
	s.scan(bare.Dir)
}

func TestSHA256Repository(t *testing.T) {
	r, s := gittest.New(t, "--object-format=sha256"), newSpace(t)
	first := r.Commit("feat: one", "a.go", gittest.Lines("one", 5))
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1-3", ""))
	r.Commit("fix: two\n\nFixes: "+first[:12]+"\n", "a.go", gittest.Lines("one", 4))
	s.scan(r.Dir)
	want(t, "file", []string{s.file("a.go")}, "4 3 0 1")
	want(t, "commit", s.rows(`SELECT ref FROM node WHERE ref = $1`, "commit:sha256/"+first), "commit:sha256/"+first)
	want(t, "fix", s.fixes("fix: two"), "feat: one 1 declared")
	lines := ask(t, r.Dir, blame.Options{Path: "a.go"}, origins.Cache{Dir: t.TempDir()})
	if lines[0].Mark.Origin != stemma.OriginAI {
		t.Errorf("Blame: %+v", lines[0])
	}
}

func TestDetachedHead(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Git("checkout", "-q", "-b", "work")
	r.Commit("one", "a.go", gittest.Lines("one", 5))
	r.Commit("two", "b.go", gittest.Lines("two", 5))
	r.Git("checkout", "-q", "--detach", "HEAD~1")
	report := s.scan(r.Dir)
	want(t, "file", s.rows(`SELECT path, branch FROM k_file`), "a.go HEAD")
	if len(report.Gaps) > 0 {
		t.Errorf("gaps %v", report.Gaps)
	}
	// Only what is checked out changes.
	r.Git("checkout", "-q", "--detach", "work")
	s.scan(r.Dir)
	want(t, "files", s.rows(`SELECT path FROM k_file ORDER BY path`), "a.go", "b.go")
}

func TestWorktreeAndSubmodule(t *testing.T) {
	sub := gittest.New(t)
	sub.Commit("sub", "s.go", gittest.Lines("s", 2))
	r, s := gittest.New(t), newSpace(t)
	r.Commit("one", "a.go", gittest.Lines("one", 5))
	r.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", sub.Dir, "vendor/sub")
	r.Commit("with a submodule")
	tree := filepath.Join(t.TempDir(), "tree")
	r.Git("worktree", "add", "-q", "-b", "side", tree)
	at := gittest.At(t, tree)
	at.Commit("in the worktree", "w.go", gittest.Lines("w", 3))
	s.scan(r.Dir)
	want(t, "files", s.rows(`SELECT path, lines FROM k_file ORDER BY path`), ".gitmodules 3", "a.go 5")
	s.scan(tree)
	want(t, "repositories", s.rows(`SELECT COUNT(*) FROM k_repository`), "1")
	want(t, "files in the worktree", s.rows(`SELECT path, lines FROM k_file WHERE branch = 'side' AND lines > 0 ORDER BY path`), ".gitmodules 3", "a.go 5", "w.go 3")
	s.scan(filepath.Join(r.Dir, "vendor", "sub"))
	want(t, "the submodule is another one", s.rows(`SELECT COUNT(*) FROM k_repository`), "2")
}

func TestHostileNamesAndMessages(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := gittest.New(t), spaceOn(t, open())
		im := r.Import()
		long := strings.TrimSuffix(strings.Repeat(strings.Repeat("d", 200)+"/", 25), "/")
		names := []string{
			"<script>alert(1)</script>.go", "-rf", "--help", "\x1b[31mred.go", "new\nline.go", "tab\there.go", "\xff\xfe.go", `"quoted".go`,
			"..hidden", "%2e%2e.go", "'; DROP TABLE node; --.go", strings.Repeat("%", 900) + ".go", strings.Repeat("ü", 700) + ".go", "\u202eog.exe",
			long + ".go", strings.Repeat("\x01", 250), "a b c.go",
		}
		var files []gittest.ImportFile
		for i, name := range names {
			files = append(files, gittest.Set(name, fmt.Sprintf("%d\n", i)))
		}
		im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "\x1b]0;owned\x07 <img src=x onerror=alert(1)>\n\n\xff\xfe bytes\r\n--flag: x\nFixes: ../../etc/passwd\nCo-authored-by: <script> <\xff@x>\n", Files: files})
		im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "", Author: "\xff\x1b[0m <>", Files: []gittest.ImportFile{gittest.Set(names[0], "fixed\n")}})
		im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "fix: " + strings.Repeat("long ", 100_000), Files: []gittest.ImportFile{gittest.Set(names[0], "again\n")}})
		im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "fix: tickets " + strings.Repeat("X", 3000) + "-1 https://x.test/" + strings.Repeat("y", 5000) + "/issues/1\n\nFixes: " + strings.Repeat("a", 64) + "\nSession-Id: " + strings.Repeat("s", 5000) + "\n" + strings.Repeat("K", 2000) + ": v\n"})
		im.Close()
		r.Git("update-ref", "refs/heads/"+strings.Repeat("b", 230)+"/"+strings.Repeat("c", 230)+"/"+strings.Repeat("e", 230), "main")
		r.Git("update-ref", "refs/tags/"+strings.Repeat("t", 230)+"/"+strings.Repeat("u", 230)+"/<b>$(id)", "main")
		r.Note("ai", "main", "../../etc/passwd\n  s_0011223344556a::t_aabbccddeeff01 1-4\n\"-rf\"\n  "+strings.Repeat("k", 5000)+" 1\n"+notetest.GitAI("x", "a b c.go", "1", ""))
		report := s.scan(r.Dir)
		t.Log(report.Gaps)
		want(t, "commits", s.rows(`SELECT COUNT(*) FROM k_commit`), "4")
		want(t, "changes", s.rows(`SELECT COUNT(*) FROM k_change`), "4")
		files2 := s.one(`SELECT COUNT(*) FROM k_file`)
		if n := report.Gaps["line-weave"] + int64(atoi(files2)); n != int64(len(names)) {
			t.Errorf("%s files and %d gaps, want %d together", files2, report.Gaps["line-weave"], len(names))
		}
		for _, path := range s.rows(`SELECT path FROM k_file`) {
			if strings.ContainsAny(path, "\x1b\n\t\x01\u202e") {
				t.Errorf("path %q is not quoted", path)
			}
		}
		s.verify()
		before := s.size()
		r.Git("tag", "again", "main")
		s.scan(r.Dir)
		if s.size() > before+3 {
			t.Errorf("%d facts for a new tag", s.size()-before)
		}
	})
}

func atoi(s string) int {
	var n int
	_, _ = fmt.Sscan(s, &n) // zero is what a test then sees
	return n
}

func TestCommitObjectWithNULAndLongHeaders(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("one", "a.go", gittest.Lines("one", 3))
	tree := r.Git("rev-parse", "HEAD^{tree}")
	object := "tree " + tree + "\nparent " + r.Head() + "\nauthor A\x01B <a@\xff> 99999999999999 +9999\ncommitter nobody\nx-" + strings.Repeat("h", 9000) + " v\n\nwith a \x00 NUL\n\nand \x00 more\n"
	id := r.GitWith([]byte(object), "hash-object", "-w", "-t", "commit", "--literally", "--stdin")
	r.Git("update-ref", "refs/heads/main", id)
	report := s.scan(r.Dir)
	want(t, "commit", s.rows(`SELECT sha FROM k_commit WHERE sha = $1`, id), id)
	t.Log(report.Gaps, s.rows(`SELECT title, message FROM k_commit`))
	s.verify()
}

func TestLargeFilesBoundedMemory(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	const size = 100 << 20
	for name, fill := range map[string]func(*os.File) error{
		"sparse.bin": func(f *os.File) error { return f.Truncate(size) },
		"text.txt": func(f *os.File) error {
			line := strings.Repeat("x", 1023) + "\n"
			for range size / len(line) {
				if _, err := f.WriteString(line); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		f, err := os.Create(filepath.Join(r.Dir, name))
		must(t, err)
		must(t, fill(f))
		must(t, f.Close())
	}
	r.Git("config", "core.bigFileThreshold", "512m")
	r.Commit("large")
	r.Commit("fix: large", "small.go", gittest.Lines("small", 3))
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(5 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
		}
	}()
	report := s.scan(r.Dir)
	close(stop)
	if most := <-peak; most > 300<<20 {
		t.Errorf("%d MB of memory", most>>20)
	} else {
		t.Logf("%d MB of memory, gaps %v, %v", most>>20, report.Gaps, s.rows(`SELECT path, lines FROM k_file`))
	}
	s.verify()
}

func TestNoteOfThreeMegabytes(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: one", "a.go", gittest.Lines("one", 10))
	body := notetest.GitAI(first, "a.go", "1-3", "")
	body = strings.Replace(body, `"human_author":"ann@x.test"`, `"human_author":"ann@x.test","messages":[{"type":"user","text":"`+strings.Repeat("<b>words</b> ", 240_000)+`"}]`, 1)
	if len(body) < 3_000_000 {
		t.Fatal(len(body))
	}
	r.Note("ai", first, body)
	s.scan(r.Dir)
	want(t, "file", []string{s.file("a.go")}, "10 3 0 7")
	if n := s.one(`SELECT MAX(LENGTH(canonical)) FROM fact`); atoi(n) > 100_000 {
		t.Errorf("a fact of %s bytes", n)
	}
}

func TestLockedDatabaseIsAnErrorAndTheStoreStaysUsable(t *testing.T) {
	dsn := storagetest.SQLiteDSN(t)
	db, err := storage.Open(t.Context(), dsn)
	must(t, err)
	defer db.Close()
	s := spaceOn(t, db)
	other, err := storage.Open(t.Context(), dsn)
	must(t, err)
	defer other.Close()
	r := oneNote(t)
	db.SetPatience(50 * time.Millisecond)
	must(t, other.Write(t.Context(), func(tx *storage.Tx) error {
		if _, err := tx.Exec(t.Context(), `DELETE FROM bookmark`); err != nil {
			return err
		}
		if _, err := s.try(t.Context(), r.Dir); err == nil {
			t.Error("a scan wrote into a locked database")
		} else {
			t.Log(err)
		}
		return nil
	}))
	s.scan(r.Dir)
	want(t, "file", []string{s.file("a.go")}, "10 3 2 5")
	s.verify()
}

func TestReadOnlyStoreIsAnError(t *testing.T) {
	dsn := storagetest.SQLiteDSN(t)
	db, err := storage.Open(t.Context(), dsn)
	must(t, err)
	s := spaceOn(t, db)
	r := oneNote(t)
	s.exec(`PRAGMA query_only = ON`)
	if _, err := s.try(t.Context(), r.Dir); err == nil {
		t.Error("a scan wrote into a read-only store")
	} else {
		t.Log(err)
	}
	must(t, db.Close())
}

// TestFullDisk runs itself as another process whose files may not grow.
func TestFullDiskIsAnErrorAndTheStoreStaysUsable(t *testing.T) {
	const at, what = "STEMMA_TEST_FULL_DISK", "STEMMA_TEST_REPOSITORY"
	if dsn := os.Getenv(at); dsn != "" {
		db, err := storage.Open(t.Context(), dsn)
		must(t, err)
		s := spaceOn(t, db)
		signal.Ignore(syscall.SIGXFSZ)
		must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}))
		_, err = s.try(t.Context(), os.Getenv(what))
		if err == nil {
			t.Error("the scan did not notice")
		}
		fmt.Println("error:", err)
		return
	}
	r := gittest.New(t)
	im := r.Import()
	for i := range 2000 {
		im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: fmt.Sprintf("feat: %d", i), Files: []gittest.ImportFile{gittest.Set(fmt.Sprintf("f%d.go", i), gittest.Lines(fmt.Sprint("x", i), 3))}})
	}
	im.Close()
	dsn := storagetest.SQLiteDSN(t)
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self, "-test.run=^TestFullDiskIsAnErrorAndTheStoreStaysUsable$", "-test.v")
	cmd.Env = append(os.Environ(), at+"="+dsn, what+"="+r.Dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Log(string(out))
	db, err := storage.Open(t.Context(), dsn)
	must(t, err)
	s := spaceOn(t, db)
	s.scan(r.Dir)
	want(t, "commits", s.rows(`SELECT COUNT(*) FROM k_commit`), "2000")
	s.verify()
}

func TestNoRepositoryIsAnError(t *testing.T) {
	_, err := git.Open(t.Context(), t.TempDir())
	var hint *stemma.HintError
	if !errors.As(err, &hint) {
		t.Errorf("error %v, want one with a hint", err)
	}
}
