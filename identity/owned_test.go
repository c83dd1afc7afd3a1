package identity_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/identity"
)

func TestTheLastRuleThatFitsDecides(t *testing.T) {
	const file = `
*                 @all
*.js              @js
/build/logs/      @doctocat
docs/*            @docs
apps/             @octocat
**/logs           @logs
/scripts/         @doctocat @octocat
/apps/github
a\ b.md           @space
/deep/**/x.go     @deep
`
	for path, want := range map[string]string{
		"main.go": "@all", "a\nb\xff": "@all", "build/logs/x\ny": "@logs", "src/a/b.js": "@js", "build/logs/x/y.txt": "@logs", "docs/a.md": "@docs", "docs/a/b.md": "@all",
		"x/apps/y": "@octocat", "deeply/logs/z": "@logs", "scripts/run.sh": "@doctocat @octocat", "apps/github/readme": "", "apps/gitlab": "@octocat",
		"q/a b.md": "@space", "deep/x.go": "@deep", "deep/a/b/x.go": "@deep", "deepx.go": "@all",
	} {
		if got := strings.Join(owned(t, identity.GitHubOwners, file).Of(path), " "); got != want {
			t.Errorf("%s is owned by %q, want %q", path, got, want)
		}
	}
}

func TestEverySectionOfGitLabHasItsOwnLastRule(t *testing.T) {
	const file = `
* @all
README.md @readme
[Docs] @writers
docs/
!docs/generated/
docs/generated/keep.md @keep
[docs]
/docs/api @api
^[Go]
*.go @go
`
	for path, want := range map[string]string{
		"a/README.md": "@readme", "docs/x.md": "@all @writers", "sub/docs/x.md": "@all @writers", "docs/generated/keep.md": "@all",
		"docs/api": "@all @api", "docs/api/x": "@all @writers", "cmd/main.go": "@all @go",
	} {
		got := owned(t, identity.GitLabOwners, file).Of(path)
		slices.Sort(got)
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s is owned by %q, want %q", path, got, want)
		}
	}
}

func TestEveryRuleOfGiteaCounts(t *testing.T) {
	const file = `
.*\.go @go
!docs/.* @code
[ab]/x @set
((( @broken
`
	for path, want := range map[string]string{"a.go": "@go @code", "docs/x.md": "", "a/x": "@code @set"} {
		if got := strings.Join(owned(t, identity.GiteaOwners, file).Of(path), " "); got != want {
			t.Errorf("%s is owned by %q, want %q", path, got, want)
		}
	}
}

func TestAnUnwieldyFileOfOwnersIsRefused(t *testing.T) {
	for name, file := range map[string]string{
		"large patterns": strings.Repeat("("+strings.Repeat("a?", 200)+"){500} @go\n", 40),
		"many patterns":  strings.Repeat(strings.Repeat("ab", 400)+" @go\n", 3000),
	} {
		if _, err := identity.NewOwnership(identity.GiteaOwners, file); !errors.Is(err, identity.ErrUnwieldy) {
			t.Errorf("%s: %v, want ErrUnwieldy", name, err)
		}
	}
	paths := make([]string, 2000)
	for i := range paths {
		paths[i] = strings.Repeat("a/", 500)
	}
	if !owned(t, identity.GitHubOwners, strings.Repeat("/src/pay/ @pay\n", 40)).Affords(paths) {
		t.Error("an ordinary file of owners is not followed for many files")
	}
	if owned(t, identity.GitHubOwners, strings.Repeat("/src/pay/ @pay\n", 20_000)).Affords(paths) {
		t.Error("many rules are followed for many long paths")
	}
}

// owned reads a file of owners.
func owned(t *testing.T, d identity.Dialect, file string) *identity.Ownership {
	t.Helper()
	o, err := identity.NewOwnership(d, file)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func FuzzOwnership(f *testing.F) {
	f.Add("* @a\n[Docs][2] @docs\n^[x]\n!y\na\\ b\\#c @d # e\n**/x/** @e\n", "x/y", 0)
	f.Add("(a|b)* @a\n![ @b\n\\ @c\n// @d\n/ @e\n", "a/b", 2)
	f.Fuzz(func(t *testing.T, file, path string, dialect int) {
		d := identity.Dialect(((dialect % 3) + 3) % 3)
		o, err := identity.NewOwnership(d, file)
		if err != nil {
			return
		}
		if len(d.Files()) == 0 {
			t.Fatal("no place for a file of owners")
		}
		for _, owner := range o.Of(path) {
			if !strings.Contains(file, owner) {
				t.Fatalf("%q owns %q, but is not in %q", owner, path, file)
			}
		}
	})
}
