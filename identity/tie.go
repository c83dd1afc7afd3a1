package identity

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
)

// How it is known that two accounts are one person. Neither equal names nor equal
// logins of different hosts are among them.
const (
	TieNoreply     = "noreply"      // the forge makes such an address out of the id of the account
	TieAccountMail = "account-mail" // the system says that this is the address of the account
	TieForgeCommit = "forge-commit" // the forge says that the account wrote a commit with this address
	TieMailmap     = "mailmap"      // the mail map of a repository says so: anybody may write one, so it only suggests
	TieJudgement   = "judgement"    // a person says so, or that it is not so
)

// A Tie says of two accounts that they are one person or one bot, or that they are
// not. Make one with [NewTie].
type Tie struct {
	One    stemma.Ref    `json:"one" door:"ties"`
	Other  stemma.Ref    `json:"other" door:"ties"`
	Method string        `json:"method" fact:"authority"`
	Apart  bool          `json:"apart"`
	Open   bool          `json:"open"`                   // nothing follows: it is a suggestion, or a word that was taken back
	By     stemma.Ref    `json:"by,omitempty" door:"by"` // of a judgement: who says so
	At     stemma.Moment `json:"at,omitempty" fact:"occurred"`
	Reason string        `json:"reason,omitempty"`
}

// NewTie says that two accounts are one. Which of them is named first does not matter.
// What a mail map says stays open until a person says it too.
func NewTie(method string, a, b stemma.Ref) Tie {
	return Tie{One: min(a, b), Other: max(a, b), Method: method, Open: method == TieMailmap}
}

// Ref names the tie: there is one for each pair and method, so of what people say
// about a pair the last word stands. It is empty unless there are two accounts.
func (t Tie) Ref() stemma.Ref {
	if t.Method == "" || t.One == "" || t.One >= t.Other {
		return ""
	}
	sum := stemma.Sum([]byte(string(t.One) + "\x00" + string(t.Other)))
	return stemma.NewRef(stemma.KindTie, t.Method, sum.String()[:32])
}

// Fact states the tie.
func (t Tie) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, t, source, grade)
}

// TieFromFact reads what Fact wrote.
func TieFromFact(f stemma.Fact) (Tie, error) { return stemma.Recall[Tie](Room, f) }

var tieSpec = stemma.KindSpec{
	Kind: stemma.KindTie,
	Doc:  "that two accounts are one person or bot, or that they are not",
	Columns: []stemma.Column{
		{Name: "one", Type: stemma.Link, Index: true, Doc: "an account"},
		{Name: "other", Type: stemma.Link, Index: true, Doc: "another one"},
		{Name: "method", Type: stemma.Text, Doc: "how it is known: noreply, account-mail, forge-commit, mailmap, judgement"},
		{Name: "apart", Type: stemma.Bool, Doc: "they are two"},
		{Name: "open", Type: stemma.Bool, Doc: "nothing follows from it: it is a suggestion, or a word that was taken back"},
		{Name: "by", Type: stemma.Link, Doc: "the person who says so"},
		{Name: "at", Type: stemma.Time, Doc: "when the person said so"},
		{Name: "reason", Type: stemma.Text, Doc: "why, in the words of that person"},
	},
	Doors: []stemma.Door{
		{Name: "ties", To: holders, Doc: "the two accounts"},
		{Name: "by", To: holders, Doc: "who says so"},
	},
	Joins: &stemma.Joins{One: "one", Other: "other", Apart: "apart", By: "by", Open: "open"},
}

// gitlab is the one host of which it is known that it makes addresses as GitLab does.
const gitlab = "gitlab.com"

// noreplyDomain begins the domains in which forges keep addresses for accounts.
const noreplyDomain = "users.noreply."

// NoreplyAccount finds the account to which a forge gave an address: GitHub's
// ID+LOGIN@users.noreply.HOST, also of GitHub Enterprise Server, and the
// ID-LOGIN@users.noreply.gitlab.com of GitLab. On another host the latter may be the
// whole of a login that begins with digits and a dash. The id in it stays when the
// account gets another login. An address without an id names nobody for certain, since
// a login may be given to somebody else.
func NoreplyAccount(mail string) (host, id string, ok bool) {
	local, domain, _ := strings.Cut(strings.ToLower(strings.TrimSpace(mail)), "@")
	host, ok = strings.CutPrefix(domain, noreplyDomain)
	marks := "+"
	if host == gitlab {
		marks = "-"
	}
	end := strings.IndexAny(local, marks)
	if !ok || host == "" || end <= 0 || end > 19 || end == len(local)-1 || strings.ContainsAny(host, "/@ ") {
		return "", "", false
	}
	id = local[:end]
	if strings.Trim(id, "0123456789") != "" || id[0] == '0' {
		return "", "", false
	}
	return host, id, true
}

// Nobody reports whether a login is the one under which forges show what accounts did
// that are gone: what it did was done by many.
func Nobody(login string) bool { return strings.EqualFold(login, "ghost") }

// OwnMail reports whether a mail address can be that of one person for good: not one
// from which nobody reads, nor one that a forge makes out of a login.
func OwnMail(mail string) bool {
	local, domain, ok := strings.Cut(strings.ToLower(strings.TrimSpace(mail)), "@")
	return ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(mail, "<> \t") &&
		!strings.HasPrefix(domain, "noreply.") && !strings.HasPrefix(domain, noreplyDomain) &&
		!slices.Contains([]string{"noreply", "no-reply", "donotreply", "root", "nobody"}, local)
}
