// Package eventtest has what the tests of all readers of events share: samples as
// their senders published them, a way to write a reading down, and hostile input.
package eventtest

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/lineage"
)

// The modules with samples; see tools/samples.
const (
	Playground = "github.com/go-playground/webhooks/v6"
	GitLab     = "gitlab.com/gitlab-org/api/client-go"
	PagerDuty  = "github.com/PagerDuty/go-pagerduty"
)

// Who gives pseudonyms that a person can read.
func Who(a event.Account) stemma.Ref {
	switch {
	case a.ID != "":
		return stemma.NewRef(stemma.KindPerson, a.Host+":"+a.ID)
	case a.Login != "" && a.Host != "":
		return stemma.NewRef(stemma.KindPerson, a.Host+":@"+a.Login)
	case a.Mail != "":
		return stemma.NewRef(stemma.KindPerson, strings.ToLower(a.Mail))
	default:
		return stemma.NewRef(stemma.KindPerson, a.Host+":@"+a.Login+a.Name)
	}
}

// Read reads a delivery and checks what was read: every statement is a fact that the
// graph has a place for.
func Read(tb testing.TB, read event.Reader, name, body string) *event.Reading {
	tb.Helper()
	r, err := read(event.Delivery{Event: name, Body: []byte(body), Received: received}, Who)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	for _, s := range r.Statements {
		f, err := s.Record.Fact("test", stemma.GradeA)
		if err == nil {
			err = lineage.Check(f)
		}
		if err != nil {
			tb.Errorf("%s: %s is no fact: %v", name, s.Record.Ref(), err)
		}
	}
	return r
}

// Lines writes a reading down, a line for each statement: what it is about, as of when,
// its attributes, its edges; then the problems, and why nothing was kept.
func Lines(tb testing.TB, r *event.Reading) string {
	tb.Helper()
	var b strings.Builder
	for _, s := range r.Statements {
		f, err := s.Record.Fact("test", stemma.GradeA)
		if err != nil {
			tb.Fatal(err)
		}
		fmt.Fprintf(&b, "%s", f.Subject)
		if s.AsOf != 0 {
			fmt.Fprintf(&b, " as of %s", s.AsOf)
		}
		fmt.Fprintf(&b, "\n  %s\n", attributes(tb, f, s.Unsaid))
		for _, e := range f.Edges {
			fmt.Fprintf(&b, "  %s -> %s", e.Door, e.To)
			if e.Method != "" {
				fmt.Fprintf(&b, " by %s", e.Method)
			}
			if e.Grade != "" {
				fmt.Fprintf(&b, " (%s)", e.Grade)
			}
			b.WriteByte('\n')
		}
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "problem at %s: %s\n", p.Place, p.Reason)
	}
	if r.Skipped != "" {
		fmt.Fprintf(&b, "skipped: %s\n", r.Skipped)
	}
	return b.String()
}

// attributes are those of a fact without what was not said, in order.
func attributes(tb testing.TB, f stemma.Fact, unsaid []string) string {
	tb.Helper()
	var attrs map[string]json.RawMessage
	if err := json.Unmarshal(f.Attrs, &attrs); err != nil {
		tb.Fatal(err)
	}
	for _, name := range unsaid {
		delete(attrs, name)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(attrs); err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

var update = flag.Bool("update", false, "write down what is read now, to be looked at")

// Golden reads the deliveries in an archive: a file "EVENT: ABOUT" is the body of one,
// and the file "want" behind it what is read of it.
func Golden(t *testing.T, read event.Reader, path string) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		body, want := &archive.Files[i], &archive.Files[i+1]
		name, about, ok := strings.Cut(body.Name, ": ")
		if !ok || want.Name != "want" {
			t.Fatalf("%s: %q and %q are no delivery and what is read of it", path, body.Name, want.Name)
		}
		got := Lines(t, Read(t, read, name, string(body.Data)))
		if *update {
			want.Data = []byte(got)
		} else if string(want.Data) != got {
			t.Errorf("%s, %s: read\n%s\nwant\n%s", name, about, got, want.Data)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A Sample is one published delivery.
type Sample struct {
	File string
	Body []byte
}

// Samples are the JSON files in a directory of a module.
func Samples(tb testing.TB, module, dir string) []Sample {
	tb.Helper()
	return files(tb, filepath.Join(where(tb, module), dir))
}

// where is the directory of a module with samples, fetched if it was never here.
func where(tb testing.TB, module string) string {
	tb.Helper()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir = filepath.Join(root(tb), "tools", "samples")
	at := strings.TrimSpace(run(tb, cmd))
	if at == "" { // it was never fetched here
		get := exec.Command("go", "mod", "download", module)
		get.Dir = cmd.Dir
		run(tb, get)
		again := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module)
		again.Dir = cmd.Dir
		at = strings.TrimSpace(run(tb, again))
	}
	return at
}

// File is a file of a module.
func File(tb testing.TB, module, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(where(tb, module), path))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func run(tb testing.TB, cmd *exec.Cmd) string {
	tb.Helper()
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		tb.Fatalf("%s: %v", strings.Join(cmd.Args, " "), err)
	}
	return string(out)
}

// root is the directory of the repository.
func root(tb testing.TB) string {
	tb.Helper()
	return filepath.Dir(strings.TrimSpace(run(tb, exec.Command("go", "env", "GOMOD"))))
}

func files(tb testing.TB, dir string) []Sample {
	tb.Helper()
	var list []Sample
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		body, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path) // both begin alike
		list = append(list, Sample{name, body})
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	if len(list) == 0 {
		tb.Fatalf("there are no samples in %s", dir)
	}
	slices.SortFunc(list, func(a, b Sample) int { return strings.Compare(a.File, b.File) })
	return list
}

// octokit is the package of examples, and the digest of what the registry gives.
const (
	octokit       = "@octokit/webhooks-examples@7.6.1"
	octokitDigest = "De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ=="
)

// Octokit are the examples of GitHub's webhooks that the Octokit project publishes, by
// event. They are fetched once with npm and checked by their digest.
func Octokit(tb testing.TB) map[string][]json.RawMessage {
	tb.Helper()
	cache := filepath.Join(root(tb), ".cache", "octokit")
	packed := filepath.Join(cache, "octokit-webhooks-examples-7.6.1.tgz")
	if _, err := os.Stat(packed); err != nil {
		if err := os.MkdirAll(cache, 0o755); err != nil {
			tb.Fatal(err)
		}
		run(tb, exec.Command("npm", "pack", "--silent", "--pack-destination", cache, octokit))
	}
	b, err := os.ReadFile(packed)
	if err != nil {
		tb.Fatal(err)
	}
	if sum := sha512.Sum512(b); base64.StdEncoding.EncodeToString(sum[:]) != octokitDigest {
		tb.Fatalf("%s is not what the registry gave before: delete it and see why", packed)
	}
	text := run(tb, exec.Command("tar", "-xzOf", packed, "package/api.github.com/index.json"))
	var list []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		tb.Fatal(err)
	}
	events := map[string][]json.RawMessage{}
	for _, e := range list {
		events[e.Name] = e.Examples
	}
	return events
}

// received is when the deliveries of all tests arrived.
const received stemma.Moment = 1772600000_000000

// A Tally counts what became of samples.
type Tally struct {
	Read, Skipped, Problems int
	Refused                 []string // and why
}

// Add reads one more sample.
func (y *Tally) Add(tb testing.TB, read event.Reader, name string, s Sample) {
	tb.Helper()
	r, err := read(event.Delivery{Event: name, Body: s.Body}, Who)
	switch {
	case err != nil:
		y.Refused = append(y.Refused, s.File+": "+err.Error())
		return
	case r.Skipped != "":
		y.Skipped++
	case len(r.Problems) > 0:
		y.Problems++
		tb.Logf("%s: %v", s.File, r.Problems)
	default:
		y.Read++
	}
	for _, st := range r.Statements {
		f, err := st.Record.Fact("test", stemma.GradeA)
		if err == nil {
			err = lineage.Check(f)
		}
		if err != nil {
			tb.Errorf("%s: %s is no fact: %v", s.File, st.Record.Ref(), err)
		}
	}
}

// Fuzz gives a reader hostile bodies. It may refuse them; what it reads must be facts,
// or records that their room refuses with a reason, and the same every time.
func Fuzz(f *testing.F, read event.Reader, events []string, seeds ...[]byte) {
	for i := range events {
		for _, s := range seeds {
			f.Add(uint8(i), s)
		}
		for _, s := range hostile {
			f.Add(uint8(i), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		d := event.Delivery{Event: events[int(which)%len(events)], Body: body}
		r, err := read(d, Who)
		if err != nil {
			return
		}
		again, err := read(d, Who)
		if err != nil || len(again.Statements) != len(r.Statements) {
			t.Fatalf("read twice, it says something else: %d and %d statements, %v", len(r.Statements), len(again.Statements), err)
		}
		for _, s := range r.Statements {
			fact, err := s.Record.Fact("test", stemma.GradeA)
			if err == nil {
				err = lineage.Check(fact)
			}
			var invalid *stemma.InvalidError
			if err != nil && !errors.As(err, &invalid) {
				t.Fatalf("%s is refused with %v", s.Record.Ref(), err)
			}
			if !s.AsOf.Valid() {
				t.Fatalf("%s is as of no time: %d", s.Record.Ref(), s.AsOf)
			}
		}
	})
}

// hostile are bodies that nobody should send.
var hostile = []string{
	``, `null`, `[]`, `{}`, `{"repository":null}`, `{"repository":[]}`, `{"repository":{"html_url":"https://x.example/a/b"}}`,
	`{"repository":{"html_url":"https://x.example/a/b"},"repository":7}`, "{\"a\":\"\xff\xfe\"}", "\ufeff{}",
	strings.Repeat(`{"a":`, 600) + `1` + strings.Repeat(`}`, 600), strings.Repeat(`[`, 2000), `{"a":"\ud800"}`, `{"a":1e999}`,
}
