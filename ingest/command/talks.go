package command

import (
	"slices"
	"strings"
)

// talkers are programs that are there to talk to other machines.
var talkers = []string{
	"curl", "wget", "http", "https", "ssh", "scp", "sftp", "rsync", "nc", "ncat", "netcat", "telnet", "ftp", "ping", "dig", "nslookup", "host", "traceroute",
	"gh", "glab", "tea", "hub", "aws", "gcloud", "az", "kubectl", "helm", "npx", "pnpx", "bunx", "uvx",
}

// talking are the commands with which other programs do.
var talking = map[string][]string{
	"git": {"clone", "fetch", "pull", "push", "ls-remote", "submodule"},
	"go":  {"get", "install", "mod"},
	"npm": packages, "pnpm": packages, "yarn": packages, "bun": packages, "pip": packages, "pip3": packages, "pipx": packages, "uv": packages, "poetry": packages,
	"cargo": packages, "gem": packages, "bundle": packages, "composer": packages, "apt": packages, "apt-get": packages, "apk": packages, "dnf": packages, "yum": packages, "brew": packages,
	"docker": images, "podman": images,
}

var (
	packages = []string{"install", "i", "ci", "add", "update", "upgrade", "publish", "download", "fetch", "sync", "require", "search"}
	images   = []string{"pull", "push", "login", "search"}
)

// talks reports whether a program is one that talks to other machines when it is called
// like this. What a script or a program of one's own does nobody can tell.
func talks(name string, args []string) bool {
	if slices.Contains(talkers, name) {
		return true
	}
	if slices.Contains(shells, name) { // looked at as words: what it runs is text for another shell
		return slices.ContainsFunc(args, func(a string) bool {
			return slices.ContainsFunc(strings.FieldsFunc(a, func(r rune) bool { return strings.ContainsRune(" \t\n;|&()", r) }), func(w string) bool { return slices.Contains(talkers, w) })
		})
	}
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			return slices.Contains(talking[name], a)
		}
	}
	return false
}
