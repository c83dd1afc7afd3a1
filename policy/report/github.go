package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/stemma-dev/stemma/policy"
)

// GitHub writes annotations as commands to the runner of GitHub's workflows, a line each:
// errors for what holds a change up, warnings, notices. They come at the end, what blocks
// first, as a runner shows only some of a kind.
func GitHub(w io.Writer) Handler { return &github{w: bufio.NewWriter(w)} }

type github struct {
	w    *bufio.Writer
	said [noted + 1][]string
}

func (g *github) Begin(Run) error { return nil }

func (g *github) Change(c Change) error {
	for _, f := range ordered(c.Findings) {
		if met(f) || f.State == policy.Waived {
			continue
		}
		l := levelOf(f)
		at := ""
		if c.Place != "" {
			at = "file=" + property(c.Place) + ","
		}
		g.said[l] = append(g.said[l], fmt.Sprintf("::%s %stitle=%s::%s", [...]string{"error", "warning", "notice"}[l], at,
			property(f.Control+" "+line(f.Title, maxTitle)), data(c.name()+": "+reason(f)+" "+line(f.Remedy, maxReason))))
	}
	return nil
}

func (g *github) End(Summary) error {
	for _, list := range g.said {
		for _, s := range list {
			fmt.Fprintln(g.w, s)
		}
	}
	return g.w.Flush()
}

// data is text behind a command, as the runner takes it apart.
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(line(s, 4*maxReason))
}

// property is the value of a property of a command.
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(s))
}
