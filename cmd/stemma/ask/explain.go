package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/session"
)

// Explain tells why a line exists.
func Explain(a *program.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain PATH:LINE [REV]",
		Short: "why this line exists: prompt, session, change, review, ticket, deployments, incidents",
		Long: `Says who wrote a line, what was asked for in the session it came from, and the
lineage of its commit: of every stage what is nearest. "stemma trace" shows all.`,
		Args: program.Args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, args []string) error {
			path, line, err := parsePlace(args[0])
			if err != nil {
				return program.Usage(c, err)
			}
			rev := ""
			if len(args) == 2 {
				rev = args[1]
			}
			return runExplain(c.Context(), a, path, line, rev, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// parsePlace takes PATH:LINE apart at the last colon.
func parsePlace(s string) (path string, line int, err error) {
	i := strings.LastIndexByte(s, ':')
	if i > 0 {
		line, err = strconv.Atoi(s[i+1:])
	}
	if i <= 0 || err != nil || line < 1 {
		return "", 0, fmt.Errorf("%s is not PATH:LINE", terminal.OneLine(s))
	}
	return s[:i], line, nil
}

// An explanation is what is known of one line.
type explanation struct {
	Line    lineRecord       `json:"line"`
	Path    string           `json:"path"`
	Text    string           `json:"text"`
	Session stemma.Ref       `json:"session,omitempty"` // it came from: its own, or the only one its commit names
	Prompts *prompts         `json:"prompts,omitempty"` // of that session, if its transcript was kept
	Lineage *lineage.Lineage `json:"lineage,omitempty"` // of its commit, if that was scanned
}

func runExplain(ctx context.Context, a *program.App, path string, line int, rev string, asJSON bool) (err error) {
	r, err := a.OpenOrigins(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	at := strconv.Itoa(line)
	options := blame.Options{Rev: rev, Flags: []string{"-L", at + "," + at}}
	if options.Path, err = r.PathOf(path); err != nil {
		return err
	}
	if rev != "" {
		if options.Rev, err = r.Resolve(ctx, rev); err != nil {
			return err
		}
	}
	lines, err := r.Blame(ctx, options)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s has no line %d: %w", terminal.OneLine(path), line, stemma.ErrNotFound)
	}
	e := explanation{Path: quote.Path(options.Path), Text: terminal.Plain(string(lines[0].Text))}
	e.Line = blameResult{Lines: lines[:1]}.record().Lines[0]

	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	t, err := lineage.Trace(ctx, s.Graph, change.CommitRef(r.Format, e.Line.Commit), lineage.Both, walk.Limits{})
	switch {
	case err == nil:
		e.Lineage = &t
	case !errors.Is(err, stemma.ErrNotFound):
		return err
	}
	if e.Session = e.session(); e.Session != "" {
		until := stemma.At(lines[0].Commit.Author.When)
		if e.Prompts, err = promptsBehind(ctx, s.Space, asked(e.Line, e.Session), e.Line.Prompt, until); err != nil {
			return err
		}
	}
	if asJSON {
		return terminal.JSON(a.Out, e)
	}
	return printExplanation(a.Out, e)
}

func printExplanation(out io.Writer, e explanation) error {
	p, l := terminal.Colours(out), e.Line
	fmt.Fprintf(out, "%s\n", p.Bold(fmt.Sprintf("%s:%d  %s", e.Path, l.Line, strings.TrimSpace(e.Text))))
	switch l.Origin {
	case stemma.OriginAI:
		fmt.Fprintf(out, "written by AI: %s %s, session %s (%s, grade %s)\n", terminal.OneLine(l.Agent), terminal.OneLine(l.Model), terminal.OneLine(l.Session), l.Basis, l.Grade)
	case stemma.OriginHuman:
		fmt.Fprintf(out, "written by a person: %s (%s, grade %s)\n", terminal.OneLine(l.Author.Name), l.Basis, l.Grade)
	default:
		fmt.Fprintf(out, "who wrote it is unknown: %s\n", terminal.OneLine(l.Reason))
	}
	if strings.Trim(l.Commit, "0") == "" {
		return nil // it is not committed yet, as the reason says
	}
	fmt.Fprintf(out, "committed by %s in %s as %s:%d\n", terminal.OneLine(l.Author.Name), l.Commit, terminal.OneLine(l.OriginalPath), l.OriginalLine)
	printPrompts(out, e.Prompts)
	if e.Lineage == nil {
		fmt.Fprintln(out, "its lineage is not in the store: \"stemma scan\" reads this repository")
		return nil
	}
	// Of all sessions of the change, the line's own first.
	if at := slices.IndexFunc(e.Lineage.Nodes, func(n lineage.Node) bool { return n.Ref == e.Session }); at > 0 {
		own := e.Lineage.Nodes[at]
		e.Lineage.Nodes = slices.Insert(slices.Delete(e.Lineage.Nodes, at, at+1), 1, own)
	}
	return printTrace(out, *e.Lineage, nearest)
}

// session is the session that a line came from, as far as is known.
func (e explanation) session() stemma.Ref {
	if e.Line.Agent != "" && e.Line.Session != "" {
		return session.Ref(e.Line.Agent, e.Line.Session)
	}
	named := stemma.Ref("")
	if e.Lineage == nil {
		return named
	}
	for _, n := range e.Lineage.Nodes {
		if n.Kind != stemma.KindSession || n.Depth != 1 {
			continue
		}
		if named != "" {
			return ""
		}
		named = n.Ref
	}
	return named
}

// nearest is how many things of a stage an explanation shows.
const nearest = 5
