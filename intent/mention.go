package intent

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
)

// A Mention is a place in a text that names a ticket, a requirement or a merge
// request. Whether that exists nobody asked.
type Mention struct {
	Kind   stemma.Kind // ticket, requirement, or change for a merge request
	Ref    stemma.Ref  // empty for a short form without a Context to resolve it
	Text   string      // as it stands
	URL    string      // if it is one
	Method string      // MethodTrailer, MethodURL, MethodMessage or MethodBranch
	Closes bool        // a word before it says that it is done with this
	Offset int         // in bytes from the start of the text
}

// The methods by which a mention is found.
const (
	MethodTrailer = "trailer" // in a line such as "Refs: PAY-17"
	MethodURL     = "url"     // by its address
	MethodMessage = "message" // by its name in the text
	MethodBranch  = "branch"  // by its name in a branch's name
)

// A Context says where a text stands, which decides what its short forms mean.
type Context struct {
	Host     string            // of the repository: "github.com"
	Repo     string            // its path there: "acme/pay"
	Keys     string            // the tracker that a key such as PAY-17 belongs to; "jira" if empty
	Trackers map[string]string // the trackers of projects of which they are known, by the front of their keys
	Projects []string          // if given, only these are taken for the front of a key
	Source   string            // where requirements are kept; "declared" if empty
}

// Trackers that are not the host of a forge.
const (
	Jira        = "jira"
	Linear      = "linear"
	AzureBoards = "azure-boards"
)

// How much is read, and how many mentions are given.
const (
	maxText     = 256 << 10
	maxMentions = 1000
	maxNumber   = 9 // digits
)

func (c Context) ticket(key string) stemma.Ref {
	if c.Host == "" || c.Repo == "" {
		return ""
	}
	return TicketRef(c.Host, strings.ToLower(c.Repo)+"#"+key)
}

func (c Context) change(number string) stemma.Ref {
	if c.Host == "" || c.Repo == "" {
		return ""
	}
	return stemma.NewRef(stemma.KindChange, c.Host, strings.ToLower(c.Repo)+"#"+number)
}

func (c Context) key(key string) stemma.Ref {
	project, _, _ := strings.Cut(key, "-")
	return TicketRef(cmp.Or(c.Trackers[project], c.Keys, Jira), key)
}

// board names a work item of Azure Boards, in the organisation if it is known.
func (c Context) board(number string) stemma.Ref {
	if c.Host == "dev.azure.com" {
		organisation, _, _ := strings.Cut(strings.ToLower(c.Repo), "/")
		return TicketRef(AzureBoards, organisation+"/AB#"+number)
	}
	return TicketRef(AzureBoards, "AB#"+number)
}

// notProjects look like the front of a key and are none: encodings, hashes,
// standards, licences, models.
var notProjects = set(`
	ADR AES AGPL AMD ANSI APACHE ARM ASCII BASE BIP BLAKE BLAKE2 BLAKE2B BLAKE2S BLAKE3 BSD CC CHACHA CHACHA20 CLAUDE COVID CP CRC
	CVE CWE DDR DEEPSEEK DES DSA ECMA ECDSA ED EIP ERC ES EUC FIPS FIXME GB GEMINI GHSA GLM GMT GPL GPT GROK HKDF HMAC HTTP HTTPS
	IEC IEEE IP IPV ISO JEP JSR KB KECCAK KEP GAP TAP XEP BEP ITE KOI KOI8 LATIN LGPL LLAMA MD MIT MP MPL MS NIST OPUS PBKDF PEP PHASE PKCS POLY PSR
	QWEN RFC RFD RIPEMD ROT RSA SECP SHA SHA1 SHA2 SHA3 SHAKE SLSA SONNET SP SQL SSL STEP TCP TLS TODO UCS UDP UNICODE USB
	UTC UTF VERSION VS WINDOWS WPA WS XML`)

// notBranchKeys begin many branch names, in front of a number that is no ticket's.
var notBranchKeys = set(`
	add batch beta build bump day demo dev draft feat fix go node part patch phase pr prod py rc rel round stage step test tests
	try ver week wip jan feb mar apr may jun jul aug sep oct nov dec`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// project reports whether a key may begin with name.
func (c Context) project(name string) bool {
	if len(c.Projects) > 0 {
		return slices.Contains(c.Projects, name)
	}
	return !notProjects[name]
}

// cutKey parts "PAY-17" and reports whether it is the key of a ticket: two to
// ten capitals and digits, a dash, a number without a leading zero.
func cutKey(s string) (project, number string, ok bool) {
	project, number, ok = strings.Cut(s, "-")
	if !ok || len(project) < 2 || len(project) > 10 || !isNumber(number) || len(number) > 7 {
		return "", "", false
	}
	for i, c := range []byte(project) {
		if (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return "", "", false
		}
	}
	return project, number, true
}

// isNumber reports whether s is a positive number as people write it.
func isNumber(s string) bool {
	return s != "" && len(s) <= maxNumber && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

// FromBranch finds the tickets that the name of a branch mentions:
// "feature/PAY-17-refund", "ann/pay-17-refund" as Linear makes them,
// "17-refund" as GitLab does, "issue-17", "fix/17".
func FromBranch(branch string, c Context) []Mention {
	var found []Mention
	if len(branch) > 1024 || strings.HasPrefix(branch, "dependabot/") || strings.HasPrefix(branch, "renovate/") {
		return nil // those of bots name versions
	}
	at, before := 0, ""
	for _, part := range strings.Split(branch, "/") {
		if m, ok := c.fromPart(part, before); ok {
			m.Method, m.Offset = MethodBranch, at+strings.Index(part, m.Text)
			found = append(found, m)
		}
		at, before = at+len(part)+1, part
	}
	return found
}

// fromPart reads one part of a branch's name, with the part before it.
func (c Context) fromPart(part, before string) (Mention, bool) {
	words := strings.FieldsFunc(part, func(r rune) bool { return r == '-' || r == '_' })
	for i := 0; i+1 < len(words); i++ {
		text := words[i] + "-" + words[i+1]
		project, number, ok := cutKey(strings.ToUpper(text))
		if !ok || !strings.Contains(part, text) {
			continue
		}
		lower := words[i] == strings.ToLower(words[i])
		titled := i == 0 && i+2 < len(words) && len(words[i]) <= 5 && !notBranchKeys[words[i]] // "pay-17-refund"
		switch {
		case strings.EqualFold(project, "GH"), strings.EqualFold(project, "ISSUE"), strings.EqualFold(project, "ISSUES"):
			return Mention{Kind: stemma.KindTicket, Ref: c.ticket(number), Text: text}, true
		case i+2 < len(words) && isNumber(words[i+2]): // "v1-2-3", "PAY-17-2" tells a date or a version as well
			continue
		case lower && !titled && !slices.Contains(c.Projects, project), !lower && strings.ToUpper(words[i]) != words[i]:
			continue
		case c.project(project):
			return Mention{Kind: stemma.KindTicket, Ref: c.key(project + "-" + number), Text: text}, true
		}
	}
	if len(words) == 0 || !isNumber(words[0]) || len(words[0]) > 6 || !strings.HasPrefix(part, words[0]) {
		return Mention{}, false
	}
	switch named := fixParts[strings.ToLower(before)]; {
	case len(words) == 1 && !named, // "release/17"
		len(words) > 1 && (words[1][0] < 'A' || words[1][0] == '.'),             // "17-2"
		!named && len(words[0]) == 4 && words[0] >= "1990" && words[0] < "2040": // "2026-plan"
		return Mention{}, false
	}
	return Mention{Kind: stemma.KindTicket, Ref: c.ticket(words[0]), Text: words[0]}, true
}

// fixParts are what a bare number in a branch's name may stand behind.
var fixParts = set("fix bugfix hotfix issue issues bug feature feat ticket gh")

// FromTrailer finds what one trailer mentions. A key that is not known to name
// tickets or requirements gives nothing.
func FromTrailer(key, value string, c Context) []Mention {
	use, ok := trailerUses[strings.ToLower(key)]
	if !ok || len(value) > maxText {
		return nil
	}
	if use.requirement {
		return requirements(value, c)
	}
	if use.tracker != "" {
		c.Keys, c.Trackers = use.tracker, nil
	}
	s := scanner{context: c, text: value, trailer: true, closing: use.closes}
	s.scan()
	if len(s.found) == 0 && use.number && isNumber(strings.TrimSpace(value)) {
		number := strings.TrimSpace(value)
		s.found = append(s.found, Mention{
			Kind: stemma.KindTicket, Ref: c.ticket(number), Text: number, Method: MethodTrailer,
			Closes: use.closes, Offset: strings.Index(value, number),
		})
	}
	return s.found
}

// A trailerUse is what a trailer's value means.
type trailerUse struct {
	closes      bool
	number      bool   // a bare number is an issue of the repository
	tracker     string // whose keys these are
	requirement bool
}

var trailerUses = map[string]trailerUse{
	"ref": {}, "refs": {}, "references": {}, "related": {}, "related-to": {}, "relates-to": {}, "part-of": {}, "see-also": {}, "implements": {},
	"story": {}, "task": {}, "work-item": {}, "bug": {},
	"fix": {closes: true}, "fixes": {closes: true}, "fixed": {closes: true},
	"close": {closes: true}, "closes": {closes: true}, "closed": {closes: true},
	"resolve": {closes: true}, "resolves": {closes: true}, "resolved": {closes: true},
	"ticket": {number: true}, "issue": {number: true}, "issues": {number: true},
	"jira": {tracker: Jira}, "linear": {tracker: Linear},
	"requirement": {requirement: true}, "requirements": {requirement: true}, "satisfies": {requirement: true},
}

// requirements reads "REQ-7, SYS/REQ-8" or "SRS 3.2.1": parts between commas that
// are a key, or several. Of a sentence only words that can be nothing else count.
func requirements(value string, c Context) []Mention {
	var found []Mention
	for at := 0; at < len(value) && len(found) < maxMentions; {
		end := len(value)
		if n := strings.IndexAny(value[at:], ",;\n"); n >= 0 {
			end = at + n
		}
		found = append(found, requirementsOf(value[at:end], at, c)...)
		at = end + 1
	}
	return found[:min(len(found), maxMentions)]
}

// requirementsOf reads one part, which begins at an offset.
func requirementsOf(part string, offset int, c Context) (found []Mention) {
	words := strings.Fields(part)
	if len(words) == 2 && isPrefix(words[0]) && isSection(words[1]) {
		whole := strings.TrimRight(words[0]+" "+words[1], ".)")
		return append(found, requirement(whole, offset+strings.Index(part, words[0]), c))
	}
	at := 0
	for _, word := range words {
		at += strings.Index(part[at:], word)
		key := strings.TrimRight(word, ".)")
		_, _, url := cutURL(key)
		if url || isKey(key) || len(words) == 1 && strings.ContainsAny(key, digits) {
			if len(key) <= maxRequirement {
				found = append(found, requirement(key, offset+at, c))
			}
		}
		at += len(word)
	}
	return found
}

// maxRequirement is the longest key of a requirement.
const maxRequirement = 512

const (
	digits = "0123456789"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	alnum  = digits + upper + "abcdefghijklmnopqrstuvwxyz"
)

// isKey reports whether a word is a key and nothing else: REQ-7, SYS/8.1, R12.
func isKey(word string) bool {
	if word == "" || !strings.Contains(alnum[len(digits):], word[:1]) || strings.Trim(word, alnum+"-_./:") != "" {
		return false
	}
	if number := strings.TrimLeft(word, upper); len(word)-len(number) <= 10 && allDigits(number) {
		return true
	}
	for i := 1; i < len(word); i++ {
		if strings.Contains(digits, word[i:i+1]) && strings.Contains("-_./:", word[i-1:i]) {
			return true
		}
	}
	return false
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, digits) == "" }

// isPrefix reports whether a word is what stands before a number: SRS 3.2.1.
func isPrefix(word string) bool {
	return len(word) >= 2 && len(word) <= 16 && strings.Contains(upper, word[:1]) && strings.Trim(word, upper+digits+"-_") == ""
}

// isSection reports whether a word is a number of parts: 3.2.1.
func isSection(word string) bool {
	for part := range strings.SplitSeq(strings.TrimRight(word, ".)"), ".") {
		if !allDigits(part) {
			return false
		}
	}
	return true
}

func requirement(key string, offset int, c Context) Mention {
	m := Mention{Kind: stemma.KindRequirement, Ref: RequirementRef(cmp.Or(c.Source, "declared"), key), Text: key, Method: MethodTrailer, Offset: offset}
	if host, path, ok := cutURL(key); ok {
		m.Ref, m.URL = RequirementRef(host, path), key
	}
	return m
}

// Unread reports whether a trailer should name requirements but names none that can
// be read. One that says that there are none does not.
func Unread(key, value string) bool {
	if !trailerUses[strings.ToLower(key)].requirement || len(requirements(value, Context{})) > 0 {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "-", "none", "n/a", "na", "no":
		return false
	}
	return true
}
