// Package identity keeps who and what takes part: people, bots, agents, models,
// keys, which accounts are one person, and the roles that a file of owners, a forge or
// the organisation gives.
//
// Refs: person:PSEUDONYM, bot:HOST/NAME, agent:NAME, model:PROVIDER/NAME,
// key:TYPE/FINGERPRINT, role:HOST/OWNER/NAME:DIGEST, tie:METHOD/DIGEST,
// mandate:METHOD/DIGEST.
//
// Its doors lead aside: from a role and a mandate to their holder, from a tie to the
// two accounts and to who says so.
//
// Nothing personal is in its facts: a person is a pseudonym, and names and mail
// addresses live in a table that can be emptied. The package also recognises
// models, agents and bots by name and reads CODEOWNERS files, mail maps and role maps;
// these are pure functions of text. It does no I/O and never takes a bot for an AI, nor an
// unnamed model for a named one.
package identity

import "github.com/stemma-dev/stemma"

// Room declares the kinds of this package.
var Room = stemma.Room{
	Name: "identity",
	Kinds: []stemma.KindSpec{
		{Kind: stemma.KindPerson, Doc: "a human being, by pseudonym"},
		{Kind: stemma.KindBot, Doc: "an account that a program uses", Columns: []stemma.Column{
			{Name: "name", Type: stemma.Text, Index: true, Doc: "login: dependabot[bot]"},
			{Name: "host", Type: stemma.Text, Doc: "where it has the account"},
		}},
		{Kind: stemma.KindAgent, Doc: "a program that works on code by itself", Columns: []stemma.Column{
			{Name: "name", Type: stemma.Text, Index: true, Doc: "claude-code, codex"},
			{Name: "vendor", Type: stemma.Text, Doc: "who makes it"},
		}},
		{Kind: stemma.KindModel, Doc: "a language model", Columns: []stemma.Column{
			{Name: "name", Type: stemma.Text, Index: true, Doc: "as the source spells it"},
			{Name: "provider", Type: stemma.Text, Index: true, Doc: "who makes it, or unlisted"},
			{Name: "family", Type: stemma.Text, Index: true, Doc: "name without its version: claude-opus"},
			{Name: "version", Type: stemma.Text, Doc: "as far as the name tells it"},
			{Name: "named", Type: stemma.Bool, Doc: "the name says which model it is"},
		}},
		{Kind: stemma.KindKey, Doc: "a key that signs", Columns: []stemma.Column{
			{Name: "fingerprint", Type: stemma.Text, Index: true, Doc: "as its tool prints it"},
			{Name: "type", Type: stemma.Text, Doc: "pgp, ssh, x509"},
		}},
		roleSpec,
		tieSpec,
		mandateSpec,
	},
}

var holders = []stemma.Kind{stemma.KindPerson, stemma.KindBot}

var roleSpec = stemma.KindSpec{
	Kind: stemma.KindRole,
	Doc:  "a line of a file of owners, from a time on",
	Columns: []stemma.Column{
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "where the file is"},
		{Name: "pattern", Type: stemma.Text, Index: true, Doc: "paths it speaks of"},
		{Name: "owner", Type: stemma.Text, Doc: "team; empty if a person or bot"},
		{Name: "line", Type: stemma.Int, Doc: "number of the line"},
		{Name: "since", Type: stemma.Time, Doc: "when the line came"},
		{Name: "file", Type: stemma.Text, Doc: "path of the file of owners"},
		{Name: "holder", Type: stemma.Link, Index: true, Doc: "the person or bot"},
	},
	Doors: []stemma.Door{
		{Name: "holder", To: holders, Doc: "who holds it"},
	},
}
