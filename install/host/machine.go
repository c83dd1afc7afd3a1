// Package host is the machine that is set up: which programs are in PATH, which
// agents are used, what git says, and files that are read and written whole.
// Nothing else of the machine is looked at, so that a test has one of its own.
package host

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/install/agent"
)

// A Machine is what is looked at and changed outside of a repository. Nothing
// else of the machine is touched.
type Machine struct {
	OS   string   // as runtime.GOOS names it
	Home string   // of the person
	Path []string // where programs are looked for
	Env  []string // in which git runs; variables that would lead it to another repository are left out
	Root string   // what all absolute paths begin with; "" but in tests
}

// Program finds a program; "" if it is not there. A directory of PATH that is not
// absolute may be one of the repository and is passed over.
func (m Machine) Program(name string) string {
	names := []string{name}
	if m.OS == "windows" {
		names = []string{name + ".exe", name + ".cmd"}
	}
	for _, dir := range m.Path {
		for _, name := range names {
			at := filepath.Join(dir, name)
			if info, err := os.Stat(at); filepath.IsAbs(dir) && err == nil && !info.IsDir() && (m.OS == "windows" || info.Mode()&0o111 != 0) {
				return at
			}
		}
	}
	return ""
}

// Detects says by what an agent shows that it is used here; "" if it does not.
func (m Machine) Detects(a agent.Agent, tree string) string {
	for _, bin := range a.Bins {
		if m.Program(bin) != "" {
			return bin + " is in PATH"
		}
	}
	for _, pattern := range a.Home {
		if m.Home != "" && matches(m.Home, pattern) {
			return "~/" + pattern
		}
	}
	for _, pattern := range a.Tree {
		if tree != "" && matches(tree, pattern) {
			return pattern + " in the repository"
		}
	}
	return ""
}

func matches(dir, pattern string) bool {
	quoted := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
	if filepath.Separator == '\\' {
		quoted = dir
	}
	found, err := filepath.Glob(filepath.Join(quoted, filepath.FromSlash(pattern)))
	return err == nil && len(found) > 0
}

// Git runs git in a directory and gives what it says, up to 4 MiB. A command
// that only says no has the error ErrNo.
func (m Machine) Git(ctx context.Context, dir string, args ...string) (string, error) {
	program := m.Program("git")
	if program == "" {
		return "", errors.New("git is not in PATH")
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	for _, v := range m.Env {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "GIT_") || slices.Contains([]string{"GIT_EXEC_PATH", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"}, name) {
			cmd.Env = append(cmd.Env, v)
		}
	}
	if m.Root != "" {
		cmd.Env = append(slices.DeleteFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, "GIT_CONFIG_") }), "GIT_CONFIG_SYSTEM="+m.SystemConfig())
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return "", ErrNo
	case err != nil:
		said, _, _ := strings.Cut(strings.TrimSpace(errs.String()), "\n")
		return "", fmt.Errorf("git: %s", cmp.Or(said, err.Error()))
	}
	return out.String(), nil
}

// ErrNo means: git has nothing of what it was asked for.
var ErrNo = errors.New("git says no")

// SystemConfig is the configuration of git for the whole machine, below Root.
func (m Machine) SystemConfig() string { return filepath.Join(m.Root, "etc", "gitconfig") }
