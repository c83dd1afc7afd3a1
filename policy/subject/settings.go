package subject

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/stemma-dev/stemma/git/quote"
)

// Settings are what an organisation decided for a repository. What is not decided is
// empty, and a control that needs it is not applicable or unknown, never passed.
type Settings struct {
	DataClass       string              `json:"data_class,omitempty"`       // of the repository: public, internal, regulated
	Tags            map[string][]string `json:"tags,omitempty"`             // paths by boundary: auth, payments, pci, phi
	Protected       []string            `json:"protected,omitempty"`        // paths that two people have to approve
	Forbidden       []string            `json:"forbidden,omitempty"`        // paths that AI may not write
	Owners          map[string][]string `json:"owners,omitempty"`           // paths by the role that has to approve them
	Models          []string            `json:"models,omitempty"`           // names of models that may be used; none: nobody decided
	DeniedModels    []string            `json:"denied_models,omitempty"`    // and that may not, whatever else is said
	Tools           []string            `json:"tools,omitempty"`            // names of tools and MCP servers that may be called
	RequiredTools   []string            `json:"required_tools,omitempty"`   // names of tools of which each has to have been called
	Untrusted       []string            `json:"untrusted,omitempty"`        // names of tools that bring text from outside
	Packages        []string            `json:"packages,omitempty"`         // package URLs that may be added, without versions
	PackageAgeDays  int                 `json:"package_age_days,omitempty"` // since the first version of a package that may be added without being named; 0: nobody decided
	PackageMonthly  int                 `json:"package_monthly,omitempty"`  // downloads in a month that such a package has at least; 0: nobody decided
	Services        []string            `json:"services,omitempty"`         // accounts of programs that may start agents: github.com/release-bot
	Checks          []string            `json:"checks,omitempty"`           // names of runs that have to be green
	SecretScanners  []string            `json:"secret_scanners,omitempty"`  // names of tools that look for secrets
	Builders        map[string]int      `json:"builders,omitempty"`         // patterns of trusted builders, with the level of SLSA Build
	Trust           []Signer            `json:"trust,omitempty"`            // whose signatures of attestations count
	BuildLevel      int                 `json:"build_level,omitempty"`      // that is asked for; 1 if nobody says
	AIShare         int                 `json:"ai_share,omitempty"`         // percent of added lines at most; 0: no cap
	CostMicroUSD    int                 `json:"cost_micro_usd,omitempty"`   // of the sessions of one change at most; 0: no cap
	Depth           int                 `json:"depth,omitempty"`            // of spawned sessions at most
	Attempts        int                 `json:"attempts,omitempty"`         // until green, above which a change is said to thrash
	SecondReviewer  int                 `json:"second_reviewer,omitempty"`  // risk from which a second person has to approve; 0: none
	LinesPerMinute  int                 `json:"lines_per_minute,omitempty"` // that somebody can review
	Unattributed    int                 `json:"unattributed,omitempty"`     // percent of added lines that may be of unknown origin
	BurstLines      int                 `json:"burst_lines,omitempty"`      // of unknown origin in one commit that nobody types at once
	Retention       int                 `json:"retention,omitempty"`        // days for which bodies are kept; 0: for ever
	RetentionNeeded int                 `json:"retention_needed,omitempty"` // days, the most that a framework in force asks for
	Requirements    []string            `json:"requirements,omitempty"`     // intents of changes that need a requirement
	Compared        bool                `json:"compared,omitempty"`         // what landed has to have been held against what was approved; else forges are believed
	Anchored        bool                `json:"anchored,omitempty"`         // a checkpoint of the log has to be kept elsewhere
	GraceMinutes    int                 `json:"grace_minutes,omitempty"`    // within which evidence may still come
	LagHours        int                 `json:"lag_hours,omitempty"`        // between what happened and its record
	Since           time.Time           `json:"since,omitzero"`             // changes that were merged before are not judged
}

// A Signer is somebody whose signatures count: the holder of a key, or an identity under a
// root. Of builders only those count that the signer is trusted to speak for.
type Signer struct {
	Name     string   `json:"name"`
	Key      string   `json:"key,omitempty"`      // the public key in PEM, or the name of its file beside the policy
	KeyID    string   `json:"key_id,omitempty"`   // as signatures call it, where they do not by its digest
	Issuer   string   `json:"issuer,omitempty"`   // who lets an identity in
	Identity string   `json:"identity,omitempty"` // pattern of it
	Root     string   `json:"root,omitempty"`     // of Sigstore, which bears witness of identities, or the name of its file
	Builders []string `json:"builders,omitempty"` // patterns of builders
}

// Usual are the settings where nobody decided otherwise. They only bound what every
// control needs a bound for; who may do what is never assumed.
func Usual() Settings {
	return Settings{
		Untrusted:      []string{"WebFetch", "WebSearch", "web_search", "fetch", "browser*", "mcp__*fetch*", "mcp__*browser*"},
		SecretScanners: []string{"gitleaks", "trufflehog", "detect-secrets", "ggshield"},
		BuildLevel:     1, Depth: 5, Attempts: 4, LinesPerMinute: 40, Unattributed: 5, BurstLines: 200,
		GraceMinutes: 15, LagHours: 24,
	}
}

// MatchesPath reports whether a path fits one of some patterns, by [Matches]. A name with a
// control character or the like is written as git quotes it, and held against them as what
// it is: else a tab in its name would take a file out of every directory.
func MatchesPath(path string, patterns ...string) bool {
	return Matches(unquoted(path), patterns...)
}

// FitsPath is [MatchesPath] that also tells of a pattern which is none, as [Fits] does.
func FitsPath(path string, patterns ...string) (bool, error) {
	return Fits(unquoted(path), patterns...)
}

// unquoted is a path without the quoting of git. What git did not quote stays as it is; a
// name that begins with a quote is itself quoted, so there is no doubt which is which.
func unquoted(path string) string {
	if raw, err := quote.Raw(path); err == nil {
		return raw
	}
	return path
}

// Matches reports whether a name fits one of some patterns, in which "*" stands
// for any characters but "/", "**" for any at all, and a directory for all below it.
func Matches(name string, patterns ...string) bool {
	ok, _ := Fits(name, patterns...)
	return ok
}

// Fits is [Matches] that also tells of a pattern which is none, where no other one fits: what such a
// pattern was to say is not known.
func Fits(name string, patterns ...string) (bool, error) {
	var broken error
	for _, p := range patterns {
		of := p
		if strings.HasSuffix(p, "/") {
			of += "**"
		}
		ok, err := false, doublestar.ErrBadPattern
		if p != "" && bounded(p) {
			ok, err = doublestar.Match(of, name)
		}
		switch {
		case ok && err == nil:
			return true, nil
		case err != nil && broken == nil:
			broken = fmt.Errorf("%.80q is not a pattern", p)
		}
	}
	return false, broken
}

// Valid reports whether a pattern is one.
func Valid(pattern string) bool {
	return pattern != "" && bounded(pattern) && doublestar.ValidatePattern(pattern)
}

// bounded reports whether a pattern can be held against a name at little cost: groups of
// alternatives multiply.
func bounded(pattern string) bool {
	return len(pattern) <= 500 && strings.Count(pattern, "{") <= 3 && strings.Count(pattern, ",") <= 60 && strings.Count(pattern, "**") <= 8
}

// Clone is a copy that shares nothing.
func (s Settings) Clone() Settings {
	s.Tags, s.Owners, s.Builders = cloneMap(s.Tags), cloneMap(s.Owners), maps.Clone(s.Builders)
	s.Trust = slices.Clone(s.Trust)
	for i := range s.Trust {
		s.Trust[i].Builders = slices.Clone(s.Trust[i].Builders)
	}
	for _, list := range []*[]string{
		&s.Protected, &s.Forbidden, &s.Models, &s.DeniedModels, &s.Tools, &s.RequiredTools, &s.Untrusted, &s.Packages, &s.Services, &s.Checks, &s.SecretScanners, &s.Requirements,
	} {
		*list = slices.Clone(*list)
	}
	return s
}

func cloneMap(m map[string][]string) map[string][]string {
	out := maps.Clone(m)
	for k, v := range out {
		out[k] = slices.Clone(v)
	}
	return out
}

// Patterns are all patterns of the settings, by the name of the member.
func (s Settings) Patterns() map[string][]string {
	all := map[string][]string{
		"protected": s.Protected, "forbidden": s.Forbidden, "models": s.Models, "denied_models": s.DeniedModels, "tools": s.Tools, "required_tools": s.RequiredTools,
		"untrusted": s.Untrusted, "packages": s.Packages, "services": s.Services, "secret_scanners": s.SecretScanners,
	}
	for name, of := range map[string]map[string][]string{"tags": s.Tags, "owners": s.Owners} {
		for key, list := range of {
			all[name+" "+key] = list
		}
	}
	all["builders"] = slices.Sorted(maps.Keys(s.Builders))
	for i, t := range s.Trust {
		all["trust "+strconv.Itoa(i)+" builders"] = t.Builders
	}
	return all
}

// Numbers are all numbers of the settings, by the name of the member.
func (s Settings) Numbers() map[string]int {
	return map[string]int{
		"build_level": s.BuildLevel, "ai_share": s.AIShare, "cost_micro_usd": s.CostMicroUSD, "depth": s.Depth, "attempts": s.Attempts,
		"lines_per_minute": s.LinesPerMinute, "second_reviewer": s.SecondReviewer, "unattributed": s.Unattributed, "burst_lines": s.BurstLines, "retention": s.Retention,
		"retention_needed": s.RetentionNeeded, "grace_minutes": s.GraceMinutes, "lag_hours": s.LagHours,
		"package_age_days": s.PackageAgeDays, "package_monthly": s.PackageMonthly,
	}
}

// Most are the largest numbers that mean something, by the name of the member: shares and risks are
// out of a hundred, and SLSA Build has three levels.
func Most() map[string]int {
	return map[string]int{"ai_share": 100, "unattributed": 100, "second_reviewer": 100, "build_level": 3}
}
