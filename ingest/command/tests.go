package command

import (
	"slices"
	"strings"
)

// testPrograms run tests, whatever they are called with.
var testPrograms = []string{
	"pytest", "py.test", "tox", "nox", "nose2", "behave", "jest", "vitest", "mocha", "ava", "karma", "playwright", "cypress", "rspec", "cucumber", "phpunit", "pest",
	"ctest", "bats", "gotestsum", "unittest", "nextest",
}

// subcommands are programs whose first word says what they do, and others name things.
var subcommands = []string{"go", "cargo", "dotnet", "swift", "zig", "mix", "deno", "flutter", "dart", "npm", "pnpm", "yarn", "bun", "bazel", "sbt", "lein", "stack", "cabal", "rails", "ng", "python", "python3"}

// targets are programs any word of which may say what they do.
var targets = []string{"make", "gmake", "just", "task", "rake", "nx", "turbo", "gradle", "gradlew", "mvn", "mvnw", "ant", "composer"}

// runners run the program that is named next.
var runners = []string{"npx", "pnpx", "bunx", "uv", "poetry", "pipenv", "bundle", "hatch", "mise"}

// tests reports whether a program runs tests.
func tests(name string, args []string) bool {
	words := operandsOf(args)
	for len(words) > 0 && slices.Contains([]string{"run", "exec", "x", "dlx"}, words[0]) {
		words = words[1:]
	}
	switch {
	case slices.Contains(testPrograms, name):
		return true
	case slices.Contains(shells, name):
		return shellTests(args)
	case len(words) == 0:
		return false
	case slices.Contains(runners, name):
		return tests(words[0], words[1:])
	case slices.Contains(subcommands, name):
		return isTest(words[0])
	case slices.Contains(targets, name):
		return slices.ContainsFunc(words, isTest)
	}
	return false
}

// shells run what is written behind an option with a c in it.
var shells = []string{"sh", "bash", "zsh", "dash", "ksh"}

// shellTests reports whether a shell is given a command that runs tests. Agents tell it
// as one text, or as the words of it.
func shellTests(args []string) bool {
	at := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "-") && strings.HasSuffix(a, "c") })
	return at >= 0 && Parse(strings.Join(args[at+1:], " ")).Tests
}

// isTest reports whether a word, or a part of it, names tests: "test:unit", "check".
func isTest(word string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune(":-_", r) }), func(part string) bool {
		return part == "test" || part == "tests" || part == "spec" || part == "e2e" || part == "verify" || slices.Contains(testPrograms, part)
	})
}
