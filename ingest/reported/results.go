package reported

import (
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/ingest/ci"
	"github.com/stemma-dev/stemma/pipeline"
)

// name spells the system and the id of a result: by its run, the try of its job, the
// file it was read from and its own words; the number tells apart what has the same.
// Outside of a pipeline the envelope itself is the run.
func (t *taker) name(words string, seen map[string]int) (system, id string) {
	p := t.e.Run
	system, id = "local", t.e.Key
	if t.run != "" {
		system, id = t.run.Split()
		id += "/" + strings.Join([]string{p.Job, p.Try}, ":")
	}
	id += "/" + stemma.CleanText(t.e.File, 300) + "/" + words
	if seen[id]++; seen[id] > 1 {
		id += "~" + strconv.Itoa(seen[id])
	}
	return system, id
}

// of is what results are about: the run, and what it ran on.
func (t *taker) of() (list []stemma.Ref) {
	for _, ref := range []stemma.Ref{t.run, t.commit} {
		if ref != "" {
			list = append(list, ref)
		}
	}
	return list
}

func (t *taker) tests() error {
	seen := map[string]int{}
	for i, r := range t.e.Tests {
		r.ID = pipeline.TestRef(t.name(r.Suite, seen))
		r.Run, r.Job, r.Method, r.Of, r.Occurred = t.run, t.e.Run.Job, t.e.Method, t.of(), t.e.At
		if i == 0 {
			var err error
			if r.Bodies, err = t.body(r.ID); err != nil {
				return err
			}
		}
		if err := t.put(r, t.grade()); err != nil {
			return err
		}
		t.about(r.ID)
	}
	return nil
}

func (t *taker) scans() error {
	seen := map[string]int{}
	for i, r := range t.e.Scans {
		r.ID = pipeline.ScanRef(t.name(r.Tool, seen))
		r.Run, r.Job, r.Method, r.Of, r.Occurred = t.run, t.e.Run.Job, t.e.Method, t.of(), t.e.At
		if i == 0 {
			var err error
			if r.Bodies, err = t.body(r.ID); err != nil {
				return err
			}
		}
		if err := t.put(r, t.grade()); err != nil {
			return err
		}
		t.about(r.ID)
	}
	return nil
}

// artifacts states things that were built, with the other digests of each. Built says
// that they were built in the run; else they were only seen.
func (t *taker) artifacts(list []Artifact, built bool) error {
	for _, a := range list {
		r := a.Artifact
		r.Same, r.BuiltBy, r.From, r.Occurred = nil, nil, nil, t.e.At
		if err := digests(append([]string{r.Digest}, a.Same...)); err != nil {
			return err
		}
		for _, d := range a.Same {
			if ref := artifact.Ref(d); ref != r.Ref() {
				r.Same = stemma.AddEdge(r.Same, t.same(ref, a.Method))
			}
		}
		if built && t.run != "" {
			r.BuiltBy = []stemma.Edge{edge(t.run, ci.Method)}
		}
		if built && t.commit != "" {
			r.From = []stemma.Edge{edge(t.commit, t.e.Method)}
		}
		if !built { // it may be seen a thousand times
			if err := t.latest(r, t.grade(), 0); err != nil {
				return err
			}
			continue
		}
		if err := t.put(r, t.grade()); err != nil {
			return err
		}
		t.about(r.Ref())
	}
	return nil
}

// same leads to another digest of the same thing: one that somebody declares, or one
// that the program saw beside the first.
func (t *taker) same(ref stemma.Ref, method string) stemma.Edge {
	if method == MethodDeclared {
		return edge(ref, method)
	}
	return stemma.Edge{To: ref, Method: stemma.CleanText(method, 100)}
}

// bom states a bill of materials: of what it is declared to be, or else of what it says
// itself, or else of what the run ran on.
func (t *taker) bom() error {
	b := *t.e.Bom
	b.ID = artifact.BomRef(stemma.Sum([]byte(t.e.Key)))
	if t.e.Report != nil {
		b.ID = artifact.BomRef(stemma.Sum(t.e.Report.Body))
	}
	b.Of, b.BuiltBy, b.Occurred = nil, nil, t.e.At
	for _, d := range t.e.Of {
		b.Of = stemma.AddEdge(b.Of, edge(artifact.Ref(d), MethodDeclared))
	}
	if len(b.Of) == 0 {
		for _, d := range t.e.Subjects {
			b.Of = stemma.AddEdge(b.Of, edge(artifact.Ref(d), methodSubject))
		}
	}
	if len(b.Of) == 0 && t.commit != "" {
		b.Of = []stemma.Edge{edge(t.commit, t.e.Method)}
	}
	if t.run != "" {
		b.BuiltBy = []stemma.Edge{edge(t.run, ci.Method)}
	}
	var err error
	if b.Bodies, err = t.body(b.ID); err != nil {
		return err
	}
	t.about(b.ID)
	return t.put(b, t.grade())
}
