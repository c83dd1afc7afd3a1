package lineage_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/lineage"
)

func TestEveryDoorLeadsSomewhere(t *testing.T) {
	specs := lineage.Specs()
	flows := map[string]stemma.Flow{}
	for _, s := range specs {
		if s.Doc == "" {
			t.Errorf("kind %s has no documentation", s.Kind)
		}
		if s.Stage != "" && !slices.Contains(stemma.Stages, s.Stage) {
			t.Errorf("kind %s stands at the unknown stage %q", s.Kind, s.Stage)
		}
		for _, d := range s.Doors {
			if len(d.To) == 0 {
				t.Errorf("door %s of %s leads nowhere", d.Name, s.Kind)
			}
			for _, to := range d.To {
				if _, ok := lineage.Spec(to); !ok {
					t.Errorf("door %s of %s leads to %q, which no room keeps", d.Name, s.Kind, to)
				}
			}
			if flow, ok := flows[d.Name]; ok && flow != d.Flow {
				t.Errorf("door %s of %s has another flow than elsewhere", d.Name, s.Kind)
			}
			flows[d.Name] = d.Flow
		}
	}
	if _, err := shape.NewChecker(specs); err != nil {
		t.Errorf("no graph can be made of the rooms: %v", err)
	}
}

func TestEveryStageHasAKind(t *testing.T) {
	for _, stage := range stemma.Stages {
		if !slices.ContainsFunc(lineage.Specs(), func(s stemma.KindSpec) bool { return s.Stage == stage }) {
			t.Errorf("nothing stands at the stage %s", stage)
		}
	}
}

func TestUndeclaredIsRefused(t *testing.T) {
	sound := stemma.Fact{
		Subject: "commit:sha1/9f2c", Kind: stemma.KindCommit, Source: "git", Grade: stemma.GradeC,
		Attrs: json.RawMessage(`{"sha":"9f2c","file":[{"path":"a"}]}`),
		Edges: []stemma.Edge{{Door: "implements", To: "ticket:jira/PAY-1"}},
	}
	if err := lineage.Check(sound); err != nil {
		t.Errorf("Check refused a sound fact: %v", err)
	}
	for name, spoil := range map[string]func(*stemma.Fact){
		"kind":      func(f *stemma.Fact) { f.Subject, f.Kind = "dream:x", "dream" },
		"attribute": func(f *stemma.Fact) { f.Attrs = json.RawMessage(`{"colour":"red"}`) },
		"type":      func(f *stemma.Fact) { f.Attrs = json.RawMessage(`{"sha":7}`) },
		"list":      func(f *stemma.Fact) { f.Attrs = json.RawMessage(`{"file":[{"colour":"red"}]}`) },
		"door":      func(f *stemma.Fact) { f.Edges[0].Door = "eats" },
		"target":    func(f *stemma.Fact) { f.Edges[0].To = "person:ab" },
	} {
		f := sound
		f.Edges = slices.Clone(sound.Edges)
		spoil(&f)
		var invalid *stemma.InvalidError
		if err := lineage.Check(f); !errors.As(err, &invalid) || invalid.Ref != f.Subject {
			t.Errorf("%s: err = %v, want an *InvalidError about %s", name, err, f.Subject)
		}
	}
}
