package policy

import (
	"testing"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A remote may be written git@github.com:Acme/Pay.git.
func TestARepositoryHasOneNameInAllOfAPolicyWhateverItsCase(t *testing.T) {
	called := []subject.Repository{
		{Thing: subject.Thing{Ref: "repository:github.com/acme/pay"}, Name: "Acme/Pay", Host: "github.com"},
		{Thing: subject.Thing{Ref: "repository:github.com/acme/pay"}, Name: "acme/pay"},
		{Thing: subject.Thing{Ref: "repository:github.com/acme/pay"}, Host: "github.com"},
		{Name: "Acme/Pay"},
	}
	for _, pattern := range []string{"acme/pay", "Acme/Pay", "ACME/*", "[A-B]cme/pay"} {
		p, err := ParsePolicy("policy.yaml", []byte(`rules: [{controls: ["*"], repositories: ["`+pattern+`"], mode: enforce}]
repositories: [{match: ["`+pattern+`"], settings: {ai_share: 50}}]
teams: [{name: Payments, match: ["`+pattern+`"]}]
`))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range called {
			if got := (&Set{Policy: p}).Mode(ruled(t, "true"), &subject.Subject{Repository: r}); got != Enforce {
				t.Errorf("by the rule of %s, %+v gets %s", pattern, r, got)
			}
			if got := p.SettingsOf(nameOf(r)).AIShare; got != 50 {
				t.Errorf("by the settings of %s, %+v gets %d", pattern, r, got)
			}
			if got := p.TeamOf(nameOf(r)); got != "Payments" {
				t.Errorf("by the team of %s, %+v gets %q", pattern, r, got)
			}
		}
		if other := (subject.Repository{Name: "acme2/pay"}); p.SettingsOf(nameOf(other)).AIShare != 0 {
			t.Errorf("%s fits %s", pattern, other.Name)
		}
	}
}
