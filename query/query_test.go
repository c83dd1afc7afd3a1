package query

import (
	"context"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

func mustParse(t testing.TB, kind, text string) *Query {
	t.Helper()
	q, err := Parse(kind, text, querytest.Noon())
	if err != nil {
		t.Fatalf("Parse(%s, %s): %v", kind, text, err)
	}
	return q
}

// ask runs q and gives its rows as texts.
func ask(t testing.TB, db *storage.DB, q *Query) [][]string {
	t.Helper()
	ctx := context.Background()
	var out [][]string
	err := db.Read(ctx, func(tx *storage.Tx) error {
		out = nil
		r, err := Run(ctx, tx, q)
		if err != nil {
			return err
		}
		for row, err := range r.Rows {
			if err != nil {
				return err
			}
			line := make([]string, len(row))
			for i, c := range row {
				line[i] = c.String()
			}
			out = append(out, line)
		}
		n, err := Count(ctx, tx, q)
		if err == nil && q.filter.Limit == 0 && !q.paged && n != int64(len(out)) {
			t.Errorf("%s %s: Count = %d, and %d rows", q.Kind(), q, n, len(out))
		}
		return err
	})
	if err != nil {
		text, args := q.SQL(db.Engine(), true)
		t.Fatalf("%s %s: %v\n%s\n%q", q.Kind(), q, err, text, args)
	}
	return out
}

func flat(rows [][]string) string {
	var lines []string
	for _, r := range rows {
		lines = append(lines, strings.Join(r, " "))
	}
	return strings.Join(lines, "; ")
}

// The questions of the plan that these kinds can answer today.
func TestAcceptanceQuestionsHaveTheKnownAnswers(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		querytest.Pay().Store(t, db)
		for _, c := range []struct{ kind, text, show, want string }{
			{"changes", "model:claude-sonnet-4-5* merged:>-30d", "number", "4; 3"},
			{"changes", "type:security-fix fix-author:ai origin-author:human", "number repo", "9 repository:github.com/acme/web"},
			{"changes", "type:fix fix-author:ai origin-author:ai same:model", "number", ""},
			{"changes", "type:security-fix fix-author:ai origin-author:ai same:model", "number", "4"},
			{"lines", "path:src/pay/charge.go", "path", ""},
			{"lines", "path:src/payments/charge.go", "start count origin session", "1 37 human ; 38 10 ai session:claude-code/w1; 48 3 human "},
			{"lines", "path:src/payments/** at:main group:author-class", "", "ai 40 50.0; human 40 50.0"},
			{"lines", "path:src/payments/** group:author-class", "", "ai 40 40.0; human 40 40.0; unknown 20 20.0"},
			{"changes", "is:ai its:>=4 group:repo", "", "repository:github.com/acme/pay 1 6 0 0 6 0 100.0"},
			{"sessions", "ancestor:p1 path:**/auth/**", "id", "w1"},
			{"sessions", "ancestor:p1", "id", "w1; w2"},
			{"sessions", "tree:w1", "id", "w1; w2"},
			{"sessions", "path:auth/", "id", "c1"},
			{"sessions", "is:planner group:tool", "", "claude-code 2 9 3 0 111 100.0"},

			{"changes", "release:v1", "number", "2; 1"},
			{"changes", "release:v2 -release:v1", "number", "4; 3"},
			{"changes", "author:ada sort:number", "number author", "1 person:00000000000000000000000000000001 Ada Lovelace; 3 person:00000000000000000000000000000001 Ada Lovelace; 5 person:00000000000000000000000000000001 Ada Lovelace"},
			{"changes", "author:ADA@acme.example", "number", "5; 3; 1"},
			{"changes", "ticket:PAY-17", "number ticket", "3 ticket:jira/PAY-17"},
			{"changes", "ai-share:>=83.3% ai-share:<100%", "number ai-share", "3 83.3"},
			{"changes", "ai-share:>83.3% repo:pay", "number", "4; 2"},
			{"changes", "-model:* sort:number", "number", "1; 5"},
			{"changes", "no:model OR is:security-fix sort:number-desc", "number", "9; 5; 4; 1"},
			{"changes", "refund", "number", "4; 2"},
			{"changes", "142 OR #4", "number", "4"},
			{"changes", querytest.SHA(3)[:9], "number", "3"},
			{"changes", "path:*.md", "number path", "5 docs/refund.md; 1 README.md src/payments/charge.go"},
			{"changes", "merged:2026-09-05..2026-09-10", "number", "5; 4"},
			{"changes", "merged:2026-Q3 limit:2", "number", "9; 5"},
			{"changes", "merged:>-30d group:merged-month,model sort:merged-month,model", "", "2026-08 model:anthropic/claude-sonnet-4-5-20250929 1 10 2 0 12 0 25.0; " +
				"2026-09 model:anthropic/claude-sonnet-4-5-20250929 1 6 0 0 6 0 25.0; 2026-09 model:openai/gpt-5 1 1 0 0 0 0 25.0; 2026-09  1 0 0 7 7 0 25.0"},
			{"changes", "merged:>-30d group:merged-week,merged-quarter sort:merged-week-desc", "", "2026-W37 2026-Q3 2 1 0 7 7 0 50.0; 2026-W36 2026-Q3 1 6 0 0 6 0 25.0; 2026-W35 2026-Q3 1 10 2 0 12 0 25.0"},
			{"commits", "group:committed-day,committed-year limit:1", "", "2026-06-07 2026 1 0 40 0 40 0 20.0"},
			{"commits", "coauthor:ada", "sha", querytest.SHA(2)},
			{"commits", "trailer:refs=PAY-* sort:sha", "title", "fix: no double charge"},
			{"commits", "trailer:Reviewed-by", "title", "fix: no double charge"},
			{"commits", "trailer:reviewed-by=bo*", "title", "fix: no double charge"},
			{"commits", "trailer:Reviewed-by=ada*", "title", ""},
			{"commits", "change:change:github.com/acme/pay#2", "title", "feat: refund"},
			{"commits", "session:w1", "title", "fix: no double charge"},
			{"people", "ada", "name changes commits", "Ada Lovelace 3 3"},
			{"people", "is:bot", "ref", "bot:github.com/dependabot[bot]"},
			{"models", "sort:name", "name lines changes sessions", "claude-sonnet-4-5-20250929 40 3 2; gpt-5 0 1 1"},
			{"models", "gpt", "ref", ""},
			{"models", "gpt-*", "first-use last-use", "2026-07-27T12:00:00Z 2026-09-12T12:00:00Z"},
			{"tickets", "changes:>0", "key changes commits sessions", "PAY-17 1 1 1"},
			{"releases", "", "name", "v2; v1"},
			{"files", "ai-share:>=50% sort:ai-share-desc", "path ai-share", "src/payments/deep/er/refund.go 100.0"},
			{"files", "at:old", "path lines", "src/payments/charge.go 99"},
			{"files", "lines:0", "path lines", "docs/logo.png 0"},
			{"files", "is:deleted", "path lines", "gone.go 0"},
			{"lines", "repo:web OR origin:ai group:path", "", "src/payments/deep/er/refund.go 30 50.0; src/payments/copy.go 20 33.3; src/payments/charge.go 10 16.6"},
			{"files", "group:repo", "", "repository:github.com/acme/pay 4 87 40 40 7 80.0; repository:github.com/acme/web 1 20 0 0 20 20.0"},
		} {
			q := mustParse(t, c.kind, c.text)
			if c.show != "" {
				var err error
				if q, err = q.Select(strings.Fields(c.show)...); err != nil {
					t.Fatal(err)
				}
			}
			got := flat(ask(t, db, q))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", c.kind, c.text, diff)
			}
		}
	})
}

// Generated questions have the answers of a naive evaluator, on both engines.
func TestAnswersAreThoseOfANaiveEvaluator(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		w := querytest.Chance(3)
		w.Store(t, db)
		n := newNaive(w)
		r := mrand.New(mrand.NewPCG(1, 2))
		found := 0
		for range 600 {
			kind := []string{"changes", "commits", "lines", "sessions"}[r.IntN(4)]
			g := generator{r, w, kind}
			text := g.expr(3)
			if r.IntN(3) == 0 {
				text += " " + g.group()
			} else if r.IntN(3) == 0 {
				text += " " + g.sort()
			}
			q := mustParse(t, kind, text)
			ids, weight, groups := n.answer(q)
			if len(ids) > 0 && len(ids) < len(n.rows[kind]) {
				found++
			}
			if q.Grouped() {
				got := map[string]int64{}
				rows := ask(t, db, q)
				for _, row := range rows {
					key, k := "", len(q.filter.Group)
					for _, s := range row[:k] {
						key += "|" + s
					}
					var sum, share int64
					_, _ = fmt.Sscan(row[k], &sum)
					got[key] = sum
					var tenth int64
					_, _ = fmt.Sscanf(row[len(row)-1], "%d.%d", &share, &tenth)
					if want := sum * 1000 / max(weight, 1); share*10+tenth != want {
						t.Errorf("%s %s: share of %s is %s, want %d", kind, q, key, row[len(row)-1], want)
					}
				}
				for _, row := range rows {
					// The rows behind a group weigh what the group says.
					cells := make(Row, len(q.filter.Group))
					for i := range cells {
						cells[i] = Cell{Text: row[i], Null: row[i] == ""}
					}
					behind := mustParse(t, kind, q.Behind(cells))
					_, sum, _ := n.answer(behind)
					if fmt.Sprint(sum) != row[len(q.filter.Group)] {
						t.Errorf("%s %s: %s lists %d, the group says %v", kind, q, behind, sum, row)
					}
				}
				if diff := cmp.Diff(groups, got); diff != "" || len(rows) != len(got) {
					t.Fatalf("%s %s (-naive +got):\n%s", kind, q, diff)
				}
				continue
			}
			sameTotal(t, db, q, weight)
			show := map[string][]string{"changes": {"ref"}, "commits": {"ref"}, "sessions": {"ref"}}[kind]
			if show == nil {
				continueWithLines(t, db, q, weight, len(ids))
				continue
			}
			q, err := q.Select(show...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range ask(t, db, q) {
				got = append(got, row[0])
			}
			slices.Sort(got)
			if diff := cmp.Diff(ids, got); diff != "" {
				text, args := q.SQL(db.Engine(), true)
				t.Fatalf("%s %s (-naive +got):\n%s\n%s\n%q", kind, q, diff, text, args)
			}
		}
		if found < 240 {
			t.Errorf("only %d questions told rows apart", found)
		}
	})
}

func continueWithLines(t *testing.T, db *storage.DB, q *Query, weight int64, runs int) {
	t.Helper()
	q, err := q.Select("count")
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	rows := ask(t, db, q)
	for _, row := range rows {
		var n int64
		_, _ = fmt.Sscan(row[0], &n)
		sum += n
	}
	if sum != weight || len(rows) != runs {
		text, args := q.SQL(db.Engine(), true)
		t.Fatalf("lines %s: %d lines in %d runs, want %d in %d\n%s\n%q", q, sum, len(rows), weight, runs, text, args)
	}
}

// A generator makes queries out of the words of a world.
type generator struct {
	r    *mrand.Rand
	w    *querytest.World
	kind string
}

func (g generator) pick(list ...string) string { return list[g.r.IntN(len(list))] }

func (g generator) expr(depth int) string {
	if depth == 0 || g.r.IntN(3) == 0 {
		return g.term()
	}
	switch g.r.IntN(4) {
	case 0:
		return "(" + g.expr(depth-1) + " OR " + g.expr(depth-1) + ")"
	case 1:
		return "-(" + g.expr(depth-1) + ")"
	case 2:
		return g.expr(depth-1) + " " + g.expr(depth-1)
	}
	return "-" + g.term()
}

var generated = map[string][]string{
	"changes":  {"repo", "number", "title", "merged", "author", "intent", "model", "agent", "session", "ticket", "commit", "path", "component", "release", "author-class", "fix-author", "same", "ai-share", "ai-lines", "added", "is", "word", "has", "no"},
	"commits":  {"sha", "repo", "author", "coauthor", "committed", "title", "message", "trailer", "model", "agent", "session", "ticket", "change", "path", "release", "author-class", "ai-share", "deleted", "is", "word", "has", "no"},
	"lines":    {"repo", "path", "count", "origin", "basis", "agent", "model", "commit", "committed", "author", "is", "word", "has", "no"},
	"sessions": {"id", "tool", "title", "started", "model", "turns", "tokens", "cost", "path", "ticket", "parent", "ancestor", "tree", "is", "word", "has", "no"},
}

func (g generator) term() string {
	f := g.pick(generated[g.kind]...)
	switch f {
	case "word":
		return g.word()
	case "has", "no":
		for {
			f2 := lookup(g.kind).Field(g.pick(generated[g.kind]...))
			if f2 != nil && mayBeThere(f2) {
				return f + ":" + f2.Name
			}
		}
	}
	return f + ":" + g.value(lookup(g.kind).Field(f))
}

// mayBeThere reports whether has: and no: take a field.
func mayBeThere(f *filter.Field) bool { return f.Type != filter.Choice && !f.AskOnly }

func lookup(name string) *kind {
	k, err := lookupKind(name)
	if err != nil {
		panic(err)
	}
	return k
}

func (g generator) value(f *filter.Field) string {
	number := func(n int) string {
		return g.pick("", ">", ">=", "<", "<=") + fmt.Sprint(g.r.IntN(n))
	}
	switch f.Type {
	case filter.Int:
		if g.r.IntN(4) == 0 {
			a := g.r.IntN(9)
			return fmt.Sprintf("%d..%d", a, a+g.r.IntN(9))
		}
		return number(12)
	case filter.Span:
		return number(90) + g.pick("s", "min", "h")
	case filter.Percent:
		return number(101) + g.pick("", "%")
	case filter.Time:
		return g.pick(">-30d", "<-45d", "2026-08", "2026-Q3", ">=2026-08-01", "2026-07-01..2026-08-15", "*..2026-08", "<=-2w", ">yesterday")
	case filter.Enum, filter.Choice:
		v := g.pick(f.Values...)
		if g.kind == "changes" && v == "reverted" || v == "picked" || v == "signed" || v == "default" {
			return f.Values[0]
		}
		return v
	case filter.Hash:
		return querytest.SHA(g.r.IntN(45))[:4+g.r.IntN(9)]
	case filter.Trailer:
		return g.pick("Refs", "x-y", "X-Y=*", "refs=*fix*", `REFS="fix x"`, "Refs=?", "refs=*100%*", "none", `"refs=fix"`, `Refs="a_b"`, "reviewed-by=*", "Reviewed-by=*A*", "reviewed-by=?o*", "Reviewed-by=person:*", "reviewed-by=dep*")
	case filter.Path:
		return g.path()
	case filter.Words:
		return g.word()
	case filter.Ref:
		return g.ref(f)
	}
	return g.pick("codex", "claude-code", "c*", "*-*", "s?", "s1*", "imported", "src", "docs", "*", "?")
}

func (g generator) word() string {
	return g.pick("fix", "CHARGE", "100%", "a_b", "a?b", `"back\\slash"`, "été", "ÉTÉ", "x", `"q"`, `"\"q\""`, "r*d", "fix*x", "3", "#7", "PAY-1", "s3", querytest.SHA(g.r.IntN(40))[:8], "x.go", `"*"`)
}

func (g generator) path() string {
	parts := []string{"src", "auth", "*", "**", "a_b", "a%b", "a?b", "s*", "pay", `"`, "é", "Src", "?", "*a*"}
	n := 1 + g.r.IntN(4)
	out := make([]string, n)
	for i := range out {
		out[i] = parts[g.r.IntN(len(parts))]
		if out[i] == `"` {
			out[i] = "b*"
		}
	}
	p := g.pick("", "", "", "/") + strings.Join(out, "/") + g.pick("", "", "/", "/x.go", "/*.go", "/*_test.go", "/README.*")
	if strings.Count(p, "*")+strings.Count(p, "?") > 8 {
		return "src/**"
	}
	return g.pick(p, p, p, p, "*.go", "x.go", `"[a]*.go"`, `"src/q\"q/x.go"`, `"b\\s/"`)
}

func (g generator) ref(f *filter.Field) string {
	switch lookup(g.kind).of(f).target.kinds[0] {
	case "repository":
		return g.pick("acme/pay", "pay", "*web_app", "acme/*", "git.example/beta/pay", "repository:git.example/acme/pay", "none")
	case "person":
		return g.pick("ADA*", `"ada lovelace"`, "l1", "x?y", "x_y", "*%", "élan*", "Élan*", "person:"+string(querytest.Person(1))[7:], string(querytest.Person(2))[7:], "person:*2", "*@example.ORG", "*")
	case "model":
		return g.pick("claude-*", "gpt-5", "gpt_5", "gpt?5", "anthropic/*", "model:openai/gpt-5", "model:*", "none", "*")
	case "session":
		return g.pick("s1", "s?", "claude-code/s3", "session:*/s1*", "none", "s*", fmt.Sprintf("s%d", g.r.IntN(12)))
	case "ticket":
		return g.pick("PAY-1", "PAY-*", "jira/PAY-2", "ticket:jira/PAY-3")
	case "commit":
		return g.pick(querytest.SHA(g.r.IntN(40))[:6], "commit:sha1/"+querytest.SHA(g.r.IntN(40)), "sha1/*", querytest.SHA(3)[:3]+"*", "none")
	case "release":
		return g.pick("v0", "v1", "v*", "none")
	}
	return g.pick("*pay#*", "git.example/acme/pay#3", "*")
}

// sameTotal checks what all rows of a question count together.
func sameTotal(t *testing.T, db *storage.DB, q *Query, want int64) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *storage.Tx) error {
		totals, err := Totals(t.Context(), tx, q)
		if err == nil && totals[0] != (Total{q.Kind(), want}) {
			t.Errorf("%s %s: %v in all, want %d", q.Kind(), q, totals[0], want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (g generator) group() string {
	return map[string]string{
		"changes":  g.pick("group:repo", "group:model", "group:intent,author-class", "group:merged-month", "group:merged-week", "group:component,agent", "group:ticket"),
		"commits":  g.pick("group:repo", "group:model,author-class", "group:path", "group:committed-month", "group:agent"),
		"lines":    g.pick("group:origin", "group:repo,path", "group:repo,model", "group:committed-week", "group:author"),
		"sessions": g.pick("group:tool", "group:model", "group:started-month,tool", "group:parent"),
	}[g.kind]
}

func (g generator) sort() string {
	return "sort:" + map[string]string{
		"changes":  g.pick("number", "merged", "ai-share-desc,title", "author-desc"),
		"commits":  g.pick("sha", "committed-desc", "author,deleted"),
		"lines":    g.pick("path", "count-desc", "model"),
		"sessions": g.pick("tokens-desc", "cost,id", "started,id"),
	}[g.kind] + g.pick("", " ")
}

func TestUnknownKindIsToldWithAKnownOne(t *testing.T) {
	_, err := Parse("change", "", querytest.Noon())
	if want := "query: unknown kind change: did you mean changes?"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Both engines give the same rows with the same values in the same order.
func TestEnginesAnswerInTheSameOrder(t *testing.T) {
	w := querytest.Chance(11)
	var first []string
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		w.Store(t, db)
		r := mrand.New(mrand.NewPCG(5, 6))
		var all []string
		for range 150 {
			kind := []string{"changes", "commits", "lines", "sessions"}[r.IntN(4)]
			g := generator{r, w, kind}
			text := g.term() + " " + []string{g.sort(), g.group(), ""}[r.IntN(3)] + []string{"", " limit:7"}[r.IntN(2)]
			q := mustParse(t, kind, text)
			all = append(all, kind+" "+q.String()+" -> "+flat(ask(t, db, q)))
		}
		for _, k := range kinds() {
			for _, f := range k.Fields {
				if !f.Shows() {
					continue
				}
				q, err := mustParse(t, k.Name, "").Select(f.Name)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, k.Name+"."+f.Name+" -> "+flat(ask(t, db, q)))
			}
		}
		if first == nil {
			first = all
			return
		}
		if diff := cmp.Diff(first, all); diff != "" {
			t.Errorf("(-sqlite +postgres):\n%s", diff)
		}
	})
}

// Every field of every kind can be asked in every way its type allows.
func TestEveryFieldCanBeAsked(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		w := querytest.Pay()
		w.Store(t, db)
		for _, k := range kinds() {
			g := generator{mrand.New(mrand.NewPCG(1, 1)), w, k.Name}
			for _, f := range k.Fields {
				values := []string{g.value(f), g.value(f)}
				if f.Type == filter.Enum || f.Type == filter.Choice {
					values = f.Values
				}
				for i, v := range values {
					ask(t, db, mustParse(t, k.Name, []string{"", "-"}[i%2]+f.Name+":"+v))
				}
				if f.Shows() {
					sort := map[bool]string{true: " sort:" + f.Name}[f.Sorts()]
					ask(t, db, mustParse(t, k.Name, "has:"+f.Name+" OR no:"+f.Name+sort))
				}
				if f.Groups() && f.Type != filter.Time {
					ask(t, db, mustParse(t, k.Name, "group:"+f.Name))
				}
				for _, b := range []string{"day", "week", "month", "quarter", "year"} {
					if f.Groups() && f.Type == filter.Time {
						ask(t, db, mustParse(t, k.Name, "group:"+f.Name+"-"+b))
					}
				}
				for _, doc := range []string{f.Name, f.Doc} {
					if doc == "" {
						t.Errorf("%s: a field without name or doc", k.Name)
					}
				}
			}
		}
	})
}

func TestPagesCoverTheAnswer(t *testing.T) {
	db := storagetest.SQLite(t)
	querytest.Pay().Store(t, db)
	q, err := mustParse(t, "changes", "limit:5").Select("number")
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for offset := int64(0); ; offset += 2 {
		p := ask(t, db, q.Page(offset, 2))
		if len(p) == 0 {
			break
		}
		pages = append(pages, flat(p))
	}
	if got, want := strings.Join(pages, " | "), "9; 5 | 4; 3 | 2"; got != want {
		t.Errorf("pages %s, want %s", got, want)
	}
}

// TestPageOfAllLinesIsOneOfTheWholeAnswer compares the walk along the index with
// the answer that is sorted, and sees that SQLite does not read all of it.
func TestPageOfAllLinesIsOneOfTheWholeAnswer(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		querytest.Pay().Store(t, db)
		q, err := mustParse(t, "lines", "").Select("path", "start", "origin")
		if err != nil {
			t.Fatal(err)
		}
		whole := ask(t, db, q)
		var paged [][]string
		for len(paged) < len(whole) {
			p := ask(t, db, q.Page(int64(len(paged)), 2))
			if len(p) == 0 {
				break
			}
			paged = append(paged, p...)
		}
		if got, want := flat(paged), flat(whole); got != want || len(whole) < 3 {
			t.Errorf("pages %s, want %s", got, want)
		}
		if db.Engine() != storage.SQLite {
			return
		}
		if plan := planOf(t, db, q.Page(0, 2)); strings.Contains(plan, "SCAN f") || strings.Contains(plan, "SCAN c") {
			t.Errorf("all lines are read for a page of two:\n%s", plan)
		}
	})
}

// TestFirstOfAllAreReadInTheirOrder sees that SQLite does not sort all there is to find
// the newest.
func TestFirstOfAllAreReadInTheirOrder(t *testing.T) {
	db := storagetest.SQLite(t)
	querytest.Pay().Store(t, db)
	for kind, index := range map[string]string{"changes": "k_change_merged_i", "commits": "k_commit_committed_i", "findings": "k_assessment_evaluated_i"} {
		if plan := planOf(t, db, mustParse(t, kind, "limit:50")); !strings.Contains(plan, index) {
			t.Errorf("%s are not read along %s:\n%s", kind, index, plan)
		}
	}
}

// planOf is how SQLite goes about a question.
func planOf(t *testing.T, db *storage.DB, q *Query) (plan string) {
	t.Helper()
	text, args := q.SQL(storage.SQLite, true)
	err := db.Read(t.Context(), func(tx *storage.Tx) error {
		rows, err := tx.Query(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				return err
			}
			plan += step + "\n"
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// A store without the table of people answers all the same, by pseudonym.
func TestStoreWithoutNamesAnswers(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		ctx := context.Background()
		db := open()
		querytest.Pay().Store(t, db)
		err := db.Write(ctx, func(tx *storage.Tx) error { _, err := tx.Exec(ctx, "DROP TABLE profile"); return err })
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ kind, text, want string }{
			{"changes", "author:ada", ""},
			{"changes", "author:" + string(querytest.Person(1)) + " number:2", "2"},
			{"people", "name:ada OR has:email OR login:*", ""},
			{"people", "-name:ada is:person commits:2", string(querytest.Person(1))},
			{"people", "sort:name limit:1 is:bot", "bot:github.com/dependabot[bot]"},
		} {
			q, err := mustParse(t, c.kind, c.text).Select(map[string]string{"changes": "number", "people": "ref"}[c.kind])
			if err != nil {
				t.Fatal(err)
			}
			if got := flat(ask(t, db, q)); got != c.want {
				t.Errorf("%s %s = %s, want %s", c.kind, c.text, got, c.want)
			}
		}
		ask(t, db, mustParse(t, "people", ""))
		ask(t, db, mustParse(t, "changes", ""))
	})
}
