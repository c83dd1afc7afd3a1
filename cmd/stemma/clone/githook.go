package clone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/settle"
)

// pushNotes is the name under which a hook goes on in the background.
const pushNotes = "push-notes"

// Githook is what hooks of git call.
func Githook(a *program.App) *cobra.Command {
	return &cobra.Command{
		Use:    "githook NAME [ARG…]",
		Short:  "called by git's hooks: settle notes, and let them travel",
		Hidden: true,
		Long: `Called by the hooks that "stemma init" installs. After a merge it joins the notes that
were fetched with those of the clone; before a push it settles what the commits owe, and
pushes the notes behind it. Whatever happens, it ends with 0 and prints nothing: git is not
held up. STEMMA_VERBOSE=1 tells on standard error what went wrong, STEMMA_WAIT=1 waits
until the notes are pushed.`,
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return c.Help()
			}
			_, _ = io.Copy(io.Discard, c.InOrStdin()) // git must not wait for us to read
			if err := runGithook(c.Context(), a, args); err != nil && os.Getenv("STEMMA_VERBOSE") == "1" {
				fmt.Fprintf(a.Err, "stemma: %s\n", terminal.Plain(err.Error()))
			}
			return nil
		},
	}
}

// runGithook does what the hook of a name is for.
func runGithook(ctx context.Context, a *program.App, args []string) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("githook: %v", fault)
		}
	}()
	switch {
	case len(args) == 0:
		return errors.New("githook: which hook?")
	case args[0] == "pre-push" && len(args) > 1 && os.Getenv("STEMMA_WAIT") != "1":
		return later(pushNotes, args[1])
	case (args[0] == "pre-push" || args[0] == pushNotes) && len(args) > 1:
		return push(ctx, a, args[1])
	case args[0] == "post-merge" && os.Getenv("STEMMA_WAIT") != "1":
		return later("settle")
	}
	_, err = settle.Run(ctx, ".", a.Now())
	return err
}

// later goes on in the background.
func later(args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := exec.Command(self, append([]string{"githook"}, args...)...)
	c.Env = append(os.Environ(), "STEMMA_WAIT=1")
	detach(c)
	if err := c.Start(); err != nil {
		return err
	}
	return c.Process.Release()
}

// push settles and pushes the notes to a remote. Where that has others, they
// are fetched and joined first.
func push(ctx context.Context, a *program.App, remote string) error {
	if _, err := settle.Run(ctx, ".", a.Now()); err != nil {
		return err
	}
	if _, err := userGit(ctx, "rev-parse", "-q", "--verify", settle.Ref); err != nil {
		return nil // there are no notes
	}
	var failed error
	for range 3 {
		if _, failed = userGit(ctx, "push", "-q", "--no-verify", remote, settle.Ref); failed == nil {
			return nil
		}
		if _, err := userGit(ctx, "fetch", "-q", remote, "+"+settle.Ref+":"+settle.FetchedFrom(remote)); err != nil {
			return errors.Join(failed, err)
		}
		if _, err := settle.Run(ctx, ".", a.Now()); err != nil {
			return err
		}
	}
	return failed
}

// namesRepository reports whether a variable names a repository: the one we stand
// in is meant.
func namesRepository(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"}, name)
}

// userGit runs git as the user does, with the user's settings: only they know
// how to reach a remote.
func userGit(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", args...)
	c.Env = append(slices.DeleteFunc(os.Environ(), namesRepository), "GIT_TERMINAL_PROMPT=0")
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		last := strings.TrimSpace(errs.String())
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, terminal.OneLine(last[strings.LastIndexByte(last, '\n')+1:]))
	}
	return string(out), nil
}
