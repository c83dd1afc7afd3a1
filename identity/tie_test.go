package identity_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
)

func TestAddressesThatAForgeMakesNameTheAccountByItsId(t *testing.T) {
	for mail, want := range map[string]string{
		"583231+octocat@users.noreply.github.com":         "github.com 583231",
		"583231+Renamed@Users.NoReply.GitHub.com":         "github.com 583231",
		"42-ann@users.noreply.gitlab.com":                 "gitlab.com 42",
		"7+ann@users.noreply.git.acme.test":               "git.acme.test 7",
		"octocat@users.noreply.github.com":                "",
		"42-ann@users.noreply.github.com":                 "",
		"42-ann@users.noreply.git.acme.test":              "", // a login of GitHub Enterprise Server
		"7-of-9+x@users.noreply.git.acme.test":            "",
		"0+x@users.noreply.github.com":                    "",
		"12x+y@users.noreply.github.com":                  "",
		"+y@users.noreply.github.com":                     "",
		"583231+octocat@users.noreply.github.com.evil":    "github.com.evil 583231",
		"583231+octocat@github.com":                       "",
		"99999999999999999999+x@users.noreply.github.com": "",
		"": "",
	} {
		got := ""
		if host, id, ok := identity.NoreplyAccount(mail); ok {
			got = host + " " + id
		}
		if got != want {
			t.Errorf("%q names the account %q, want %q", mail, got, want)
		}
	}
}

func TestATieIsTheSameWhicheverAccountIsNamedFirst(t *testing.T) {
	a, b := identity.NewTie("noreply", "person:a", "person:b"), identity.NewTie("noreply", "person:b", "person:a")
	if a != b || a.Ref() == "" || a.Ref() == identity.NewTie("mailmap", "person:a", "person:b").Ref() {
		t.Errorf("%+v and %+v, %s", a, b, a.Ref())
	}
	if self := identity.NewTie("noreply", "person:a", "person:a"); self.Ref() != "" {
		t.Errorf("an account is tied to itself: %s", self.Ref())
	}
}

func TestAMailmapTiesAddressesButNoSharedOnes(t *testing.T) {
	const file = `# people
Ann Lee <ann@x.test>
Ann Lee <ann@x.test> <ANN@old.test>
<bob@x.test> <bob@laptop>
Cy <cy@x.test> <root@localhost> # shared by name below
Cy <cy@x.test> Cy Dee <build@x.test>
<ann@x.test> <ann@x.test>
broken <a
<> <b@x.test>
`
	want := []identity.MailPair{{"ann@x.test", "ann@old.test"}, {"bob@x.test", "bob@laptop"}, {"cy@x.test", "root@localhost"}}
	if diff := cmp.Diff(want, identity.ParseMailmap(file)); diff != "" {
		t.Error(diff)
	}
}

func TestHostileMailmapsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 60_000 {
		b.WriteString("<a@x> <")
		b.WriteString(strings.Repeat("b", i%9))
		b.WriteString(string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + "@x>\n")
	}
	if n := len(identity.ParseMailmap(b.String())); n > 20_000 || n < 10_000 {
		t.Errorf("%d pairs", n)
	}
	if pairs := identity.ParseMailmap("<a@x> <" + strings.Repeat("b", 5000) + ">"); len(pairs) != 0 {
		t.Errorf("an address of 5000 bytes was taken: %d", len(pairs))
	}
}

func FuzzParseMailmap(f *testing.F) {
	f.Add("Ann <a@x> <b@x>\n<<>> <\n# x\n")
	f.Fuzz(func(t *testing.T, file string) {
		for _, p := range identity.ParseMailmap(file) {
			if p.Proper == "" || p.Commit == "" || p.Proper == p.Commit || strings.ContainsAny(p.Proper+p.Commit, "<>\n") {
				t.Fatalf("ParseMailmap(%q) gives %q", file, p)
			}
		}
	})
}

func TestOfWhatAForgeSaysTheLastWordHolds(t *testing.T) {
	at := func(n int64) stemma.Moment { return stemma.Moment(n) }
	ann := stemma.Ref("person:ann")
	forge := identity.Mandate{Holder: ann, Role: "maintainer", Repository: repository, Method: identity.MandateMember, Since: at(10)}
	lower, ended := forge, forge
	lower.Role, lower.Since = "developer", at(20)
	ended.Role, ended.Since = "", at(30)
	given := identity.Mandate{Holder: ann, Role: "release-manager", Method: identity.MandateMap, Since: at(5), Until: at(25)}
	also := identity.Mandate{Holder: ann, Role: "security-reviewer", Method: identity.MandateMap, Since: at(15)}
	gone := identity.Mandate{Holder: ann, Role: "owner", Method: identity.MandateMap, Withdrawn: true}
	all := []identity.Mandate{ended, given, lower, gone, also, forge}
	for n, want := range map[int64]string{
		1: "", 5: "release-manager", 10: "release-manager maintainer", 20: "release-manager developer security-reviewer",
		25: "developer security-reviewer", 30: "security-reviewer",
	} {
		var got []string
		for _, m := range identity.InForce(all, at(n)) {
			got = append(got, m.Role)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("at %d there are %q, want %q", n, got, want)
		}
	}
}
