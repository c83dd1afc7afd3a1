package space

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stemma-dev/stemma/policy/announce"
)

func TestAForgeThatIsToldIsNamedByAFlag(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("a token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]announce.Forge{
		"github":                     {System: "github", Host: "github.com", Base: "https://api.github.com"},
		"gitlab@gitlab.com#12":       {System: "gitlab", Host: "gitlab.com", Base: "https://gitlab.com/api/v4", Check: 12},
		"gitea@http://127.0.0.1:300": {System: "gitea", Host: "127.0.0.1", Base: "http://127.0.0.1:300/api/v1"},
		"gitea@Git.acme.example:300": {System: "gitea", Host: "git.acme.example", Base: "https://Git.acme.example:300/api/v1"},
	} {
		got, err := forges([]string{flag + "=" + file})
		want.Token = "a token"
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v %v", flag, got, err)
		}
	}
	for _, flag := range []string{"github", "github=", "gitea=" + file, "github@x#1=" + file, "gitlab@x#y=" + file, "github=" + file + "x"} {
		if got, err := forges([]string{flag}); err == nil {
			t.Errorf("%s is taken: %+v", flag, got)
		}
	}
}
