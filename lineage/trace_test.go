package lineage_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

func at() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC) }

// told returns the graph of some facts.
func told(t testing.TB, db *storage.DB, facts ...stemma.Fact) *graph.Graph {
	t.Helper()
	ctx := context.Background()
	key, err := seal.NewKey(rand.Reader, "log.example.com/acme")
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(ctx, db, ledger.Config{Signer: key, Now: at, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	g, err := graph.Open(ctx, db, lineage.Specs())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(ctx, facts...); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Apply(ctx, l); err != nil {
		t.Fatal(err)
	}
	if skips, err := g.Skips(ctx, 10); err != nil || len(skips) > 0 {
		t.Fatalf("the graph skipped %v, %v", skips, err)
	}
	return g
}

func fact(t testing.TB, subject stemma.Ref, grade stemma.Grade, attrs string, edges ...stemma.Edge) stemma.Fact {
	t.Helper()
	f, err := stemma.NewFact(subject, json.RawMessage(attrs), stemma.Provenance{Source: "test", Grade: grade, Occurred: at(), Edges: edges})
	if err != nil {
		t.Fatal(err)
	}
	if err := lineage.Check(f); err != nil {
		t.Fatal(err)
	}
	return f
}

func door(name string, to stemma.Ref) stemma.Edge { return stemma.Edge{Door: name, To: to} }

const (
	shaA = "9f2c000000000000000000000000000000000001"
	shaB = "9f2cffffffffffffffffffffffffffffffffffff"
)

var (
	commitA = stemma.NewRef(stemma.KindCommit, "sha1", shaA)
	commitB = stemma.NewRef(stemma.KindCommit, "sha1", shaB)
	change  = stemma.NewRef(stemma.KindChange, "github.com", "acme/pay#142")
	run     = stemma.Ref("session:claude-code/5c1e0000-aaaa-bbbb-cccc-000000000001")
)

// acme is one incident and all it rests on, except for a review, a pipeline
// and a requirement.
func acme(t testing.TB) []stemma.Fact {
	return []stemma.Fact{
		fact(t, "ticket:jira/PAY-17", "D", `{"tracker":"jira","key":"PAY-17","title":"Refund twice"}`),
		fact(t, "model:anthropic/claude-opus-4-6", "D", `{"name":"claude-opus-4-6","provider":"anthropic","named":true}`),
		fact(t, run, "C", `{"tool":"claude-code","external_id":"5c1e0000-aaaa-bbbb-cccc-000000000001","title":"Mend\nrefunds"}`,
			door("works-on", "ticket:jira/PAY-17"), door("model", "model:anthropic/claude-opus-4-6")),
		fact(t, commitA, "A", `{"sha":"`+shaA+`","title":"Mend refunds","message":"`+strings.Repeat("long ", 300)+`"}`,
			stemma.Edge{Door: "session", To: run, Grade: "C", Basis: "observed-hook", Method: "note"},
			door("author", "person:00112233445566778899aabbccddeeff")),
		fact(t, commitB, "A", `{"sha":"`+shaB+`","title":"Test refunds"}`, door("parent", commitA)),
		fact(t, change, "A", `{"repository":"repository:github.com/acme/pay","number":142,"title":"Refunds"}`,
			door("carries", commitA), door("carries", commitB), door("in", "repository:github.com/acme/pay")),
		fact(t, "deployment:prod/7", "B", `{"environment":"environment:prod","version":"v1.2","status":"success"}`,
			door("brings", change), door("into", "environment:prod")),
		fact(t, "incident:pagerduty/P1", "A", `{"source":"pagerduty","key":"P1","title":"Refunds doubled","severity":"high"}`,
			stemma.Edge{Door: "caused-by", To: "deployment:prod/7", Grade: "B"}),
		fact(t, "release:github.com/acme/pay:v1.2.0", "A", `{"name":"v1.2.0"}`, door("tags", commitB)),
		fact(t, "file:github.com/acme/pay:main:pay/charge.go", "A", `{"path":"pay/charge.go","branch":"main"}`),
	}
}

func TestTraceLeadsFromIncidentToTicket(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		g := told(t, open(), acme(t)...)
		got, err := lineage.Trace(context.Background(), g, "incident:pagerduty/P1", lineage.Up, walk.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, n := range got.Nodes {
			lines = append(lines, fmt.Sprintf("%d %s %s %s|%s|%s", n.Depth, n.Side, n.Stage, n.Grade, n.Reach, n.Title))
		}
		want := []string{
			"0 start incident A||P1 Refunds doubled (high)",
			"1 up deployment B|B|v1.2 in prod (success)",
			"2 up change A|B|#142 Refunds",
			"3 up commit A|B|9f2c000000 Mend refunds",
			"3 up commit A|B|9f2cffffff Test refunds",
			"4 up session C|C|claude-code 5c1e0000-a Mend refunds",
			"5 up ticket D|C|PAY-17 Refund twice",
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("nodes (-want +got):\n%s", diff)
		}
		if want := []stemma.Stage{"requirement", "review", "pipeline", "artifact"}; !cmp.Equal(got.Missing, want) {
			t.Errorf("missing = %v, want %v", got.Missing, want)
		}
		if got.Grade != "C" || got.Depth != 5 || got.Truncated != "" {
			t.Errorf("grade %s, depth %d, truncated %q; want C, 5 and nothing", got.Grade, got.Depth, got.Truncated)
		}
		if _, ok := got.Nodes[3].Attrs["message"]; ok || got.Nodes[3].Attrs.Text("title") != "Mend refunds" {
			t.Errorf("attributes = %v, want the title without the long message", got.Nodes[3].Attrs)
		}
		wantEdge := lineage.Edge{From: commitA, To: run, Door: "session", Flow: "up", Grade: "C", Basis: "observed-hook", Method: "note", Pos: 3}
		if last := got.Edges[len(got.Edges)-2]; last != wantEdge {
			t.Errorf("edge = %+v, want %+v", last, wantEdge)
		}
	})
}

func TestTraceOfACommitShowsBothSidesAndWhatIsBesideIt(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		g := told(t, open(), acme(t)...)
		got, err := lineage.Trace(context.Background(), g, commitA, lineage.Both, walk.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		sides := map[stemma.Ref]string{}
		for _, n := range got.Nodes {
			sides[n.Ref] = n.Side
		}
		want := map[stemma.Ref]string{
			commitA: "start", change: "both", commitB: "both", run: "up", "ticket:jira/PAY-17": "up",
			"deployment:prod/7": "down", "incident:pagerduty/P1": "down", "release:github.com/acme/pay:v1.2.0": "down",
		}
		if diff := cmp.Diff(want, sides); diff != "" {
			t.Errorf("sides (-want +got):\n%s", diff)
		}
		var beside []string
		for _, r := range got.Relations {
			beside = append(beside, fmt.Sprintf("%s %s", r.Door, r.Title))
		}
		if want := []string{"author person 0011223344", "parent 9f2cffffff Test refunds"}; !cmp.Equal(beside, want) {
			t.Errorf("relations = %q, want %q", beside, want)
		}
		if _, err := lineage.Trace(context.Background(), g, "commit:sha1/00", lineage.Up, walk.Limits{}); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("tracing nothing: err = %v, want ErrNotFound", err)
		}
		cut, err := lineage.Trace(context.Background(), g, commitA, lineage.Both, walk.Limits{Nodes: 2})
		if err != nil || cut.Truncated != "nodes" {
			t.Errorf("with two nodes allowed: truncated = %q, %v", cut.Truncated, err)
		}
	})
}

func TestPathNamesTheEvidenceOfEveryStep(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		g := told(t, open(), acme(t)...)
		for _, c := range []struct {
			from, to stemma.Ref
			dir      lineage.Direction
			want     string
			grade    stemma.Grade
		}{
			{"incident:pagerduty/P1", "ticket:jira/PAY-17", lineage.Up, "caused-by brings carries session works-on", "C"},
			{"ticket:jira/PAY-17", "deployment:prod/7", lineage.Down, "works-on session carries brings", "C"},
			{"release:github.com/acme/pay:v1.2.0", "deployment:prod/7", lineage.Both, "tags carries brings", "B"},
			{change, change, lineage.Up, "", ""},
		} {
			w, err := lineage.Path(context.Background(), g, c.from, c.to, walk.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			var doors []string
			for _, e := range w.Edges {
				doors = append(doors, e.Door)
			}
			if got := strings.Join(doors, " "); got != c.want || w.Direction != c.dir || w.Grade != c.grade {
				t.Errorf("Path(%s, %s) = %s %q %s, want %s %q %s", c.from, c.to, w.Direction, got, w.Grade, c.dir, c.want, c.grade)
			}
		}
		_, err := lineage.Path(context.Background(), g, change, "model:anthropic/claude-opus-4-6", walk.Limits{})
		if !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("a way to a model: err = %v, want ErrNotFound", err)
		}
	})
}

func TestFindUnderstandsWhatPeopleType(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		g := told(t, open(), acme(t)...)
		for text, want := range map[string]string{
			string(change):            "ref change:github.com/acme/pay#142",
			"9f2c":                    "commit " + string(commitA) + ", commit " + string(commitB),
			"9F2C00":                  "commit " + string(commitA),
			shaB:                      "commit " + string(commitB),
			"#142":                    "change " + string(change),
			"142":                     "change " + string(change),
			"acme/pay#142":            "change " + string(change),
			"other/pay#142":           "",
			"PAY-17":                  "ticket ticket:jira/PAY-17",
			" pay-17 ":                "ticket ticket:jira/PAY-17",
			"P1":                      "incident incident:pagerduty/P1",
			"v1.2.0":                  "release release:github.com/acme/pay:v1.2.0",
			"refs/tags/v1.2.0":        "release release:github.com/acme/pay:v1.2.0",
			"v1.2":                    "deployment deployment:prod/7, release release:github.com/acme/pay:v1.2.0",
			"5c1e0000":                "session " + string(run),
			"claude-opus-4-6":         "model model:anthropic/claude-opus-4-6",
			"claude-opus":             "model model:anthropic/claude-opus-4-6",
			"./pay/charge.go":         "file file:github.com/acme/pay:main:pay/charge.go",
			"charge.go":               "file file:github.com/acme/pay:main:pay/charge.go",
			"harge.go":                "",
			"github.com/acme/pay":     "repository repository:github.com/acme/pay",
			"commit:sha1/9f2c00":      "ref " + string(commitA),
			"":                        "",
			"nothing of the kind":     "",
			"' OR 1=1 --":             "",
			"\x00\xff":                "",
			strings.Repeat("a", 9000): "",
		} {
			found, err := lineage.Find(context.Background(), g, text)
			if err != nil {
				t.Errorf("Find(%.40q): %v", text, err)
			}
			var got []string
			for _, c := range found {
				got = append(got, c.Match+" "+string(c.Ref))
			}
			if strings.Join(got, ", ") != want {
				t.Errorf("Find(%.40q) = %v, want %s", text, got, want)
			}
		}
	})
}

// randomFacts go through every door that the rooms declare.
func randomFacts(t *testing.T, seed uint64, n int) []stemma.Fact {
	r := mrand.New(mrand.NewPCG(seed, 1))
	specs := lineage.Specs()
	ref := func(k stemma.Kind) stemma.Ref { return stemma.NewRef(k, "x", fmt.Sprint(r.IntN(4))) }
	var facts []stemma.Fact
	seen := map[string]bool{}
	for len(facts) < n {
		s := specs[r.IntN(len(specs))]
		p := stemma.Provenance{Source: "test", Grade: []stemma.Grade{"A", "B", "C", "D"}[r.IntN(4)], Occurred: at()}
		for _, d := range s.Doors {
			if r.IntN(3) == 0 {
				p.Edges = append(p.Edges, stemma.Edge{Door: d.Name, To: ref(d.To[r.IntN(len(d.To))])})
			}
		}
		f, err := stemma.NewFact(ref(s.Kind), map[string]any{}, p)
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if !seen[string(b)] {
			seen[string(b)] = true
			facts = append(facts, f)
		}
	}
	return facts
}

func TestUpAndDownAreConversesOnBothEngines(t *testing.T) {
	for seed := range uint64(3) {
		facts := randomFacts(t, seed, 150)
		results := map[storage.Engine][]byte{}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
				db := open()
				g := told(t, db, facts...)
				results[db.Engine()] = traceAll(t, g, facts)
			})
			if string(results[storage.SQLite]) != string(results[storage.Postgres]) {
				t.Errorf("the engines trace differently:\n%s", cmp.Diff(string(results[storage.SQLite]), string(results[storage.Postgres])))
			}
		})
	}
}

// traceAll traces every subject in every direction and returns what it found
// as JSON.
func traceAll(t *testing.T, g *graph.Graph, facts []stemma.Fact) []byte {
	t.Helper()
	above := map[[2]stemma.Ref]bool{}
	below := map[[2]stemma.Ref]bool{}
	var all []lineage.Lineage
	seen := map[stemma.Ref]bool{}
	for _, f := range facts {
		if seen[f.Subject] {
			continue
		}
		seen[f.Subject] = true
		for _, dir := range []lineage.Direction{lineage.Up, lineage.Down, lineage.Both} {
			l, err := lineage.Trace(context.Background(), g, f.Subject, dir, walk.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range l.Nodes {
				switch dir {
				case lineage.Up:
					above[[2]stemma.Ref{n.Ref, f.Subject}] = true
				case lineage.Down:
					below[[2]stemma.Ref{f.Subject, n.Ref}] = true
				}
				if n.Depth > 0 && !n.Reach.Valid() {
					t.Errorf("%s from %s: no grade of reach", n.Ref, f.Subject)
				}
				if n.Reach > l.Grade {
					t.Errorf("%s from %s: reached by %s, worse than the worst edge %s", n.Ref, f.Subject, n.Reach, l.Grade)
				}
			}
			all = append(all, l)
		}
	}
	for pair := range above {
		if seen[pair[0]] && !below[pair] {
			t.Errorf("%s is above %s, but that is not below it", pair[0], pair[1])
		}
	}
	for pair := range below {
		if seen[pair[1]] && !above[pair] {
			t.Errorf("%s is below %s, but that is not above it", pair[1], pair[0])
		}
	}
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTitleIsOneHarmlessLine(t *testing.T) {
	for _, s := range lineage.Specs() {
		attrs := graph.Attrs{}
		for _, c := range s.Columns {
			if c.Type == stemma.Text {
				attrs[c.Name] = "a\x1b[31m\r\n\u202eb" + strings.Repeat("x", 1000)
			}
		}
		for _, ref := range []stemma.Ref{stemma.NewRef(s.Kind, "a\x1b\n", "b\u202e"), stemma.NewRef(s.Kind, "k")} {
			for _, a := range []graph.Attrs{attrs, nil} {
				got := lineage.Title(ref, a)
				if got == "" || strings.ContainsAny(got, "\x1b\r\n\u202e") || len([]rune(got)) > 161 {
					t.Errorf("Title(%s) = %q", ref, got)
				}
			}
		}
	}
}

func TestTitlesTellThingsApart(t *testing.T) {
	for _, c := range []struct {
		ref   stemma.Ref
		attrs graph.Attrs
		want  string
	}{
		{commitA, nil, "9f2c000000"},
		{change, nil, "#142"},
		{stemma.NewRef(stemma.KindChange, "local", "pay@"+shaA), graph.Attrs{"title": "Push"}, "9f2c000000 Push"},
		{"run:github-actions/7", graph.Attrs{"system": "github-actions", "name": "ci", "number": int64(9), "conclusion": "success"}, "github-actions ci #9 (success)"},
		{"gap:sha256/00", graph.Attrs{"source": "git-ai-note", "reason": "not JSON", "place": "line 3"}, "git-ai-note: not JSON (line 3)"},
		{"person:00112233445566778899aabbccddeeff", nil, "person 0011223344"},
		{"review:x/1", graph.Attrs{"verdict": "approved"}, "approved"},
		{"review:x/1", nil, "1"},
	} {
		if got := lineage.Title(c.ref, c.attrs); got != c.want {
			t.Errorf("Title(%s) = %q, want %q", c.ref, got, c.want)
		}
	}
}
