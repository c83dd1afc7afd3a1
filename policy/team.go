package policy

import (
	"fmt"
	"regexp"
	"sync"
)

// A Team looks after some repositories. It says nothing about people.
type Team struct {
	Name  string   `yaml:"name"`
	Match []string `yaml:"match"` // patterns of names
}

// teamName is what a team may be called: it stands in addresses and beside figures.
var teamName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\pL\pN][\pL\pN\pM ._/&+-]{0,79}$`) })

// teams finds those that are none.
func (p *Policy) teams() (faults []error) {
	seen := map[string]bool{}
	for i, t := range p.Teams {
		at := fmt.Sprintf("teams.%d", i)
		switch {
		case !teamName().MatchString(t.Name):
			faults = append(faults, p.fault(at, "a team is called by letters, digits, spaces and . _ / & + -, at most 80 of them, and not %.40q", t.Name))
		case seen[t.Name]:
			faults = append(faults, p.fault(at, "there is a team %q already: put their patterns together", t.Name))
		}
		if seen[t.Name] = true; len(t.Match) == 0 {
			faults = append(faults, p.fault(at, "it does not say which repositories: match is missing"))
		}
		faults = append(faults, p.names(at+".match", t.Match))
	}
	return faults
}

// TeamOf is the team of a repository, by its name: the first that it fits; nothing if it is
// of none.
func (p *Policy) TeamOf(repository string) string {
	for _, t := range p.Teams {
		if called(repository, t.Match) {
			return t.Name
		}
	}
	return ""
}
