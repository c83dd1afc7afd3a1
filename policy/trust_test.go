package policy

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/attest/attesttest"
	"github.com/stemma-dev/stemma/policy/subject"
)

// key is a public key as a policy has it, indented.
func key(name, indent string) string {
	return "|\n" + indent + strings.ReplaceAll(strings.TrimSpace(attesttest.New(name).Public()), "\n", "\n"+indent) + "\n"
}

// TestTrustIsDecidedByRepository: a list takes the place of another one as a whole.
func TestTrustIsDecidedByRepository(t *testing.T) {
	files := map[string]string{"keys/ci.pub": attesttest.New("ci").Public()}
	p, err := ParsePolicyBeside("policy.yaml", []byte(`settings:
  trust:
    - {name: ci, key: keys/ci.pub, key_id: "vault:7", builders: ["https://ci.example.com/*"]}
    - name: boms
      key: `+key("boms", "        ")+`
repositories:
  - match: [acme/pay]
    settings:
      trust:
        - name: pay
          key: `+key("pay", "            ")+`
  - match: [acme/none]
    settings: {trust: []}
  - match: [acme/same]
    settings: {build_level: 3}
`), func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	})
	if err != nil {
		t.Fatal(err)
	}
	names := func(repository string) string {
		var list []string
		for _, s := range p.SettingsOf(repository).Trust {
			list = append(list, s.Name+" "+strings.Join(s.Builders, ",")+s.KeyID)
		}
		return strings.Join(list, "; ")
	}
	for repository, want := range map[string]string{
		"acme/other": "ci https://ci.example.com/*vault:7; boms ", "acme/pay": "pay ", "acme/none": "", "acme/same": "ci https://ci.example.com/*vault:7; boms ",
	} {
		if got := names(repository); got != want {
			t.Errorf("%s trusts %q, want %q", repository, got, want)
		}
	}
	if got := p.SettingsOf("acme/other").Trust[0].Key; got != files["keys/ci.pub"] {
		t.Errorf("its key is %q", got)
	}
	set, other := &Set{Policy: p}, &Set{}
	files["keys/ci.pub"] = attesttest.New("next").Public()
	if other.Policy, err = ParsePolicyBeside("policy.yaml", []byte("settings: {trust: [{name: ci, key: keys/ci.pub}]}"), func(name string) ([]byte, error) { return []byte(files[name]), nil }); err != nil {
		t.Fatal(err)
	}
	before := other.Digest()
	other.Policy.usual.Trust = []subject.Signer{{Name: "ci", Key: attesttest.New("ci").Public()}}
	if before == other.Digest() || set.Digest() == before {
		t.Error("another key is the same policy, so nothing would be judged anew")
	}
}

// TestASignerThatCannotBeTrustedIsAFault: with its line, and without what a secret holds.
func TestASignerThatCannotBeTrustedIsAFault(t *testing.T) {
	for text, want := range map[string]string{
		"    - {key: x}":  `policy.yaml:3: "x" names a file, and there are none here`,
		"    - {name: a}": `policy.yaml:3: the signer "a" cannot be trusted so: a signer needs a key`,
		"    - {name: a, key: '-----BEGIN PUBLIC KEY-----'}":                                                      `policy.yaml:3: the signer "a" cannot be trusted so: it is no key in PEM`,
		"    - {name: a, issuer: i, identity: b, root: '{}'}":                                                     `policy.yaml:3: the signer "a" cannot be trusted so: it is no trusted root`,
		"    - {name: a, issuer: i, identity: '[', root: '{}'}":                                                   `policy.yaml:3: the signer "a" cannot be trusted so: its identity is no pattern`,
		"    - {name: a, builders: ['[']}":                                                                        `policy.yaml:3: "[" is not a pattern`,
		"    - {name: a, secret: b}":                                                                              `policy.yaml:3: there is no member "secret"`,
		"    - name: a\n      key: " + key("a", "        ") + "    - name: a\n      key: " + key("b", "        "): `policy.yaml:8: the signer "a" is there twice`,
		"    - name: a\n      key: " + strings.ReplaceAll(key("a", "        "), "PUBLIC", "PRIVATE"):              `policy.yaml:3: the signer "a" cannot be trusted so: it is a private key`,
		"    - {name: a, builders: b}":                                                                            `policy.yaml:3: trust.builders is of the kind string, and a list is needed`,
	} {
		_, err := ParsePolicy("policy.yaml", []byte("settings:\n  trust:\n"+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v\nwant  %s", text, err, want)
		}
	}
	many := "settings:\n  trust:\n" + strings.Repeat("    - {name: a}\n", maxTrust+1)
	if _, err := ParsePolicy("policy.yaml", []byte(many)); err == nil || !strings.Contains(err.Error(), "more than 100 signers") {
		t.Errorf("%v", err)
	}
}
