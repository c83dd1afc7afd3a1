package exempted_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/exempted"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// later is a clock that stands after all that feeds tell here.
func later() time.Time { return noon.AddDate(0, 1, 0) }

func TestAWordFromTheFutureMakesNothingOld(t *testing.T) {
	s := house(t, storagetest.SQLite(t))
	for i, step := range []struct {
		asked string
		added int
	}{{"2026-11-02", 1}, {"2099-01-01", 1}, {"2026-11-03", 1}, {"2026-11-02", 0}} {
		fed, err := exempted.FeedPackages(t.Context(), s, later, file(t, "p.json", `{"asked":"`+step.asked+`T00:00:00Z","packages":[{"purl":"pkg:npm/pay"}]}`))
		must(t, err)
		if fed.Added != step.added {
			t.Errorf("step %d: %d were added, want %d", i, fed.Added, step.added)
		}
	}
}

func TestAnOlderCopyOfAFeedSaysNothingAndTheRightOneWinsBack(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := house(t, open())
		records := func(day string) []byte {
			severity := map[string]string{"01": "LOW", "02": "CRITICAL"}[day]
			return []byte(`{"id":"X-1","modified":"2026-11-` + day + `T00:00:00Z","published":"2026-10-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"pay"}}],"database_specific":{"severity":"` + severity + `"}}`)
		}
		told := func(day string) []byte {
			return []byte(`{"asked":"2026-11-` + day + `T00:00:00Z","packages":[{"purl":"pkg:npm/pay","missing":` + map[string]string{"01": "false", "02": "true"}[day] + `}]}`)
		}
		read := func(day string) (added int) {
			fed, err := exempted.FeedOSV(t.Context(), s, later, "osv", file(t, "x.json", string(records(day))))
			must(t, err)
			p, err := exempted.FeedPackages(t.Context(), s, later, file(t, "p.json", string(told(day))))
			must(t, err)
			return fed.Added + p.Added
		}
		for i, step := range []struct {
			day   string
			added int
		}{{"02", 2}, {"01", 0}, {"02", 0}} {
			if added := read(step.day); added != step.added {
				t.Errorf("step %d: %d were added, want %d", i, added, step.added)
			}
			if a, p := attrs(t, s, governance.AdvisoryRef("osv", "X-1")), attrs(t, s, artifact.PackageRef("npm", "pay")); a.Text("severity") != "critical" || !p.Bool("missing") {
				t.Errorf("step %d: %v, %v", i, a, p)
			}
		}
		// A log in which the older copy did win.
		state(t, s, exempted.Advisories, governance.Advisory{ID: governance.AdvisoryRef("osv", "X-1"), Severity: "low", Modified: stemma.At(noon.AddDate(0, -1, 0))})
		state(t, s, exempted.Registry, artifact.Package{ID: artifact.PackageRef("npm", "pay"), PURL: "pkg:npm/pay", Asked: stemma.At(noon.AddDate(0, -1, 0))})
		if added := read("02"); added != 2 {
			t.Errorf("then %d were added", added)
		}
		if a, p := attrs(t, s, governance.AdvisoryRef("osv", "X-1")), attrs(t, s, artifact.PackageRef("npm", "pay")); a.Text("severity") != "critical" || !p.Bool("missing") {
			t.Errorf("then it stands as %v, %v", a, p)
		}
		if added := read("02"); added != 0 {
			t.Errorf("read again, %d were added", added)
		}
	})
}

// state has a source state a record, whatever it said before.
func state(t *testing.T, s *ingest.Space, source string, r ingest.Record) {
	t.Helper()
	f, err := r.Fact(source, stemma.GradeD)
	must(t, err)
	_, err = s.Ledger.Append(t.Context(), f)
	must(t, err)
	_, err = s.Graph.Apply(t.Context(), s.Ledger)
	must(t, err)
}

func TestARecordThatIsTooLargeHoldsUpNoOther(t *testing.T) {
	s := house(t, storagetest.SQLite(t))
	b := exempted.NewBulk(t.Context(), s, now, exempted.Advisories)
	for _, version := range []string{"1.0", strings.Repeat("9", 17<<20), "2.0"} {
		must(t, b.Put(t.Context(), governance.Advisory{
			ID: governance.AdvisoryRef("osv", version[:3]), Modified: stemma.At(noon), Affects: []governance.Affected{{Package: "pkg:npm/pay", Event: "version", Version: version}},
		}))
	}
	must(t, b.Close(t.Context()))
	if b.Read != 2 || b.Added != 2 || b.Wrong != 1 || !strings.Contains(b.Fault().Error(), "advisory:osv/999") {
		t.Errorf("%+v, %.200v", b.Fed, b.Fault())
	}
}

func TestAFileThatCouldNotBeReadIsNotWrongAndHoldsUpNoOther(t *testing.T) {
	s, dir := house(t, storagetest.SQLite(t)), t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "b.json"), []byte(`{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"pay"}}]}`), 0o644))
	must(t, os.Symlink(filepath.Join(dir, "none"), filepath.Join(dir, "a.json")))
	fed, err := exempted.FeedOSV(t.Context(), s, now, "osv", dir)
	if !errors.Is(err, fs.ErrNotExist) || fed.Read != 1 || fed.Added != 1 || fed.Wrong != 0 {
		t.Errorf("%+v, %v", fed, err)
	}
	p, err := exempted.FeedPackages(t.Context(), s, now, filepath.Join(dir, "none"), file(t, "p.json", `{"asked":"2026-11-01T00:00:00Z","packages":[{"purl":"pkg:npm/pay"}]}`))
	if !errors.Is(err, fs.ErrNotExist) || p.Added != 1 || p.Wrong != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestAModelAdvisoryThatWasWithdrawnCanBeReopened(t *testing.T) {
	s := house(t, storagetest.SQLite(t))
	about := governance.AdvisoryRef("acme", "A-1")
	for i, step := range []struct {
		more, standing string
		n              int
	}{{"", "open", 1}, {`,"withdrawn":"2026-11-02T00:00:00Z"`, "withdrawn", 1}, {"", "open", 1}, {"", "open", 0}, {`,"modified":"2026-11-05T00:00:00Z","severity":"low"`, "open", 1}, {"", "open", 0}} {
		list, err := exempted.ParseFeed("acme", []byte(`[{"id":"A-1","model":"m-1*","title":"t","published":"2026-11-01T00:00:00Z"`+step.more+`}]`))
		must(t, err)
		n, err := exempted.Advise(t.Context(), s, later, list...)
		must(t, err)
		if got := attrs(t, s, about).Text("standing"); n != step.n || got != step.standing {
			t.Errorf("step %d: %d were stated, want %d, and it is %s, want %s", i, n, step.n, got, step.standing)
		}
	}
}

func TestAFileOfAdvisoriesIsAboutModelsOrPackages(t *testing.T) {
	s, dir := house(t, storagetest.SQLite(t)), t.TempDir()
	record := `{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"pay"}}]}`
	must(t, os.WriteFile(filepath.Join(dir, "x.json"), []byte(record), 0o644))
	for name, about := range map[string]stemma.Ref{
		dir: governance.AdvisoryRef("osv", "X-1"),
		file(t, "a.json", "["+strings.ReplaceAll(record, "X-1", "X-2")+"]"):                               governance.AdvisoryRef("osv", "X-2"),
		file(t, "m.json", `[{"id":"A-1","model":"m-1*","title":"t","published":"2026-11-01T00:00:00Z"}]`): governance.AdvisoryRef("local", "A-1"),
	} {
		fed, err := exempted.FeedAdvisories(t.Context(), s, now, name)
		must(t, err)
		if fed.Read != 1 || fed.Added != 1 || fed.Wrong != 0 || attrs(t, s, about).Text("standing") != "open" {
			t.Errorf("%s: %+v, %v", name, fed, fed.Fault())
		}
	}
	fed, err := exempted.FeedAdvisories(t.Context(), s, now, file(t, "n.json", `[{"model":"m-1*"}]`))
	if err != nil || fed.Added != 0 || fed.Wrong != 1 {
		t.Errorf("%+v, %v", fed, err)
	}
	for _, text := range []string{"", "[]", "[1]", "{", `{"model":"m"}`} {
		if fed, err := exempted.FeedAdvisories(t.Context(), s, now, file(t, "n.json", text)); err != nil || fed.Added != 0 {
			t.Errorf("%s: %+v, %v", text, fed, err)
		}
	}
}
