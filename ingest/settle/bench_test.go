package settle_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/settle"
	"github.com/stemma-dev/stemma/ingest/settle/follow"
)

// BenchmarkRebase: what 1,000 rebased commits owe is found in at most a quarter
// of the time that git took to rebase them.
func BenchmarkRebase(b *testing.B) {
	const commits = 1000
	follow.MarkEvery = 500
	defer func() { follow.MarkEvery = 1 }()
	d := newDesk(b)
	d.Git("checkout", "-q", "-b", "topic")
	for i := range commits {
		path := fmt.Sprintf("dir%d/file%d.txt", i%10, i%50)
		d.agent("s1", path, d.inserts("s1", i%7, 3))
		d.commit()
	}
	d.Git("checkout", "-q", "main")
	d.person("a.txt", d.inserts("me", 0, 1))
	d.commit()
	d.settle()
	for b.Loop() {
		d.person("a.txt", d.inserts("me", 0, 1)) // so that the commits become others
		d.commit()
		d.settle()
		d.Git("checkout", "-q", "-B", "again", "topic")
		start := time.Now()
		d.Git("rebase", "-q", "main")
		rebase := time.Since(start)
		start = time.Now()
		r, err := settle.Run(b.Context(), d.Dir, began)
		must(b, err)
		took := time.Since(start)
		if r.Notes != commits || r.Lines.AI != 3*commits {
			b.Fatalf("settled %+v", r)
		}
		b.ReportMetric(float64(took)/float64(rebase), "x-rebase")
		d.Git("checkout", "-q", "main")
	}
}

// BenchmarkOneMore: what one more commit owes costs no more behind ten times the looks.
func BenchmarkOneMore(b *testing.B) {
	follow.MarkEvery = 500
	defer func() { follow.MarkEvery = 1 }()
	const commits = 20
	took := map[int]time.Duration{}
	for _, looks := range []int{600, 6000} {
		d := newDesk(b)
		for i := range 20 {
			d.write(fmt.Sprintf("dir%d/file%d.txt", i%4, i), d.inserts("base", 0, 1000)(nil))
		}
		d.commit()
		for i := range looks / 2 {
			d.agent("s1", fmt.Sprintf("dir%d/file%d.txt", i%4, i%20), d.inserts("s1", i%1000, 2))
			if i%10 == 9 {
				d.commit()
			}
		}
		d.settle()
		for range commits {
			d.agent("s1", "a.txt", d.inserts("s1", 0, 1))
			d.commit()
			start := time.Now()
			r, err := settle.Run(b.Context(), d.Dir, began)
			took[looks] += time.Since(start)
			must(b, err)
			if r.Notes != 1 {
				b.Fatalf("settled %+v", r)
			}
		}
	}
	for b.Loop() { // it was measured above, once
	}
	b.ReportMetric(float64(took[6000].Milliseconds())/commits, "ms-behind-6000")
	b.ReportMetric(float64(took[6000])/float64(took[600]), "x-ten-times-the-looks")
}
