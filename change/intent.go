package change

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
)

// The intents of a change.
const (
	IntentFeature     = "feature"
	IntentFix         = "fix"
	IntentSecurityFix = "security-fix"
	IntentRefactor    = "refactor"
	IntentDocs        = "docs"
	IntentTest        = "test"
	IntentBuild       = "build"
	IntentRevert      = "revert"
	IntentOther       = "other"   // declared, but none of the above: chore, perf, style
	IntentUnknown     = "unknown" // nothing speaks for any
)

// The methods by which an intent is told, the strongest first: the first one
// with evidence decides. The last two are guesses from words, and say so.
const (
	MethodRevertMessage   = "revert-message"   // "This reverts commit …", Revert "…", Revert: …
	MethodLabel           = "label"            // a trailer: Type: fix, Labels: security
	MethodAdvisory        = "advisory"         // a CVE or GHSA id in the title or a trailer
	MethodSecurityType    = "security-type"    // security: …, fix(security): …
	MethodConventional    = "conventional"     // fix: …, feat(x)!: …
	MethodFixesTrailer    = "fixes-trailer"    // Fixes: HASH ("…")
	MethodDependencyTitle = "dependency-title" // Bump x from 1 to 2
	MethodAdvisoryFixed   = "advisory-fixed"   // "fixes CVE-…" elsewhere in the message; of a fix it tells what is fixed
	MethodAdvisoryBody    = "advisory-body"    // a CVE or GHSA id elsewhere in the message
	MethodClosingKeyword  = "closing-keyword"  // Fixes #17; "Closes #17" tells nothing
	MethodBranchPrefix    = "branch-prefix"    // fix/…, feature/…
	MethodSubjectWord     = "subject-word"     // Add …, Fix …
)

var methods = []string{
	MethodRevertMessage, MethodLabel, MethodAdvisory, MethodSecurityType, MethodConventional, MethodFixesTrailer,
	MethodDependencyTitle, MethodAdvisoryFixed, MethodAdvisoryBody, MethodClosingKeyword, MethodBranchPrefix, MethodSubjectWord,
}

// An Evidence is one reason to believe that a change was meant for something.
type Evidence struct {
	Intent string `json:"intent" of:"feature fix security-fix refactor docs test build revert other unknown"`
	Method string `json:"method"`         // where it was found
	Text   string `json:"text,omitempty"` // the words themselves
}

// A Purpose is what a message says a commit or a change was meant for.
type Purpose struct {
	Intent   string // the one that Evidence[0] speaks for; unknown if there is none
	Method   string // of Evidence[0]
	Breaking bool   // declared to break its users
	Evidence []Evidence
	Reverts  []string // hashes that it says it takes back; they may be short

	RevertsNumbers []int // merge requests that it says it takes back
}

var (
	conventional   = pattern(`^([A-Za-z]{2,16})(?:\(([^()]{1,60})\))?(!)?:\s+\S`)
	breakingFooter = pattern(`^BREAKING[ -]CHANGE(?:: |\s#)`)
	revertTitle    = pattern(`(?i)^Revert(?:\([^()]{1,60}\))?!?:\s|^Revert\s+"`)
	revertsCommit  = pattern(`(?i)\bThis reverts (?:commit|commits) ([0-9a-f]{7,64}(?:(?:,? and |, )[0-9a-f]{7,64})*)`)
	revertsNumber  = pattern(`(?:\bThis reverts merge request |\bReverts )[\w./-]*[#!](\d{1,9})\b`)
	commitHash     = pattern(`[0-9a-fA-F]{7,64}`)
	reapplyTitle   = pattern(`^(?:Reapply|Re-apply|Reland|Re-land)\s+"`)
	advisory       = pattern(`(?i)\b(?:CVE-\d{4}-\d{4,7}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3})\b`)
	fixesAdvisory  = pattern(`(?i)(?:^|[\s(*-])(?:fix(?:es|ed)?|address(?:es|ed)?|resolve[sd]?|mitigate[sd]?|patch(?:es|ed)?|close[sd]?)[\s:]+(?:(?:the|an?|issue|vulnerability|security)\s+)*(CVE-\d{4}-\d{4,7}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3})\b`)
	dependency     = pattern(`(?i)^(?:(?:build|chore|fix)\(deps[^)]*\):\s*)?(?:Bump|Update dependency|Update module)\s+\S.*\s(?:from\s\S+\s)?to\s\S+`)
	fixesCommit    = pattern(`^[0-9a-f]{7,64}\b`)
	closing        = pattern(`(?i)(?:^|[\s(*-])(fix|fixes|fixed):?\s+(?:[\w.-]+/[\w./-]+)?(?:#|GH-)\d+\b`)
)

const maxReverts = 256

// types are the words of conventional commits, and of labels.
var types = map[string]string{
	"feat": IntentFeature, "feature": IntentFeature, "enhancement": IntentFeature,
	"fix": IntentFix, "bugfix": IntentFix, "hotfix": IntentFix, "bug": IntentFix,
	"security": IntentSecurityFix, "sec": IntentSecurityFix, "security-fix": IntentSecurityFix, "vulnerability": IntentSecurityFix,
	"refactor": IntentRefactor, "refac": IntentRefactor, "refactoring": IntentRefactor, "cleanup": IntentRefactor,
	"docs": IntentDocs, "doc": IntentDocs, "documentation": IntentDocs,
	"test": IntentTest, "tests": IntentTest,
	"build": IntentBuild, "ci": IntentBuild, "deps": IntentBuild, "dependencies": IntentBuild,
	"revert": IntentRevert,
	"chore":  IntentOther, "perf": IntentOther, "style": IntentOther, "release": IntentOther,
}

// firstWords are what a title may begin with. They are the last resort.
var firstWords = map[string]string{
	"fix": IntentFix, "fixes": IntentFix, "fixed": IntentFix, "fixing": IntentFix, "bugfix": IntentFix, "hotfix": IntentFix,
	"add": IntentFeature, "adds": IntentFeature, "added": IntentFeature, "implement": IntentFeature, "implements": IntentFeature, "introduce": IntentFeature,
	"refactor": IntentRefactor, "refactors": IntentRefactor, "rename": IntentRefactor, "simplify": IntentRefactor, "cleanup": IntentRefactor,
	"doc": IntentDocs, "docs": IntentDocs, "document": IntentDocs,
	"test": IntentTest, "tests": IntentTest,
	"bump": IntentBuild, "upgrade": IntentBuild,
	"revert": IntentRevert, "reverts": IntentRevert,
}

// labelKeys are the trailers that say what a change is.
var labelKeys = []string{"type", "kind", "change-type", "intent", "label", "labels", "category"}

// ReadPurpose reads from a message what the commit was meant for. branch is
// where it was made, if that is known. Every reason is listed, the strongest
// first; where nothing speaks for an intent it is unknown.
func ReadPurpose(message, branch string) Purpose {
	all := lines(message)
	title, body := splitTitle(all)
	trailers := trailersOf(all)
	landed := Landing{}
	if strings.HasPrefix(title, "Merge") || strings.HasPrefix(title, "Pull request #") {
		landed = ReadLanding(message, 2, false)
	}
	if landed.Title != "" {
		title = landed.Title
	}
	if branch == "" {
		branch = landed.Branch
	}
	var p Purpose
	p.reverts(title, body)
	p.labels(trailers)
	p.security(title, body, trailers)
	p.types(title, body)
	p.keywords(title, body, trailers)
	p.words(title, branch)
	slices.SortStableFunc(p.Evidence, func(a, b Evidence) int {
		return slices.Index(methods, a.Method) - slices.Index(methods, b.Method)
	})
	p.Intent = IntentUnknown
	if len(p.Evidence) > 0 {
		p.sharpen()
		p.Intent, p.Method = p.Evidence[0].Intent, p.Evidence[0].Method
	}
	return p
}

// sharpen puts the advisory that the body says is fixed first, where the rest only
// says that something is. What updates a dependency quotes whatever that has fixed.
func (p *Purpose) sharpen() {
	by := func(method string) int {
		return slices.IndexFunc(p.Evidence, func(e Evidence) bool { return e.Method == method })
	}
	at := by(MethodAdvisoryFixed)
	if p.Evidence[0].Intent != IntentFix || at < 0 || by(MethodDependencyTitle) >= 0 {
		return
	}
	told := p.Evidence[at]
	p.Evidence = slices.Insert(slices.Delete(p.Evidence, at, at+1), 0, told)
}

// add notes evidence once.
func (p *Purpose) add(intent, method, text string) {
	const most = 200
	e := Evidence{Intent: intent, Method: method, Text: stemma.CleanText(strings.TrimSpace(text), most)}
	if !slices.Contains(p.Evidence, e) && len(p.Evidence) < 32 {
		p.Evidence = append(p.Evidence, e)
	}
}

// reverts finds what is taken back. Taking back a revert brings the first
// thing again, so it is no revert. Under another title only the first
// paragraph counts: below it a squash quotes the messages of its commits.
func (p *Purpose) reverts(title string, body []string) {
	depth, inner := 0, title
	for strings.HasPrefix(inner, `Revert "`) {
		depth, inner = depth+1, inner[len(`Revert "`):]
	}
	titled := revertTitle().MatchString(title)
	again := depth%2 == 0 && (depth > 0 || reapplyTitle().MatchString(title))
	if !titled && !again {
		body = firstParagraph(body)
	}
	text := strings.Join(body, " ")
	var said [][]string
	if mentions(text, "reverts ") {
		said = revertsCommit().FindAllStringSubmatch(text, 64)
	}
	for _, m := range said {
		for _, h := range commitHash().FindAllString(m[1], 64) {
			p.Reverts = append(p.Reverts, strings.ToLower(h))
		}
	}
	if mentions(text, "revert") {
		for _, m := range revertsNumber().FindAllStringSubmatch(text, 64) {
			p.RevertsNumbers = append(p.RevertsNumbers, numbers(m[1])...)
		}
	}
	if end := strings.LastIndexByte(inner, '"'); end >= 0 {
		inner = strings.TrimRight(inner[:end], `"`)
	}
	if m := groups(squashTitle, inner); depth > 0 && m != nil {
		p.RevertsNumbers = append(p.RevertsNumbers, numbers(m["number"])...)
	}
	p.Reverts, p.RevertsNumbers = distinct(p.Reverts), distinct(p.RevertsNumbers)
	switch {
	case again:
	case titled:
		p.add(IntentRevert, MethodRevertMessage, title)
	case len(said) > 0:
		p.add(IntentRevert, MethodRevertMessage, said[0][0])
	}
}

// distinct drops what was there before and keeps the order. It keeps at most
// maxReverts: who takes back more does not say so in one message.
func distinct[T comparable](list []T) []T {
	var kept []T
	for _, x := range list {
		if len(kept) < maxReverts && !slices.Contains(kept, x) {
			kept = append(kept, x)
		}
	}
	return kept
}

// firstParagraph is that of the lines after the title.
func firstParagraph(body []string) []string {
	for len(body) > 0 && blank(body[0]) {
		body = body[1:]
	}
	if i := slices.IndexFunc(body, blank); i >= 0 {
		return body[:i]
	}
	return body
}

func (p *Purpose) labels(trailers []MessageTrailer) {
	for _, t := range trailers {
		if !slices.Contains(labelKeys, strings.ToLower(t.Key)) {
			continue
		}
		for _, w := range strings.FieldsFunc(strings.ToLower(t.Value), func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
			if intent, ok := types[strings.TrimPrefix(strings.TrimPrefix(w, "type/"), "kind/")]; ok {
				p.add(intent, MethodLabel, t.Key+": "+t.Value)
			}
		}
	}
}

// security looks for ids of advisories. One in the body counts for less: the
// messages of dependency bots quote the notes of others.
func (p *Purpose) security(title string, body []string, trailers []MessageTrailer) {
	if m := conventional().FindStringSubmatch(title); m != nil {
		switch types[strings.ToLower(m[1])] {
		case IntentDocs, IntentTest, IntentFeature, IntentRefactor:
			return // it speaks about the advisory, it does not mend it
		}
	}
	if id := findAdvisory(title); id != "" {
		p.add(IntentSecurityFix, MethodAdvisory, id)
	}
	for _, t := range trailers {
		if id := findAdvisory(t.Value); id != "" {
			p.add(IntentSecurityFix, MethodAdvisory, t.Key+": "+id)
		}
	}
	text := strings.Join(body, "\n")
	if id := findAdvisory(text); id != "" {
		if m := fixesAdvisory().FindStringSubmatch(text); m != nil {
			p.add(IntentSecurityFix, MethodAdvisoryFixed, m[1])
			return
		}
		p.add(IntentSecurityFix, MethodAdvisoryBody, id)
	}
}

// findAdvisory finds the first id of an advisory.
func findAdvisory(text string) string {
	if !mentions(text, "cve-") && !mentions(text, "ghsa-") {
		return ""
	}
	return advisory().FindString(text)
}

// mentions reports whether a text has a word of lower case letters, in whatever case.
// It spares most texts a pattern that would be tried at each of their places.
func mentions(text, word string) bool {
	for at := 0; at+len(word) <= len(text); at++ {
		if text[at]|0x20 == word[0] && strings.EqualFold(text[at:at+len(word)], word) {
			return true
		}
	}
	return false
}

func (p *Purpose) types(title string, body []string) {
	for _, l := range body {
		p.Breaking = p.Breaking || breakingFooter().MatchString(l)
	}
	m := conventional().FindStringSubmatch(title)
	if m == nil {
		return
	}
	intent, ok := types[strings.ToLower(m[1])]
	if !ok {
		return // the name of a part: "backup: …"
	}
	p.Breaking = p.Breaking || m[3] == "!"
	scope := strings.ToLower(m[2])
	said, _, _ := strings.Cut(title, ":")
	switch {
	case intent == IntentSecurityFix, intent == IntentFix && (scope == "security" || scope == "sec"):
		p.add(IntentSecurityFix, MethodSecurityType, said)
	case intent != IntentRevert:
		p.add(intent, MethodConventional, said)
	}
}

func (p *Purpose) keywords(title string, body []string, trailers []MessageTrailer) {
	for _, t := range trailers {
		if t.Is("Fixes") && fixesCommit().MatchString(t.Value) {
			p.add(IntentFix, MethodFixesTrailer, t.Key+": "+t.Value)
		}
	}
	if dependency().MatchString(title) {
		p.add(IntentBuild, MethodDependencyTitle, title)
	}
	for _, l := range append([]string{title}, body...) {
		if !mentions(l, "fix") {
			continue
		}
		if m := closing().FindString(l); m != "" {
			p.add(IntentFix, MethodClosingKeyword, strings.TrimLeft(m, " \t(*-"))
			return
		}
	}
}

// words is the last resort: the branch's prefix and the title's first word,
// which may stand behind the name of a part, as in "backup: fix …".
func (p *Purpose) words(title, branch string) {
	if parts := strings.Split(branch, "/"); len(parts) > 1 {
		if intent, ok := types[strings.ToLower(parts[len(parts)-2])]; ok && intent != IntentOther {
			p.add(intent, MethodBranchPrefix, branch)
		}
	}
	if part, rest, ok := strings.Cut(title, ": "); ok && !strings.ContainsAny(part, " \t") {
		title = rest
	}
	first, _, _ := strings.Cut(strings.TrimSpace(title), " ")
	if intent, ok := firstWords[strings.ToLower(strings.TrimRight(first, ":,."))]; ok {
		if strings.HasPrefix(strings.ToLower(first), "add") {
			intent = added(title)
		}
		p.add(intent, MethodSubjectWord, first)
	}
}

// added tells what "Add …" adds by the words that follow.
func added(title string) string {
	for w := range strings.FieldsSeq(strings.ToLower(title)) {
		switch strings.Trim(w, ".,:;()`'\"") {
		case "test", "tests", "testcase", "testcases", "benchmark", "benchmarks":
			return IntentTest
		case "doc", "docs", "documentation", "changelog", "readme", "readme.md":
			return IntentDocs
		}
	}
	return IntentFeature
}
