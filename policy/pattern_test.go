package policy

import (
	"fmt"
	"strings"
	"testing"
)

// Each of them would forbid, protect or enforce nothing, and nobody would be told.
func TestAPatternThatFitsNothingIsAFaultThatSaysWhatToWrite(t *testing.T) {
	paths := map[string]string{
		"/keys/": "keys/", "./keys/": "keys/", "keys//": "keys/", "keys/.": "keys/", "keys/ ": "keys/", " keys/": "keys/", "keys/./a": "keys/a", "a/../keys/": "keys/", "../keys": "keys",
		"/": "**", ".": "**", "/**/*.pem": "**/*.pem", "{/keys,pay}/": "{keys,pay}/", "{keys, pay}/": "{keys,pay}/", "{keys,pay}//a": "{keys,pay}/a",
	}
	names := map[string]string{
		"github.com/acme/pay": "acme/pay", "https://github.com/acme/pay": "acme/pay", "https://github.com/acme/pay.git": "acme/pay", "acme/pay.git": "acme/pay",
		"git@github.com:Acme/Pay.git": "Acme/Pay", "ssh://git@git.acme.example:22/acme/pay": "acme/pay", "repository:github.com/acme/pay": "acme/pay", "GitHub.com/acme": "acme/", "github.com": "**", "github.com/": "**", "github.com/*": "*/", "https://github.com": "**",
		"git.acme.example/team/*": "team/*", "/acme/pay": "acme/pay", "acme/pay ": "acme/pay", "acme//pay": "acme/pay",
		"local/pay": "pay", "repository:local/pay": "pay",
	}
	for place, of := range map[string]struct {
		text string
		want map[string]string
	}{
		"forbidden":    {"settings:\n  forbidden: [%q]", paths},
		"protected":    {"settings:\n  protected: [%q]", paths},
		"tags":         {"settings:\n  tags: {auth: [%q]}", paths},
		"a tag":        {"settings:\n  tags: {pci dss: [%q]}", paths},
		"owners":       {"settings:\n  owners: {dpo: [%q]}", paths},
		"an owner":     {"settings:\n  owners: {security reviewer: [%q]}", paths},
		"rules":        {"rules:\n  - {controls: ['*'], mode: warn, paths: [%q]}", paths},
		"of one":       {"repositories:\n  - {match: [a/b], settings: {forbidden: [%q]}}", paths},
		"rules of":     {"rules:\n  - {controls: ['*'], mode: warn, repositories: [%q]}", names},
		"repositories": {"repositories:\n  - {match: [%q], settings: {ai_share: 1}}", names},
		"teams":        {"teams:\n  - {name: a, match: [%q]}", names},
		"models":       {"settings:\n  models: [%q]", map[string]string{"claude-* ": "claude-*"}},
	} {
		for pattern, right := range of.want {
			_, err := ParsePolicy("policy.yaml", fmt.Appendf(nil, of.text, pattern))
			if want := fmt.Sprintf("policy.yaml:2: %q fits nothing: write %q", pattern, right); err == nil || err.Error() != want {
				t.Errorf("%s: %v\nwant %s", place, err, want)
			}
			if _, err := ParsePolicy("policy.yaml", fmt.Appendf(nil, of.text, right)); err != nil {
				t.Errorf("%s: what is to be written is wrong: %v", place, err)
			}
		}
	}
}

func TestAPatternThatMayFitIsNone(t *testing.T) {
	for _, text := range []string{
		"settings: {forbidden: [keys/, keys, '**', '**/*.pem', 'a/**/', '{a,b}/{c,d}', '{,x}a', '.stemma/', '.*', '..a', 'a b/', '[ab]/c', 'a{/b,/c}']}",
		"repositories: [{match: [acme/pay, acme/*, 'acme/', group/sub/pay, acme.io/pay, acme.io/team/pay, node.js/core/lib, '*', '**', 0123456789ab, 'acme.?o/sub/pay', '*.io/a/b', '{a,b}/*', acme/pay.github.io], settings: {}}]",
	} {
		if _, err := ParsePolicy("policy.yaml", []byte(text)); err != nil {
			t.Error(err)
		}
	}
}

func TestANameOfASettingIsInLowerCase(t *testing.T) {
	_, err := ParsePolicy("policy.yaml", []byte("settings:\n  Forbidden: [/keys/]\n"))
	if want := `policy.yaml:2: there is no member "Forbidden": write forbidden`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestAFaultIsToldOnceWhereItStands(t *testing.T) {
	_, err := ParsePolicy("policy.yaml", []byte("settings:\n  forbidden: [/keys/]\n  burst_lines: -1\nclasses:\n  pci: {depth: 1}\nrepositories:\n  - {match: [a/b], settings: {data_class: pci, tags: {a: [b/]}}}\n"))
	if err == nil || strings.Count(err.Error(), "keys") != 2 || strings.Count(err.Error(), "burst_lines is") != 1 {
		t.Error(err)
	}
}
