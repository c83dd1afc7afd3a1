package dashboard_test

import (
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/causes"
	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/query/population"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// alike is how many pages of one shape are looked at closely.
const alike = 6

// closely visits pages of every shape, on both engines.
func closely(t *testing.T, look func(s *site, public *storage.DB, at string, root *html.Node)) {
	for _, engine := range []struct {
		name string
		dsn  func(testing.TB) string
	}{{"sqlite", storagetest.SQLiteDSN}, {"postgres", storagetest.PostgresDSN}} {
		t.Run(engine.name, func(t *testing.T) {
			dsn := engine.dsn(t)
			db, err := storage.Open(t.Context(), dsn)
			must(t, err)
			t.Cleanup(func() { must(t, db.Close()) })
			s := full(t, db)
			public, err := storage.OpenReadOnly(t.Context(), dsn)
			must(t, err)
			t.Cleanup(func() { must(t, public.Close()) })
			seen := map[string]int{}
			s.crawl(func(at string, w *httptest.ResponseRecorder) {
				shape := strings.Join(strings.SplitN(at+"///", "/", 4)[:2], "/")
				if u, _ := url.Parse(at); len(u.Query()) > 0 {
					shape, _, _ = strings.Cut(shape, "?")
					shape += "?"
				}
				if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || seen[shape] == alike {
					return
				}
				seen[shape]++
				root, err := html.Parse(strings.NewReader(text(w)))
				must(t, err)
				look(s, public, at, root)
			})
		})
	}
}

// measured are the heads of columns whose numbers count nothing that has a list.
var measured = []string{"Bytes", "Number", "Depth", "Attempt", "Line", "Received", "Repeated", "Pending", "Looked at", "Absent", "Different", "Weight", "How much of it is there", "Adds at most"}

// TestEveryNumberLeadsToWhatItCounts follows the numbers of all pages: a list
// behind one says the same number, and a place is there.
func TestEveryNumberLeadsToWhatItCounts(t *testing.T) {
	closely(t, func(s *site, _ *storage.DB, at string, root *html.Node) {
		for _, table := range all(root, "table") {
			heads := all(table, "th")
			for _, row := range all(table, "tr") {
				for i, cell := range all(row, "td") {
					if has(cell, "num") && words(cell) != "" {
						s.leads(at, words(heads[i]), cell)
					}
				}
			}
		}
		for _, fact := range all(root, "dd") {
			for _, span := range all(fact, "span") {
				if has(span, "num") && strings.Count(at, "/") > 1 && !strings.HasPrefix(at, "/things/") {
					s.leads(at, words(child(fact.Parent, "dt")), span)
				}
			}
		}
		for _, tile := range all(root, "li") {
			for _, value := range all(tile, "span") {
				if has(value, "tile-value") && !strings.HasPrefix(attr(value.Parent, "href"), "/log") {
					s.leads(at, "tile", value.Parent.Parent)
				}
			}
		}
	})
}

// leads checks the link of one number.
func (s *site) leads(at, head string, cell *html.Node) {
	s.t.Helper()
	links := all(cell, "a")
	if len(links) != 1 {
		if !slices.Contains(measured, head) {
			s.t.Errorf("%s: %q of %q leads nowhere", at, words(cell), head)
		}
		return
	}
	if testing.Short() && len(attr(links[0], "href"))%5 > 0 { // the race detector looks at the code, not at numbers
		return
	}
	base, _ := url.Parse("http://here" + at)
	to, err := base.Parse(attr(links[0], "href"))
	must(s.t, err)
	w := s.get(to.RequestURI())
	root, err := html.Parse(strings.NewReader(text(w)))
	must(s.t, err)
	if w.Code == http.StatusSeeOther {
		return
	}
	if w.Code != http.StatusOK || to.Fragment != "" && !slices.ContainsFunc(every(root), func(n *html.Node) bool { return attr(n, "id") == to.Fragment }) {
		s.t.Errorf("%s: %q of %q leads to %s, which is not there: %d", at, words(cell), head, to, w.Code)
		return
	}
	value := words(links[0])
	for _, v := range all(links[0], "span") {
		if has(v, "tile-value") {
			value = words(v)
		}
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(value, ",", ""), 10, 64)
	if err != nil || to.Fragment != "" {
		return // a share, or a place
	}
	var totals []string
	for _, p := range all(root, "p") {
		if has(p, "totals") {
			for _, span := range all(p, "span") {
				totals = append(totals, words(span))
				if total, _, _ := strings.Cut(words(span), " "); strings.ReplaceAll(total, ",", "") == strconv.FormatInt(n, 10) {
					return
				}
			}
		}
	}
	if totals != nil || isList(to.Path) {
		s.t.Errorf("%s: %q is %d, and the list behind it, %s, has %v", at, head, n, to.RequestURI(), totals)
	}
}

func isList(path string) bool { return strings.Count(path, "/") == 1 && path != "/log" }

// ofPacks are tables whose rows are those of packs or the policy, of what two versions differ
// in, or of sums of a population: no command prints the same.
var ofPacks = regexp.MustCompile(`table=(frameworks|requirements|evidence|population|uncovered|teams|t-r-.*|t-version-.*)&format`)

func isOfPacks(twin *html.Node) bool { return ofPacks.MatchString(attr(twin, "href")) }

// TestEveryTableHasItsCommand runs the command beside every table and compares
// the number of its rows with that of the table as data.
func TestEveryTableHasItsCommand(t *testing.T) {
	closely(t, func(s *site, public *storage.DB, at string, root *html.Node) { s.commands(public, at, root) })
}

// commands runs those of one page.
func (s *site) commands(public *storage.DB, at string, root *html.Node) {
	s.t.Helper()
	tables := 0
	for _, table := range all(root, "table") {
		if !has(table, "code") {
			tables++
		}
	}
	twins := 0
	for _, p := range all(root, "p") {
		if !has(p, "tools") {
			continue
		}
		twins++
		commands := all(p, "code")
		if len(commands) == 0 && strings.HasPrefix(at, "/governance") && slices.ContainsFunc(all(p, "a"), isOfPacks) {
			continue
		}
		if len(commands) != 1 {
			s.t.Errorf("%s: a table without a command: %s", at, words(p))
			continue
		}
		command := words(commands[0])
		if strings.ContainsAny(command, "\u27e8\ufffd\u241b") {
			continue // with text that is shown harmless
		}
		want := s.rowsOf(at, attr(all(p, "a")[0], "href"), p)
		got := s.run(public, command)
		partial := slices.ContainsFunc(all(p, "span"), func(n *html.Node) bool { return has(n, "more") })
		if got != want && (!partial || got < want) {
			s.t.Errorf("%s: %d rows, and %d of %s", at, want, got, command)
		}
	}
	if twins < tables {
		s.t.Errorf("%s: %d tables, %d with data and command", at, tables, twins)
	}
}

// rowsOf counts the rows of a table as CSV.
func (s *site) rowsOf(at, link string, tools *html.Node) int {
	s.t.Helper()
	for _, a := range all(tools, "a") {
		if strings.HasSuffix(attr(a, "href"), "format=csv") {
			link = attr(a, "href")
		}
	}
	base, _ := url.Parse("http://here" + at)
	to, err := base.Parse(link)
	must(s.t, err)
	rows, err := csv.NewReader(s.get(to.RequestURI()).Body).ReadAll()
	if err != nil || len(rows) == 0 {
		s.t.Errorf("%s: %s is no CSV: %v", at, to, err)
		return 0
	}
	return len(rows) - 1
}

// run counts the rows that a command line prints.
func (s *site) run(public *storage.DB, command string) int {
	s.t.Helper()
	args := shell(command)
	if args[0] == "git" {
		return s.changedLines(args[1:])
	}
	switch args[1] {
	case "sql":
		var out strings.Builder
		if err := views.ReadOnly(s.t.Context(), public, args[2], views.Limits{}, &out, output.CSV); err != nil {
			s.t.Errorf("%s: %v", command, err)
		}
		rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
		must(s.t, err)
		return len(rows) - 1
	case "deliveries":
		sources, err := s.box.Health(s.t.Context())
		must(s.t, err)
		letters, err := s.box.Letters(s.t.Context(), 1000)
		must(s.t, err)
		turned, err := s.box.TurnedAway(s.t.Context(), 1000)
		must(s.t, err)
		syncs, err := s.space.Syncs(s.t.Context())
		must(s.t, err)
		return map[string]int{"sources": len(sources), "fetched": len(syncs), "dead": len(letters), "turned": len(turned)}[args[3]]
	case "population", "sample":
		return s.reached(args[2:])
	case "incident":
		var i *causes.Incident
		must(s.t, s.space.DB.Read(s.t.Context(), func(tx *storage.Tx) (err error) {
			i, err = causes.Of(s.t.Context(), tx, stemma.Ref("incident:"+args[2]))
			return err
		}))
		return len(i.Candidates)
	case "trace":
		l, err := lineage.Trace(s.t.Context(), s.space.Graph, stemma.Ref(args[2]), lineage.Both, walk.Limits{})
		must(s.t, err)
		n := 0
		for _, stage := range l.Stages {
			n += max(stage.Nodes, 1)
		}
		return n
	case "find":
		called, err := s.space.Called(s.t.Context(), args[2])
		must(s.t, err)
		found, err := lineage.Find(s.t.Context(), s.space.Graph, args[2], called...)
		must(s.t, err)
		return len(found)
	}
	if len(args) == 4 && args[3] == "--help" {
		return len(query.Fields(args[2]))
	}
	asked := strings.Join(args[3:], " ")
	q, err := query.Parse(args[2], asked, now)
	if err != nil {
		s.t.Errorf("%s: %v", command, err)
		return -1
	}
	n := 0
	must(s.t, s.space.DB.Read(s.t.Context(), func(tx *storage.Tx) error {
		r, err := query.Run(s.t.Context(), tx, q)
		if err != nil {
			return err
		}
		for _, err := range r.Rows {
			must(s.t, err)
			n++
		}
		return nil
	}))
	return n
}

// reached counts what a command about a population prints, read by its flags.
func (s *site) reached(args []string) int {
	s.t.Helper()
	flags := map[string]string{}
	for i := 0; i+1 < len(args) && strings.HasPrefix(args[i], "--"); i += 2 {
		if args[i] == "--json" {
			break
		}
		flags[args[i]] = args[i+1]
	}
	var p *population.Population
	must(s.t, s.space.DB.Read(s.t.Context(), func(tx *storage.Tx) (err error) {
		p, err = population.Between(s.t.Context(), tx, deployed.Ask{Environment: flags["--env"], Service: flags["--service"], From: flags["--from"], To: flags["--to"]})
		return err
	}))
	switch {
	case args[len(args)-1] == ".removed[]":
		return len(p.Removed)
	case flags["--seed"] != "":
		n, err := strconv.Atoi(flags["--n"])
		must(s.t, err)
		return min(n, len(p.Members))
	}
	return p.Count(flags["--only"])
}

// changedLines counts the lines that git shows as added or removed.
func (s *site) changedLines(args []string) (n int) {
	s.t.Helper()
	out, err := exec.CommandContext(s.t.Context(), "git", args...).Output()
	must(s.t, err)
	for line := range strings.Lines(string(out)) {
		if (line[0] == '+' || line[0] == '-') && !strings.HasPrefix(line, "+++") && !strings.HasPrefix(line, "---") {
			n++
		}
	}
	return n
}

// shell cuts a command line into words, as a POSIX shell does with single quotes.
func shell(command string) []string {
	var words []string
	var word strings.Builder
	quoted, escaped, any := false, false, false
	for _, r := range command {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\'':
			quoted, any = !quoted, true
		case r == '\\' && !quoted:
			escaped, any = true, true
		case r == ' ' && !quoted:
			if any {
				words = append(words, word.String())
			}
			word.Reset()
			any = false
		default:
			word.WriteRune(r)
			any = true
		}
	}
	return append(words, word.String())
}

// every lists a node and all below it.
func every(n *html.Node) []*html.Node {
	out := []*html.Node{n}
	for c := range n.Descendants() {
		out = append(out, c)
	}
	return out
}

// all are the elements of a name below a node.
func all(n *html.Node, name string) []*html.Node {
	return slices.DeleteFunc(every(n), func(n *html.Node) bool { return n.Type != html.ElementNode || n.Data != name })
}

func has(n *html.Node, class string) bool {
	return slices.Contains(strings.Fields(attr(n, "class")), class)
}

// words is the text of a node.
func words(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.TrimSpace(b.String())
}
