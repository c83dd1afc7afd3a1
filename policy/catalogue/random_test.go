package catalogue_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/subject"
)

// words are what texts of a random subject are taken from: few, so that things are about each
// other.
var words = []string{
	"", "", "a", "b", "commit:sha1/1", "commit:sha1/2", "session:a/1", "session:a/2", "person:a", "person:b", "artifact:sha256/1", "deployment:prod/1",
	"merged", "open", "direct", "approved", "rejected", "commented", "success", "failure", "skipped", "ai", "human", "unknown", "D", "M", "security-fix", "feature",
	"production", "prod", "auth/login.go", "pay_test.go", "go.mod", "gitleaks", "CodeQL", "test", "claude-opus-4-6", "sonnet", "https://slsa.dev/provenance/v1",
	"pkg:npm/react", "*", "auth/", "EXC-01", "REV-01", "owner", "\xff", "é\u202e`|<script>",
}

// random fills a value, lists with up to three elements.
func random(r *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(words[r.IntN(len(words))])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int:
		v.SetInt([]int64{0, 0, 1, 2, 50, 100, 5000, -1, 1 << 20}[r.IntN(9)])
	case reflect.Slice:
		n := r.IntN(4)
		if depth > 5 {
			n = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			random(r, v.Index(i), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(3) {
			key, of := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			random(r, key, depth+1)
			random(r, of, depth+1)
			v.SetMapIndex(key, of)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			if r.IntN(4) > 0 {
				v.Set(reflect.ValueOf(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(2000)-1000) * time.Hour / 4)))
			}
			return
		}
		for i := range v.NumField() {
			random(r, v.Field(i), depth+1)
		}
	}
}

// likely makes what seldom comes by chance: a head on which something was done, in
// production.
func likely(r *rand.Rand, x *subject.Subject) {
	half := func() bool { return r.IntN(2) == 0 }
	x.Change.State, x.Change.Head, x.Change.Intent = "merged", "commit:sha1/1", []string{"feature", "security-fix", "unknown"}[r.IntN(3)]
	x.Settings.Requirements = []string{"feature"}
	for i := range x.Deployments {
		if half() {
			x.Deployments[i].Tier, x.Deployments[i].Status = "production", "success"
		}
	}
	for i := range x.Reviews {
		if half() {
			x.Reviews[i].Head, x.Reviews[i].Verdict, x.Reviews[i].Submitted = x.Change.Head, "approved", time.Time{}
			x.Reviews[i].By = subject.Person{Ref: words[8+r.IntN(2)], Human: half(), Bot: half()}
		}
	}
	for i := range x.Runs {
		x.Runs[i].Commit = x.Change.Head
	}
	for i := range x.Scans {
		x.Scans[i].Commit, x.Scans[i].Tool = x.Change.Head, []string{"gitleaks", "CodeQL"}[r.IntN(2)]
	}
	for i := range x.Tests {
		x.Tests[i].Commit = x.Change.Head
	}
	for i := range x.Files {
		if half() {
			x.Files[i].Path, x.Files[i].Status = []string{"pay_test.go", "auth/login.go", "go.mod"}[r.IntN(3)], "D"
			x.Files[i].ByAI = half()
		}
	}
	states := []string{"holds", "stranger", "broken", "unsigned", "elsewhere", "erased"}
	for i := range x.Artifacts {
		for j := range x.Artifacts[i].Attestations {
			if a := &x.Artifacts[i].Attestations[j]; half() {
				a.Predicate, a.Signature, a.Signer, a.Builder = "https://slsa.dev/provenance/v1", states[r.IntN(len(states))], "a", "b"
			}
		}
	}
	if half() {
		x.Settings.Trust, x.Settings.Builders = []subject.Signer{{Name: "a", Builders: []string{"*"}}}, map[string]int{"b": 2}
	}
	if half() {
		x.Settings.Protected, x.Settings.Forbidden, x.Settings.Packages = []string{"auth/"}, []string{"auth/"}, []string{"pkg:npm/react"}
		x.Settings.Owners = map[string][]string{"owner": {"auth/"}}
	}
}

// TestARuleAnswersWhateverIsAsked: no control of ours has to say that its rule could not be
// evaluated, and whatever comes out has a reason.
func TestARuleAnswersWhateverIsAsked(t *testing.T) {
	subjects := 1000
	if testing.Short() {
		subjects = 100
	}
	set, seen := all(t), map[string]map[policy.State]int{}
	for seed := range subjects {
		x := &subject.Subject{}
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		random(r, reflect.ValueOf(x).Elem(), 0)
		if seed%2 == 0 {
			x.Settings = subject.Usual()
		}
		for _, patterns := range x.Settings.Patterns() { // a policy with one that is none is not read
			for i, p := range patterns {
				if !subject.Valid(p) {
					patterns[i] = "*.go"
				}
			}
		}
		x.Settings.Since, x.Now = time.Time{}, time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
		likely(r, x)
		x.Derive()
		for _, f := range set.Judge(x) {
			if seen[f.Control] == nil {
				seen[f.Control] = map[policy.State]int{}
			}
			seen[f.Control][f.State]++
			if strings.HasPrefix(f.Reason, "the rule could not be evaluated") {
				t.Fatalf("seed %d: %s: %s", seed, f.Control, f.Reason)
			}
			if f.State != policy.Pass && f.Reason == "" {
				t.Fatalf("seed %d: %s is %s without a reason", seed, f.Control, f.State)
			}
			if f.State == policy.Pass && (f.Remedy != "" || f.Blocks) {
				t.Fatalf("seed %d: %s passes and asks for something: %+v", seed, f.Control, f)
			}
		}
	}
	for _, c := range set.Controls {
		for _, state := range []policy.State{policy.Fail, policy.Unknown} {
			if seen[c.ID][state] == 0 && !testing.Short() {
				t.Errorf("%s was never %s, so its reasons were not tried: %v", c.ID, state, seen[c.ID])
			}
		}
	}
}
