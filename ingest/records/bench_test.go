package records_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
)

// manyNotes is how many notes are read.
const manyNotes = 100_000

// BenchmarkNotes: all notes of a repository in the hands of the reader that scan
// uses, put in order first, against git cat-file --batch over the same objects in
// the order in which they are listed, whose output goes through a pipe too and is
// thrown away; medians of five runs of each, in turn. "nowhere" is against git's
// output going to no reader at all, "parsed" with the claims made of the notes.
func BenchmarkNotes(b *testing.B) {
	r, notes := noted(b, notedRepo(b))
	ids := make([]string, len(notes))
	for i, n := range notes {
		ids[i] = n.Blob
	}
	asked := strings.Join(ids, "\n") + "\n"
	for range b.N {
		var piped, nowhere, read, parsed []time.Duration
		for range 5 {
			piped = append(piped, timed(func() { catFile(b, r.GitDir, asked, io.Discard) }))
			read = append(read, timed(func() { readNotes(b, r, ids, func([]byte) {}) }))
			nowhere = append(nowhere, timed(func() { catFile(b, r.GitDir, asked, nil) }))
			parsed = append(parsed, timed(func() { parseNotes(b, r, ids) }))
		}
		b.ReportMetric(median(piped)*1000, "ms-cat-file")
		b.ReportMetric(median(read)/median(piped), "x-cat-file-read")
		b.ReportMetric(median(parsed)/median(piped), "x-cat-file-parsed")
		b.ReportMetric(median(read)/median(nowhere), "x-nowhere-read")
	}
}

func median(of []time.Duration) float64 {
	slices.Sort(of)
	return of[len(of)/2].Seconds()
}

// The processes that reading takes do not grow with the notes.
func TestNotesAreReadWithThreeProcesses(t *testing.T) {
	for _, count := range []int{300, 1500} {
		made := gittest.New(t)
		importNotes(made, count)
		r, notes := noted(t, made.Dir)
		before, read := r.Processes()-1, 0 // one of the three has listed them
		ids := make([]string, len(notes))
		for i, n := range notes {
			ids[i] = n.Blob
		}
		readNotes(t, r, ids, func([]byte) { read++ })
		if n := r.Processes() - before; n != 3 || read != count {
			t.Errorf("%d of %d notes took %d processes", read, count, n)
		}
	}
}

func timed(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

// catFile runs git cat-file; its output goes nowhere if out is nil.
func catFile(b *testing.B, gitDir, ids string, out io.Writer) {
	b.Helper()
	c := exec.Command("git", "--git-dir", gitDir, "cat-file", "--batch")
	c.Stdin, c.Stdout = strings.NewReader(ids), out
	if err := c.Run(); err != nil {
		b.Fatal(err)
	}
}

// noted opens a repository and lists its notes.
func noted(tb testing.TB, dir string) (*git.Repo, []git.Note) {
	tb.Helper()
	r, refs, err := git.Glance(tb.Context(), dir, "refs/notes/")
	if err != nil || len(refs) != 1 {
		tb.Fatal(refs, err)
	}
	tb.Cleanup(func() { _ = r.Close() })
	notes, _, err := r.Notes(tb.Context(), refs[0].ID)
	if err != nil {
		tb.Fatal(err)
	}
	return r, notes
}

// readNotes reads notes as scan does.
func readNotes(tb testing.TB, r *git.Repo, ids []string, take func([]byte)) {
	tb.Helper()
	for o, err := range r.Many(tb.Context(), r.PackOrder(ids), note.MaxRecord, func(size int) []byte { return make([]byte, size) }) {
		if err != nil || o.Missing {
			tb.Fatal(o.ID, err)
		}
		take(o.Data)
	}
}

// parseNotes also makes claims of them, as scan does on two processors.
func parseNotes(b *testing.B, r *git.Repo, ids []string) {
	work := make(chan []byte, 16)
	var done sync.WaitGroup
	for range 2 {
		done.Go(func() {
			for data := range work {
				records.ParseGitAI(data)
			}
		})
	}
	readNotes(b, r, ids, func(data []byte) { work <- data })
	close(work)
	done.Wait()
}

// notedRepo is a repository with many notes in one pack.
func notedRepo(b *testing.B) string {
	b.Helper()
	r := gittest.New(b)
	importNotes(r, manyNotes)
	r.Git("repack", "-a", "-d", "-f", "-q")
	return r.Dir
}

// importNotes writes Git AI notes, each different, about commits that are not
// here, in the fan-out that git gives to so many.
func importNotes(r *gittest.Repo, notes int) {
	rng := rand.New(rand.NewPCG(3, 4))
	pipe, in := io.Pipe()
	go func() {
		w := bufio.NewWriter(in)
		fmt.Fprint(w, "commit refs/notes/ai\ncommitter Bench <bench@example.test> 1700000000 +0000\ndata 5\nnotes\n")
		for range notes {
			id := fmt.Sprintf("%016x%016x%08x", rng.Uint64(), rng.Uint64(), rng.Uint32())
			path := id
			for n, at := notes>>8, 2; n > 0; n, at = n>>8, at+3 {
				path = path[:at] + "/" + path[at:]
			}
			body := body(rng, id)
			fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", path, len(body), body)
		}
		_ = in.CloseWithError(w.Flush())
	}()
	data, err := io.ReadAll(pipe)
	if err != nil {
		r.T.Fatal(err)
	}
	r.GitWith(data, "fast-import", "--quiet")
}

func body(rng *rand.Rand, id string) string {
	var s strings.Builder
	session := rng.IntN(500)
	for range 1 + rng.IntN(20) {
		fmt.Fprintf(&s, "pkg%02d/file%03d.go\n", rng.IntN(20), rng.IntN(400))
		fmt.Fprintf(&s, "  s_%014x::t_%014x %d-%d\n", session, rng.Uint64()>>8, 1+rng.IntN(50), 60+rng.IntN(50))
	}
	fmt.Fprintf(&s, "---\n{\"schema_version\":\"authorship/3.0.0\",\"base_commit_sha\":%q,\"prompts\":{},\"sessions\":{\"s_%014x\":"+
		"{\"agent_id\":{\"tool\":\"codex\",\"id\":\"%d\",\"model\":\"gpt-5.6-sol\"}}}}\n", id, session, session)
	return s.String()
}
