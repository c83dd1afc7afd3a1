package change_test

import (
	"testing"

	"github.com/stemma-dev/stemma/change"
)

func TestRemoteIsTakenApart(t *testing.T) {
	for remote, want := range map[string][3]string{
		"https://GitHub.com/acme/pay.git":          {"github.com", "acme/pay", "https://github.com/acme/pay"},
		"git@github.com:acme/pay.git":              {"github.com", "acme/pay", "https://github.com/acme/pay"},
		"ssh://git@gitlab.example:2222/a/b/c.git":  {"gitlab.example", "a/b/c", "https://gitlab.example/a/b/c"},
		"https://user:secret@git.example/acme/pay": {"git.example", "acme/pay", "https://git.example/acme/pay"},
		"http://localhost:3000/acme/pay.git":       {"localhost", "acme/pay", "https://localhost/acme/pay"},
		"http://gitea:3000/acme/pay":               {"gitea", "acme/pay", "https://gitea/acme/pay"},
		"https://dev.azure.com/acme/shop/_git/pay": {"dev.azure.com", "acme/shop/_git/pay", "https://dev.azure.com/acme/shop/_git/pay"},
		"/srv/git/pay.git":                         {},
		"../pay":                                   {},
		"file:///srv/git/pay.git":                  {},
		"C:repositories/pay":                       {},
		"nickname:acme/pay.git":                    {},
		"https://github.com/":                      {},
		"":                                         {},
		"https://\xff.example/a":                   {"\ufffd.example", "a", "https://\ufffd.example/a"},
	} {
		host, name, web := change.ParseRemote(remote)
		if got := [3]string{host, name, web}; got != want {
			t.Errorf("ParseRemote(%q) = %q, want %q", remote, got, want)
		}
	}
}
