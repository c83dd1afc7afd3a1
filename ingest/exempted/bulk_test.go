package exempted_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest/exempted"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// file writes one with a text.
func file(t *testing.T, name, text string) string {
	t.Helper()
	at := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(at, []byte(text), 0o644))
	return at
}

func TestARecordThatChangedIsStatedAgainAndOneThatDidNotIsNot(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := house(t, open())
		about := governance.AdvisoryRef("osv", "X-1")
		for i, step := range []struct{ modified, more, standing string }{
			{"02", "", "open"}, {"02", "", "open"}, {"03", `,"withdrawn":"2026-11-03T00:00:00Z"`, "withdrawn"}, {"04", "", "open"}, {"04", "", "open"},
		} {
			at := file(t, "x.json", `{"id":"X-1","modified":"2026-11-`+step.modified+`T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"pay"},"versions":["1.0"]}]`+step.more+`}`)
			fed, err := exempted.FeedOSV(t.Context(), s, now, "osv", at)
			must(t, err)
			if want := map[int]int{0: 1, 1: 0, 2: 1, 3: 1, 4: 0}[i]; fed.Read != 1 || fed.Added != want || fed.Fault() != nil {
				t.Errorf("at time %d: %+v, want %d added", i, fed, want)
			}
			if got := attrs(t, s, about).Text("standing"); got != step.standing {
				t.Errorf("at time %d it is %s, want %s", i, got, step.standing)
			}
		}
		n, err := s.Graph.Node(t.Context(), about)
		must(t, err)
		rows, err := s.Graph.List(t.Context(), n, "affects")
		must(t, err)
		if len(rows) != 1 || rows[0].Text("package") != "pkg:npm/pay" || rows[0].Text("version") != "1.0" {
			t.Errorf("%v", rows)
		}
	})
}

func TestWhatCannotBeReadIsToldAndTheRestIsStated(t *testing.T) {
	s := house(t, storagetest.SQLite(t))
	at := file(t, "x.json", `[{"id":"X-1"},{"id":"X-2","modified":"2026-11-02T00:00:00Z"},{"id":"X-3","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"pay"}}]}]`)
	fed, err := exempted.FeedOSV(t.Context(), s, now, "osv", at)
	must(t, err)
	if fed.Read != 1 || fed.Added != 1 || fed.Nothing != 1 || fed.Wrong != 1 || !strings.Contains(fed.Fault().Error(), `"X-1"`) {
		t.Errorf("%+v, %v", fed, fed.Fault())
	}
	if _, err := exempted.FeedOSV(t.Context(), s, now, "osv", at+".none"); err == nil {
		t.Error("a file that is not there is read")
	}
}

func TestWhatARegistryToldIsStatedOnceForEachTimeThatItWasAsked(t *testing.T) {
	s := house(t, storagetest.SQLite(t))
	text := `{"asked":"2026-11-01T00:00:00Z","registry":"npm","packages":[{"purl":"pkg:npm/%40acme/cart","first":"2020-01-01T00:00:00Z","downloads":70},{"purl":"pkg:npm/made-up","missing":true}]}`
	for i, want := range []int{2, 0, 2} {
		if i == 2 {
			text = strings.ReplaceAll(strings.Replace(text, "11-01", "11-02", 1), `"missing":true`, `"first":"2026-11-01T12:00:00Z"`)
		}
		fed, err := exempted.FeedPackages(t.Context(), s, now, file(t, "p.json", text))
		must(t, err)
		if fed.Read != 2 || fed.Added != want || fed.Fault() != nil {
			t.Errorf("at time %d: %+v, %v", i, fed, fed.Fault())
		}
		if got := attrs(t, s, artifact.PackageRef("npm", "made-up")).Bool("missing"); got != (i < 2) {
			t.Errorf("at time %d it is missing: %v", i, got)
		}
	}
	if a := attrs(t, s, artifact.PackageRef("npm", "@acme/cart")); a.Text("purl") != "pkg:npm/%40acme/cart" || a.Text("registry") != "npm" || a.Time("first").Year() != 2020 {
		t.Errorf("%v", a)
	}
}

func TestAFileAboutPackagesIsReadWholeOrNotAtAll(t *testing.T) {
	for text, want := range map[string]string{
		`{"packages":[]}`: "asked is missing", `{"asked":"2026-11-01T00:00:00Z","packages":[{"purl":"npm/x"}]}`: "no package URL",
		`{"asked":"2026-11-01T00:00:00Z","packages":[{"purl":"pkg:npm/x@1"}]}`:                                             "has a version",
		`{"asked":"2026-11-01T00:00:00Z","packages":[{"purl":"pkg:npm/x","downloads":-1}]}`:                                "less than nothing",
		`{"asked":"2026-11-01T00:00:00Z","packages":[{"purl":"pkg:npm/x","missing":true,"first":"2020-01-01T00:00:00Z"}]}`: "was published",
		`{"asked":"2026-11-01T00:00:00Z","pakages":[]}`:                                                                    "unknown field", `{"asked":"2026-11-01T00:00:00Z"}{}`: "more than one",
	} {
		if list, err := exempted.ParsePackages([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", text, list, err)
		}
	}
}

func FuzzAnyFileAboutPackagesIsReadOrRefused(f *testing.F) {
	f.Add([]byte(`{"asked":"2026-11-01T00:00:00Z","registry":"npm","packages":[{"purl":"pkg:npm/%40acme/cart","first":"2020-01-01T00:00:00Z","downloads":70}]}`))
	f.Add([]byte(`{"asked":"0001-01-01T00:00:01Z","packages":[{"purl":"pkg:pypi/\u0000","missing":true}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := exempted.ParsePackages(body)
		if err != nil {
			return
		}
		for _, p := range list {
			if _, err := p.Fact("test", stemma.GradeD); err != nil {
				t.Errorf("%+v was read and cannot be stated: %v", p, err)
			}
		}
	})
}
