package gather_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/story"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

// TestTheStory tells the story of docs/story.md on each engine, and looks at what is
// gathered of its changes.
func TestTheStory(t *testing.T) {
	program := filepath.Join(t.TempDir(), "stemma")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/stemma-dev/stemma/cmd/stemma").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	engines := map[string]func(testing.TB) string{"sqlite": storagetest.SQLiteDSN, "postgres": storagetest.PostgresDSN}
	if testing.Short() {
		delete(engines, "postgres")
	}
	var first map[string]*subject.Subject
	for name, dsn := range engines {
		t.Run(name, func(t *testing.T) {
			db := told(t, program, dsn(t))
			all := everything(t, db)
			t.Run("what is gathered is what happened", func(t *testing.T) { happened(t, all) })
			t.Run("together or one by one is the same", func(t *testing.T) { alike(t, db, all) })
			t.Run("spans add up to the lines of the change", func(t *testing.T) { addUp(t, all) })
			if first == nil {
				first = all
			}
			if d := cmp.Diff(slices.Sorted(maps.Keys(first)), slices.Sorted(maps.Keys(all))); d != "" {
				t.Error(d)
			}
		})
	}
}

// told tells the story into a space, which it opens.
func told(t *testing.T, program, dsn string) *storage.DB {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", filepath.Join(dir, "home"))
	setting := story.Setting{Stemma: program, Dir: filepath.Join(dir, "work")}
	for name, value := range map[string]string{
		"STEMMA_DATA": filepath.Join(dir, "space"), "STEMMA_DB": dsn, "STEMMA_URL": "", "STEMMA_BODIES": "", "STEMMA_LOG_ORIGIN": "story.example/stemma",
	} {
		t.Setenv(name, value)
		setting.Env = append(setting.Env, name+"="+value)
	}
	if _, err := story.Tell(t.Context(), setting); err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func options() gather.Options {
	return gather.Options{
		Settings: func(string) subject.Settings {
			s := subject.Usual()
			s.Tags = map[string][]string{"payments": {"src/payments/**"}}
			return s
		},
		Now: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Log: subject.Log{Signed: true},
	}
}

func gathered(t testing.TB, db *storage.DB, refs ...stemma.Ref) []*subject.Subject {
	t.Helper()
	var list []*subject.Subject
	err := db.Read(t.Context(), func(tx *storage.Tx) (err error) {
		list, err = gather.Changes(t.Context(), tx, refs, options())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// everything are the subjects of all changes by the ends of their refs.
func everything(t *testing.T, db *storage.DB) map[string]*subject.Subject {
	t.Helper()
	var refs []stemma.Ref
	err := db.Each(t.Context(), func(scan func(...any) error) error {
		var ref stemma.Ref
		err := scan((*string)(&ref))
		refs = append(refs, ref)
		return err
	}, `SELECT n.ref FROM k_change c JOIN node n ON n.id = c.id ORDER BY n.ref`)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*subject.Subject{}
	for _, s := range gathered(t, db, refs...) {
		all[strings.TrimPrefix(s.Change.Ref, "change:"+story.Repository)] = s
	}
	return all
}

// happened asks of the story what is told in docs/story.md.
func happened(t *testing.T, all map[string]*subject.Subject) {
	counts := func(s *subject.Subject) (list []string) {
		for _, r := range s.Reviews {
			list = append(list, fmt.Sprint(r.Verdict, " on-head:", r.OnHead, " by-maker:", r.ByMaker, " counts:", r.Counts))
		}
		return list
	}
	broke, cached := all["#2"], all["#5"]
	var pushed *subject.Subject
	for name, s := range all {
		if s.Change.Title == "Raise the limit of a charge" {
			pushed = all[name]
		}
	}
	for name, pair := range map[string][2]any{
		"reviews of #2": {counts(broke), []string{
			"rejected on-head:false by-maker:false counts:false", "approved on-head:false by-maker:false counts:false", "approved on-head:true by-maker:false counts:true",
		}},
		"reviews of #5":              {counts(cached), []string{"approved on-head:true by-maker:true counts:false"}},
		"sessions of #2":             {line(broke.Sessions[2].Root, broke.Sessions[2].Principal, broke.Sessions[2].Bodies, len(broke.Sessions)), "session:claude-code/" + story.Planner + " true true 4"},
		"lines of #2":                {[]int{broke.Change.AILines, broke.Change.HumanLines, broke.Change.UnknownLines, broke.Change.Attempts}, []int{70, 3, 2, 4}},
		"tickets of #2":              {[]string{broke.Tickets[0].Ref, broke.Tickets[1].Ref, broke.Requirements[0].Ref}, []string{"ticket:jira/PAY-17", "ticket:jira/PAY-18", "requirement:jira/PAY-1"}},
		"scan of #2":                 {broke.Scans[0].Tool + broke.Scans[0].Before[0].Tool, "CodeQLCodeQL"},
		"incident of #2":             {[]any{broke.Incidents[0].Ref, broke.Incidents[0].CausedHere, broke.Incidents[0].Deployed, broke.Incidents[0].Traced.IsZero()}, []any{story.Incident, true, true, false}},
		"deployments of #2":          {[]any{broke.Deployments[0].Version, broke.Deployments[0].Orphans, broke.Deployments[0].Direct, broke.Deployments[0].Production, broke.Deployments[0].First, broke.Deployments[1].Version}, []any{"v1.1.0", 0, 0, true, false, "v1.1.1"}},
		"what came with #5":          {[]int{cached.Deployments[0].Orphans, cached.Deployments[0].Direct}, []int{0, 1}},
		"the push":                   {[]any{pushed.Change.Direct, len(pushed.Reviews), pushed.Deployments[0].Version}, []any{true, 0, "v1.2.0"}},
		"the incident that #3 mends": {all["#3"].Incidents[0].Ref, story.Incident},
		"the one that #4 mends":      {all["#4"].Change.FixAuthor + all["#4"].Change.OriginAuthor, "aihuman"},
		"it mends no incident":       {len(all["#4"].Incidents), 0},
		"where it went":              {[]bool{broke.Repository.Forge, broke.Repository.Scanned, broke.Repository.Captured, broke.Commits[0].UsesCapture}, []bool{true, true, true, true}},
	} {
		if d := cmp.Diff(pair[1], pair[0]); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// alike asks for 500 changes in one call, in an order by chance and some of them often,
// and for each by itself.
func alike(t *testing.T, db *storage.DB, all map[string]*subject.Subject) {
	var refs []stemma.Ref
	for _, s := range all {
		refs = append(refs, stemma.Ref(s.Change.Ref))
	}
	slices.Sort(refs)
	rng, asked := rand.New(rand.NewPCG(1, 2)), make([]stemma.Ref, 500)
	for i := range asked {
		asked[i] = refs[rng.IntN(len(refs))]
	}
	alone := map[stemma.Ref]*subject.Subject{}
	for _, ref := range refs {
		alone[ref] = gathered(t, db, ref)[0]
	}
	for i, s := range gathered(t, db, asked...) {
		if d := cmp.Diff(alone[asked[i]], s); d != "" {
			t.Fatalf("%s among others (-alone +together):\n%s", asked[i], d)
		}
	}
}

func addUp(t *testing.T, all map[string]*subject.Subject) {
	for name, s := range all {
		sum := map[string]int{}
		for _, x := range s.Spans {
			sum[x.Origin] += x.Lines
		}
		want := map[string]int{"ai": s.Change.AILines, "human": s.Change.HumanLines, "unknown": s.Change.UnknownLines}
		for origin, n := range want {
			if sum[origin] != n {
				t.Errorf("%s: %d lines of %s in spans, and %d in the change", name, sum[origin], origin, n)
			}
		}
		if len(s.Gaps) > 0 {
			t.Errorf("%s: %v", name, s.Gaps)
		}
	}
}
