package main

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/story"
)

// A telling is the story of docs/story.md as it was told into a space.
type telling struct {
	*testing.T
	setting story.Setting
	told    *story.Told
}

// TestTheStory tells the story once on each engine and asks about it what an auditor, an
// engineer or somebody on call would.
func TestTheStory(t *testing.T) {
	engines := map[string]func(testing.TB) string{"sqlite": storagetest.SQLiteDSN, "postgres": storagetest.PostgresDSN}
	if testing.Short() {
		delete(engines, "postgres")
	}
	var first *story.Told
	for name, dsn := range engines {
		t.Run(name, func(t *testing.T) {
			s := tell(t, dsn(t))
			if first == nil {
				first = s.told
			}
			if d := cmp.Diff(first.Commits, s.told.Commits); d != "" {
				t.Errorf("told once more it has other commits: %s", d)
			}
			for claim, test := range map[string]func(*telling){
				"every question has its answer":                 (*telling).questions,
				"no stage of the change that broke is missing":  (*telling).lineage,
				"pages name what happened":                      (*telling).pages,
				"the log and the graph hold what they are told": (*telling).verified,
			} {
				t.Run(claim, func(t *testing.T) { test(&telling{t, s.setting, s.told}) })
			}
			t.Run("webhooks that come again change nothing", func(t *testing.T) { (&telling{t, s.setting, s.told}).again() })
		})
	}
}

// tell tells the story, and leaves us in Ada's clone.
func tell(t *testing.T, dsn string) *telling {
	t.Helper()
	stemma, err := exec.LookPath("stemma")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	env := map[string]string{
		"STEMMA_DATA": filepath.Join(dir, "space"), "STEMMA_DB": dsn, "STEMMA_URL": "", "STEMMA_BODIES": "", "STEMMA_LOG_ORIGIN": "story.example/stemma",
	}
	s := &telling{T: t, setting: story.Setting{Stemma: stemma, Dir: filepath.Join(dir, "work")}}
	for name, value := range env {
		t.Setenv(name, value)
		s.setting.Env = append(s.setting.Env, name+"="+value)
	}
	t.Setenv("HOME", filepath.Join(dir, "home"))
	if s.told, err = story.Tell(t.Context(), s.setting); err != nil {
		t.Fatal(err)
	}
	t.Chdir(s.told.Clone)
	return s
}

// short is an answer in which things of the one repository go by their own names.
func (s *telling) short(text string) string {
	pairs := []string{"change:" + story.Repository, "", "session:claude-code/" + story.Planner, "planner", "environment:", ""}
	for chapter, sha := range s.told.Commits {
		pairs = append(pairs, sha, chapter, sha[:10], chapter)
	}
	for version, digest := range s.told.Images {
		pairs = append(pairs, strings.Replace(digest, ":", "/", 1), version)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// A question is one of those that stemma was made to answer; see docs/story.md.
type question struct {
	number int
	about  string
	args   []string
	rows   []string // of an answer in CSV, all of them
	says   []string // parts of an answer in words, in this order
}

func (q question) list() bool { return len(q.says) == 0 }

func (s *telling) questions() {
	for _, q := range questions(s.told) {
		args := q.args
		if q.list() {
			args = append(args, "--csv")
		}
		got := s.short(stemmaSays(s.T, args...))
		if q.list() {
			_, rows, _ := strings.Cut(strings.TrimSuffix(got, "\n"), "\n")
			if d := cmp.Diff(strings.Join(q.rows, "\n"), strings.TrimPrefix(rows, "\n")); d != "" {
				s.Errorf("%d. %s: stemma %q (-want +got):\n%s", q.number, q.about, q.args, d)
			}
			continue
		}
		rest := got
		for _, part := range q.says {
			_, after, ok := strings.Cut(rest, part)
			if !ok {
				s.Errorf("%d. %s: stemma %q says\n%s\nwithout, or in another order, %q", q.number, q.about, q.args, got, part)
				break
			}
			rest = after
		}
	}
}

// questions are those of the table in docs/story.md, by its numbers.
func questions(told *story.Told) []question {
	return []question{
		{1, "changes by a model", []string{"query", "changes", "model:claude-opus-4-6* merged:2026-09", "--columns", "ref"}, []string{"#3", "#2"}, nil},
		{2, "AI wrote the security fix, and not what it mends", []string{"query", "changes", "type:security-fix fix-author:ai origin-author:human", "--columns", "ref,model"}, []string{"#4,model:google/gemini-3-pro"}, nil},
		{3, "fault and fix by the same model", []string{"query", "changes", "type:fix fix-author:ai origin-author:ai same:model", "--columns", "ref"}, []string{"#3"}, nil},
		{4, "why a line exists", []string{"explain", "src/payments/refund.go:18"}, nil, []string{
			"written by AI: claude-code claude-opus-4-6-20260205, session " + story.Planner, "asked for by prompt 2 of the session", "TestRefundOfNothing fails",
			"requirement:jira/PAY-1", "ticket:jira/PAY-17", "#2 feat: refunds", "approved", "v1.1.0 in prod", story.Incident,
		}},
		{5, "AI's share of the payments", []string{"query", "lines", "path:src/payments/** at:main group:author-class"}, []string{"ai,52,66.6", "human,24,30.7", "unknown,2,2.5"}, nil},
		{6, "written for the most part by a model, and in production now", []string{"query", "changes", "model:claude-opus-4-6* ai-share:>=50% live:prod", "--columns", "ref,ai-share"}, []string{"#3,100.0", "#2,93.3"}, nil},
		{7, "what came into production between two versions, and what is orphan", []string{"population", "--env", "prod", "--from", "v1.1.2", "--to", "v1.2.0"}, nil, []string{
			"3 commits reached prod, 2 without review", "pushed", "direct", "review", "reverted", "#7", "cached", "#5",
		}},
		{8, "approved only by who drove the agent", []string{"query", "changes", "is:driver-approved", "--columns", "ref,approvals"}, []string{"#5,0"}, nil},
		{9, "merged with an approval of an older head", []string{"query", "changes", "is:stale-approved merged:2026-Q3", "--columns", "ref,approvals"}, []string{"#2,1"}, nil},
		{10, "changes of agents with four iterations", []string{"query", "changes", "ai-share:>=50% its:>=4", "--columns", "ref,its"}, []string{"#2,4"}, nil},
		{11, "workers of the planner that touched auth", []string{"query", "sessions", "ancestor:" + story.Planner + " path:**/auth/**", "--columns", "ref,model"}, []string{"planner:a17f02,model:anthropic/claude-sonnet-4-5-20250929"}, nil},
		{12, "commands of the planner and its workers that talk to others", []string{"query", "toolcalls", "tree:" + story.Planner + " is:shell is:network", "--columns", "session,tool"}, []string{"planner:a17f02,Bash"}, nil},
		{13, "what caused the incident", []string{"incident", "PGR0VU2"}, nil, []string{"85  #2", "[confirmed]", "+35 #3 mended it afterwards", "+30 the last deployment before it brought it", "60  #1", "[rejected]"}},
		{14, "where an artifact went, and what it broke", []string{"trace", told.Images["v1.1.0"], "--down"}, nil, []string{"artifact:v1.1.0", "v1.1.0 in prod", story.Incident}},
		{18, "what touched payments or tokens in the quarter, and how it was judged and tried", []string{
			"query", "changes", "(path:src/payments/** OR path:auth/**) merged:2026-Q3 sort:merged", "--columns", "ref,approvals,its,env",
		}, []string{"#1,1,1,prod", "#2,1,4,prod", "#3,1,1,prod", "#4,1,1,prod", "@pushed,0,1,prod"}, nil},
		{19, "a sample that anybody draws again", []string{"sample", "--n", "3", "--seed", "20261123", "env:prod merged:2026-Q3"}, nil, []string{"3 of 8", "#1", "@pushed", "#7"}},
		{23, "told later than it was so", []string{"query", "records", "kind:review lag:>1h group:kind"}, []string{"review,8,100.0"}, nil},
		{24, "what implements the requirement", []string{"trace", story.Requirement, "--down"}, nil, []string{
			"ticket:jira/PAY-17", "ticket:jira/PAY-18", "planner", "refunds", "#2", "#3", "run:github-actions/", "v1.1.0", "v1.1.1 in prod", story.Incident,
		}},
	}
}

// lineage walks from what broke to both ends.
func (s *telling) lineage() {
	got := stemmaSays(s.T, "trace", "#2")
	if strings.Contains(got, "missing:") || strings.Contains(got, "nothing is known") {
		s.Errorf("a stage is missing:\n%s", got)
	}
	for _, direction := range []struct {
		flag, from string
		stages     []string
	}{
		{"--up", story.Incident, []string{"requirement", "ticket", "session", "commit", "change", "deployment"}},
		{"--down", story.Requirement, []string{"ticket", "session", "commit", "change", "pipeline", "artifact", "deployment", "incident"}},
	} {
		got := stemmaSays(s.T, "trace", direction.from, direction.flag)
		for _, stage := range direction.stages {
			if !strings.Contains("\n"+got, "\n"+stage+" ") || strings.Contains(got, stage+" — ") || strings.Contains(got, stage+"  — ") {
				s.Errorf("trace %s %s has no %s:\n%s", direction.from, direction.flag, stage, got)
			}
		}
	}
}

// pages reads what a person would look at.
func (s *telling) pages() {
	served := serveHooks(s.T)
	defer served.stop()
	for path, names := range map[string][]string{
		"/":                                      {"acme/pay"},
		"/changes":                               {"feat: refunds", "fix(security): compare tokens in constant time", "Raise the limit of a charge"},
		"/sessions":                              {"claude-opus-4-6", "gpt-5.3-codex", "gemini-3-pro"},
		"/search?q=%232":                         {"feat: refunds"},
		"/changes/" + story.Repository + "%232":  {"PAY-1", "PAY-17", "gpt-5.3-codex", "v1.1.0", "PGR0VU2"},
		"/changes/" + story.Repository + "%237":  {"Revert", "feat: cache rates of exchange"},
		"/sessions/claude-code/" + story.Planner: {"a17f01", "a17f02", "feat: refunds"},
		"/tickets/jira/PAY-17":                   {"Refund a charge", "feat: refunds", "fix: a refund is paid once"},
		"/things/" + story.Incident:              {"Refunds are paid twice"},
		"/things/" + story.Requirement:           {"Customers get their money back"},
		"/things/release:" + story.Repository + ":v1.1.0": {"v1.1.0"},
	} {
		status, page := read(s.T, served.url+path)
		if status != http.StatusOK {
			s.Errorf("%s is answered with %d", path, status)
		}
		for _, name := range names {
			if !strings.Contains(page, name) {
				s.Errorf("%s does not name %s", path, name)
			}
		}
	}
}

// read is the answer to a request.
func read(t *testing.T, url string) (status int, page string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// verified recomputes the log, and derives the graph anew beside the store.
func (s *telling) verified() {
	stemmaSays(s.T, "verify", "log")
	stemmaSays(s.T, "verify", "graph")
}

// again sends everything once more in the other order, scans once more, and derives the graph
// from the log: it is as it was, and the log is no longer.
func (s *telling) again() {
	before := s.state()
	if err := story.Redeliver(s.Context(), s.setting, s.told); err != nil {
		s.Fatal(err)
	}
	stemmaSays(s.T, "scan", ".")
	if d := cmp.Diff(before, s.state()); d != "" {
		s.Errorf("something changed (-before +after):\n%s", d)
	}
	stemmaSays(s.T, "rebuild")
	if d := cmp.Diff(before, s.state()); d != "" {
		s.Errorf("the graph that was derived anew differs (-before +after):\n%s", d)
	}
}

// state is every thing, edge and fact.
func (s *telling) state() map[string]string {
	state := map[string]string{}
	for _, view := range []string{"v1_thing", "v1_fact", "v1_edge", "v1_gap"} {
		state[view] = stemmaSays(s.T, "sql", "SELECT * FROM "+view+" ORDER BY 1, 2", "--csv")
	}
	return state
}
