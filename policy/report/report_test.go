package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/report"
	"github.com/stemma-dev/stemma/policy/subject"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// marked colours as a terminal would, so that it is seen where.
type marked struct{}

func (marked) Bold(s string) string  { return "[" + s + "]" }
func (marked) Faint(s string) string { return "(" + s + ")" }

// forms are all forms, by the names of their golden files.
var forms = map[string]func(io.Writer) report.Handler{
	"table.txt":        func(w io.Writer) report.Handler { return report.Table(w, marked{}, report.Unmet) },
	"table-heard.txt":  func(w io.Writer) report.Handler { return report.Table(w, marked{}, report.Heard) },
	"table-all.txt":    func(w io.Writer) report.Handler { return report.Table(w, marked{}, report.All) },
	"report.json":      report.JSON,
	"report.jsonl":     report.Lines,
	"report.sarif":     func(w io.Writer) report.Handler { return report.SARIF(w, false) },
	"report-all.sarif": func(w io.Writer) report.Handler { return report.SARIF(w, true) },
	"junit.xml":        report.JUnit,
	"oscal.json":       report.OSCAL,
	"comment.md":       func(w io.Writer) report.Handler { return report.Markdown(w, false) },
	"comment-all.md":   func(w io.Writer) report.Handler { return report.Markdown(w, true) },
	"github.txt":       report.GitHub,
	"gitlab.json":      report.GitLab,
}

func run() report.Run {
	return report.Run{
		Version: "v0.3.0", Started: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC), Repository: "acme/pay", Asked: "origin/main..HEAD",
		Rules: ".stemma of origin/main (1a2b3c4d5e6f)", Packs: []string{"default"}, Digest: "sha256:" + strings.Repeat("ab", 32),
		Controls: []report.Control{
			{"REV-01", 1, "Human approval of the merged head", "Somebody else has to have seen it.", "Let somebody else approve it.", policy.Critical},
			{"CAP-06", 1, "Agent chain to a human", "An agent acts for somebody.", "Report who started it.", policy.Critical},
			{"TRC-03", 2, "Iteration count recorded", "How often it was tried.", "Report runs.", policy.Low},
		},
	}
}

func finding(id string, severity policy.Severity, mode policy.Mode, state policy.State, why string) policy.Finding {
	f := policy.Finding{Control: id, Version: 1, Severity: severity, Mode: mode, State: state, Reason: why}
	for _, c := range run().Controls {
		if c.ID == id {
			f.Version, f.Title = c.Version, c.Title
			if state == policy.Fail || state == policy.Unknown {
				f.Remedy = c.Remedy
			}
		}
	}
	f.Blocks = mode == policy.Enforce && (state == policy.Fail || state == policy.Unknown)
	return f
}

// changes have every state in every mode.
func changes() []report.Change {
	one := report.Change{
		Ref: "change:github.com/acme/pay#142", Repository: "acme/pay", Number: 142, Title: "Refunds", Method: "merge", State: "merged", Target: "main",
		Commit: "commit:sha1/" + strings.Repeat("1", 40), Place: "pay/refund a.go", AI: true,
		Findings: []policy.Finding{
			finding("TRC-03", policy.Low, policy.Observe, policy.Fail, "no run is known"),
			finding("CAP-06", policy.Critical, policy.Enforce, policy.Unknown, "nobody is known to have started session:a/1"),
			finding("REV-01", policy.Critical, policy.Enforce, policy.Fail, "the approval is of an earlier head"),
		},
	}
	one.Findings[2].Rests, one.Findings[2].Grade = []string{"review:github.com/1"}, "A"
	two := report.Change{
		Ref: "change:github.com/acme/pay@" + strings.Repeat("2", 40), Repository: "acme/pay", Title: "hotfix", Method: "direct", Direct: true, Loose: true,
		Commit: "commit:sha1/" + strings.Repeat("2", 40),
		Findings: []policy.Finding{
			finding("REV-01", policy.Critical, policy.Warn, policy.Waived, "it was pushed; waived until 2026-11-03: the site was down"),
			finding("CAP-06", policy.Critical, policy.Warn, policy.NotApplicable, "no agent took part"),
			finding("TRC-03", policy.Low, policy.Warn, policy.Unknown, "no pipeline tells"),
		},
	}
	two.Findings[0].Exception = "exception:e1"
	two.Findings[2].Due = time.Date(2026, 11, 2, 10, 15, 0, 0, time.UTC).Unix()
	three := report.Change{Ref: "change:github.com/acme/pay#143", Number: 143, Title: "Docs", State: "open", Findings: []policy.Finding{finding("REV-01", policy.Critical, policy.Enforce, policy.Pass, "")}}
	return []report.Change{one, two, three}
}

func each(list ...report.Change) iter.Seq2[report.Change, error] {
	return func(yield func(report.Change, error) bool) {
		for _, c := range list {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func written(tb testing.TB, form func(io.Writer) report.Handler, r report.Run, list ...report.Change) string {
	tb.Helper()
	var b bytes.Buffer
	if _, err := report.Tell(form(&b), r, each(list...)); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func TestEveryFormIsAsItWasLookedAt(t *testing.T) {
	for name, form := range forms {
		got := written(t, form, run(), changes()...)
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s, see -update:\n%s", name, d)
		}
	}
}

func TestNothingIsCalledComplied(t *testing.T) {
	for name, form := range forms {
		if strings.Contains(strings.ToLower(written(t, form, run(), changes()...)), "complian") {
			t.Errorf("%s speaks of compliance", name)
		}
	}
}

func TestSummaryCountsWhatHoldsUp(t *testing.T) {
	sum, err := report.Tell(report.Lines(io.Discard), run(), each(changes()...))
	if err != nil {
		t.Fatal(err)
	}
	want := report.Summary{Changes: 3, Loose: 1, Held: 1, Blocks: 2, States: map[policy.State]int{
		policy.Fail: 2, policy.Unknown: 2, policy.Pass: 1, policy.Waived: 1, policy.NotApplicable: 1,
	}}
	if d := cmp.Diff(want, sum); d != "" {
		t.Error(d)
	}
	if pass, all := sum.Judged(); pass != 1 || all != 5 {
		t.Errorf("%d of %d", pass, all)
	}
}

func TestPlaceIsTheFileThatTellsMost(t *testing.T) {
	x := &subject.Subject{Files: []subject.File{
		{Path: "gone.go", Status: "D", Protected: true}, {Path: "moved.go", Status: "R", MovedTo: "a.go", Protected: true}, {Path: "a.go"}, {Path: "b.go", ByAI: true}, {Path: "auth/c.go", Sensitive: true}, {Path: "x/d.go", Forbidden: true},
	}}
	for _, want := range []string{"auth/c.go", "x/d.go"} {
		if got := report.Of(x, nil).Place; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		x.Files[5].ByAI = true
	}
	if got := report.Of(&subject.Subject{}, nil).Place; got != "" {
		t.Errorf("a change without files is at %s", got)
	}
}

func TestFingerprintsDoNotMoveWithWhatIsSaid(t *testing.T) {
	a, b := changes()[0], changes()[0]
	b.Findings[2].Reason, b.Title, b.Place = "nobody approved it", "Refunds, again", "other.go"
	fingerprints := func(c report.Change) (list []string) {
		for l := range strings.Lines(written(t, report.GitLab, run(), c)) {
			if strings.Contains(l, "fingerprint") {
				list = append(list, l)
			}
		}
		return list
	}
	if d := cmp.Diff(fingerprints(a), fingerprints(b)); d != "" || len(fingerprints(a)) != 3 {
		t.Errorf("%s of %d", d, len(fingerprints(a)))
	}
}

func TestCommentFitsHoweverManyFindings(t *testing.T) {
	for _, n := range []int{0, 1, 100, 3000} {
		for _, long := range []int{1, 5000} {
			var list []report.Change
			for i := range n {
				c := changes()[0]
				c.Number, c.Title = i+1, strings.Repeat("<|`@#", long)
				for j := range c.Findings {
					c.Findings[j].Reason = strings.Repeat("|&", long)
				}
				list = append(list, c)
			}
			got := written(t, forms["comment-all.md"], run(), list...)
			if len(got) > report.MaxMarkdown {
				t.Errorf("%d changes with texts of %d: %d bytes", n, long, len(got))
			}
			if strings.Count(got, "<details") != strings.Count(got, "</details>") {
				t.Errorf("%d changes with texts of %d: a part is not closed", n, long)
			}
			if n > 1000 && !strings.Contains(got, "not shown here for want of room") {
				t.Errorf("%d changes: nothing says that some are not shown", n)
			}
		}
	}
}

func TestFailureOfAHandlerEndsTheStream(t *testing.T) {
	sum, err := report.Tell(report.Several(report.Lines(io.Discard), report.Lines(broken{})), run(), each(changes()...))
	if err == nil || sum.Changes != 0 {
		t.Errorf("%v after %d changes", err, sum.Changes)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, fmt.Errorf("disk full") }
