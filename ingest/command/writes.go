package command

import (
	"path"
	"slices"
	"strings"
)

// program reads what a simple command names, and takes note of where the shell
// goes.
func (r *reader) program(words []string) {
	name, args := path.Base(words[0]), words[1:]
	switch name {
	case "cd", "pushd":
		r.dir = r.cd(args)
		return
	case "sudo", "env", "time", "nice", "command", "exec", "timeout", "xargs", "nohup", "setsid":
		r.Background = r.Background || name == "nohup" || name == "setsid"
		for len(args) > 0 && (strings.HasPrefix(args[0], "-") || strings.Contains(args[0], "=") || strings.Trim(args[0], "0123456789smh.") == "") {
			args = args[1:]
		}
		if len(args) > 0 {
			r.program(args)
		}
		return
	}
	r.Network = r.Network || talks(name, args)
	r.Quiet = r.Quiet || quiet(name, args)
	r.Tests = r.Tests || tests(name, args)
	targets := written(name, args)
	r.open = r.open || !names(name, args, targets)
	for _, t := range targets {
		r.target(t)
	}
	for _, a := range args {
		if !slices.Contains(targets, a) {
			r.mentioned(r.dir, a)
		}
	}
}

// closed are programs that write nothing, or nothing but directories and what they
// name.
var closed = []string{
	"tee", "cp", "mv", "rm", "ln", "sed", "touch", "truncate", "mkdir", "rmdir", "chmod", "chown", "xxd", "tree", "file", "set", "export", "exit", ":", "kill", "wait", "read", "local",
}

// names reports whether a program names all that it writes.
func names(name string, args, targets []string) bool {
	switch {
	case slices.Contains(closed, name) || slices.Contains(harmless, name):
		return true
	case name == "git":
		return !gitOpen(args)
	case readers[name] != nil && readers[name](args):
		return true
	}
	return len(targets) > 0 && !slices.ContainsFunc(targets, func(t string) bool {
		return strings.Trim(path.Ext(t), ".") == "" || strings.ContainsAny(t, "*?[") // perhaps a directory
	})
}

// gitOpen reports whether git may write what was thought of now, without naming it.
func gitOpen(args []string) bool {
	operands := operandsOf(args)
	return len(operands) > 0 && (operands[0] == "apply" || operands[0] == "am")
}

// cd is where the shell is after it was told to go somewhere.
func (r *reader) cd(args []string) string {
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "--" || a == "-P" || a == "-L" })
	if len(args) != 1 {
		return r.dir
	}
	to := r.join(args[0])
	if to == "" {
		return r.dir
	}
	if len(r.Dirs) < maxNames {
		r.Dirs = append(r.Dirs, to)
	}
	return to
}

// written are the operands that a program says it writes.
func written(name string, args []string) []string {
	files := operandsOf(args)
	switch name {
	case "tee", "rm", "unlink", "touch", "truncate", "mv", "sponge":
		return files
	case "cp", "install", "ln":
		if len(files) > 1 {
			return files[len(files)-1:]
		}
	case "sed":
		if begins(args, "--in-place") || cluster(args, "i") {
			return notScript(args, files)
		}
	case "perl", "ruby":
		if cluster(args[:min(2, len(args))], "i") {
			return notScript(args, files)
		}
	case "gofmt", "goimports", "gofumpt", "shfmt":
		if cluster(args, "w") {
			return files
		}
	case "prettier":
		if begins(args, "--write", "-w") {
			return files
		}
	case "black", "isort", "rustfmt", "autopep8", "clang-format":
		return files
	case "dd":
		for _, a := range args {
			if to, ok := strings.CutPrefix(a, "of="); ok {
				return []string{to}
			}
		}
	case "git":
		if len(files) > 1 && (files[0] == "mv" || files[0] == "rm") {
			return files[1:]
		}
	}
	return nil
}

func operandsOf(args []string) (files []string) {
	for i, a := range args {
		if a == "--" {
			return append(files, args[i+1:]...)
		}
		if !strings.HasPrefix(a, "-") {
			files = append(files, a)
		}
	}
	return files
}

// notScript leaves out the script of sed and the like, which is the first operand
// or stands behind an -e.
func notScript(args, files []string) []string {
	var scripts []string
	for i, a := range args[:max(0, len(args)-1)] {
		if strings.HasPrefix(a, "-") && strings.HasSuffix(a, "e") || a == "-f" || a == "--file" || a == "--expression" {
			scripts = append(scripts, args[i+1])
		}
	}
	if len(scripts) == 0 && len(files) > 0 {
		scripts = files[:1]
	}
	return slices.DeleteFunc(slices.Clone(files), func(f string) bool { return slices.Contains(scripts, f) })
}

// quietPrograms only test, build, serve or wait.
var quietPrograms = []string{
	"pytest", "tox", "jest", "vitest", "mocha", "rspec", "ctest", "bazel", "ninja", "cmake", "gradle", "gradlew", "mvn", "mvnw", "tsc", "gcc", "g++", "clang", "cc", "javac", "docker", "podman",
	"docker-compose", "kubectl", "ssh", "tail", "watch", "sleep", "wait", "kill", "ping", "psql", "mysql", "sqlite3", "redis-cli", "top", "journalctl", "strace", "gdb", "dlv", "playwright", "cypress",
	"svn", "hg", "jj", "mypy", "flake8", "pylint", "golangci-lint", "staticcheck", "shellcheck",
}

// quietWords name what does so, as the argument of a program that runs others.
var quietWords = []string{
	"test", "tests", "spec", "check", "build", "compile", "serve", "server", "dev", "start", "watch", "vet", "bench", "benchmark", "e2e", "coverage", "preview", "clippy", "typecheck", "lint", "verify", "ci",
	"pytest", "unittest", "jest", "vitest", "mocha", "playwright", "cypress", "runserver", "http.server", "install",
}

// gitWriters are what of git writes what was thought of now; all else that writes
// files puts there what was there before.
var gitWriters = []string{"apply", "mv", "rm", "add", "commit", "init", "config", "tag", "push", "fetch", "am"}

// quiet reports whether a program is not for writing what somebody has thought of:
// what changes while it runs may well be somebody else's.
func quiet(name string, args []string) bool {
	operands := operandsOf(args)
	switch name {
	case "git":
		return len(operands) == 0 || !slices.Contains(gitWriters, operands[0]) && !gitReads(args)
	case "gh", "glab":
		return true
	case "test":
		return false
	case "make", "npm", "pnpm", "yarn", "bun", "npx", "go", "cargo", "deno", "dotnet", "just", "task", "rake", "python", "python3", "uv", "poetry", "php", "swift", "zig", "mix", "composer", "bundle", "nx", "turbo", "mise":
		return slices.ContainsFunc(operands, isQuiet)
	}
	return slices.Contains(quietPrograms, name) || isQuiet(strings.TrimSuffix(name, path.Ext(name)))
}

func isQuiet(word string) bool {
	parts := strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune(":-_/", r) })
	return slices.Contains(quietWords, word) || slices.ContainsFunc(parts, func(p string) bool { return slices.Contains(quietWords, p) })
}

// quietText looks for the same in a text that is no command of a POSIX shell.
func quietText(text string) bool {
	return slices.ContainsFunc(strings.Fields(text), func(w string) bool {
		return isQuiet(w) || slices.Contains(quietPrograms, w) || w == "git"
	})
}
