package clone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/install"
	"github.com/stemma-dev/stemma/install/agent"
	"github.com/stemma-dev/stemma/install/host"
	"github.com/stemma-dev/stemma/spool"
)

// installFlags are those of init and deinit.
type installFlags struct {
	server string
	agents string
	system bool
	root   string
	json   bool
}

func (f *installFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.system, "system", false, "the whole machine instead of a repository")
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
	c.Flags().StringVar(&f.root, "root", "", "what all paths of the machine begin with")
	if err := c.Flags().MarkHidden("root"); err != nil {
		panic(err) // it was added a line before
	}
}

// Init sets a repository or a machine up.
func Init(a *program.App) *cobra.Command {
	var f installFlags
	var names []string
	for _, one := range agent.All {
		names = append(names, one.Name)
	}
	c := &cobra.Command{
		Use:   "init",
		Short: "set the repository up: hooks of agents and of git, notes of remotes",
		Long: `Sets up the repository it stands in: hooks of the coding agents that are used here,
hooks of git beside those that are there, and what makes notes come with a fetch.
What belongs to others keeps every byte; files that cannot be read are left alone.
It can be repeated, and "stemma deinit" takes back exactly what it did.

Agents are recognised by their programs, by what they leave in the home directory and
by what is in the repository; Claude Code is always set up. --agents names others:
all, none, or some of ` + strings.Join(names, ", ") + `.

--system sets up the whole machine and touches no repository: the managed settings of
agents that have some, this person's settings for the others, and git hooks for all
repositories, which run those that a repository has itself.

Exit codes: 0 fine, 1 something could not be set up, 2 usage.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := f.options()
			if err != nil {
				return program.Usage(c, err)
			}
			return runInstall(c.Context(), a, f, "init", func(ctx context.Context, m host.Machine, p spool.Place) (*install.Report, error) {
				if f.system {
					return install.InitSystem(ctx, m, o)
				}
				r, err := install.Init(ctx, m, p, o)
				if err != nil {
					return r, err
				}
				return r, beginCapture(ctx, a, p)
			})
		},
	}
	f.add(c)
	c.Flags().StringVar(&f.server, "server", "", "address of the server to which facts are sent")
	c.Flags().StringVar(&f.agents, "agents", "", "agents to set up: all, none, or names with commas (default: those that are used here)")
	c.MarkFlagsMutuallyExclusive("server", "system")
	return c
}

// beginCapture keeps what differs in the work tree from what is checked out, so
// that what somebody writes from now on can be told.
func beginCapture(ctx context.Context, a *program.App, p spool.Place) error {
	listed, err := userGit(ctx, "-C", p.WorkTree, "-c", "core.fsmonitor=false", "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	var changed []string
	for _, entry := range strings.Split(listed, "\x00") {
		if len(entry) > 3 && len(changed) < maxChanged { // "XY path"
			changed = append(changed, entry[3:])
		}
	}
	return capture.Begin(p, changed, a.Now())
}

// maxChanged is how many files are looked at when capture begins.
const maxChanged = 2000

// Deinit takes back what [Init] did.
func Deinit(a *program.App) *cobra.Command {
	var f installFlags
	c := &cobra.Command{
		Use:   "deinit",
		Short: "take back what init did",
		Long: `Gives back every file that "stemma init" changed, byte for byte. Where somebody has
changed one since, only what stemma put in is taken out. What was kept of sessions stays.

Exit codes: 0 fine, 1 something could not be taken back, 2 usage.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return runInstall(c.Context(), a, f, "deinit", func(ctx context.Context, m host.Machine, p spool.Place) (*install.Report, error) {
				if f.system {
					return install.DeinitSystem(ctx, m)
				}
				return install.Deinit(ctx, m, p)
			})
		},
	}
	f.add(c)
	return c
}

func (f *installFlags) options() (install.Options, error) {
	o := install.Options{Server: f.server}
	if f.server != "" {
		if err := install.CheckServer(f.server); err != nil {
			return o, err
		}
	}
	switch f.agents {
	case "":
	case "none":
		o.Agents = []string{}
	case "all":
		for _, one := range agent.All {
			o.Agents = append(o.Agents, one.Name)
		}
	default:
		o.Agents = strings.Split(f.agents, ",")
		if _, unknown := agent.Named(o.Agents); unknown != "" {
			return o, fmt.Errorf("init: no agent %q is known", unknown)
		}
	}
	return o, nil
}

// machine is the one that this program runs on.
func machine(root string) (host.Machine, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return host.Machine{}, fmt.Errorf("install: %w", err)
	}
	return host.Machine{OS: runtime.GOOS, Home: home, Path: filepath.SplitList(os.Getenv("PATH")), Env: os.Environ(), Root: root}, nil
}

// here is the work tree that this program stands in.
func here() (spool.Place, error) {
	dir, err := os.Getwd()
	if err != nil {
		return spool.Place{}, err
	}
	return spool.Find(dir)
}

func runInstall(ctx context.Context, a *program.App, f installFlags, verb string, do func(context.Context, host.Machine, spool.Place) (*install.Report, error)) error {
	m, err := machine(f.root)
	if err != nil {
		return err
	}
	var p spool.Place
	if !f.system {
		if p, err = here(); err != nil {
			return stemma.WithHint(fmt.Errorf("%s: %w", verb, err), "stand in the repository, or name the whole machine with --system")
		}
	}
	r, err := do(ctx, m, p)
	if err == nil && r.Failed() {
		err = stemma.WithHint(fmt.Errorf("%s: not everything could be done", verb), "mend what is said to have failed, and run it again: the rest stays as it is")
	}
	if f.json {
		return errors.Join(terminal.JSON(a.Out, r), err)
	}
	if len(r.Changes) == 0 && err == nil {
		fmt.Fprintln(a.Out, "there was nothing to do")
	}
	return errors.Join(printReport(a.Out, r), err)
}

// printReport prints what was done, one line for what belongs together.
func printReport(out io.Writer, r *install.Report) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for i := 0; i < len(r.Changes); {
		c := r.Changes[i]
		n := 1
		for i+n < len(r.Changes) && together(c, r.Changes[i+n]) {
			n++
		}
		where := c.Path
		if n > 1 {
			where = fmt.Sprintf("%s (%d files)", path.Dir(filepath.ToSlash(c.Path)), n)
			if c.Part == "git hook" {
				for _, other := range r.Changes[i+1 : i+n] {
					c.Name += " " + other.Name
				}
				where = path.Dir(filepath.ToSlash(c.Path))
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", terminal.OneLine(string(c.Did)), c.Part, terminal.OneLine(where), terminal.OneLine(c.Name))
		if c.Why != "" {
			fmt.Fprintf(w, "\t\t%s\n", terminal.OneLine(c.Why))
		}
		i += n
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, note := range r.Notes {
		fmt.Fprintf(out, "note: %s\n", terminal.OneLine(note))
	}
	return nil
}

// together reports whether two changes are told as one.
func together(a, b install.Change) bool {
	return a.Part == b.Part && a.Did == b.Did && a.Why == "" && b.Why == "" && path.Dir(filepath.ToSlash(a.Path)) == path.Dir(filepath.ToSlash(b.Path)) &&
		(a.Name == b.Name && a.Part == "agent" || a.Part == "git hook" && path.Base(filepath.ToSlash(b.Path)) == b.Name)
}
