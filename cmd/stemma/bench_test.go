package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/git/gittest"
)

// The promises of scan and blame, each as a ratio against git itself in the
// same run: "make bench". STEMMA_BENCH_REPO names a real repository to measure
// on; without it one is made. Its history must be whole, or STEMMA_BENCH_EXCLUDE
// names the paths (a pathspec) that git log cannot show.

// A measured is one finished process.
type measured struct {
	wall, cpu time.Duration
	rss       int64 // kilobytes, at most
}

func measure(b *testing.B, c *exec.Cmd) measured {
	b.Helper()
	c.Stdout = io.Discard
	var errs bytes.Buffer
	c.Stderr = &errs
	start := time.Now()
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	ended, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- watchPeak(c.Process.Pid, ended) }()
	err := c.Wait()
	wall := time.Since(start)
	close(ended)
	rss := <-peak
	if err != nil {
		b.Fatalf("%s: %v\n%s", strings.Join(c.Args, " "), err, errs.String())
	}
	return measured{wall, c.ProcessState.UserTime() + c.ProcessState.SystemTime(), rss}
}

// watchPeak is the highest memory of a process in kilobytes. It is read while
// the process runs: what the system tells at its end counts the memory of this
// one, from which it was forked, too.
func watchPeak(pid int, ended <-chan struct{}) (peak int64) {
	for {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(status)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
				if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
					peak = max(peak, n)
				}
			}
		}
		select {
		case <-ended:
			return peak
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// built builds the binary once a benchmark, as "make build" does.
func built(b *testing.B) string {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "stemma")
	build := exec.Command("go", "build", "-trimpath", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// benchRepo is the repository to measure on.
func benchRepo(b *testing.B, commits, notes int) string {
	if dir := os.Getenv("STEMMA_BENCH_REPO"); dir != "" {
		return dir
	}
	return madeRepo(b, commits, notes)
}

// madeRepo makes a history of files that grow and change, with Git AI notes.
func madeRepo(b *testing.B, commits, notes int) string {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	r := gittest.New(b)
	im := r.Import()
	files := make([][]string, 400)
	for i := range commits {
		var set []gittest.ImportFile
		for range 3 {
			n := rng.IntN(len(files))
			at := 0
			if len(files[n]) > 0 {
				at = rng.IntN(len(files[n]))
			}
			fresh := make([]string, 5+rng.IntN(30))
			for j := range fresh {
				fresh[j] = fmt.Sprintf("\tresult = combine(result, step%d_%d(input, %d))", i, j, rng.IntN(1000))
			}
			cut := min(at+rng.IntN(8), len(files[n]))
			files[n] = append(append(append([]string{}, files[n][:at]...), fresh...), files[n][cut:]...)
			if len(files[n]) > 1500 {
				files[n] = files[n][:1500]
			}
			set = append(set, gittest.Set(fmt.Sprintf("pkg%02d/file%03d.go", n%20, n), strings.Join(files[n], "\n")+"\n"))
		}
		kind := []string{"feat", "fix", "docs", "refactor"}[rng.IntN(4)]
		im.Commit(gittest.ImportCommit{
			Ref: "refs/heads/main", Files: set,
			Message: fmt.Sprintf("%s(pkg): step %d (#%d)\n\nRefs: PAY-%d\n", kind, i, i+1, i%300),
		})
	}
	im.Close()
	addNotes(b, r, notes, rng)
	return r.Dir
}

// addNotes writes Git AI notes on the newest commits, and about commits that
// are not there once those run out: most notes of real repositories are orphans.
func addNotes(b *testing.B, r *gittest.Repo, notes int, rng *rand.Rand) {
	b.Helper()
	ids := strings.Fields(r.Git("rev-list", "HEAD"))
	var in bytes.Buffer
	fmt.Fprintf(&in, "commit refs/notes/ai\ncommitter Bench <bench@example.test> 1700000000 +0000\ndata 5\nnotes\n")
	for i := range notes {
		id := fmt.Sprintf("%040x", i+1)
		if i < len(ids) {
			id = ids[i]
		}
		var body strings.Builder
		for range 1 + rng.IntN(20) {
			fmt.Fprintf(&body, "pkg%02d/file%03d.go\n", rng.IntN(20), rng.IntN(400))
			fmt.Fprintf(&body, "  s_%014x::t_%014x %d-%d\n", i%500, i, 1+rng.IntN(50), 60+rng.IntN(50))
		}
		fmt.Fprintf(&body, "---\n{\"schema_version\":\"authorship/3.0.0\",\"base_commit_sha\":%q,\"prompts\":{},\"sessions\":{\"s_%014x\":"+
			"{\"agent_id\":{\"tool\":\"codex\",\"id\":\"%d\",\"model\":\"gpt-5.6-sol\"}}}}\n", id, i%500, i%500)
		fmt.Fprintf(&in, "M 100644 inline %s/%s\ndata %d\n%s\n", id[:2], id[2:], body.Len(), body.String())
	}
	r.GitWith(in.Bytes(), "fast-import", "--quiet")
}

// yardstick is git's own reading of the same history and the same notes.
func yardstick(b *testing.B, dir string) measured {
	b.Helper()
	log := []string{"-C", dir, "log", "-p", "-M", "--branches", "--remotes", "--tags"}
	if exclude := os.Getenv("STEMMA_BENCH_EXCLUDE"); exclude != "" {
		log = append(log, "--", ".", ":(exclude)"+exclude)
	}
	sum := measure(b, exec.Command("git", log...))
	list, err := exec.Command("git", "-C", dir, "ls-tree", "-r", "refs/notes/ai").Output()
	if err != nil {
		return sum // no notes there
	}
	var ids bytes.Buffer
	for line := range strings.Lines(string(list)) {
		ids.WriteString(strings.Fields(line)[2] + "\n")
	}
	cat := exec.Command("git", "-C", dir, "cat-file", "--batch", "--buffer")
	cat.Stdin = &ids
	notes := measure(b, cat)
	return measured{sum.wall + notes.wall, sum.cpu + notes.cpu, max(sum.rss, notes.rss)}
}

// BenchmarkScan: at most 2x git's reading of the same objects, under 500 MB,
// and 5 % of the first time when nothing changed.
func BenchmarkScan(b *testing.B) {
	bin, dir := built(b), benchRepo(b, 5000, 10000)
	var git, first, again measured
	for i := range b.N {
		data := filepath.Join(b.TempDir(), strconv.Itoa(i))
		git.add(yardstick(b, dir))
		first.add(measure(b, exec.Command(bin, "--data", data, "scan", dir)))
		again.add(measure(b, exec.Command(bin, "--data", data, "scan", dir)))
	}
	b.ReportMetric(float64(first.wall)/float64(git.wall), "x-git-wall")
	b.ReportMetric(float64(first.cpu)/float64(git.cpu), "x-git-cpu")
	b.ReportMetric(float64(first.rss)/1024, "MB-peak")
	b.ReportMetric(100*float64(again.wall)/float64(first.wall), "%-again")
}

// BenchmarkScanGrows: twice the commits take at most 2.2x the time.
func BenchmarkScanGrows(b *testing.B) {
	bin := built(b)
	half, whole := madeRepo(b, 3000, 3000), madeRepo(b, 6000, 6000)
	for range b.N {
		data := b.TempDir()
		one := measure(b, exec.Command(bin, "--data", filepath.Join(data, "1"), "scan", half))
		two := measure(b, exec.Command(bin, "--data", filepath.Join(data, "2"), "scan", whole))
		b.ReportMetric(float64(two.wall)/float64(one.wall), "x-wall-for-2x-commits")
		b.ReportMetric(float64(two.cpu)/float64(one.cpu), "x-cpu-for-2x-commits")
	}
}

// BenchmarkBlame: at most 1.15x git blame the first time, 0.1x again, on the
// file with the most commits; 16 runs of each, in turn.
func BenchmarkBlame(b *testing.B) {
	bin, dir := built(b), benchRepo(b, 5000, 10000)
	path := os.Getenv("STEMMA_BENCH_FILE")
	if path == "" {
		path = busiest(b, dir)
	}
	for range b.N {
		var git, first, again measured
		for range 16 {
			data := filepath.Join(b.TempDir(), "data")
			git.add(measure(b, exec.Command("git", "-C", dir, "blame", "HEAD", "--", path)))
			for _, into := range []*measured{&first, &again} {
				c := exec.Command(bin, "blame", "--data", data, "HEAD", "--", path)
				c.Dir = dir
				into.add(measure(b, c))
			}
		}
		b.ReportMetric(float64(git.wall.Milliseconds())/16, "ms-git-blame")
		b.ReportMetric(float64(first.wall)/float64(git.wall), "x-git-first")
		b.ReportMetric(float64(again.wall)/float64(git.wall), "x-git-again")
		b.ReportMetric(float64(first.cpu)/float64(git.cpu), "x-git-cpu-first")
		b.ReportMetric(float64(again.cpu)/float64(git.cpu), "x-git-cpu-again")
	}
}

func (m *measured) add(o measured) {
	m.wall, m.cpu, m.rss = m.wall+o.wall, m.cpu+o.cpu, max(m.rss, o.rss)
}

// busiest is the path that most commits touched.
func busiest(b *testing.B, dir string) string {
	b.Helper()
	out, err := exec.Command("git", "-C", dir, "log", "--format=", "--name-only", "--no-renames", "HEAD").Output()
	if err != nil {
		b.Fatal(err)
	}
	counts := map[string]int{}
	for line := range strings.Lines(string(out)) {
		counts[strings.TrimSpace(line)]++
	}
	listed, err := exec.Command("git", "-C", dir, "ls-tree", "-r", "--name-only", "HEAD").Output()
	if err != nil {
		b.Fatal(err)
	}
	best := ""
	for line := range strings.Lines(string(listed)) {
		if p := strings.TrimSpace(line); best == "" || counts[p] > counts[best] {
			best = p
		}
	}
	return best
}
