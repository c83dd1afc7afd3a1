package identity_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
)

func TestModelIsReadFromItsName(t *testing.T) {
	for _, c := range []struct {
		in                              string
		name, provider, family, version string
	}{
		{"claude-opus-4-6", "", "anthropic", "claude-opus", "4.6"},
		{"claude-opus-4-6[1m]", "claude-opus-4-6", "anthropic", "claude-opus", "4.6"},
		{"claude-sonnet-4-5-20250929", "", "anthropic", "claude-sonnet", "4.5"},
		{"claude-sonnet-4-20250514", "", "anthropic", "claude-sonnet", "4"},
		{"claude-3-5-sonnet-20241022", "", "anthropic", "claude-sonnet", "3.5"},
		{"claude-3.7-sonnet-thinking", "claude-3-7-sonnet", "anthropic", "claude-sonnet", "3.7"},
		{"claude-fable-5", "", "anthropic", "claude-fable", "5"},
		{"us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4-20250514", "anthropic", "claude-sonnet", "4"},
		{"claude-sonnet-4@20250514", "claude-sonnet-4-20250514", "anthropic", "claude-sonnet", "4"},
		{"anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", "anthropic", "claude-sonnet", "4.5"},
		{"claude-4.5-opus-high-thinking", "claude-opus-4-5", "anthropic", "claude-opus", "4.5"},
		{"claude-instant-1.2", "", "anthropic", "claude-instant", "1.2"},
		{"Claude Opus 4.6 (1M context)", "claude-opus-4-6", "anthropic", "claude-opus", "4.6"},
		{"Claude Sonnet 4.5", "claude-sonnet-4-5", "anthropic", "claude-sonnet", "4.5"},
		{"GPT 5.4", "gpt-5.4", "openai", "gpt", "5.4"},
		{"Gemini 2.5 Pro (experimental)", "gemini-2.5-pro", "google", "gemini-pro", "2.5"},
		{"Claude Opus", "claude-opus", "anthropic", "claude-opus", ""},
		{"opus", "", "anthropic", "claude-opus", ""},
		{"gpt-5.6-sol", "", "openai", "gpt-sol", "5.6"},
		{"gpt-5-codex", "", "openai", "gpt-codex", "5"},
		{"GPT-4.1", "", "openai", "gpt", "4.1"},
		{"gpt-4o-mini", "", "openai", "gpt-mini", "4o"},
		{"gpt-4-0613", "", "openai", "gpt", "4"},
		{"o3", "", "openai", "o", "3"},
		{"o4-mini", "", "openai", "o-mini", "4"},
		{"codex-mini-latest", "", "openai", "codex-mini", ""},
		{"gemini-2.5-pro", "", "google", "gemini-pro", "2.5"},
		{"gemini-3-pro-preview", "", "google", "gemini-pro", "3"},
		{"grok-code-fast-1", "", "xai", "grok-code-fast", "1"},
		{"composer-1", "", "cursor", "composer", "1"},
		{"deepseek-v3.1", "", "deepseek", "deepseek", "3.1"},
		{"qwen3-coder", "", "alibaba", "qwen-coder", "3"},
		{"kimi-k2-0905", "", "moonshot", "kimi", "k2"},
		{"glm-4.6", "", "zhipu", "glm", "4.6"},
		{"llama-3.1-70b", "", "meta", "llama-70b", "3.1"},
		{"housemade-2", "", "unlisted", "housemade", "2"},
		{"42", "", "unlisted", "", "42"},
	} {
		want := identity.Model{Name: c.in, Provider: c.provider, Family: c.family, Version: c.version, Named: true}
		if c.name != "" {
			want.Name = c.name
		}
		if got := identity.ParseModel(c.in); got != want {
			t.Errorf("ParseModel(%q) = %+v, want %+v", c.in, got, want)
		}
	}
}

func TestNameThatSaysNothingIsNoModel(t *testing.T) {
	for _, s := range []string{
		"", "  ", "unknown", "Unknown", "default", "auto", "Auto", "<synthetic>", "none", "null", "inherit",
		"Claude", "claude", "Claude Code", "GPT", "Codex", "Cursor", "copilot", "GitHub Copilot", "default (recommended)",
	} {
		m := identity.ParseModel(s)
		if m.Named || m.Ref() != "" || identity.ModelRef(s) != "" {
			t.Errorf("ParseModel(%q) = %+v, want an unnamed model without a ref", s, m)
		}
	}
}

func TestPersonBotAndAgentAreToldApart(t *testing.T) {
	const person, bot, agent = stemma.KindPerson, stemma.KindBot, stemma.KindAgent
	for _, c := range []struct {
		name, mail string
		kind       stemma.Kind
		agent      string
		model      string
		login      string
	}{
		{"Ann Lee", "ann@x.test", person, "", "", ""},
		{"Claude Monet", "claude@x.test", person, "", "", ""},
		{"Devin Jones", "devin@x.test", person, "", "", ""},
		{"Jules", "jules@x.test", person, "", "", ""},
		{"Nico Bota", "nico@x.test", person, "", "", ""},
		{"Bas Bot", "bas@x.test", person, "", "", ""},
		{"Ann Lee", "17+annlee@users.noreply.github.com", person, "", "", ""},
		{"Claude Opus 4.6", "noreply@anthropic.com", agent, "claude-code", "Claude Opus 4.6", ""},
		{"Claude Opus 4.8 (1M context)", "noreply@anthropic.com", agent, "claude-code", "Claude Opus 4.8 (1M context)", ""},
		{"Claude Fable 5", "noreply@anthropic.com", agent, "claude-code", "Claude Fable 5", ""},
		{"Claude", "noreply@anthropic.com", agent, "claude-code", "", ""},
		{"Claude", "Noreply@Anthropic.com ", agent, "claude-code", "", ""},
		{"Claude Sonnet 4.5", "someone@x.test", agent, "claude-code", "Claude Sonnet 4.5", ""},
		{"Cursor", "cursoragent@cursor.com", agent, "cursor", "", ""},
		{"Codex", "noreply@openai.com", agent, "codex", "", ""},
		{"Codex", "codex@openai.com", agent, "codex", "", ""},
		{"Copilot", "198982749+Copilot@users.noreply.github.com", agent, "copilot-swe-agent", "", ""},
		{"copilot-swe-agent[bot]", "198982749+Copilot@users.noreply.github.com", agent, "copilot-swe-agent", "", ""},
		{"Copilot", "175728472+Copilot@users.noreply.github.com", agent, "github-copilot", "", ""},
		{"devin-ai-integration[bot]", "158243242+devin-ai-integration[bot]@users.noreply.github.com", agent, "devin", "", ""},
		{"Devin AI", "158243242+devin-ai-integration[bot]@users.noreply.github.com", agent, "devin", "", ""},
		{"Roomote", "roomote@roocode.com", agent, "roo-code", "", ""},
		{"factory-droid[bot]", "1+factory-droid[bot]@users.noreply.github.com", agent, "droid", "", ""},
		{"cursor[bot]", "1+cursor[bot]@users.noreply.github.com", agent, "cursor", "", ""},
		{"aider (gpt-4o)", "aider@aider.chat", agent, "aider", "gpt-4o", ""},
		{"Ann Lee (aider)", "ann@x.test", person, "aider", "", ""},
		{"dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", bot, "", "", "dependabot[bot]"},
		{"renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com", bot, "", "", "renovate[bot]"},
		{"Renovate Bot", "bot@renovateapp.com", bot, "", "", "renovate[bot]"},
		{"github-actions[bot]", "github-actions[bot]@users.noreply.github.com", bot, "", "", "github-actions[bot]"},
		{"GitHub Action", "action@github.com", bot, "", "", "github-actions[bot]"},
		{"GitHub", "noreply@github.com", bot, "", "", "web-flow"},
		{"web-flow", "19864447+web-flow@users.noreply.github.com", bot, "", "", "web-flow"},
		{"release", "project_17_bot_0f3a@noreply.gitlab.example.com", bot, "", "", "project_17_bot_0f3a"},
		{"k8s-ci-bot", "ci@x.test", bot, "", "", "k8s-ci-bot"},
		{"", "", person, "", "", ""},
	} {
		got := identity.Recognise(c.name, c.mail)
		if got.Kind != c.kind || got.Agent.Name != c.agent || got.Model != c.model || got.Login != c.login {
			t.Errorf("Recognise(%q, %q) = %+v, want %s, agent %q, model %q, login %q", c.name, c.mail, got, c.kind, c.agent, c.model, c.login)
		}
		if got.AI() != (c.agent != "") {
			t.Errorf("Recognise(%q, %q).AI() = %v", c.name, c.mail, got.AI())
		}
		if got.Forge != (c.login == "web-flow") {
			t.Errorf("Recognise(%q, %q).Forge = %v", c.name, c.mail, got.Forge)
		}
	}
}

func TestAssistanceNamesAgentAndModel(t *testing.T) {
	for in, want := range map[string]identity.Assistance{
		"Claude:claude-3-opus coccinelle sparse":  {Agent: identity.Agent{Name: "claude-code", Vendor: "anthropic"}, Model: "claude-3-opus", Tools: []string{"coccinelle", "sparse"}},
		"Claude Code":                             {Agent: identity.Agent{Name: "claude-code", Vendor: "anthropic"}},
		"Claude Code (claude-opus-4-6)":           {Agent: identity.Agent{Name: "claude-code", Vendor: "anthropic"}, Model: "claude-opus-4-6"},
		"Claude Opus 4.6 <noreply@anthropic.com>": {Agent: identity.Agent{Name: "claude-code", Vendor: "anthropic"}, Model: "Claude Opus 4.6"},
		"gemini-2.5-pro":                          {Model: "gemini-2.5-pro"},
		"House Agent:gpt-5":                       {Agent: identity.Agent{Name: "house-agent"}, Model: "gpt-5", Tools: []string{}},
	} {
		got, ok := identity.ParseAssistance(in)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("ParseAssistance(%q): %v\n%s", in, ok, diff)
		}
	}
	for _, in := range []string{"", "Ann Lee <ann@x.test>", "yes", "none", "https://x.test/1", "note: a person did it"} {
		if got, ok := identity.ParseAssistance(in); ok {
			t.Errorf("ParseAssistance(%q) = %+v, want nothing", in, got)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("Claude Opus 4.6 (1M context)", "noreply@anthropic.com")
	f.Add("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com")
	f.Add("aider (gpt-4o)", "Claude:claude-3-opus sparse")
	f.Add("ClAude A .", "claude 4 k2")
	f.Add("claude A 1.2.3", "x anthropic.claude anthropic.y")
	f.Add("\xff\x00/", "@users.noreply.github.com")
	f.Fuzz(func(t *testing.T, name, mail string) {
		i := identity.Recognise(name, mail)
		if i.Kind == stemma.KindAgent != (i.AI() && i.Kind != stemma.KindPerson) {
			t.Fatalf("Recognise(%q, %q) = %+v: an agent without a name, or a bot with one", name, mail, i)
		}
		if r := i.Ref(); r != "" && (!r.Valid() || r.Kind() != i.Kind) {
			t.Fatalf("Recognise(%q, %q) names %q", name, mail, r)
		}
		m := identity.ParseModel(name)
		if !utf8.ValidString(m.Name + m.Family + m.Version) {
			t.Fatalf("ParseModel(%q) = %+v", name, m)
		}
		if m.Named {
			if _, err := m.Fact("test", stemma.GradeD); err != nil {
				t.Fatalf("ParseModel(%q) = %+v: %v", name, m, err)
			}
			if again := identity.ParseModel(m.Name); again != m && !strings.Contains(m.Name, "/") {
				t.Fatalf("ParseModel(%q) = %+v, then %+v", name, m, again)
			}
		}
		identity.ParseAssistance(mail)
		identity.FindAgent(name)
		if known := identity.AgentName(name); len(known) > 60 || strings.ContainsFunc(known, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Fatalf("AgentName(%q) = %q", name, known)
		}
	})
}

func TestToolThatIsNotKnownKeepsItsOwnName(t *testing.T) {
	for in, want := range map[string]string{
		"Claude Code": "claude-code", "copilot-vscode": "github-copilot", "Firebender": "firebender", "continue CLI": "continue",
		"My Tool/2": "my-tool-2", " \x1b--Agent- ": "", "unknown": "", "": "", "a\xffb": "a-b",
		strings.Repeat("x", 59) + "é": strings.Repeat("x", 59),
	} {
		if got := identity.AgentName(in); got != want {
			t.Errorf("AgentName(%q) = %q, want %q", in, got, want)
		}
	}
	if i := identity.Recognise("Firebender", "help@firebender.com"); i.Agent.Name != "firebender" {
		t.Errorf("Firebender's address gave %+v", i)
	}
}

func TestOwnersAreReadLineByLine(t *testing.T) {
	const file = "\ufeff# who looks after what\n" +
		"*            @acme/core\n" +
		"\n" +
		"/docs/       docs@x.test @ann # the manual\n" +
		"a\\ b\\#c.md  @ann\n" +
		"\\#notes      @bob\r\n" +
		"*.gen.go\n" +
		"nonsense     owner\n"
	want := identity.Owners{
		Rules: []identity.OwnerRule{
			{Line: 2, Pattern: "*", Owners: []string{"@acme/core"}},
			{Line: 4, Pattern: "/docs/", Owners: []string{"docs@x.test", "@ann"}},
			{Line: 5, Pattern: "a b#c.md", Owners: []string{"@ann"}},
			{Line: 6, Pattern: "#notes", Owners: []string{"@bob"}},
			{Line: 7, Pattern: "*.gen.go"},
			{Line: 8, Pattern: "nonsense", Owners: []string{"owner"}},
		},
		Problems: []identity.OwnerProblem{{Line: 8, Why: `owner "owner" is neither @name nor a mail address`}},
	}
	if diff := cmp.Diff(want, identity.ParseOwners(file)); diff != "" {
		t.Error(diff)
	}
}

func TestSectionsOfGitLabAreFollowed(t *testing.T) {
	const file = "* @all\n" +
		"[Docs] @docs @acme/writers\n" +
		"docs/\n" +
		"README.md @ann\n" +
		"!docs/internal/\n" +
		"^[Data base][2] @@maintainers\n" +
		"model/db/\n" +
		"[x]*.go @glob\n" +
		"!secret @nobody\n"
	want := identity.Owners{
		Rules: []identity.OwnerRule{
			{Line: 1, Pattern: "*", Owners: []string{"@all"}},
			{Line: 3, Pattern: "docs/", Owners: []string{"@docs", "@acme/writers"}, Section: "Docs"},
			{Line: 4, Pattern: "README.md", Owners: []string{"@ann"}, Section: "Docs"},
			{Line: 5, Pattern: "docs/internal/", Section: "Docs", Exclude: true},
			{Line: 7, Pattern: "model/db/", Owners: []string{"@@maintainers"}, Section: "Data base", Approve: 2, Optional: true},
			{Line: 8, Pattern: "[x]*.go", Owners: []string{"@glob"}, Section: "Data base", Approve: 2, Optional: true},
			{Line: 9, Pattern: "secret", Section: "Data base", Approve: 2, Optional: true, Exclude: true},
		},
		Problems: []identity.OwnerProblem{{Line: 9, Why: "an excluding pattern has owners"}},
	}
	if diff := cmp.Diff(want, identity.ParseOwners(file)); diff != "" {
		t.Error(diff)
	}
}

func TestHostileOwnersAreBounded(t *testing.T) {
	o := identity.ParseOwners(strings.Repeat("a @b\n", 60_000))
	if len(o.Rules) != 50_000 || len(o.Problems) != 1 {
		t.Errorf("%d rules, problems %v", len(o.Rules), o.Problems)
	}
	o = identity.ParseOwners(strings.Repeat("x", 4<<20))
	if len(o.Rules) != 0 || len(o.Problems) != 2 {
		t.Errorf("%d rules, problems %v", len(o.Rules), o.Problems)
	}
	o = identity.ParseOwners("\xff @a\nb\x00 @a\n! @a\n")
	if len(o.Rules) != 0 || len(o.Problems) != 4 {
		t.Errorf("rules %v, problems %v", o.Rules, o.Problems)
	}
}

func FuzzParseOwners(f *testing.F) {
	f.Add("* @a\n[Docs][2] @docs\n^[x]\n!y\na\\ b\\#c @d # e\n")
	f.Add("[[[]]]\n\\\n! \n[a][9999999999999999999] @b\n")
	f.Fuzz(func(t *testing.T, file string) {
		o := identity.ParseOwners(file)
		last := 0
		for _, r := range o.Rules {
			if r.Line <= last || r.Pattern == "" || !utf8.ValidString(r.Pattern+r.Section+strings.Join(r.Owners, "")) {
				t.Fatalf("ParseOwners(%q) gives %+v after line %d", file, r, last)
			}
			last = r.Line
		}
	})
}
