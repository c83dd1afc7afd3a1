package plain

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const id = "9f2c1e0b7a6d5c4b3a29180706f5e4d3c2b1a098"

const ordinary = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"

func TestOnlyAnOrdinaryConfigurationIsUnderstood(t *testing.T) {
	for _, config := range []string{
		ordinary,
		"# a word\n\n; another\n" + ordinary + "[remote \"origin\"]\n\turl = https://example.test/a.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
		"[CORE]\nRepositoryFormatVersion=0\nBare=false",
		ordinary + "[branch \"a.b\"]\n\tmerge = refs/heads/a.b\n[core \"x\"]\n\tworktree = /elsewhere\n",
	} {
		if !isOrdinary([]byte(config)) {
			t.Errorf("not taken for ordinary:\n%s", config)
		}
	}
	for _, more := range []string{
		"[include]\n\tpath = x\n", "[IncludeIf \"gitdir:x\"]\n\tpath = x\n", "[extensions]\n\tobjectformat = sha256\n", "[Extensions]\n\tworktreeConfig = true\n",
		"\tworktree = /elsewhere\n", "\tWorkTree = /elsewhere\n", "\tbare = true\n", "\tbare = false\n", "\trepositoryformatversion = 1\n",
		"[core] worktree = /elsewhere\n", "[core]worktree = /elsewhere\n", "[a]\n\tb = c\\\n[core]\n", "[a]\n\tb = \"c\n", "[a \"b\\\"]\n", "[a.b]\n", "[a\n", "[]\n",
		"\tkey\n", "\t9key = x\n", "\tkey = x # y\n", "x\r\n", "\tk = \x00\n", "[core]\r\nworktree = x\n", "\ufeff[core]\n",
	} {
		if isOrdinary([]byte(ordinary + more)) {
			t.Errorf("taken for ordinary: %q", more)
		}
	}
	for _, config := range []string{"", "[core]\n\tbare = false\n", "[core]\n\trepositoryformatversion = 0\n", "bare = false\n" + ordinary} {
		if isOrdinary([]byte(config)) {
			t.Errorf("taken for ordinary: %q", config)
		}
	}
}

func TestPackedRefsOutOfTheOrdinaryAreLeftToGit(t *testing.T) {
	all := func([]byte) bool { return true }
	good := "# pack-refs with: peeled fully-peeled sorted \n" + id + " refs/heads/main\n" + id + " refs/tags/v1\n^" + id + "\n"
	if refs, ok := packedRefs([]byte(good), all); !ok || len(refs) != 2 || refs["refs/tags/v1"] != id {
		t.Errorf("packed refs: %v %v", refs, ok)
	}
	for _, bad := range []string{
		good + id + " refs/heads/main\n", good[:len(good)-1], "^" + id + "\n", id + "\n", good + "# more\n",
		id + " refs/heads/a..b\n", strings.Repeat("0", 40) + " refs/heads/main\n", strings.Repeat("x", 40) + " refs/heads/main\n", id + id[:24] + " refs/heads/main\n",
	} {
		if refs, ok := packedRefs([]byte(bad), all); ok {
			t.Errorf("%q is taken for %v", bad, refs)
		}
	}
}

// What is taken for the name of a ref is one to git, too.
func FuzzNamesAreNamesToGit(f *testing.F) {
	for _, s := range []string{"refs/heads/main", "refs/a/.b", "refs/a//b", "refs/a.lock/b", "refs/a..b", "refs/@{", "refs/é", "refs/a\x7f", "HEAD"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if strings.HasPrefix(name, "refs/") && isName(name) && exec.Command("git", "check-ref-format", name).Run() != nil {
			t.Errorf("%q is no name to git", name)
		}
	})
}

// What is taken for an ordinary configuration says to git what it says to us.
func FuzzOrdinaryConfigurationsReadLikeGit(f *testing.F) {
	f.Add(ordinary)
	f.Add("[core]\nbare=false\nrepositoryformatversion=0\n[a \"b\"]\nc=d e\n")
	f.Add("[core]\nbare = true\nrepositoryformatversion = 0\n[core \"x\"]\nbare = false\n")
	f.Add("[core ]\nbare = false\nrepositoryformatversion = 0\n[CORE]\nworktree = y\n")
	f.Fuzz(func(t *testing.T, config string) {
		if !isOrdinary([]byte(config)) {
			return
		}
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("git", "config", "--file", file, "--no-includes", "--list").CombinedOutput()
		if err != nil {
			t.Fatalf("git cannot read %q: %s", config, out)
		}
		core := map[string]string{}
		for line := range strings.Lines(string(out)) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			core[key] = value
			if strings.HasPrefix(key, "include") || strings.HasPrefix(key, "extensions.") {
				t.Errorf("%q has %s", config, key)
			}
		}
		if _, elsewhere := core["core.worktree"]; elsewhere || core["core.bare"] != "false" || core["core.repositoryformatversion"] != "0" {
			t.Errorf("%q is to git: %s", config, out)
		}
	})
}

func FuzzPackedRefs(f *testing.F) {
	f.Add([]byte("# pack-refs with: sorted\n" + id + " refs/heads/main\n^" + id + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		refs, ok := packedRefs(text, func(name []byte) bool { return len(name) > 6 })
		for name, at := range refs {
			if ok && (!isID(at) || !isName(name)) {
				t.Errorf("%q: %s", name, at)
			}
		}
	})
}
