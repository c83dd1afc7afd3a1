// Package attribution keeps which lines came from which session or person, and
// on what basis.
//
// Refs: attribution:sha1/COMMIT/FORMAT is what one record in one format says
// about the lines of a commit; file:HOST/OWNER/NAME:BRANCH:PATH is the state of
// a file at the tip of a branch, run by run.
//
// Doors lead up to sessions and down to the commit, aside to models, people,
// repositories.
//
// Unknown is an origin of its own: it is never shown as human and never counted
// as AI. The package does no I/O and never reads a work tree. How lines are followed
// through a history is package weave.
package attribution

import "github.com/stemma-dev/stemma"

// Room declares the kinds of this package.
var Room = stemma.Room{
	Name:  "attribution",
	Kinds: []stemma.KindSpec{attributionSpec, fileSpec},
}

var attributionSpec = stemma.KindSpec{
	Kind: stemma.KindAttribution,
	Doc:  "what one record says about the lines of a commit",
	Columns: []stemma.Column{
		{Name: "commit", Type: stemma.Link, Index: true, Doc: "the commit"},
		{Name: "format", Type: stemma.Text, Index: true, Doc: "of the record: git-ai, whogitit"},
		{Name: "note", Type: stemma.Text, Doc: "object or place it was read from"},
		{Name: "writer", Type: stemma.Text, Doc: "program and version that wrote it"},
		{Name: "basis", Type: stemma.Text, Doc: "how the record knows"},
		{Name: "ai_lines", Type: stemma.Int, Doc: "lines of the commit that AI wrote"},
		{Name: "human_lines", Type: stemma.Int, Doc: "lines of the commit that people wrote"},
		{Name: "unknown_lines", Type: stemma.Int, Doc: "lines of the commit of unknown origin"},
		{Name: "claimed_lines", Type: stemma.Int, Doc: "lines that the record speaks of"},
		{Name: "misplaced_lines", Type: stemma.Int, Doc: "claimed lines that the commit did not add"},
		{Name: "unresolved_keys", Type: stemma.Int, Doc: "keys that nothing in the record explains"},
		{Name: "files", Type: stemma.Int, Doc: "files that the record speaks of"},
		{Name: "withdrawn", Type: stemma.Bool, Doc: "the record was taken away since"},
	},
	Lists: []stemma.List{
		{Name: "span", Doc: "stretches of lines of one origin", Columns: []stemma.Column{
			{Name: "path", Type: stemma.Text, Index: true, Doc: "the file in the commit"},
			{Name: "start", Type: stemma.Int, Doc: "first line, from 1"},
			{Name: "end", Type: stemma.Int, Doc: "last line, included"},
			{Name: "origin", Type: stemma.Text, Doc: "ai, human or unknown"},
			{Name: "basis", Type: stemma.Text, Doc: "how it is known"},
			{Name: "reason", Type: stemma.Text, Doc: "why it is unknown"},
			{Name: "agent", Type: stemma.Text, Doc: "the agent's name"},
			{Name: "model", Type: stemma.Link, Index: true, Doc: "the model"},
			{Name: "model_name", Type: stemma.Text, Doc: "the model as the source spells it"},
			{Name: "session", Type: stemma.Link, Index: true, Doc: "the agent session"},
			{Name: "prompt", Type: stemma.Int, Doc: "number of the prompt in the session, from 1"},
			{Name: "tool_call", Type: stemma.Text, Doc: "id of the tool call"},
			{Name: "author", Type: stemma.Link, Doc: "the person"},
			{Name: "key", Type: stemma.Text, Doc: "key in the record"},
		}},
		{Name: "credit", Doc: "lines by origin", Columns: []stemma.Column{
			{Name: "origin", Type: stemma.Text, Doc: "ai, human or unknown"},
			{Name: "agent", Type: stemma.Text, Index: true, Doc: "the agent's name"},
			{Name: "model", Type: stemma.Link, Index: true, Doc: "the model"},
			{Name: "model_name", Type: stemma.Text, Index: true, Doc: "the model as the source spells it"},
			{Name: "session", Type: stemma.Link, Index: true, Doc: "the agent session"},
			{Name: "lines", Type: stemma.Int, Doc: "how many"},
		}},
		{Name: "anchor", Doc: "stretches of lines of a commit that is not here, by which they are known again", Columns: []stemma.Column{
			{Name: "path", Type: stemma.Text, Doc: "the file in the commit"},
			{Name: "start", Type: stemma.Int, Doc: "first line, from 1"},
			{Name: "end", Type: stemma.Int, Doc: "last line, included"},
			{Name: "blob", Type: stemma.Text, Doc: "hash of the file's content in the commit"},
			{Name: "text", Type: stemma.Text, Doc: "marks of the lines, four bytes each, in base64"},
			{Name: "origin", Type: stemma.Text, Doc: "ai or human"},
			{Name: "agent", Type: stemma.Text, Doc: "the agent's name"},
			{Name: "model", Type: stemma.Link, Doc: "the model"},
			{Name: "model_name", Type: stemma.Text, Doc: "the model as the source spells it"},
			{Name: "session", Type: stemma.Link, Doc: "the agent session"},
			{Name: "prompt", Type: stemma.Int, Doc: "number of the prompt in the session, from 1"},
			{Name: "tool_call", Type: stemma.Text, Doc: "id of the tool call"},
			{Name: "author", Type: stemma.Link, Doc: "the person"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "attributes", To: []stemma.Kind{stemma.KindCommit}, Flow: stemma.Down, Doc: "the commit it speaks of"},
		{Name: "session", To: []stemma.Kind{stemma.KindSession}, Flow: stemma.Up, Doc: "agent sessions it names"},
		{Name: "model", To: []stemma.Kind{stemma.KindModel}, Doc: "models it names"},
		{Name: "author", To: []stemma.Kind{stemma.KindPerson, stemma.KindBot}, Doc: "people it names"},
	},
}

var fileSpec = stemma.KindSpec{
	Kind: stemma.KindFile,
	Doc:  "a file at the tip of a branch, run by run",
	Columns: []stemma.Column{
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "where it is"},
		{Name: "branch", Type: stemma.Text, Index: true, Doc: "whose tip"},
		{Name: "path", Type: stemma.Text, Index: true, Doc: "its path"},
		{Name: "blob", Type: stemma.Text, Index: true, Doc: "hash of its content"},
		{Name: "commit", Type: stemma.Link, Doc: "the tip it was read at"},
		{Name: "deleted", Type: stemma.Bool, Doc: "it is not at the tip any more"},
		{Name: "lines", Type: stemma.Int, Doc: "how many"},
		{Name: "ai_lines", Type: stemma.Int, Doc: "of these, written by AI"},
		{Name: "human_lines", Type: stemma.Int, Doc: "of these, written by people"},
		{Name: "unknown_lines", Type: stemma.Int, Doc: "of these, of unknown origin"},
	},
	Lists: []stemma.List{
		{Name: "run", Doc: "stretches of lines from one place", Columns: []stemma.Column{
			{Name: "start", Type: stemma.Int, Doc: "first line, from 1"},
			{Name: "count", Type: stemma.Int, Doc: "how many lines"},
			{Name: "commit", Type: stemma.Link, Index: true, Doc: "commit that brought them"},
			{Name: "path", Type: stemma.Text, Doc: "the file there, if it had another path"},
			{Name: "line", Type: stemma.Int, Doc: "first line there"},
			{Name: "origin", Type: stemma.Text, Index: true, Doc: "ai, human or unknown"},
			{Name: "basis", Type: stemma.Text, Doc: "how it is known"},
			{Name: "reason", Type: stemma.Text, Doc: "why it is unknown"},
			{Name: "agent", Type: stemma.Text, Index: true, Doc: "the agent's name"},
			{Name: "model", Type: stemma.Link, Index: true, Doc: "the model"},
			{Name: "model_name", Type: stemma.Text, Index: true, Doc: "the model as the source spells it"},
			{Name: "session", Type: stemma.Link, Index: true, Doc: "the agent session"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "at", To: []stemma.Kind{stemma.KindCommit}, Doc: "the tip it was read at"},
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "where it is"},
	},
}
