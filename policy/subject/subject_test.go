package subject_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/policy/subject"
)

func TestAPatternIsABoundedOne(t *testing.T) {
	for pattern, want := range map[string]bool{
		"auth/": true, "**/*.go": true, "{a,b}/{c,d}": true, "": false, "[a": false,
		strings.Repeat("{a,a}", 40): false, strings.Repeat("a", 600): false, strings.Repeat("**/", 40): false,
	} {
		if got := subject.Valid(pattern); got != want {
			t.Errorf("Valid(%.40q) = %v", pattern, got)
		}
		if !want && subject.Matches(strings.Repeat("a", 40), pattern) {
			t.Errorf("%.40q matches", pattern)
		}
	}
	if !subject.Matches("auth/a/b.go", "auth/") || subject.Matches("oauth/a.go", "auth/") || !subject.Matches("acme/pay", "acme/*") {
		t.Error("a directory is not all below it, or a star is not any name")
	}
}

func TestDerivingTwiceIsDerivingOnce(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	x := &subject.Subject{
		Change:   subject.Change{Head: "commit:sha1/2", Author: subject.Person{Ref: "person:a", Human: true}, Added: 100, AILines: 90},
		Sessions: []subject.Session{{Thing: subject.Thing{Ref: "session:a/2"}, Parent: "session:a/1"}, {Thing: subject.Thing{Ref: "session:a/1"}, Operators: []subject.Person{{Ref: "person:b", Human: true}}}},
		Reviews:  []subject.Review{{By: subject.Person{Ref: "person:c", Human: true}, Verdict: "approved", Head: "commit:sha1/2", Submitted: at}},
		Settings: subject.Usual(), Now: at,
	}
	x.Derive()
	if !x.Change.Untold || x.Sessions[0].Root != "session:a/1" || !x.Sessions[0].Principal || !x.Reviews[0].Counts || len(x.Change.Makers) != 2 {
		t.Errorf("%+v", x)
	}
	depth := x.Sessions[0].Depth
	x.Derive()
	if x.Sessions[0].Depth != depth || len(x.Change.Makers) != 2 || !x.Reviews[0].Counts {
		t.Errorf("the second time it is %+v", x)
	}
	x.Change.HumanLines = 5
	x.Derive()
	if x.Change.Untold {
		t.Error("of 95 in 100 lines it is known whose they are, and that is not enough")
	}
}

func TestFilesThatNameDependenciesAreKnown(t *testing.T) {
	s := &subject.Subject{}
	for _, p := range strings.Fields(`go.mod go.sum web/package.json npm-shrinkwrap.json bun.lock bun.lockb deno.json deno.jsonc deno.lock setup.py setup.cfg gradle/libs.versions.toml
		Directory.Packages.props packages.config packages.lock.json environment.yml Podfile Podfile.lock MODULE.bazel requirements/dev.txt api/requirements/dev.in requirements.in
		requirements-dev.txt pdm.lock build.sbt Dockerfile Dockerfile.web web.Dockerfile Containerfile .github/workflows/ci.yml .github/workflows/a/b.yml`) {
		s.Files = append(s.Files, subject.File{Path: p})
	}
	named := len(s.Files)
	for _, p := range strings.Fields(`main.go README.md docs/workflows/ci.md src/packages.go requirements.md`) {
		s.Files = append(s.Files, subject.File{Path: p})
	}
	s.Derive()
	for i, f := range s.Files {
		if f.Manifest != (i < named) {
			t.Errorf("%s names dependencies: %v", f.Path, f.Manifest)
		}
	}
}

// A scan of the commit before that was run again found nothing more, and takes away nothing more.
func TestWhatWasFoundBeforeCountsOnceHoweverOftenItWasScanned(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	before := func(high, hour int) subject.Scan {
		return subject.Scan{Tool: "CodeQL", High: high, Rules: []string{"go/sql"}, At: at.Add(time.Duration(hour) * time.Hour)}
	}
	for _, c := range []struct {
		name   string
		before []subject.Scan
		want   int
	}{
		{"never scanned", nil, 5},
		{"scanned", []subject.Scan{before(3, 0)}, 2},
		{"scanned again", []subject.Scan{before(3, 1), before(3, 0), before(3, 2)}, 2},
		{"the last one counts", []subject.Scan{before(4, 1), before(1, 2), before(3, 0)}, 4},
		{"of two at once the one that found less", []subject.Scan{before(2, 1), before(1, 1), before(3, 1)}, 4},
	} {
		s := &subject.Subject{
			Change: subject.Change{Head: "commit:sha1/2"},
			Scans:  []subject.Scan{{Tool: "CodeQL", Commit: "commit:sha1/2", High: 5, Rules: []string{"go/sql"}, At: at, Before: c.before}},
		}
		s.Derive()
		if got := s.Scans[0].New; got != c.want {
			t.Errorf("%s: %d are new, want %d", c.name, got, c.want)
		}
	}
}

func TestProductionIsProductionHoweverItIsSpelled(t *testing.T) {
	s := &subject.Subject{Deployments: []subject.Deployment{
		{Environment: "Production"}, {Environment: "PROD"}, {Environment: "live", Tier: "production"}, {Environment: "production", Tier: "staging"}, {Environment: "preproduction"},
	}}
	s.Derive()
	for i, want := range []bool{true, true, true, false, false} {
		if d := s.Deployments[i]; d.Production != want {
			t.Errorf("%s, of tier %q, is production: %v", d.Environment, d.Tier, d.Production)
		}
	}
}

// One run scans the files and the image, and a clean scan of one hides nothing of the other.
func TestAllScansOfTheLastRunCount(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	run := func(ref, name string) subject.Run {
		return subject.Run{Thing: subject.Thing{Ref: ref}, Name: name, Commit: "commit:sha1/2"}
	}
	scan := func(run string, minute int) subject.Scan {
		return subject.Scan{Tool: "trivy", Run: run, Commit: "commit:sha1/2", At: at.Add(time.Duration(minute) * time.Minute)}
	}
	for name, c := range map[string]struct {
		scans []subject.Scan
		want  string
	}{
		"one run looked at two things": {[]subject.Scan{scan("run:1/1", 1), scan("run:1/1", 2)}, "yy"},
		"a later attempt counts":       {[]subject.Scan{scan("run:1/1", 1), scan("run:1/1", 2), scan("run:1/2", 3)}, "--y"},
		"another pipeline as well":     {[]subject.Scan{scan("run:1/1", 1), scan("run:2/1", 2)}, "yy"},
		"of no run the last one":       {[]subject.Scan{scan("", 2), scan("", 1)}, "y-"},
		"of a run that nobody told of": {[]subject.Scan{scan("run:9/1", 1), scan("run:9/1", 2)}, "yy"},
	} {
		s := &subject.Subject{
			Change: subject.Change{Head: "commit:sha1/2"}, Scans: c.scans,
			Runs: []subject.Run{run("run:1/1", "ci"), run("run:1/2", "ci"), run("run:2/1", "image")},
		}
		s.Derive()
		got := ""
		for _, x := range s.Scans {
			got += map[bool]string{true: "y", false: "-"}[x.Latest]
		}
		if got != c.want {
			t.Errorf("%s: %s count, want %s", name, got, c.want)
		}
	}
}

func TestAPathThatGitQuotesIsHeldAgainstPatternsAsWhatItIs(t *testing.T) {
	for _, name := range []string{
		"k.txt", "ä.txt", `a"b.txt`, `a\b.txt`, "a\tb.txt", "a\nb.txt", "\xff.txt", "\x01.txt", "\u202e.txt", "\a\b\v\f\r", `"`, "\xe2\x80", "\u2028", `\303\244`,
	} {
		for _, dir := range []string{"keys/", `"keys/`, "keys/deep\n/"} {
			form := quote.Path(dir + name)
			x := &subject.Subject{
				Files:    []subject.File{{Path: form}},
				Settings: subject.Settings{Forbidden: []string{"keys/"}, Protected: []string{"keys/**"}, Tags: map[string][]string{"keys": {"{keys,locks}/**/*"}}},
			}
			x.Derive()
			f, want := x.Files[0], strings.HasPrefix(dir, "keys/")
			if f.Forbidden != want || f.Protected != want || f.Sensitive != want || subject.MatchesPath(form, "keys/") != want {
				t.Errorf("%q, written %s, is %+v", dir+name, form, f)
			}
		}
	}
	x := &subject.Subject{Files: []subject.File{{Path: quote.Path("a\t/package.json")}, {Path: quote.Path("b\t_test.go")}}}
	if x.Derive(); !x.Files[0].Manifest || !x.Files[1].Test {
		t.Errorf("%+v", x.Files)
	}
	for _, form := range []string{`"keys/`, `"keys/\q"`, `"keys/\4"`, `keys/\t"`, `"`} { // no form of git's: the name itself
		if got := subject.MatchesPath(form, "keys/**", `"keys/**`, `"`); !got {
			t.Errorf("%s is not the name itself", form)
		}
	}
}

func FuzzAPathFitsHoweverItIsWritten(f *testing.F) {
	for _, s := range []string{"k.txt", "\xff", "a\tb", `"`, "\u202e", "\\303", "a\n/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" {
			return
		}
		path := "keys/" + name
		if !subject.MatchesPath(quote.Path(path), "keys/") || subject.MatchesPath(quote.Path("x"+path), "keys/") {
			t.Errorf("%q is lost as %s", path, quote.Path(path))
		}
		var c strings.Builder // as git writes it with core.quotePath: every byte that is not plain
		for _, b := range []byte(path) {
			fmt.Fprintf(&c, `\%03o`, b)
		}
		if !subject.MatchesPath(`"`+c.String()+`"`, "keys/") {
			t.Errorf("%q is lost as %s", path, c.String())
		}
		subject.MatchesPath(name, "keys/")
	})
}
