package ask

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/lineage"
)

// Trace shows the lineage of a thing.
func Trace(a *program.App) *cobra.Command {
	var up, down bool
	var form traceForm
	var to string
	c := &cobra.Command{
		Use:   "trace REF",
		Short: "the lineage of anything, typed and graded, and which steps are missing",
		Long: `Walks the lineage of a thing: up to what it rests on, down to what rests on it, or
both. REF may be anything that names one thing: a commit or its first digits,
"#142", "PAY-17", a tag, a session, a model, a digest, a path, a whole ref.`,
		Args: program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if form.stream && !form.json {
				return program.Usage(c, errStream)
			}
			return runTrace(c.Context(), a, args[0], to, direction(up, down), form)
		},
	}
	c.Flags().BoolVar(&up, "up", false, "only what it rests on, towards requirements")
	c.Flags().BoolVar(&down, "down", false, "only what rests on it, towards incidents")
	c.Flags().StringVar(&to, "to", "", "show the shortest way to this thing instead")
	c.Flags().BoolVar(&form.json, "json", false, "print one JSON object")
	c.Flags().BoolVar(&form.stream, "stream", false, "with --json: its nodes alone, one object a line")
	c.Flags().BoolVar(&form.dot, "dot", false, "print a graph for Graphviz")
	c.MarkFlagsMutuallyExclusive("json", "dot")
	return c
}

func direction(up, down bool) lineage.Direction {
	switch {
	case up && !down:
		return lineage.Up
	case down && !up:
		return lineage.Down
	}
	return lineage.Both
}

// A traceForm says how a trace is printed.
type traceForm struct{ json, stream, dot bool }

func runTrace(ctx context.Context, a *program.App, name, to string, dir lineage.Direction, form traceForm) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	ref, err := s.One(ctx, name)
	if err != nil {
		return err
	}
	if to != "" {
		return printWay(ctx, a.Out, s, ref, to, form)
	}
	t, err := lineage.Trace(ctx, s.Graph, ref, dir, walk.Limits{})
	switch {
	case err != nil:
		return err
	case form.stream:
		return terminal.JSONLines(a.Out, t.Nodes)
	case form.json:
		return terminal.JSON(a.Out, t)
	case form.dot:
		return writeDot(a.Out, t)
	}
	return printTrace(a.Out, t, len(t.Nodes))
}

func printWay(ctx context.Context, out io.Writer, s *program.Store, from stemma.Ref, to string, form traceForm) error {
	end, err := s.One(ctx, to)
	if err != nil {
		return err
	}
	way, err := lineage.Path(ctx, s.Graph, from, end, walk.Limits{})
	if err != nil {
		return err
	}
	switch {
	case form.stream:
		return terminal.JSONLines(out, way.Nodes)
	case form.json:
		return terminal.JSON(out, way)
	}
	for i, n := range way.Nodes {
		if i > 0 {
			e := way.Edges[i-1]
			fmt.Fprintf(out, "    %s (grade %s%s)\n", e.Door, e.Grade, method(e.Method))
		}
		fmt.Fprintf(out, "%s  %s\n", n.Ref, terminal.OneLine(n.Title))
	}
	return nil
}

func method(m string) string {
	if m == "" {
		return ""
	}
	return ", " + terminal.OneLine(m)
}

// printTrace writes a trace for a person: stage by stage, the nearest things
// first and at most so many of each, the gaps among them.
func printTrace(out io.Writer, t lineage.Lineage, most int) error {
	p := terminal.Colours(out)
	start := t.Nodes[0]
	fmt.Fprintf(out, "%s  %s\n", p.Bold(string(start.Ref)), terminal.OneLine(start.Title))
	via := map[stemma.Ref]lineage.Edge{}
	for _, e := range t.Edges {
		for _, end := range []stemma.Ref{e.From, e.To} {
			if _, ok := via[end]; !ok && end != start.Ref {
				via[end] = e
			}
		}
	}
	for _, stage := range t.Stages {
		if stage.Nodes == 0 {
			fmt.Fprintf(out, "%-12s %s\n", stage.Stage, p.Faint("— nothing is known"))
			continue
		}
		label, shown := string(stage.Stage), 0
		for _, n := range t.Nodes {
			if n.Stage != stage.Stage {
				continue
			}
			if shown++; shown > most {
				fmt.Fprintf(out, "%-12s %s\n", "", p.Faint(fmt.Sprintf("and %d more, farther away", stage.Nodes-most)))
				break
			}
			e := via[n.Ref]
			how := ""
			if e.Door != "" {
				how = p.Faint(fmt.Sprintf(" [%s, grade %s%s]", e.Door, e.Grade, method(e.Method)))
			}
			fmt.Fprintf(out, "%-12s %s  %s%s\n", label, n.Ref, terminal.OneLine(n.Title), how)
			label = ""
		}
	}
	for _, r := range t.Relations {
		door, end := r.Door, r.To
		if end == start.Ref {
			door, end = "is "+r.Door+" of", r.From
		}
		fmt.Fprintf(out, "%-12s %s  %s\n", door, end, terminal.OneLine(r.Title))
	}
	if len(t.Missing) > 0 {
		fmt.Fprintf(out, "missing: %s\n", joinStages(t.Missing))
	}
	if t.Truncated != "" {
		fmt.Fprintf(out, "cut short: more %s than the limit\n", t.Truncated)
	}
	return nil
}

func joinStages(stages []stemma.Stage) string {
	words := make([]string, len(stages))
	for i, s := range stages {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// writeDot writes a trace as a Graphviz graph. Names are quoted strings, in
// which only the quote and the backslash mean anything.
func writeDot(w io.Writer, t lineage.Lineage) error {
	quote := func(s string) string {
		s = strings.ReplaceAll(terminal.OneLine(s), `\`, `\\`)
		return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
	}
	var b strings.Builder
	b.WriteString("digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n")
	for _, n := range t.Nodes {
		fmt.Fprintf(&b, "  %s [label=%s];\n", quote(string(n.Ref)), quote(string(n.Kind)+": "+n.Title))
	}
	for _, e := range t.Edges {
		fmt.Fprintf(&b, "  %s -> %s [label=%s];\n", quote(string(e.From)), quote(string(e.To)), quote(e.Door+" "+string(e.Grade)))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}
