package command

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// harmless are programs that write no file whatever they are told.
var harmless = []string{
	"ls", "cat", "head", "tail", "wc", "nl", "od", "cmp", "comm", "tac", "grep", "egrep", "fgrep", "pwd", "echo", "true", "false", "test", "[", "cd", "which", "whoami",
	"basename", "dirname", "realpath", "readlink", "stat", "du", "df", "cut", "tr", "sleep", "uname", "nproc", "jq", "column", "sha256sum", "md5sum", "diff",
}

// readers are programs that write none with these arguments.
var readers = map[string]func(args []string) bool{
	"rg": func(args []string) bool {
		return !begins(args, "--pre", "--search-zip", "--hostname-bin") && !cluster(args, "z")
	},
	"printf": func(args []string) bool { return !begins(args, "-v") },
	"date":   func(args []string) bool { return !begins(args, "--s") && !cluster(args, "s") },
	"sort":   func(args []string) bool { return !begins(args, "--o", "--c", "--t") && !cluster(args, "oT") },
	"uniq":   func(args []string) bool { return operands(args) <= 1 },
	"find":   func(args []string) bool { return !begins(args, "-exec", "-ok", "-delete", "-fprint", "-fls") },
	"sed":    printsLines,
	"git":    gitReads,
	"go": func(args []string) bool {
		return len(args) > 0 && (args[0] == "version" || args[0] == "doc") && !cluster(args[1:], "uw")
	},
}

// reads reports whether a simple command surely writes no file. Names of files may
// expand to options.
func reads(words []string, expand bool) bool {
	if slices.Contains(harmless, words[0]) {
		return true
	}
	may := readers[words[0]]
	return may != nil && !expand && may(words[1:])
}

// begins reports whether an argument begins with one of some.
func begins(args []string, with ...string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		return slices.ContainsFunc(with, func(w string) bool { return strings.HasPrefix(a, w) })
	})
}

// cluster reports whether one of some letters is among short options.
func cluster(args []string, letters string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		return strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.ContainsAny(a, letters)
	})
}

func operands(args []string) (n int) {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") || a == "-" {
			n++
		}
	}
	return n
}

// printing is a script of sed that prints lines by their numbers.
var printing = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9]+|\$)(,([0-9]+|\$))?p$`) })

func printsLines(args []string) bool {
	return len(args) >= 2 && args[0] == "-n" && printing().MatchString(args[1]) && !begins(args[2:], "-")
}

// gitVerbs only read, given that no option starts a program or names a file to
// write. git may refresh its index meanwhile.
var gitVerbs = []string{"status", "log", "diff", "show", "rev-parse", "ls-files", "ls-tree", "blame", "grep", "cat-file", "describe", "shortlog", "merge-base", "rev-list", "name-rev"}

func gitReads(args []string) bool {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch {
		case args[0] == "--no-pager":
			args = args[1:]
		case args[0] == "-C" && len(args) > 1:
			args = args[2:]
		default:
			return false
		}
	}
	if len(args) == 0 || !slices.Contains(gitVerbs, args[0]) {
		return false
	}
	return !slices.ContainsFunc(args[1:], func(a string) bool {
		return strings.HasPrefix(a, "--o") && a != "--oneline" || begins([]string{a}, "-O", "--ext", "--text", "--filters", "--show-sig")
	})
}
