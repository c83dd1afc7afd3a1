package change_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
)

// BenchmarkCommitFact measures what every record goes through on its way to the
// ledger, on the record there are most of.
func BenchmarkCommitFact(b *testing.B) {
	at := stemma.At(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	c := change.Commit{
		Repository: "repository:github.com/acme/pay", SHA: strings.Repeat("9f2c", 10), Tree: strings.Repeat("77aa", 10), ParentCount: 1,
		Parents: []stemma.Ref{stemma.NewRef(stemma.KindCommit, "sha1", strings.Repeat("0002", 10))},
		Author:  "person:0123456789abcdef0123456789abcdef", Committer: "person:0123456789abcdef0123456789abcdef",
		Authored: at, Committed: at, Title: "pay: refuse a card that has expired",
		Message: "pay: refuse a card that has expired\n\nIt was charged, and the charge bounced three days later.\n",
		Size:    &change.Size{FileCount: 8, Added: 100, Deleted: 24},
	}
	for i := range 8 {
		c.Files = append(c.Files, change.File{
			Path: fmt.Sprintf("internal/pay/file%d.go", i), Status: "M", Added: 12 + i, Deleted: 3,
			Blob: strings.Repeat("9f2c", 10), OldBlob: strings.Repeat("0a1b", 10),
		})
	}
	for name, f := range map[string]func() error{
		"state": func() error { _, err := c.Fact("git", stemma.GradeC); return err },
		"canonical": func() error {
			f, err := c.Fact("git", stemma.GradeC)
			if err == nil {
				_, err = f.Canonical()
			}
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
