package command_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/command"
)

func TestCommandsThatOnlyRead(t *testing.T) {
	for _, text := range []string{
		"ls", "ls -la src/", "cat a.go | head -20", "grep -rn 'x > y' --include='*.go' . 2>/dev/null", "find . -name '*.go' -not -path './vendor/*'", "git status", "git -C sub diff --stat HEAD~1",
		"cd src && git log --oneline -5", "sed -n '10,20p' a.go", "sort -u < a | uniq -c", "rg -n foo src", "wc -l *.go; pwd", "cat a 2>&1 | tail -3", "git --no-pager show HEAD:a.go",
		"test -f a && echo yes || echo no", "echo 'a; rm b'", "cat \\\n a", "find . -type f | wc -l", "echo \"it's\" >/dev/null", "date -u +%F",
	} {
		if c := command.Parse(text); !c.Reads || len(c.Targets) > 0 || c.Background {
			t.Errorf("%q: %+v", text, c)
		}
	}
}

func TestCommandsThatMayWrite(t *testing.T) {
	for _, text := range []string{
		"", "#", "make", "./ls", "/tmp/ls", "ls > a", "ls >> a", "ls &> a", "ls >| a", "ls | tee a", "cat <<E\nx\nE", "ls $(touch a)", "ls `touch a`", "ls <(touch a)", "ls $X", "ls \"$X\"", "X=1 ls",
		"find . -exec rm {} ;", "find . -delete", "find . -fprint a", "find -f*", "sort -o a a", "sort -uo a a", "sort --outp a a", "sort *", "uniq a b", "sed -i s/a/b/ a", "sed -n 'w a' b", "sed -n 1p -i a",
		"git diff --output=a", "git diff --outp a", "git grep -Ovi x", "git -c core.pager=x log", "git checkout a", "git stash", "git branch x", "sleep 1 &", "ls & rm a", "! { rm a; }", "(rm a)",
		"for f in a; do rm $f; done", "ls() { rm a; }; ls", "if true; then rm a; fi", "alias ls=rm; ls", "eval ls", "env ls", "command ls", "xargs rm", "awk '{print > \"a\"}' b", "ls <> a", "cat 2>a",
		"rg --pre ./x y", "go vet", "exec > a", "ls; rm a", "ls\nrm a", "ls ||rm a", "ls 'unfinished", "date -s now", "coproc ls",
	} {
		if c := command.Parse(text); c.Reads {
			t.Errorf("%q only reads", text)
		}
	}
}

func TestFilesOfACommandAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"sed -i s/a/b/ x.go y.go":                       "quiet, writes x.go y.go, names s/a/b/",
		"sed -i -e s/a/b/ -e 5d x.go":                   "quiet, writes x.go, names 5d s/a/b/",
		"cat > src/new.py <<'E'\nopen('out.txt')\nE":    "quiet, writes src/new.py, names open out.txt",
		"cd sub && echo x >> y && cd .. && touch z":     "quiet, writes sub/y z, names sub/x",
		"echo x | tee -a a b":                           "quiet, writes a b, names x",
		"mv old.go new.go":                              "quiet, writes new.go old.go",
		"cp a.go b.go":                                  "quiet, writes b.go, names a.go",
		"git mv a b":                                    "quiet, writes a b, names mv",
		"gofmt -w .":                                    "writes .",
		"prettier --write 'src/*.ts'":                   "writes src/*.ts",
		"python3 gen.py --out=gen/api.go":               "names gen.py gen/api.go",
		"python3 -c \"open('a.txt','w').write('x')\"":   "names .write a.txt open w x",
		"for f in a.go b.go; do sed -i s/x/y/ $f; done": "names a.go b.go s/x/y/",
		"npm test":             "quiet, names test",
		"go test ./pay/...":    "quiet, names ./pay/ test",
		"go generate ./...":    "names generate",
		"make -j4":             "",
		"make lint":            "quiet, names lint",
		"git checkout -- a.go": "quiet, names a.go checkout",
		"git apply fix.patch":  "names apply fix.patch",
		"git add a.go && git commit -m \"$(cat <<'E'\nfix b.go\nE\n)\"": "quiet, names a.go add b.go commit fix",
		"mise run lint":                                  "quiet, names lint run",
		"npm run dev &":                                  "background, quiet, names dev run",
		"nohup ./gen.sh > log 2>&1":                      "background, writes log",
		"env A=b timeout 5 sed -i d x":                   "quiet, writes x, names d",
		"if [ -f a ]; then perl -pi -e 's/a/b/' p.c; fi": "quiet, writes p.c, names a s/a/b/",
		"echo 'unfinished > a":                           "names echo unfinished a",
		"echo x > ~/y; echo x > \"$HOME/z\"":             "names x",
	} {
		c := command.Parse(text)
		var parts []string
		if c.Background {
			parts = append(parts, "background")
		}
		if c.Quiet {
			parts = append(parts, "quiet")
		}
		if len(c.Targets) > 0 {
			parts = append(parts, "writes "+strings.Join(c.Targets, " "))
		}
		if len(c.Names) > 0 {
			parts = append(parts, "names "+strings.Join(c.Names, " "))
		}
		if got := strings.Join(parts, ", "); got != want {
			t.Errorf("%q\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// words are what commands are made of; one that writes, writes here.
var words = strings.Fields(`ls cat head tail sort uniq find sed tee git grep echo test true cd wc cut diff touch a b sub -n -o -i -e -u -r -exec -delete -fprint --output --output=o -oa 1p
	w;b 's/x/y/' 'w o' . * -* ? {a,-oz} {} ; | || && > >> >| &> 2>&1 2> < <> /dev/null " ' \ ( ) { } $( ${X} $X ! & ; touch status diff log show --out --o=o -O X=1 -- # - [ ]`)

// TestWhatOnlyReadsWritesNothing runs commands, of which the text says so, in a
// real shell, where every file that is made or changed is seen.
func TestWhatOnlyReadsWritesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	ran := 0
	for ran < 400 {
		var text []string
		for range 1 + rng.IntN(7) {
			text = append(text, words[rng.IntN(len(words))])
		}
		line := strings.Join(text, " ")
		if !command.Parse(line).Reads {
			continue
		}
		ran++
		dir := t.TempDir()
		for _, name := range []string{"a", "b", "sub/a", "-oz"} {
			must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
			must(t, os.WriteFile(filepath.Join(dir, name), []byte("x\nb\n"), 0o600))
		}
		before := snapshot(t, dir)
		c := exec.CommandContext(t.Context(), "timeout", "5", "bash", "-c", line)
		c.Dir, c.Env = dir, append(os.Environ(), "X=-oy", "HOME="+dir, "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
		_ = c.Run() // what it says does not matter
		if after := snapshot(t, dir); after != before {
			t.Errorf("%q wrote\n%s\nwhere there was\n%s", line, after, before)
		}
	}
}

func snapshot(t *testing.T, dir string) string {
	var b strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %q\n", strings.TrimPrefix(path, dir), content)
		return err
	}))
	return b.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzAnyTextIsACommand(f *testing.F) {
	for _, text := range []string{"ls", "sed -i s/a/b/ x", "cat <<E > a\nx\nE", "a() { b; }", "$(", "((((", "x=${y:-$(z)}", "ls <(a) >(b)", "[[ a =~ b ]] && c", "case a in b) c;; esac"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := command.Parse(text)
		if c.Reads && (len(c.Targets) > 0 || c.Background || strings.ContainsAny(text, "`")) {
			t.Errorf("%q reads: %+v", text, c)
		}
		for _, name := range append(c.Targets, c.Names...) {
			if name == "" || len(name) > 4096 || strings.ContainsRune(name, 0) {
				t.Errorf("%q names %q", text, name)
			}
		}
	})
}

func TestCommandsThatRunTestsAreKnown(t *testing.T) {
	for text, want := range map[string]bool{
		"go test ./...": true, "cd pay && CI=1 go test -run X ./pay 2>&1 | tail": true, "npm test": true, "npm run test:unit -- --watch": true, "pnpm exec vitest run": true,
		"npx jest": true, "python -m pytest -q": true, "python3 -m unittest": true, "uv run pytest": true, "bundle exec rspec": true, "./gradlew check test": true, "make -j4 test": true,
		"cargo nextest run": true, "mvn -q verify": true, "timeout 60 pytest tests": true, "bash -c 'go test ./...'": true, "bash -lc cd pay && go test ./...": true,
		"go vet ./test/...": false, "npm install jest": false, "cat test.go": false, "git commit -m 'go test'": false, "go build ./...": false, "test -f x": false, "echo pytest": false, "": false,
	} {
		if got := command.Parse(text).Tests; got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
