package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"

	gojunit "github.com/joshdk/go-junit"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	ourjunit "github.com/stemma-dev/stemma/ingest/evidence/junit"
	oursarif "github.com/stemma-dev/stemma/ingest/evidence/sarif"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/report"
)

// wicked are texts that want to be more.
var wicked = []string{
	"`x` <script>alert(1)</script> @octocat #1 | a | \\| ~~x~~ [x](https://evil.example) www.evil.example !1 %1 &lt; </details>",
	"::error::owned\n::set-env name=PATH::/tmp\r##[add-mask]x",
	"%0A::error::x", "]]>--><?xml?>\x00\x1b[2J\u202e", "\xff\xfe", "/close\n/merge", "\u2028::warning::x", "\x0b::stop-commands::x", "", "  ", "https://evil.example/?q=1", "//evil.example/x", "../../etc/passwd", "a:b/c", "%zz", "#142", "'\"\\",
}

func spoiled(text string) (report.Run, []report.Change) {
	r := run()
	r.Repository, r.Asked, r.Rules, r.Version = text, text, text, text
	r.Controls[0].Title, r.Controls[0].Why, r.Controls[0].Remedy = text, text, text
	c := changes()[0]
	c.Title, c.Place, c.Ref, c.State = text, text, text, text
	for i := range c.Findings {
		f := &c.Findings[i]
		f.Title, f.Reason, f.Remedy, f.Rests = text, text, text, []string{text}
	}
	d := changes()[1]
	d.Commit, d.Number, d.Title, d.Method = "", 0, text, text
	return r, []report.Change{c, d}
}

func TestHostileTextStaysText(t *testing.T) {
	for _, text := range append(wicked, strings.Join(wicked, "\n"), strings.Repeat(strings.Join(wicked, ""), 300)) {
		wellFormed(t, text)
		fitsSchema(t, text)
	}
}

// fitsSchema holds SARIF against its schema, which takes a while.
func fitsSchema(t *testing.T, text string) {
	t.Helper()
	for _, name := range []string{"report.sarif", "report-all.sarif"} {
		r, list := spoiled(text)
		read, err := sarif.FromString(written(t, forms[name], r, list...))
		if err != nil {
			t.Fatal(err)
		}
		if err := read.Validate(); err != nil {
			t.Errorf("%s does not fit its schema: %v", name, err)
		}
	}
}

func FuzzTextStaysText(f *testing.F) {
	for _, text := range wicked {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { wellFormed(t, text) })
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	r, list := spoiled(text)
	for name, form := range forms {
		got := written(t, form, r, list...)
		switch name[strings.LastIndexByte(name, '.')+1:] {
		case "json":
			isJSON(t, name, got)
		case "jsonl":
			for l := range strings.Lines(got) {
				isJSON(t, name, l)
			}
		case "sarif":
			isSARIF(t, name, got)
		case "xml":
			isJUnit(t, got)
		case "txt":
			commandsAreOurs(t, name, got)
		case "md":
			onlyOurMarkup(t, name, got)
		}
	}
}

func isJSON(t *testing.T, name, got string) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(got), &v); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func isSARIF(t *testing.T, name, got string) {
	t.Helper()
	isJSON(t, name, got)
	r, err := sarif.FromString(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range r.Runs[0].Results {
		uri := *result.Locations[0].PhysicalLocation.ArtifactLocation.URI
		if u, err := url.Parse(uri); err != nil || u.IsAbs() || u.Host != "" || strings.HasPrefix(uri, "/") {
			t.Errorf("%s: %q is no path in the repository, %v", name, uri, err)
		}
	}
	if scans, err := oursarif.Read([]byte(got)); err != nil || len(scans) != 1 || scans[0].Tool != "stemma" {
		t.Errorf("%s: our own reader finds %v, %v", name, scans, err)
	}
}

func isJUnit(t *testing.T, got string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(got))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("junit.xml: %v", err)
		}
	}
	suites, err := gojunit.Ingest([]byte(got))
	if err != nil || len(suites) != 2 || suites[0].Totals.Failed != 2 || suites[0].Totals.Error != 1 || suites[1].Totals.Skipped != 2 || suites[1].Totals.Failed != 1 {
		t.Errorf("junit.xml: %v, %v", suites, err)
	}
	if read, err := ourjunit.Read([]byte(got)); err != nil || len(read) == 0 {
		t.Errorf("junit.xml: our own reader finds %d, %v", len(read), err)
	}
}

var command = regexp.MustCompile(`^::(error|warning|notice) (file=[^,:\n]*,)?title=[^,:\n]*::[^\r\n]*$`)

func commandsAreOurs(t *testing.T, name, got string) {
	t.Helper()
	n := 0
	for l := range strings.Lines(got) {
		l = strings.TrimSuffix(l, "\n")
		if strings.Contains(l, "##[") || strings.ContainsAny(l, "\r\x00\x1b") {
			t.Errorf("%s: the line %q is more than text", name, l)
		}
		if name == "github.txt" {
			n++
			if !command.MatchString(l) {
				t.Errorf("%s: %q is no annotation", name, l)
			}
		} else if strings.HasPrefix(strings.TrimSpace(l), "::") {
			t.Errorf("%s: the line %q is a command", name, l)
		}
	}
	if name == "github.txt" && n != 4 {
		t.Errorf("%d annotations, want 4", n)
	}
}

var reference = regexp.MustCompile(`(^|[^&])#[0-9]|[a-z]://|(?i:www\.)`)

var ours = regexp.MustCompile(`<!-- stemma check -->|</?details>|<details open>|</?summary>|</?sub>`)

func onlyOurMarkup(t *testing.T, name, got string) {
	t.Helper()
	if len(got) > report.MaxMarkdown {
		t.Errorf("%s has %d bytes", name, len(got))
	}
	rest := strings.ReplaceAll(ours.ReplaceAllString(got, ""), "###", "")
	if i := strings.IndexAny(rest, "<>`@*_[]~\\$!"); i >= 0 {
		t.Errorf("%s: markup in %q", name, rest[max(0, i-20):min(len(rest), i+20)])
	}
	if reference.MatchString(rest) {
		t.Errorf("%s: something is referred to in\n%s", name, rest)
	}
	for l := range strings.Lines(rest) {
		if strings.HasPrefix(l, "|") && strings.Count(l, "|") != 5 {
			t.Errorf("%s: a row has %d cells: %s", name, strings.Count(l, "|")-1, l)
		}
		if strings.HasPrefix(l, "/") || strings.HasPrefix(l, ":") {
			t.Errorf("%s: %q begins a line", name, l)
		}
	}
}

func TestOSCALHasWhatItsSchemaAsksFor(t *testing.T) {
	r, list := spoiled(wicked[0])
	for _, text := range []string{written(t, report.OSCAL, run(), changes()...), written(t, report.OSCAL, r, list...), written(t, report.OSCAL, run())} {
		var doc struct {
			A map[string]any `json:"assessment-results"`
		}
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		walk(t, "assessment-results", doc.A)
		for _, member := range []string{"uuid", "metadata", "import-ap", "results"} {
			if doc.A[member] == nil {
				t.Errorf("%s is missing", member)
			}
		}
	}
	for _, f := range changes()[0].Findings {
		if f.State == policy.Unknown && strings.Contains(written(t, report.OSCAL, run(), changes()[0]), `"satisfied"`) {
			t.Error("what is not known is said to be satisfied")
		}
	}
	if once, again := written(t, report.OSCAL, run(), changes()...), written(t, report.OSCAL, run(), changes()...); once != again {
		t.Error("the same is not written the same")
	}
}

// What NIST's schema of assessment results 1.1.3 asks of values that occur here.
var (
	oscalUUID  = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[45][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$`)
	oscalToken = regexp.MustCompile(`^(\p{L}|_)(\p{L}|\p{N}|[.\-_])*$`)
	oscalText  = regexp.MustCompile(`^\S(.*\S)?$`)
	oscalTime  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
)

func walk(t *testing.T, at string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, of := range v {
			walk(t, at+"."+name, of)
		}
	case []any:
		if len(v) == 0 {
			t.Errorf("%s is an empty list", at)
		}
		for _, of := range v {
			walk(t, at, of)
		}
	case string:
		want := oscalText
		switch at[strings.LastIndexByte(at, '.')+1:] {
		case "uuid", "observation-uuid":
			want = oscalUUID
		case "control-id", "target-id", "name", "reason", "state":
			want = oscalToken
		case "start", "end", "collected", "last-modified":
			want = oscalTime
		}
		if !want.MatchString(v) {
			t.Errorf("%s: %q does not match %s", at, v, want)
		}
	}
}
