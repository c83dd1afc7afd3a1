package policy

import (
	"fmt"
	"strings"
	"testing"
)

func TestWhatFollowsFromTheRestCannotBeSet(t *testing.T) {
	for part, want := range map[string]string{
		`change: {ai: true}`:                             "change.ai cannot be set: it is derived from the rest of the case, and comes to false there",
		`reviews: [{ref: "review:a/1"}, {counts: true}]`: "reviews.1.counts cannot be set: it is derived from the rest of the case, and comes to false there",
		`files: [{sensitive: true}]`:                     "files.0.sensitive cannot be set",
		`change: {tags: [pci]}`:                          "change.tags cannot be set: it is derived from the rest of the case, and comes to 0 of them there",
		`incidents: [{caused_here: true}]`:               "incidents.0.caused_here cannot be set",
		`artifacts: [{attestations: [{level: 3}]}]`:      "artifacts.0.attestations.0.level cannot be set: it is derived from the rest of the case, and comes to 0 there",
		`change: {ai_lines: 1, added: 1, ai: false}`:     "change.ai cannot be set: it is derived from the rest of the case, and comes to true there",
		`risk: 90`:  "risk cannot be set",
		`filez: []`: `there is no member "filez"`,
		`change: {ai_lines: 1, added: 1, ai: true}`:                                      "", // as it comes out
		`files: [{path: pay/a.go, tags: [pay]}], settings: {tags: {pay: [pay/]}}`:        "",
		`change: {merged: 2026-11-01T10:00:00Z, author: {ref: "person:a"}}, commits: []`: "",
	} {
		list, err := ParseControls("own.yaml", []byte(strings.Join([]string{
			"id: OWN-01", "version: 1", "title: Own", "why: so", "severity: high", "remedy: mend it", `rule: "true"`,
			"cases:", "  - name: one", "    state: pass", "    subject:", "      {" + part + "}\n",
		}, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		if err := list[0].Examples(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(fmt.Sprint(err), "own.yaml:12: OWN-01: "+want)) {
			t.Errorf("%s: %v, want %s", part, err, want)
		}
		if err := list[0].Test(); (err == nil) != (want == "") {
			t.Errorf("%s: tried: %v, want %s", part, err, want)
		}
	}
}

func TestWhatFollowedInTheBaseMayComeOutOtherwise(t *testing.T) {
	for part, want := range map[string]string{
		`{change: {author: {ref: "person:b", human: true}}}`:              "",
		`{change: {author: {ref: "person:b", human: true}, ai: true}}`:    "own.yaml:19: OWN-01: change.ai cannot be set",
		`{reviews: [{by: {ref: "person:b"}, counts: true}]}`:              "own.yaml:19: OWN-01: reviews.0.counts cannot be set",
		`{change: {author: {ref: "person:b", human: true}}, reviews: []}`: "",
	} {
		list, err := ParseControls("own.yaml", []byte(strings.Join([]string{
			"id: OWN-01", "version: 1", "title: Own", "why: so", "severity: high", "remedy: mend it", `rule: "reviews.exists(r, r.counts)"`,
			"cases:", "  - name: one", "    state: pass", "    subject:",
			`      change: {head: "commit:sha1/2", author: {ref: "person:a", human: true}, ai: false}`,
			`      reviews: [{ref: "review:a/1", by: {ref: "person:b", human: true}, verdict: approved,`,
			`          head: "commit:sha1/2", counts: true}]`,
			"  - name: two", "    base: one", "    state: fail", "    subject:", "      " + part + "\n",
		}, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		for of, err := range map[string]error{"read": list[0].Examples(), "tried": list[0].Test()} {
			if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
				t.Errorf("%s, %s: %v, want %s", part, of, err, want)
			}
		}
	}
}
