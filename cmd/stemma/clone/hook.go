package clone

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma/cmd/stemma/early"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/ingest/hook"
)

// Hook is what a coding agent calls. Where it names itself, as it does in what stemma
// init writes, package early has done all before this is reached.
func Hook(a *program.App) *cobra.Command {
	return &cobra.Command{
		Use:   "hook AGENT",
		Short: "called by a coding agent: keep what it is about to do or has done",
		Long: `Reads what the agent says, one JSON object, from standard input and keeps it, with
the files it speaks of, in the git directory. Whatever happens, it ends with 0, prints
nothing that the agent did not ask for and holds nothing up; what it could not keep is
recorded there too. STEMMA_VERBOSE=1 tells on standard error what went wrong.

AGENT is one of ` + strings.Join(hook.Agents(), ", ") + `.`,
		DisableFlagParsing: true, // nothing that an agent adds is an error
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
				return c.Help()
			}
			early.Hook(args, c.InOrStdin(), a.Out, a.Err, a.Now())
			return nil
		},
	}
}
