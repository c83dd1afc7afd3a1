package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/policy/subject"
)

// ruled is a control with one rule.
func ruled(t testing.TB, rule string) *Control {
	t.Helper()
	list, err := ParseControls("own.yaml", []byte("id: OWN-01\nversion: 1\ntitle: Own\nwhy: so\nseverity: high\nremedy: mend it\nrule: >\n  "+rule+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func judged(t testing.TB, rule string, x *subject.Subject) Finding {
	t.Helper()
	return (&Set{Controls: []*Control{ruled(t, rule)}}).Judge(x)[0]
}

// many has files enough for a rule to be slow over.
func many(files int) *subject.Subject {
	x := &subject.Subject{Settings: subject.Usual()}
	for i := range files {
		x.Files = append(x.Files, subject.File{Path: fmt.Sprintf("a/very/long/path/of/a/file/number/%d.go", i)})
	}
	x.Derive()
	return x
}

func TestARuleThatFailsIsUnknown(t *testing.T) {
	for rule, reason := range map[string]string{
		`files[7].path == "x"`:                                         "out of bounds",
		`1 / change.added == 1`:                                        "division by zero",
		`settings.tags["nope"][0] == "x"`:                              "no such key",
		`int(change.title) == 1`:                                       "type conversion error",
		`duration("soon") > duration("1s")`:                            "type conversion error",
		`sum([9223372036854775807, 1]) > 0`:                            "overflow",
		`files.all(a, files.all(b, files.all(c, a.path != "")))`:       "cost limit",
		`files.map(a, files.map(b, files.map(c, c.path))).size() > 0`:  "cost limit",
		`files.all(a, files.all(b, !fits(a.path, [b.path + b.path])))`: "cost limit",
		`files.all(a, !fits(a.path, files.map(b, "x" + b.path)))`:      "cost limit",
		`files.all(a, sum(files.map(b, b.added)) == 0)`:                "cost limit",
		`lists.range(1000000000).size() > 0`:                           "exceeds maximum",
		`"%.1000000000f".format([1.0]) != ""`:                          "precision",
	} {
		x := many(2000)
		if strings.HasPrefix(rule, "files[7]") {
			x = many(3)
		}
		control, err := ParseControls("own.yaml", []byte("id: OWN-01\nversion: 1\ntitle: Own\nwhy: so\nseverity: high\nremedy: mend it\nrule: |\n  "+rule+"\n"))
		if err != nil {
			if !strings.Contains(err.Error(), reason) {
				t.Errorf("%s: %v, want %s", rule, err, reason)
			}
			continue // refused when it is read is as good
		}
		f := (&Set{Controls: control}).Judge(x)[0]
		if f.State != Unknown || !strings.Contains(f.Reason, reason) {
			t.Errorf("%s: %s, %s; want unknown by %s", rule, f.State, f.Reason, reason)
		}
	}
}

func TestAFailureStaysOneWhateverItSays(t *testing.T) {
	for says, want := range map[string]string{
		`files[7].path`: "Own: it does not hold, and why could not be said: index out of bounds",
		`""`:            "Own: it does not hold",
		`"so it is"`:    "so it is",
	} {
		list, err := ParseControls("own.yaml", []byte(ruledText("false")+"says: '"+says+"'\n"))
		if err != nil {
			t.Fatal(err)
		}
		if f := (&Set{Controls: list}).Judge(many(1))[0]; f.State != Fail || !strings.HasPrefix(f.Reason, want) {
			t.Errorf("%s: %s, %s", says, f.State, f.Reason)
		}
	}
}

func TestAnUnknownOfHighSeverityBlocksOnceItsTimeIsOver(t *testing.T) {
	merged := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	x := &subject.Subject{Change: subject.Change{Merged: merged}, Settings: subject.Usual()}
	set := &Set{Controls: []*Control{ruled(t, `files[0].path == ""`)}, Policy: Policy{Default: Enforce}}
	for _, minutes := range []int{0, 14, 15, 1000} {
		held := minutes >= 15
		x.Now = merged.Add(time.Duration(minutes) * time.Minute)
		f := set.Judge(x)[0]
		if f.State != Unknown || f.Blocks != held || (f.Due != 0) == held {
			t.Errorf("after %d minutes it is %s, blocks %v, due %d", minutes, f.State, f.Blocks, f.Due)
		}
	}
	// What was pushed or deployed since has time of its own; a clock that is ahead gives none.
	x.Deployments = []subject.Deployment{{At: x.Now.Add(-time.Minute)}}
	set.Controls[0].Stage = AtDeployment
	if f := set.Judge(x)[0]; f.Blocks || f.Due != x.Now.Add(14*time.Minute).Unix() {
		t.Errorf("a minute after the deployment it blocks %v, due %d", f.Blocks, f.Due)
	}
	x.Deployments[0].At = x.Now.Add(time.Hour)
	if f := set.Judge(x)[0]; !f.Blocks {
		t.Error("a deployment of the future gives time")
	}
	set.Controls[0].Stage = AtHead
	x.Change = subject.Change{Opened: merged}
	x.Commits = []subject.Commit{{Recorded: x.Now}}
	if f := set.Judge(x)[0]; f.Blocks {
		t.Error("it blocks as soon as something is pushed")
	}
	x.Commits = nil
	set.Policy.Default = Warn
	if set.Judge(x)[0].Blocks {
		t.Error("it blocks although it only warns")
	}
}

func TestAPanicIsUnknown(t *testing.T) {
	for name, f := range map[string]Function{
		"panics":           func(*subject.Subject) Outcome { panic("no") },
		"says nothing":     func(*subject.Subject) Outcome { return Outcome{} },
		"waives by itself": func(*subject.Subject) Outcome { return Outcome{State: Waived} },
	} {
		functions[name] = f
		c := ruled(t, "true")
		c.Rule, c.Check = Expr{}, name
		if got := (&Set{Controls: []*Control{c}}).Judge(&subject.Subject{})[0]; got.State != Unknown {
			t.Errorf("a check that %s gives %s", name, got.State)
		}
		delete(functions, name)
	}
	if got := (&Set{Controls: []*Control{{ID: "OWN-01"}}}).Judge(&subject.Subject{})[0]; got.State != Unknown {
		t.Errorf("a control that was not made ready gives %s", got.State)
	}
}

func TestAMistakeIsToldWithItsLine(t *testing.T) {
	whole := `id: OWN-01
version: 1
title: Own
why: so
severity: high
stage: head
inputs: [files]
knows:
  - when: size(files) > 0
    else: no files
rule: |
  files.all(f, f.test
    || f.added > 0)
says: '"no"'
remedy: mend it
cases:
  - name: one
    subject:
      files: [{path: a}]
    state: fail
  - name: two
    base: one
    subject: {}
    state: pass
`
	if _, err := ParseControls("own.yaml", []byte(whole)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, with, want string }{
		{"id: OWN-01", "id: own", "own.yaml:1: own: the id"},
		{"version: 1", "version: one", "own.yaml:2: cannot unmarshal"},
		{"version: 1", "version: 0", "own.yaml:2: OWN-01: the version"},
		{"severity: high", "severity: huge", `own.yaml:5: OWN-01: the severity "huge"`},
		{"stage: head", "stage: later", `own.yaml:6: OWN-01: the stage "later"`},
		{"[files]", "[files, file]", `own.yaml:7: OWN-01: the input "file"`},
		{"    else: no files\n", "", "own.yaml:9: OWN-01: a clause needs"},
		{"size(files) > 0", "size(runs) > 0", "own.yaml:7: OWN-01: it looks at runs, and inputs does not name that"},
		{"size(files) > 0", "size(files) > 'x'", "own.yaml:9: OWN-01: when of knows: found no matching overload"},
		{"f.added > 0", "f.add > 0", "own.yaml:13: OWN-01: undefined field 'add'"},
		{"files.all(f, f.test", "files.all(f, f.tests", "own.yaml:12: OWN-01: undefined field 'tests'"},
		{`says: '"no"'`, "says: 7", "own.yaml:14: OWN-01: says gives int, and string is needed"},
		{"remedy: mend it", "remedy: mend it\nrests: size(files)", "own.yaml:16: OWN-01: rests gives int, and list(string) is needed"},
		{"why: so", "why: s\x01o", "own.yaml:4: control characters are not allowed"},
		{"why: so", "why: s\xc3", "own.yaml:4: "},
		{`says: '"no"'`, "say: no", `own.yaml:14: there is no member "say"`},
		{"base: one", "base: three", `own.yaml:21: OWN-01: there is no earlier case "three"`},
		{"name: two", "name: one", `own.yaml:21: OWN-01: the case "one" is there twice`},
		{"state: pass", "state: green", `own.yaml:21: OWN-01: the state "green"`},
		{"remedy: mend it\n", "", "own.yaml:1: OWN-01: remedy is missing"},
		{"why: so\n", "why: so\n  x: [\n", "own.yaml:5:"},
	} {
		_, err := ParseControls("own.yaml", []byte(strings.Replace(whole, c.old, c.with, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v\nwant %s", c.with, err, c.want)
		}
	}
	list, err := ParseControls("own.yaml", []byte(strings.Replace(whole, "{path: a}", "{path: a, lines: 3}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	want := `own.yaml:19: OWN-01: there is no member "lines"`
	if err := list[0].Test(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	list, err = ParseControls("own.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want = `own.yaml:21: OWN-01: case "two" is fail (no), and has to be pass`
	if err := list[0].Test(); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestAControlWithoutACaseSaysWhereItIs(t *testing.T) {
	list, err := ParseControls("own.yaml", []byte(ruledText("true")+"\n---\n# more\n"+ruledText("true")))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"own.yaml:1: OWN-01: it has no cases", "own.yaml:"} {
		if err := list[i].Untried(); err == nil || !strings.HasPrefix(err.Error(), want) || strings.HasPrefix(err.Error(), "own.yaml: ") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestASettingOfTheWrongKindIsToldByItsNameAndLine(t *testing.T) {
	for text, want := range map[string]string{
		"settings:\n  cost_micro_usd: 5.5\n":                                        "policy.yaml:2: cost_micro_usd is of the kind number 5.5, and a whole number is needed",
		"settings:\n  since: yesterday\n":                                           `policy.yaml:2: since is "yesterday", and a day or a time is needed: write it like 2026-11-27`,
		"repositories:\n  - match: [a]\n    settings:\n      since: soon\n":         `policy.yaml:4: since is "soon", and a day`,
		"rules:\n  - mode: warn\n    controls: [A-*]\n  - controls: [PAY-*, B-1]\n": `policy.yaml:4: rule 2, of "PAY-*, B-1", does not say what comes of it: mode is missing, one of [enforce warn observe]`,
		"rules:\n  - severity: high\n":                                              `policy.yaml:2: rule 1, of severity "high", does not say`,
		"settings:\n  since: 2026-11-27\n":                                          "",
	} {
		_, err := ParsePolicy("policy.yaml", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
}

func TestAllFaultsOfAFileAreTold(t *testing.T) {
	one := "id: %s\nversion: 1\ntitle: Own\nwhy: so\nseverity: high\nremedy: mend it\nrule: %s\n"
	body := fmt.Sprintf(one, "OWN-01", "nope") + "---\n" + fmt.Sprintf(one, "OWN-02", "true") + "---\n" + fmt.Sprintf(one, "OWN-03", "size(files)")
	list, err := ParseControls("own.yaml", []byte(body))
	if len(list) != 1 || list[0].ID != "OWN-02" {
		t.Errorf("%v are given", list)
	}
	var got []string
	for _, f := range Faults(err) {
		got = append(got, fmt.Sprintf("%s:%d %s", f.Place, f.Line, f.Control))
	}
	if want := []string{"own.yaml:7 OWN-01", "own.yaml:23 OWN-03"}; !slices.Equal(got, want) {
		t.Errorf("faults are %v, want %v", got, want)
	}
}

func TestAHostileFileIsRefused(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := 'b'; i < 'j'; i++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	for name, c := range map[string]struct{ body, want string }{
		"a bomb of aliases": {bomb, "hostile.yaml:1: anchors and aliases"},
		"deep nesting":      {"cases: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "nested deeper"},
		"deeper nesting":    {"cases: " + strings.Repeat("[", 50_000), "hostile.yaml: exceeded max depth"},
		"a huge file":       {strings.Repeat("# nothing\n", 200_000), "larger than"},
		"many parts":        {"inputs: [" + strings.Repeat("a,", 200_000) + "a]", "more than 100000 parts"},
		"a key twice":       {"id: A-1\nid: A-2\n", "hostile.yaml:2: mapping key \"id\" already defined"},
		"no YAML":           {"\x00\x01\x02", "hostile.yaml:1: control characters"},
	} {
		for what, parse := range map[string]func() error{
			"controls": func() error { _, err := ParseControls("hostile.yaml", []byte(c.body)); return err },
			"policy":   func() error { _, err := ParsePolicy("hostile.yaml", []byte(c.body)); return err },
			"packs":    func() error { _, err := ParsePacks("hostile.yaml", []byte(c.body)); return err },
		} {
			if err := parse(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s as %s: %.300v, want %s", name, what, err, c.want)
			}
		}
	}
	long := ruledText(strings.Repeat("true && ", 2000) + "true")
	if _, err := ParseControls("own.yaml", []byte(long)); err == nil {
		t.Error("a rule of 16,000 bytes is read")
	}
	deep := ruledText(strings.Repeat("(", 1000) + "true" + strings.Repeat(")", 1000))
	if _, err := ParseControls("own.yaml", []byte(deep)); err == nil {
		t.Error("a rule of 1,000 brackets is read")
	}
}

func ruledText(rule string) string {
	return "id: OWN-01\nversion: 1\ntitle: Own\nwhy: so\nseverity: high\nremedy: mend it\nrule: '" + rule + "'\n"
}

func TestAPolicyTellsItsFaultsWithTheirLines(t *testing.T) {
	body := `packs: [default]
mode: stop
rules:
  - controls: [REV-01]
    mode: block
  - mode: warn
  - severity: huge
    mode: warn
  - controls: ["[a"]
    mode: warn
settings:
  burst_lines: -3
  checks: test
repositories:
  - settings: {models: [x]}
  - match: [acme/*]
    settings:
      data_kind: pci
`
	_, err := ParsePolicy("policy.yaml", []byte(body))
	for _, want := range []string{
		`policy.yaml:2: the mode "stop"`, `policy.yaml:5: the mode "block"`, "policy.yaml:6: a rule says neither", `policy.yaml:7: the severity "huge"`,
		`policy.yaml:9: "[a" is not a pattern`, "policy.yaml:13: checks is of the kind string, and a list is needed", "policy.yaml:15: it does not say which repositories", `policy.yaml:18: there is no member "data_kind"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	_, err = ParsePolicy("policy.yaml", []byte("settings:\n  burst_lines: -3\n  protected: ['[a']\n"))
	for _, want := range []string{"policy.yaml:2: burst_lines is -3", `policy.yaml:3: "[a" is not a pattern`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	if _, err := ParsePolicy("policy.yaml", []byte("mode: warn\n---\nmode: enforce\n")); err == nil {
		t.Error("a policy of two documents is read, and one of them does not count")
	}
}

func TestANumberOutOfItsRangeIsAFault(t *testing.T) {
	for text, want := range map[string]string{
		"ai_share: 150": "ai_share is from 0 to 100, and not 150", "unattributed: 101": "unattributed is from 0 to 100, and not 101",
		"second_reviewer: 1000": "second_reviewer is from 0 to 100, and not 1000", "build_level: 9": "build_level is from 0 to 3, and not 9",
		"ai_share: -1":  "ai_share is from 0 to 100, and not -1",
		"ai_share: 100": "", "build_level: 3": "", "unattributed: 0": "", "second_reviewer: 100": "", "burst_lines: 5000": "",
	} {
		for _, body := range []string{"settings:\n  " + text, "classes:\n  pci: {" + text + "}", "repositories:\n  - {match: [a/b], settings: {" + text + "}}"} {
			_, err := ParsePolicy("policy.yaml", []byte(body))
			if told := "policy.yaml:2: " + want; want == "" && err != nil || want != "" && (err == nil || err.Error() != told) {
				t.Errorf("%s: %v, want %s", body, err, told)
			}
		}
	}
}

func TestAPackTellsItsFaultsWithTheirLines(t *testing.T) {
	body := `id: house
version: 1
title: Compliant with everything
dated: 27.11.2026
status: gospel
standing: ours
source: ours
mode: sometimes
effective:
  - {from: soon, what: all}
requirements:
  - {id: a, title: A, text: a, section: "1", controls: [REV-01]}
  - {id: a, title: A, text: a, section: "1", controls: [REV-01]}
  - {id: b, title: B, text: b, section: "2"}
  - {id: c, title: C, text: c, section: "3", controls: [REV-01], beyond: we guarantee the rest}
  - {id: d}
`
	_, err := ParsePacks("house.yaml", []byte(body))
	for _, want := range []string{
		`house.yaml:3: "Compliant with" says more`, `house.yaml:4: the day "27.11.2026"`, `house.yaml:5: the status "gospel"`, `house.yaml:8: the mode "sometimes"`,
		`house.yaml:10: the day "soon"`, `house.yaml:13: the requirement "a" is there twice`, `house.yaml:14: the requirement "b" has no controls`,
		`house.yaml:15: "guarantee" says more`, "house.yaml:16: a requirement needs",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	if _, err := ParsePacks("house.yaml", []byte("id: house\nmember: 1\n")); err == nil || !strings.Contains(err.Error(), `house.yaml:2: there is no member "member"`) {
		t.Errorf("%v", err)
	}
}

func TestTheLastRuleThatFitsDecides(t *testing.T) {
	p, err := ParsePolicy("policy.yaml", []byte(`mode: warn
rules:
  - {controls: ["*"], severity: high, mode: enforce}
  - {controls: [OWN-*], repositories: [acme/toy*], mode: observe}
  - {controls: [OWN-01], paths: [keys/], mode: enforce}
`))
	if err != nil {
		t.Fatal(err)
	}
	c := ruled(t, "true")
	for _, k := range []struct {
		repository, path string
		severity         Severity
		want             Mode
	}{
		{"acme/pay", "a.go", High, Enforce},
		{"acme/pay", "a.go", Critical, Enforce},
		{"acme/pay", "a.go", Medium, Warn},
		{"acme/toys", "a.go", High, Observe},
		{"acme/toys", "keys/a.go", High, Enforce},
	} {
		c.Severity = k.severity
		x := &subject.Subject{Repository: subject.Repository{Name: k.repository}, Files: []subject.File{{Path: k.path}}}
		if got := (&Set{Policy: p}).Mode(c, x); got != k.want {
			t.Errorf("%+v gives %s", k, got)
		}
	}
}

func TestSettingsOfARepositoryStandOverThoseOfAll(t *testing.T) {
	p, err := ParsePolicy("policy.yaml", []byte(`settings: {models: [claude-*], tags: {auth: [auth/]}, ai_share: 80}
repositories:
  - {match: [acme/*], settings: {ai_share: 50, tags: {pci: [pay/]}}}
  - {match: [acme/vault], settings: {models: [claude-opus-4-6]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	pay, vault, other := p.SettingsOf("acme/pay"), p.SettingsOf("acme/vault"), p.SettingsOf("else/where")
	if pay.AIShare != 50 || len(pay.Tags) != 2 || other.AIShare != 80 || len(other.Tags) != 1 || vault.AIShare != 80 || !slices.Equal(vault.Models, []string{"claude-opus-4-6"}) || !slices.Equal(other.Models, []string{"claude-*"}) {
		t.Errorf("pay %+v\nvault %+v\nother %+v", pay, vault, other)
	}
}

func TestSettingsOfAClassStandBetween(t *testing.T) {
	text := `settings: {models: [claude-*], ai_share: 80}
classes:
  regulated: {models: [claude-opus-4-6], ai_share: 30}
  public: {}
repositories:
  - {match: [acme/pay], settings: {data_class: regulated}}
  - {match: [acme/card], settings: {data_class: regulated, ai_share: 10}}
`
	p, err := ParsePolicy("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for repository, want := range map[string]string{"acme/pay": "[claude-opus-4-6] 30", "acme/card": "[claude-opus-4-6] 10", "acme/x": "[claude-*] 80"} {
		if s := p.SettingsOf(repository); fmt.Sprint(s.Models, " ", s.AIShare) != want {
			t.Errorf("%s has %v %d, want %s", repository, s.Models, s.AIShare, want)
		}
	}
	for old, c := range map[string]struct{ with, want string }{
		"ai_share: 30}":           {"ai_shares: 30}", `policy.yaml:3: there is no member "ai_shares"`},
		"data_class: regulated}":  {"data_class: secret}", `policy.yaml:6: the class "secret" is none of [public regulated]`},
		"data_class: regulated, ": {"data_class: secret, ", `policy.yaml:7: the class "secret"`},
		"ai_share: 80":            {"data_class: secret", `policy.yaml:1: the class "secret"`},
	} {
		if _, err := ParsePolicy("policy.yaml", []byte(strings.Replace(text, old, c.with, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.with, err, c.want)
		}
	}
}

func TestADigestTellsSetsApart(t *testing.T) {
	digest := func(change func(*Set)) string {
		p, err := ParsePolicy("policy.yaml", []byte("settings: {ai_share: 80}\n"))
		if err != nil {
			t.Fatal(err)
		}
		s := &Set{Controls: []*Control{ruled(t, "true")}, Packs: []*Pack{{ID: "a", Version: 1}}, Policy: p}
		change(s)
		return s.Digest()
	}
	same := digest(func(*Set) {})
	if digest(func(*Set) {}) != same {
		t.Error("the same set has two digests")
	}
	for name, change := range map[string]func(*Set){
		"a rule":     func(s *Set) { s.Controls[0].Rule.Text = "false" },
		"firmness":   func(s *Set) { s.Controls[0].Firm = true },
		"a pack":     func(s *Set) { s.Packs[0].Mode = Enforce },
		"a version":  func(s *Set) { s.Packs[0].Version = 2 },
		"a setting":  func(s *Set) { s.Policy.usual.AIShare = 70 },
		"a mode":     func(s *Set) { s.Policy.Default = Enforce },
		"a scope":    func(s *Set) { s.Policy.Rules = []Scope{{Controls: []string{"*"}, Mode: Warn}} },
		"no control": func(s *Set) { s.Controls = nil },
	} {
		if digest(change) == same {
			t.Errorf("%s changes nothing", name)
		}
	}
}

func TestChangesBeforeTheBeginningAreNotJudged(t *testing.T) {
	x := &subject.Subject{Change: subject.Change{Merged: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	x.Settings.Since = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	if f := judged(t, "false", x); f.State != NotApplicable || !strings.Contains(f.Reason, "2026-06-01") {
		t.Errorf("%+v", f)
	}
	x.Change.Merged = x.Settings.Since
	if f := judged(t, "false", x); f.State != Fail {
		t.Errorf("%+v", f)
	}
}

func TestWhatIsGoneAgainIsNotJudgedUnlessItWasDeployed(t *testing.T) {
	x := &subject.Subject{Change: subject.Change{Dropped: true}}
	if f := judged(t, "false", x); f.State != NotApplicable || !strings.Contains(f.Reason, "not have it any more") {
		t.Errorf("%+v", f)
	}
	x.Deployments = []subject.Deployment{{Thing: subject.Thing{Ref: "deployment:prod/1"}}}
	if f := judged(t, "false", x); f.State != Fail {
		t.Errorf("%+v", f)
	}
}
