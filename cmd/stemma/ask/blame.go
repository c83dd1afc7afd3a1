package ask

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/origins"
)

// Blame is git blame with origin.
func Blame(a *program.App) *cobra.Command {
	return &cobra.Command{
		Use:   "blame [flags of git blame] [--json] [REV | FROM..TO | ^REV]... [--] PATH",
		Short: "git blame with origin, line by line",
		Long: `Prints git blame's columns, with the agent and model where a line is AI's. It takes
flags of git blame: -L, -w, -M, -C, --since, --ignore-rev, --root, --porcelain,
--line-porcelain, and for its columns -b, -c, -l, -s, -e, -n, -f, -t, --abbrev=N,
--date=iso|iso-strict|rfc|short|default|raw|unix; and its revisions: where FROM..TO or
^REV stops, lines may be older than the commit they stand with. Of git's settings it takes
core.abbrev, where the repository itself has it. The records of origin are read from the
repository itself, so the answer is always up to date and no scan is needed;
those that clients of git-ai sent to "stemma serve" on this machine, or that were
imported, from its store.

With --json: {"path": …, "revision": …, "lines": [{"line", "commit", "origin", …}]},
where origin is ai, human or unknown; with --stream too, its lines one object each.`,
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
				return c.Help()
			}
			request, err := parseBlame(args)
			if err == nil {
				_, err = blame.Flags(request.flags)
			}
			if err != nil {
				return program.Usage(c, err)
			}
			if err := a.ParseStore(request.store); err != nil {
				return program.Usage(c, err)
			}
			return runBlame(c.Context(), a, request)
		},
	}
}

// A blameRequest is the command line of blame.
type blameRequest struct {
	revs    []string
	path    string
	unsure  bool     // the path may stand before the only revision
	flags   []string // for git
	look    string   // "", "json", "porcelain" or "line-porcelain"
	stream  bool     // of "json", the lines alone, one object each
	columns columns  // of the usual look
	store   []string // flags of the store
}

// looks are the flags that choose another look than git blame's columns.
var looks = map[string]string{"--json": "json", "--porcelain": "porcelain", "-p": "porcelain", "--line-porcelain": "line-porcelain"}

// unbundle takes flags of one letter that stand together apart: -wM3 is -w -M3.
func unbundle(args []string) []string {
	const letters, attached = "wbclefnpst", "LMCS"
	var out []string
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		for len(arg) > 2 && arg[0] == '-' && strings.IndexByte(letters, arg[1]) >= 0 && strings.IndexByte(letters+attached, arg[2]) >= 0 {
			out = append(out, arg[:2])
			arg = "-" + arg[2:]
		}
		out = append(out, arg)
	}
	return out
}

// storeNames are the flags of the store.
var storeNames = []string{"--db", "--data", "--bodies"}

// unsupported are flags of git blame that change its look in ways that this
// one has not; ignoring them would be worse than saying so.
var unsupported = []string{"--incremental", "--show-stats", "--score-debug", "--progress", "--no-progress", "-S", "--reverse", "--contents"}

// valued are the flags of git blame that take the next word as their value.
var valued = []string{"-L", "-S", "--since", "--ignore-rev", "--ignore-revs-file"}

// parseBlame reads the command line as git blame does: flags anywhere before
// "--", then revisions and a path, or as of old a path and a revision.
func parseBlame(args []string) (blameRequest, error) {
	var r blameRequest
	var words []string
	separator := -1
	args = unbundle(args)
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			separator = len(words)
			words = append(words, args[i+1:]...)
			i = len(args)
		case looks[arg] != "":
			if r.look != "" && r.look != looks[arg] {
				return r, fmt.Errorf("%s: the answer is already asked for as %s", arg, r.look)
			}
			r.look = looks[arg]
		case arg == "--stream":
			r.stream = true
		case arg == "-v" || arg == "--verbose":
			r.store = append(r.store, arg)
		case slices.Contains(storeNames, arg) && i+1 < len(args):
			r.store = append(r.store, arg, args[i+1])
			i++
		case slices.ContainsFunc(storeNames, func(name string) bool { return strings.HasPrefix(arg, name+"=") }):
			r.store = append(r.store, arg)
		case r.columns.take(arg):
		case arg == "--date" && i+1 < len(args) && r.columns.take("--date="+args[i+1]):
			i++
		case slices.Contains(unsupported, arg) || strings.HasPrefix(arg, "--date") || strings.HasPrefix(arg, "--abbrev"):
			return r, fmt.Errorf("%s of git blame is not supported", terminal.OneLine(arg))
		case slices.Contains(valued, arg):
			if i+1 == len(args) {
				return r, fmt.Errorf("%s needs a value", arg)
			}
			r.flags = append(r.flags, arg, args[i+1])
			i++
		case len(arg) > 1 && arg[0] == '-':
			r.flags = append(r.flags, arg)
		default:
			words = append(words, arg)
		}
	}
	last := len(words) - 1
	switch {
	case r.stream && r.look != "json":
		return r, errStream
	case last >= 0 && (separator < 0 || separator == last):
		r.revs, r.path = words[:last], words[last]
		r.unsure = separator < 0 && last == 1
	case last == 1 && separator == 0:
		r.path, r.revs = words[0], words[1:]
	default:
		return r, errors.New("blame takes a path, and before it revisions")
	}
	return r, nil
}

// begin finds out where a request begins, and where it stops.
func (r *blameRequest) begin(ctx context.Context, repo *program.Origins) (tip string, not []string, err error) {
	switch {
	case len(r.revs) == 0 && repo.Bare, len(r.revs) == 1 && r.revs[0] == "HEAD" && repo.Head != "":
		return repo.Head, nil, nil
	case len(r.revs) == 0:
		return "", nil, nil
	}
	tip, not, err = repo.Range(ctx, r.revs)
	if r.unsure && errors.Is(err, git.ErrBadRevision) {
		if tip, not, err := repo.Range(ctx, []string{r.path}); err == nil {
			r.path = r.revs[0]
			return tip, not, nil
		}
	}
	return tip, not, err
}

func runBlame(ctx context.Context, a *program.App, request blameRequest) (err error) {
	r, err := a.OpenOrigins(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()

	options := blame.Options{Flags: request.flags}
	if options.Rev, options.Not, err = request.begin(ctx, r); err != nil {
		return err
	}
	if options.Path, err = r.PathOf(request.path); err != nil {
		return err
	}
	result := blameResult{Path: quote.Path(options.Path), Revision: cmp.Or(options.Rev, r.Head)}
	if result.Lines, err = r.Blame(ctx, options); err != nil {
		return err
	}
	out := bufio.NewWriter(a.Out)
	switch request.look {
	case "json":
		if request.stream {
			return terminal.JSONLines(a.Out, result.record().Lines)
		}
		return terminal.JSON(a.Out, result.record())
	case "porcelain", "line-porcelain":
		err = writePorcelain(out, terminal.Is(a.Out), result.Lines, request.look == "line-porcelain")
	default:
		if c := &request.columns; !c.long && c.abbrev == 0 {
			c.usual = r.AbbrevLength(commitsOf(result.Lines))
		}
		err = writeBlame(out, terminal.Colours(a.Out), request.columns, options.Path, result.Lines)
	}
	return errors.Join(err, out.Flush())
}

// commitsOf are the ids of the commits that lines come from.
func commitsOf(lines []origins.Line) (ids []string) {
	var last *blame.Commit
	seen := map[*blame.Commit]bool{}
	for _, l := range lines {
		if l.Commit != last && !seen[l.Commit] {
			seen[l.Commit] = true
			ids = append(ids, l.Commit.ID)
		}
		last = l.Commit
	}
	return ids
}

type blameResult struct {
	Path     string
	Revision string
	Lines    []origins.Line
}

// blameRecord is the JSON form of blame; part of the contract.
type blameRecord struct {
	Path     string       `json:"path"`
	Revision string       `json:"revision,omitempty"`
	Lines    []lineRecord `json:"lines"`
}

type lineRecord struct {
	Line         int           `json:"line"`
	Commit       string        `json:"commit"`
	OriginalLine int           `json:"original_line"`
	OriginalPath string        `json:"original_path"`
	Origin       stemma.Origin `json:"origin"`
	Basis        stemma.Basis  `json:"basis,omitempty"`
	Grade        stemma.Grade  `json:"grade,omitempty"`
	Reason       string        `json:"reason,omitempty"`
	Agent        string        `json:"agent,omitempty"`
	Session      string        `json:"session,omitempty"`
	Model        string        `json:"model,omitempty"`
	Prompt       int           `json:"prompt,omitempty"`
	ToolCall     string        `json:"tool_call,omitempty"`
	Replaced     *replaced     `json:"replaced,omitempty"` // whose line it replaced
	Author       authorRecord  `json:"author"`
}

type replaced struct {
	Agent   string `json:"agent"`
	Session string `json:"session,omitempty"`
	Model   string `json:"model,omitempty"`
}

type authorRecord struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

func (b blameResult) record() blameRecord {
	r := blameRecord{Path: b.Path, Revision: b.Revision, Lines: []lineRecord{}}
	for _, l := range b.Lines {
		line := lineRecord{
			Line: l.FinalLine, Commit: l.Commit.ID, OriginalLine: l.OrigLine, OriginalPath: quote.Path(l.OrigPath),
			Origin: l.Mark.Origin, Reason: l.Mark.Reason, Agent: l.Mark.Agent, Session: l.Mark.Session,
			Model: l.Mark.ModelName, Prompt: l.Mark.Prompt, ToolCall: l.Mark.ToolCall,
			Author: authorRecord{text(l.Commit.Author.Name), text(l.Commit.Author.Mail)},
		}
		if l.Mark.Origin != stemma.OriginUnknown {
			line.Basis, line.Grade = l.Basis, gradeOf(l.Basis)
		}
		if was := l.Mark.Replaced; was.Agent != "" {
			line.Replaced = &replaced{was.Agent, was.Session, was.ModelName}
		}
		r.Lines = append(r.Lines, line)
	}
	return r
}

// gradeOf is how good evidence of a basis is: what this clone saw itself was
// captured on a device, all else is told.
func gradeOf(b stemma.Basis) stemma.Grade {
	switch b {
	case stemma.BasisObservedHook, stemma.BasisObservedEditor, stemma.BasisReplayed:
		return stemma.GradeC
	}
	return stemma.GradeD
}

func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// writer names who wrote a line: the agent and model where it is AI's.
func writer(l origins.Line) string {
	switch l.Mark.Origin {
	case stemma.OriginAI:
		if l.Mark.ModelName != "" {
			return l.Mark.Agent + " " + l.Mark.ModelName
		}
		return l.Mark.Agent
	case stemma.OriginHuman:
		return text(l.Commit.Author.Name)
	}
	if !l.Commit.Committed() {
		return text(l.Commit.Author.Name)
	}
	return text(l.Commit.Author.Name) + " ?"
}

// writePorcelain prints git's porcelain format with the origin as further headers,
// which readers of the format skip. Only a terminal does not get the bytes of the
// file as they are.
func writePorcelain(w io.Writer, onTerminal bool, lines []origins.Line, everyLine bool) error {
	shown := func(text []byte) []byte { return text }
	if onTerminal {
		shown = func(text []byte) []byte { return []byte(terminal.Plain(string(text))) }
	}
	one, several := map[*blame.Commit]string{}, map[*blame.Commit]bool{} // paths in a commit
	for i, l := range lines {
		if i > 0 && continues(lines[i-1], l) {
			continue
		}
		path, known := one[l.Commit]
		one[l.Commit] = l.OrigPath
		several[l.Commit] = several[l.Commit] || known && path != l.OrigPath
	}
	seen := map[*blame.Commit]bool{}
	var out []byte
	for i, l := range lines {
		c := l.Commit
		begins := i == 0 || !continues(lines[i-1], l)
		out = append(append(out[:0], c.ID...), ' ')
		out = append(strconv.AppendInt(out, int64(l.OrigLine), 10), ' ')
		out = strconv.AppendInt(out, int64(l.FinalLine), 10)
		whole := everyLine
		if begins {
			n := 1
			for i+n < len(lines) && continues(lines[i+n-1], lines[i+n]) {
				n++
			}
			out = strconv.AppendInt(append(out, ' '), int64(n), 10)
			whole = whole || !seen[c]
			seen[c] = true
		}
		out = append(out, '\n')
		if whole {
			out = appendCommit(out, l)
		}
		if whole || begins && several[c] {
			out = fmt.Appendf(out, "filename %s\n", quote.Path(l.OrigPath))
		}
		out = append(append(append(out, "stemma-origin "...), l.Mark.Origin...), '\n')
		if l.Mark.Origin == stemma.OriginAI {
			out = fmt.Appendf(out, "stemma-agent %s\nstemma-model %s\nstemma-session %s\n", terminal.OneLine(l.Mark.Agent), terminal.OneLine(l.Mark.ModelName), terminal.OneLine(l.Mark.Session))
		}
		out = append(append(append(out, '\t'), shown(l.Text)...), '\n')
		if _, err := w.Write(out); err != nil {
			return err
		}
	}
	return nil
}

// continues reports whether two lines belong to one group: neighbours here and
// in the file of one commit.
func continues(before, l origins.Line) bool {
	return before.Commit.ID == l.Commit.ID && before.OrigPath == l.OrigPath &&
		before.OrigLine+1 == l.OrigLine && before.FinalLine+1 == l.FinalLine
}

// appendCommit appends the headers of porcelain that tell of a commit.
func appendCommit(out []byte, l origins.Line) []byte {
	c := l.Commit
	for _, who := range []struct {
		role string
		git.Ident
	}{{"author", c.Author}, {"committer", c.Committer}} {
		out = fmt.Appendf(out, "%s %s\n%s-mail <%s>\n%s-time %d\n%s-tz %s\n", who.role, terminal.OneLine(who.Name), who.role, terminal.OneLine(who.Mail),
			who.role, who.When.Unix(), who.role, who.When.Format("-0700"))
	}
	out = fmt.Appendf(out, "summary %s\n", terminal.OneLine(c.Summary))
	if c.Boundary {
		out = append(out, "boundary\n"...)
	}
	if l.Previous != "" {
		out = fmt.Appendf(out, "previous %s %s\n", l.Previous, quote.Path(l.PreviousPath))
	}
	return out
}
