package gather_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var began = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func at(minute int) stemma.Moment {
	return stemma.At(began.Add(time.Duration(minute) * time.Minute))
}

func now() time.Time { return began.AddDate(0, 0, 10) }

func ptr[T any](x T) *T { return &x }

func edge(to stemma.Ref) []stemma.Edge { return []stemma.Edge{{To: to, Method: "test"}} }

// A place is a repository with one change, where a case happens apart from all others.
type place struct {
	n       int
	records []ingest.Record
	bodies  []stemma.Ref // sessions of which a transcript is kept
	erase   []stemma.Ref
	gaps    []stemma.Gap
}

func (p *place) repository() stemma.Ref {
	return change.RepositoryRef("github.com", fmt.Sprintf("acme/r%d", p.n))
}

func (p *place) change() stemma.Ref      { return change.NumberedRef(p.repository(), 1) }
func (p *place) sha(k int) string        { return fmt.Sprintf("%08x%032x", p.n, k) }
func (p *place) commit(k int) stemma.Ref { return change.CommitRef("sha1", p.sha(k)) }
func (p *place) name(k string) string    { return fmt.Sprintf("%s-%d", k, p.n) }
func (p *place) session(k string) stemma.Ref {
	return stemma.NewRef("session", "claude-code", p.name(k))
}

func (p *place) person(k string) stemma.Ref {
	return identity.PersonRef(stemma.Sum([]byte(p.name(k))).String()[:32])
}
func (p *place) run(k string) stemma.Ref { return pipeline.RunRef("github-actions", p.name(k)) }
func (p *place) image(k string) (string, stemma.Ref) {
	digest := "sha256:" + stemma.Sum([]byte(p.name(k))).String()
	return digest, artifact.Ref(digest)
}
func (p *place) environment() string { return p.name("prod") }
func (p *place) deployment(k string) stemma.Ref {
	return deployment.Ref(p.environment(), k)
}

func (p *place) incident(k string) stemma.Ref { return stemma.NewRef("incident", "pager", p.name(k)) }

func (p *place) tell(records ...ingest.Record) { p.records = append(p.records, records...) }

// merged is a change of one commit, 2, on another one, 1, which showed 3 for review.
func (p *place) merged(edit ...func(*change.Change)) {
	c := change.Change{
		Repository: p.repository(), Number: 1, State: "merged", Method: "squash", Target: "main", Opened: at(10), Merged: at(60), Head: p.commit(3),
		Heads: edge(p.commit(3)), MergeCommit: p.commit(2), Commits: []stemma.Ref{p.commit(2)}, Author: p.person("ada"),
	}
	for _, e := range edit {
		e(&c)
	}
	p.tell(c)
}

func (p *place) landed(edit ...func(*change.Commit)) {
	c := change.Commit{SHA: p.sha(2), Repository: p.repository(), FirstParent: p.commit(1), Parents: []stemma.Ref{p.commit(1)}, Committed: at(60), Author: p.person("ada")}
	for _, e := range edit {
		e(&c)
	}
	p.tell(c)
}

func (p *place) ran(k string, on int, edit ...func(*pipeline.Run)) {
	r := pipeline.Run{ID: p.run(k), Name: "ci", System: "github-actions", Attempt: 1, Commit: p.commit(on), Conclusion: "success", Started: at(30)}
	for _, e := range edit {
		e(&r)
	}
	p.tell(r)
}

func (p *place) deployed(k string, minute int, edit ...func(*deployment.Deployment)) {
	d := deployment.Deployment{
		ID: p.deployment(k), Environment: deployment.EnvironmentRef(p.environment()), Service: "pay", Status: "success", At: at(minute), Version: k,
		Brings: edge(p.change()),
	}
	for _, e := range edit {
		e(&d)
	}
	p.tell(d)
}

// A member is something that controls rest on: how it is told, and what is then seen.
// Untold, nothing of it is seen: all other changes have none of it.
type member struct {
	name string
	tell func(p *place)
	see  func(s *subject.Subject) any
	want func(p *place) any
}

// line puts words apart by single blanks.
func line(words ...any) string { return strings.Join(strings.Fields(fmt.Sprintln(words...)), " ") }

func is(x any) func(*place) any { return func(*place) any { return x } }

func refs[T any](list []T, of func(T) string) []string {
	out := []string{}
	for _, x := range list {
		out = append(out, of(x))
	}
	return out
}

// tellAll tells all cases into one space, in which they must not meet.
func tellAll(t *testing.T, db *storage.DB, places []*place) *ingest.Space {
	t.Helper()
	s := ingesttest.Must(t, db, now)
	w := ingest.NewWriter(t.Context(), s, now)
	for _, p := range places {
		for _, r := range p.records {
			if err := w.Record(t.Context(), r, "test", stemma.GradeB); err != nil {
				t.Fatal(err)
			}
		}
		w.Within(p.repository())
		for _, g := range p.gaps {
			if err := w.Gap(t.Context(), g); err != nil {
				t.Fatal(err)
			}
		}
		for _, owner := range p.bodies {
			if _, err := w.Body(t.Context(), owner, "transcript", "application/jsonl", []byte(owner)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range places {
		for _, ref := range p.erase {
			if _, err := s.Erase(t.Context(), now, ingest.Erasure{What: ref, Name: "Dan", Mail: "dan@acme.example", Ground: "asked to"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if skips, err := s.Graph.Skips(t.Context(), 10); err != nil || len(skips) > 0 {
		t.Fatalf("the graph skipped %v, %v", skips, err)
	}
	return s
}

func TestEveryMemberIsFilledWhereItIsKnownAndOnlyThere(t *testing.T) {
	all := members()
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		bare := &place{n: len(all)}
		bare.tell(change.Change{Repository: bare.repository(), Number: 1})
		places, asked := []*place{bare}, []stemma.Ref{bare.change()}
		for i, m := range all {
			p := &place{n: i}
			m.tell(p)
			places, asked = append(places, p), append(asked, p.change())
		}
		tellAll(t, db, places)
		list := gathered(t, db, asked...)
		for i, m := range all {
			t.Run(m.name, func(t *testing.T) {
				p, s := places[i+1], list[i+1]
				if s.Change.Ref != string(p.change()) {
					t.Fatalf("it is about %s", s.Change.Ref)
				}
				if d := cmp.Diff(m.want(p), m.see(s)); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
				if d := cmp.Diff(m.want(bare), m.see(list[0])); d == "" {
					t.Errorf("where nothing is told of it: %v", m.want(bare))
				}
			})
		}
		t.Run("a change of which nothing is told", func(t *testing.T) {
			want := &subject.Subject{
				Change:     subject.Change{Thing: subject.Thing{Ref: string(bare.change()), Grade: "B"}, Number: 1},
				Repository: subject.Repository{Thing: subject.Thing{Ref: string(bare.repository())}, Host: "github.com", Name: fmt.Sprintf("acme/r%d", bare.n)},
				Settings:   options().Settings(""), Now: options().Now, Log: options().Log,
			}
			if d := cmp.Diff(want, list[0]); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
		t.Run("no member is forgotten", func(t *testing.T) {
			known := map[string]bool{}
			for _, s := range list {
				filled(reflect.ValueOf(*s), "", known)
			}
			for path := range elsewhere {
				known[path] = true
			}
			missing(t, reflect.TypeFor[subject.Subject](), "", known)
		})
		t.Run("one by one is the same", func(t *testing.T) {
			for i, ref := range asked {
				if d := cmp.Diff(list[i], gathered(t, db, ref)[0]); d != "" {
					t.Errorf("%s: %s", ref, d)
				}
			}
		})
	})
}

func members() []member {
	return slices.Concat(changeMembers(), commitMembers(), sessionMembers(), reviewMembers(), pipelineMembers(), productionMembers(), packageMembers(), intentMembers())
}

// elsewhere are members that are not filled from the graph, or that nothing in it tells.
var elsewhere = map[string]bool{
	".exceptions": true, ".advisories": true, ".log": true, ".settings": true, ".risk": true,
	".artifacts.attestations.verified": true, ".artifacts.attestations.trusted": true, ".artifacts.attestations.signer": true, // see the test of who signed
	".artifacts.attestations.speaks": true, ".artifacts.attestations.level": true, ".artifacts.attested": true, // it takes those
	".change.more_files":   true, // see the test of bounds
	".change.more_commits": true, ".change.more_built": true,

	// These follow from settings, or from names.
	".files.test": true, ".files.manifest": true, ".files.protected": true, ".files.forbidden": true, ".sessions.models.allowed": true, ".sessions.tools.allowed": true,
	".packages.listed": true, ".packages.vetted": true, ".sessions.service": true,
	".artifacts.boms.more": true, // see the test of bills of more
	".runs.required":       true, ".scans.secrets": true, ".deployments.by_maker": true,
}

// filled notes the members of a value that are not empty.
func filled(v reflect.Value, path string, known map[string]bool) {
	switch {
	case v.IsZero():
	case v.Kind() == reflect.Slice:
		known[path] = true
		for i := range v.Len() {
			filled(v.Index(i), path, known)
		}
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		known[path] = true
		for i := range v.NumField() {
			filled(v.Field(i), path+called(v.Type().Field(i)), known)
		}
	default:
		known[path] = true
	}
}

// missing are the members of a type that no value filled.
func missing(t *testing.T, of reflect.Type, path string, known map[string]bool) {
	switch {
	case elsewhere[path] || strings.Contains(path, ".before."): // as what they are before
	case of.Kind() == reflect.Slice:
		missing(t, of.Elem(), path, known)
	case of.Kind() == reflect.Struct && of != reflect.TypeFor[time.Time]():
		for i := range of.NumField() {
			missing(t, of.Field(i).Type, path+called(of.Field(i)), known)
		}
	case strings.HasSuffix(path, ".bot") && known[".commits.author.bot"]: // all people are read in one way
	case !known[path]:
		t.Errorf("no case fills %s", path)
	}
}

// called is how a field is called in a rule.
func called(f reflect.StructField) string {
	if f.Anonymous {
		return ""
	}
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return "." + name
}
