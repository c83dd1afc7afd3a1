package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/policy/subject"
)

// functions judge what rules cannot say, by the names that controls call them by.
var functions = map[string]Function{
	"agent-chain": agentChain,
}

// agentChain follows every session up to the one at the top, which a person started, or a
// program that may start agents.
func agentChain(s *subject.Subject) Outcome {
	out := Outcome{State: Pass}
	at := map[string]*subject.Session{}
	for i := range s.Sessions {
		at[s.Sessions[i].Ref] = &s.Sessions[i]
		out.Rests = append(out.Rests, s.Sessions[i].Ref)
	}
	services := map[string]bool{}
	worse := func(state State, format string, args ...any) {
		if out.State == Pass || out.State == Unknown && state == Fail {
			out.State, out.Reason = state, fmt.Sprintf(format, args...)
		}
	}
	for _, x := range s.Sessions {
		seen, up, lost := map[string]bool{}, &x, false
		for up.Parent != "" && !seen[up.Ref] && len(seen) <= s.Settings.Depth {
			seen[up.Ref] = true
			next := at[up.Parent]
			if next == nil {
				worse(Unknown, "%s was started by %s, of which nothing is known", up.Ref, up.Parent)
				lost = true
				break
			}
			up = next
		}
		switch {
		case lost:
		case seen[up.Ref]:
			worse(Fail, "the sessions above %s go round in a circle", x.Ref)
		case len(seen) > s.Settings.Depth:
			worse(Fail, "%s is more than %d sessions below the one that was started first", x.Ref, s.Settings.Depth)
		case up.Parent == "" && !x.Principal && x.Service != "":
			services[x.Service] = true
		case up.Parent == "" && !x.Principal && len(up.Operators) == 0:
			worse(Unknown, "nobody is known to have started %s", up.Ref)
		case up.Parent == "" && !x.Principal:
			worse(Fail, "%s was started by no person", up.Ref)
		}
	}
	if out.State == Pass && len(services) > 0 {
		out.Reason = "started by " + strings.Join(slices.Sorted(maps.Keys(services)), ", ") + ", which may start agents"
	}
	return out
}
