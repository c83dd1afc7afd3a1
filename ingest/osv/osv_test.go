package osv_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest/osv"
)

const lodash = `{"schema_version":"1.6.0","id":"GHSA-1","modified":"2026-11-02T00:00:00Z","published":"2026-11-01T00:00:00Z","aliases":["CVE-2026-1"],
 "summary":"Prototype pollution\u0000","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}],"database_specific":{"severity":"HIGH"},
 "references":[{"type":"WEB","url":"https://a.example"},{"type":"ADVISORY","url":"https://b.example"},{"type":"ADVISORY","url":"javascript:alert(1)"}],
 "affected":[{"package":{"ecosystem":"npm","name":"@acme/cart"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.21"}]},
  {"type":"GIT","repo":"https://a.example","events":[{"introduced":"0"}]}],"versions":["1.0.0"]}]}`

// parsed are the advisories of a text, and what is wrong in it.
func parsed(body string) (list []governance.Advisory, faults []error, err error) {
	err = osv.Parse("osv", []byte(body), func(a governance.Advisory, err error) error {
		if err != nil {
			faults = append(faults, err)
		} else {
			list = append(list, a)
		}
		return nil
	})
	return list, faults, err
}

func day(d int) stemma.Moment { return stemma.At(time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC)) }

func TestARecordIsReadAsItSays(t *testing.T) {
	list, faults, err := parsed(lodash)
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	want := []governance.Advisory{{
		ID: "advisory:osv/GHSA-1", Title: "Prototype pollution", Severity: "high", URL: "https://b.example", Published: day(1), Modified: day(2), Standing: "open",
		Affects: []governance.Affected{
			{Package: "pkg:npm/%40acme/cart", Ecosystem: "npm", Range: 1, Event: "introduced", Version: "0"},
			{Package: "pkg:npm/%40acme/cart", Ecosystem: "npm", Range: 1, Event: "fixed", Version: "4.17.21"},
			{Package: "pkg:npm/%40acme/cart", Ecosystem: "npm", Event: "version", Version: "1.0.0"},
		},
	}}
	if d := cmp.Diff(want, list); d != "" {
		t.Error(d)
	}
}

// minimal is a record with what a case adds.
func minimal(more string) string {
	return `{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"pay"},"versions":["1"]}]` + more + `}`
}

func TestSeverityIsTheDatabasesWordOrThatOfTheWorstVector(t *testing.T) {
	for more, want := range map[string]string{
		``: "", `,"database_specific":{"severity":"MODERATE"}`: "medium",
		`,"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`:                    "critical",
		`,"severity":[{"type":"CVSS_V3","score":"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}]`:                    "medium",
		`,"severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}]`: "critical",
		`,"severity":[{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}]`:                                      "high",
		`,"severity":[{"type":"Ubuntu","score":"high"}],"database_specific":{"severity":7}`:                          "high",
		`,"severity":[{"type":"Ubuntu","score":"high"},{"score":"AV:N/AC:L/Au:N/C:P/I:N/A:N"}]`:                      "high",
		`,"severity":[{"type":"CVSS_V5","score":"CVSS:5.0/WORST:1"},{"score":"AV:N/AC:L/Au:N/C:P/I:N/A:N"}]`:         "", // it may be worse
		`,"severity":[{"type":"CVSS_V5","score":"CVSS:5.0/WORST:1"},{"score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}]`:         "high",
		`,"database_specific":{"severity":"Important"}`:                                                              "high",
		`,"severity":[{"score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}],"database_specific":{"severity":"low"}`:                "low",
	} {
		if list, faults, err := parsed(minimal(more)); err != nil || len(list) != 1 || list[0].Severity != want {
			t.Errorf("%s: %v %v %v, want %s", more, list, faults, err, want)
		}
	}
}

func TestWhatIsWithdrawnOrMaliciousSaysSo(t *testing.T) {
	list, _, _ := parsed(strings.Replace(minimal(`,"withdrawn":"2026-11-03T00:00:00Z"`), "X-1", "MAL-2026-1", 1))
	if len(list) != 1 || list[0].Standing != "withdrawn" || list[0].Withdrawn != day(3) || !list[0].Malicious || list[0].Title != "MAL-2026-1" || list[0].Published != day(2) {
		t.Errorf("%+v", list)
	}
	if list, _, _ := parsed(minimal(`,"aliases":["MAL-2026-1"]`)); len(list) != 1 || !list[0].Malicious {
		t.Errorf("another name of what is malicious: %+v", list)
	}
}

func TestWhatCannotBeLookedUpIsARowOfItsOwn(t *testing.T) {
	for text, want := range map[string]governance.Affected{
		`{"package":{"ecosystem":"npm","name":"pay"}}`:                                                                                      {Package: "pkg:npm/pay", Ecosystem: "npm", Event: "unknown"},
		`{"package":{"ecosystem":"npm","name":"pay"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}`:                              {Package: "pkg:npm/pay", Ecosystem: "npm", Event: "unknown"},
		`{"package":{"ecosystem":"npm","name":"pay"},"ranges":[{"type":"semver","events":[{"introduced":"0"}]}]}`:                           {Package: "pkg:npm/pay", Ecosystem: "npm", Event: "unknown"},
		`{"package":{"ecosystem":"npm","name":"pay"},"ranges":[{"type":"SEMVER","events":[]}]}`:                                             {Package: "pkg:npm/pay", Ecosystem: "npm", Event: "unknown"},
		`{"package":{"ecosystem":"Moon","name":"x","purl":"pkg:moon/x@9"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}`:   {Package: "pkg:moon/x", Ecosystem: "Moon", Range: 1, Event: "introduced", Version: "0"},
		`{"package":{"ecosystem":"Moon","name":"x","purl":"pkg:moon/x"},"ranges":[{"type":"SEMVER","events":[{"last_affected":"1.0.0"}]}]}`: {Package: "pkg:moon/x", Ecosystem: "SEMVER", Range: 1, Event: "last-affected", Version: "1.0.0"},
	} {
		list, faults, err := parsed(`{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[` + text + `]}`)
		if err != nil || len(list) != 1 || len(list[0].Affects) != 1 || list[0].Affects[0] != want {
			t.Errorf("%s: %+v %v %v", text, list, faults, err)
		}
	}
}

func TestARangeThatCannotBeReadIsNotPassedOverForTheVersionsBesideIt(t *testing.T) {
	for _, more := range []string{
		`{"type":"semver","events":[{"introduced":"0"}]}`, `{"events":[{"introduced":"0"}]}`, `{"type":"SEMVER"}`,
		`{"type":"ECOSYSTEM","events":[{"introducedIn":"0"}]}`,
	} {
		list, faults, err := parsed(`{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"pay"},"versions":["1.0.0"],"ranges":[` + more + `]}]}`)
		if err != nil || len(list) != 1 || !slices.ContainsFunc(list[0].Affects, func(a governance.Affected) bool { return a.Event == "unknown" }) {
			t.Errorf("%s: %+v %v %v", more, list, faults, err)
		}
	}
}

func TestARangeOfCommitsTakesNothingFromWhatVersionsAreTold(t *testing.T) {
	list, faults, err := parsed(`{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"Go","name":"pay"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]},{"type":"SEMVER","events":[{"introduced":"1.0.0"}]}]}]}`)
	if err != nil || len(list) != 1 || len(list[0].Affects) != 1 || list[0].Affects[0].Event != "introduced" {
		t.Errorf("%+v %v %v", list, faults, err)
	}
}

func TestARecordIsAboutAPackageUnderEachNameThatItGives(t *testing.T) {
	list, faults, err := parsed(`{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"pay","purl":"pkg:npm/%40acme/pay"},"versions":["1.0.0"]}]}`)
	if err != nil || len(list) != 1 {
		t.Fatal(list, faults, err)
	}
	for _, name := range []string{"pkg:npm/pay", "pkg:npm/%40acme/pay"} {
		if !slices.ContainsFunc(list[0].Affects, func(a governance.Affected) bool { return a.Package == name && a.Version == "1.0.0" }) {
			t.Errorf("it is not about %s: %+v", name, list[0].Affects)
		}
	}
}

func TestARecordThatCannotBeReadIsToldAndSpoilsNoOther(t *testing.T) {
	many := `"` + strings.Repeat(`1","`, 20_001) + `2"`
	for text, want := range map[string]string{
		`{"id":"","modified":"2026-11-02T00:00:00Z"}`: "id is missing",
		`{"id":"X-1"}`: "modified is missing",
		`{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"Moon","name":"cheese"},"versions":["1"]}]}`:                          "names no package",
		`{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":[` + many + `]}]}`:                       "more than 20000",
		`{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":[""]}]}`:                                 "a version of it is none",
		`{"id":"X-1","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["` + strings.Repeat("1", 201) + `"]}]}`: "a version of it is none",
	} {
		list, faults, err := parsed("[" + text + "," + minimal("") + "]")
		if err != nil || len(list) != 1 || len(faults) != 1 || !strings.Contains(faults[0].Error(), want) {
			t.Errorf("%.80s: %d read, %v, %v, want %s", text, len(list), faults, err, want)
		}
	}
	if _, faults, _ := parsed(`{"id":"X-1","modified":"2026-11-02T00:00:00Z"}`); len(faults) != 1 || !errors.Is(faults[0], osv.ErrNoPackage) {
		t.Errorf("one about nothing: %v", faults)
	}
	for _, text := range []string{"", "7", `["x"]`, `{"id":`, minimal("") + "x", `[` + minimal("")} {
		if _, _, err := parsed(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func TestFilesDirectoriesAndZipsAreRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, body string) string {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
		return at
	}
	one := write("tree/a.json", minimal(""))
	write("tree/npm/b.json", strings.Replace(minimal(""), "X-1", "X-2", 1))
	write("tree/README.md", "none")
	write("tree/npm/c.json", "{")
	f, err := os.Create(filepath.Join(dir, "all.zip"))
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, err := z.Create("X-3.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(minimal(""))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]int{one: {1, 0}, filepath.Join(dir, "tree"): {2, 1}, f.Name(): {1, 0}} {
		var got [2]int
		if err := osv.Read("osv", name, func(_ governance.Advisory, err error) error {
			if got[0]++; err != nil {
				got[0]--
				got[1]++
			}
			return nil
		}); err != nil || got != want {
			t.Errorf("%s: %v read and wrong, %v, want %v", name, got, err, want)
		}
	}
	if err := os.WriteFile(f.Name(), []byte("no zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := 0
	if err := osv.Read("osv", f.Name(), func(_ governance.Advisory, err error) error { wrong++; return nil }); err != nil || wrong != 1 {
		t.Errorf("what is no zip is told %d times, %v", wrong, err)
	}
	end := errors.New("enough")
	if err := osv.Read("osv", one, func(governance.Advisory, error) error { return end }); !errors.Is(err, end) {
		t.Errorf("asked to end it gives %v", err)
	}
	if err := osv.Read("osv", filepath.Join(dir, "none"), nil); err == nil {
		t.Error("what is not there is read")
	}
}

func TestARecordThatListsTooMuchIsToldAndTheNextIsRead(t *testing.T) {
	for _, list := range []string{
		`"affected":[{}` + strings.Repeat(`,{}`, 30_000) + `]`,
		`"affected":[{"ranges":[{}` + strings.Repeat(`,{}`, 30_000) + `]}]`,
		`"affected":[{"ranges":[{"events":[{"fixed":"1"}` + strings.Repeat(`,{"fixed":"1"}`, 30_000) + `]}]}]`,
		`"affected":[{"versions":["1"` + strings.Repeat(`,"1"`, 30_000) + `]}]`,
		`"aliases":["A"` + strings.Repeat(`,"A"`, 30_000) + `]`,
		`"severity":[{}` + strings.Repeat(`,{}`, 30_000) + `]`,
	} {
		var faults, good int
		err := osv.Parse("osv", []byte(`[{"id":"X-1","modified":"2026-11-02T00:00:00Z",`+list+`},`+minimal("")+`]`), func(_ governance.Advisory, err error) error {
			switch {
			case err == nil:
				good++
			case strings.Contains(err.Error(), "more than"):
				faults++
			}
			return nil
		})
		if err != nil || faults != 1 || good != 1 {
			t.Errorf("%.40s: %d too long, %d read, %v", list, faults, good, err)
		}
	}
}

func TestWhatADirectoryHoldsIsReadHoweverItIsPacked(t *testing.T) {
	dir := t.TempDir()
	packed := func(files ...[2]string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, f := range files {
			w, err := z.Create(f[0])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(f[1])); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	record := func(id string) string { return strings.Replace(minimal(""), "X-1", id, 1) }
	for name, body := range map[string][]byte{
		"npm/all.zip":  packed([2]string{"X-1.json", record("X-1")}, [2]string{"X-2.json", record("X-2")}),
		"PyPI/ALL.ZIP": packed([2]string{"X-3.json", record("X-3")}, [2]string{"inner.zip", "x"}),
		"X-4.JSON":     []byte(record("X-4")),
		"spoilt.zip":   []byte("none"),
	} {
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, body, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	wrong := 0
	err := osv.Read("osv", dir, func(a governance.Advisory, err error) error {
		if wrong++; err == nil {
			wrong--
			ids = append(ids, a.ID.Key())
		}
		return nil
	})
	slices.Sort(ids)
	if want := []string{"osv/X-1", "osv/X-2", "osv/X-3", "osv/X-4"}; err != nil || !slices.Equal(ids, want) || wrong != 2 {
		t.Errorf("%v read, %d wrong, %v, want %v and the zip in a zip and the spoilt one wrong", ids, wrong, err, want)
	}
}

func TestAZipWithANameTwiceIsWrongAndNotUnread(t *testing.T) {
	name := filepath.Join(t.TempDir(), "all.zip")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, file := range []string{"a.json", "a.json", "b.json"} {
		w, err := z.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(strings.Replace(minimal(""), "X-1", file, 1))); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), os.WriteFile(name, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	good, wrong := 0, 0
	err := osv.Read("osv", name, func(_ governance.Advisory, err error) error {
		if good++; err != nil {
			good--
			wrong++
		}
		return nil
	})
	if err != nil || good+wrong < 2 || good < 1 {
		t.Errorf("%d read, %d wrong, %v", good, wrong, err)
	}
}

func TestAZipThatIsSpoiltIsWrong(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"a.json", "b.json"} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(minimal(""))); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	body := bytes.Replace(b.Bytes(), []byte("modified"), []byte("modifies"), 1)
	name := filepath.Join(t.TempDir(), "all.zip")
	if err := os.WriteFile(name, body, 0o600); err != nil {
		t.Fatal(err)
	}
	var good, wrong int
	err := osv.Read("osv", name, func(_ governance.Advisory, err error) error {
		if good++; err != nil {
			good--
			wrong++
		}
		return nil
	})
	if err != nil || good != 1 || wrong != 1 {
		t.Errorf("%d read, %d wrong, %v", good, wrong, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(lodash))
	f.Add([]byte("[" + minimal("") + "]"))
	f.Add([]byte(`{"id":"X-1","modified":"2026-11-02T00:00:00Z","severity":[{"score":"CVSS:4.0/AV:N"}],"affected":[{"package":{"ecosystem":"Debian:12","name":"curl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"last_affected":"7.1-2"}]}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_ = osv.Parse("osv", body, func(a governance.Advisory, err error) error {
			if err != nil {
				return nil
			}
			fact, err := a.Fact("osv", stemma.GradeD)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := governance.AdvisoryFromFact(fact); err != nil || !cmp.Equal(back, a) {
				t.Fatalf("%+v is read back as %+v, %v", a, back, err)
			}
			return nil
		})
	})
}
