// Package githook writes the hooks by which git calls stemma, and puts the call
// into hooks that are there already.
//
// Whatever hook was there runs first, with the same arguments and the same
// input, and its exit code is the one git gets. Where there is no stemma, and
// whatever stemma does, git goes on as if nothing had been installed. No hook
// starts git, and none starts more than it must: what is asked of the shell it
// can answer by itself. The package does no I/O.
package githook

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// Names are the hooks by which stemma is called: where notes travel. What a
// commit, a rebase or a checkout did is in the reflog, so that none of them is made
// to wait.
var Names = []string{"post-merge", "pre-push"}

// Before is what is added to the name of a hook that was moved out of the way.
const Before = ".before-stemma"

const (
	mark  = "# stemma: "
	begin = "# >>> stemma >>> "
	end   = "# <<< stemma <<<\n"
)

// input are the hooks that git writes something to. It is kept and given twice
// where two want to read it.
var input = []string{"pre-push"}

// Script is a whole hook. A hook of the same name that was moved beside it runs
// first.
func Script(name string) []byte {
	return expand("#!/bin/sh\n"+mark+"stemma init wrote this hook, stemma deinit takes it away.\nbefore=${0%/*}/@name"+Before+"\n"+beside+call, name)
}

// Chain is a hook for a repository of which git looks for hooks in a directory
// that is somebody else's: it runs the one from there. Of hooks that are not in
// [Names] it does no more.
func Chain(name, dir string) []byte {
	from := "#!/bin/sh\n" + mark + "stemma init wrote this hook, stemma deinit takes it away.\nbefore='" + strings.ReplaceAll(dir, "'", `'\''`) + "'/@name\n"
	if !slices.Contains(Names, name) {
		return expand(from+only, name)
	}
	return expand(from+beside+call, name)
}

const only = "if [ -x \"$before\" ]; then exec \"$before\" \"$@\"; fi\nexit 0\n"

// Relay is a hook for all repositories of a machine: it runs the one that the
// repository itself has, which git does not look for when core.hooksPath is
// set. Of hooks that are not in [Names] it does no more.
func Relay(name string) []byte {
	if !slices.Contains(Names, name) {
		return expand(find+only, name)
	}
	return expand(find+relay+call, name)
}

// Relayed are the hooks that a whole machine needs a relay for: all but those
// that cost a process each time anything is written, and those that change what
// git does by being there. Who uses one of these sets core.hooksPath in the
// repository.
var Relayed = []string{
	"applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-rebase", "post-checkout",
	"post-merge", "pre-push", "pre-receive", "update", "post-receive", "post-update", "pre-auto-gc", "post-rewrite", "sendemail-validate",
	"p4-changelist", "p4-prepare-changelist", "p4-post-changelist", "p4-pre-submit",
}

// NotRelayed are the others.
var NotRelayed = []string{"reference-transaction", "post-index-change", "push-to-checkout", "proc-receive"}

// expand gives a hook its name, and keeps the input of those that have one
// when two want to read it.
func expand(text, name string) []byte {
	keep, give, ours := "", "", `stemma githook @name "$@" || :`
	if slices.Contains(input, name) {
		keep = "input=$(cat; echo .)\n    input=${input%.}\n    "
		give = `printf %s "$input" 2>/dev/null | `
		ours = `if [ -x "$before" ]; then @givestemma githook @name "$@"; else stemma githook @name "$@"; fi || :`
	}
	when := ""
	if name == "pre-push" {
		when = "[ $code -eq 0 ] && " // what is refused is not pushed
	}
	text = strings.NewReplacer("@keep", keep, "@ours", ours, "@when", when).Replace(text)
	return []byte(strings.NewReplacer("@give", give, "@name", name).Replace(text))
}

// What is of the hook beside ours, or of the repository's hook, which may be
// ours too: one call is enough.
const (
	beside = "relayed=${STEMMA_RELAYED-}\nunset STEMMA_RELAYED\n"
	relay  = "relayed=\nSTEMMA_RELAYED=1\nexport STEMMA_RELAYED\n"
)

// A hook that runs itself by way of another is stopped: some tools keep the
// hook they replace and run it.
const call = `code=0
STEMMA_DEPTH=$((${STEMMA_DEPTH:-0} + 1))
export STEMMA_DEPTH
if [ $STEMMA_DEPTH -gt 8 ]; then exit 0; fi
if [ -x "$before" ]; then
    @keep@give"$before" "$@" || code=$?
fi
unset STEMMA_RELAYED
if @when[ -z "$relayed" ] && command -v stemma >/dev/null 2>&1; then
    @ours
fi
exit $code
`

const find = `#!/bin/sh
` + mark + `stemma init --system wrote this hook; it runs the one of the repository.
dir=${GIT_DIR:-.git}
if [ -f "$dir" ]; then
    IFS= read -r dir <"$dir" || :
    dir=${dir#gitdir: }
fi
if [ -f "$dir/commondir" ]; then
    IFS= read -r common <"$dir/commondir" || :
    case $common in
    /*) dir=$common ;;
    *) dir=$dir/$common ;;
    esac
fi
before=$dir/hooks/@name
`

// A Kind says whose a hook is and what can be done about it.
type Kind int

// The kinds of hooks.
const (
	None    Kind = iota // there is none
	Ours                // written by [Script] or [Relay]
	Carries             // of somebody else, with our lines in it
	Shell               // of somebody else, and lines can be put into it
	Other               // of somebody else, and nothing can be put into it
)

// Look says what kind of hook a file is.
func Look(content []byte) Kind {
	first, rest, _ := bytes.Cut(content, []byte("\n"))
	second, _, _ := bytes.Cut(rest, []byte("\n"))
	switch {
	case len(content) == 0:
		return Other
	case bytes.HasPrefix(second, []byte(mark)):
		return Ours
	case bytes.Contains(content, []byte(begin)):
		return Carries
	case !bytes.HasPrefix(first, []byte("#!")) || !bytes.Contains(content, []byte("\n")), bytes.IndexByte(content, 0) >= 0, bytes.HasSuffix(first, []byte("\r")):
		return Other
	}
	words := strings.Fields(string(first[2:]))
	if len(words) > 1 && path.Base(words[0]) == "env" {
		words = words[1:]
	}
	if len(words) > 0 && slices.Contains([]string{"sh", "bash", "dash", "ash", "ksh", "zsh"}, path.Base(words[0])) {
		return Shell
	}
	return Other
}

// Lines are what is put into a hook of kind [Shell], and where. The hook runs
// itself, as it would have run, before stemma is called: whatever it does and
// however it ends, it does as before, under its own name.
func Lines(name string, content []byte) (at int, text string) {
	run, give := `STEMMA_HOOK=@name "$0" "$@" || stemma_code=$?`, ""
	keep := ""
	if slices.Contains(input, name) {
		keep = "    stemma_input=$(cat; echo .)\n"
		give = `printf %s "${stemma_input%.}" 2>/dev/null | `
	}
	when := ""
	if name == "pre-push" {
		when = "[ $stemma_code -eq 0 ] && "
	}
	lines := begin + `The rest of this file runs as it did, then stemma. stemma deinit takes these lines out.
if [ "${STEMMA_HOOK-}" != @name ]; then
    stemma_code=0
` + keep + `    ` + give + run + `
    if ` + when + `[ -z "${STEMMA_RELAYED-}" ] && command -v stemma >/dev/null 2>&1; then
        ` + give + `stemma githook @name "$@" || :
    fi
    exit $stemma_code
fi
unset STEMMA_HOOK
` + end
	return bytes.IndexByte(content, '\n') + 1, strings.ReplaceAll(lines, "@name", name)
}

// Without is a hook without our lines; false if they are not there as a whole.
func Without(content []byte) ([]byte, bool) {
	from := bytes.Index(content, []byte(begin))
	if from < 0 || from > 0 && content[from-1] != '\n' {
		return nil, false
	}
	to := bytes.Index(content[from:], []byte(end))
	if to < 0 {
		return nil, false
	}
	return slices.Concat(content[:from], content[from+to+len(end):]), true
}

// A Manager is a tool that writes hooks itself.
type Manager struct {
	Name string
	Mend string // what makes stemma's calls survive it
}

// Managed says which tool wrote a hook: Name is "" if none that is known did.
func Managed(content []byte) Manager {
	for _, m := range []struct{ sign, name, mend string }{
		{"LEFTHOOK", "lefthook", "lefthook writes its hooks anew when they change in lefthook.yml: run `stemma init` again then, or let lefthook.yml call `stemma githook NAME {0}`"},
		{"pre-commit.com", "pre-commit", "`pre-commit install` writes its hooks anew: run `stemma init` again then"},
		{"husky", "husky", "husky writes its hooks anew when packages are installed: run `stemma init` again then"},
		{"overcommit", "overcommit", "overcommit writes its hooks anew: run `stemma init` again then"},
	} {
		if bytes.Contains(content, []byte(m.sign)) {
			return Manager{m.name, m.mend}
		}
	}
	return Manager{}
}
