// Package change keeps what changed: repositories, their commits and tags, and
// the changes (merge requests, pushes) that brought commits onto a branch.
//
// Refs: repository:HOST/OWNER/NAME, commit:sha1/HASH (or sha256), change:HOST/OWNER/NAME#NUMBER
// or …@HASH for a push without a number, release:HOST/OWNER/NAME:TAG,
// push:HOST/OWNER/NAME:BEFORE..AFTER:REF, protection:HOST/OWNER/NAME:PATTERN.
//
// Doors lead up to sessions, tickets and requirements, aside to people, agents
// and other commits; a change and its commits are two faces of one thing.
//
// The package also reads messages: trailers, how a commit landed, what it was
// meant for. All of that is a pure function of text. It does no I/O, knows no
// git command, and never guesses an intent without naming the method.
package change

import "github.com/stemma-dev/stemma"

// Room declares the kinds of this package.
var Room = stemma.Room{
	Name:  "change",
	Kinds: []stemma.KindSpec{repositorySpec, commitSpec, changeSpec, releaseSpec, pushSpec, protectionSpec},
}

var people = []stemma.Kind{stemma.KindPerson, stemma.KindBot}

var repositorySpec = stemma.KindSpec{
	Kind: stemma.KindRepository,
	Doc:  "one history, named by where it was at home when it was read first",
	Columns: []stemma.Column{
		{Name: "name", Type: stemma.Text, Index: true, Doc: "path at the host: acme/pay"},
		{Name: "host", Type: stemma.Text, Doc: "where it is at home: github.com"},
		{Name: "url", Type: stemma.Text, Doc: "to browse"},
		{Name: "default_branch", Type: stemma.Text, Doc: "branch that changes go to"},
		{Name: "object_format", Type: stemma.Text, Doc: "sha1 or sha256"},
		{Name: "tip", Type: stemma.Link, Doc: "commit of the default branch when it was read"},
		{Name: "shallow", Type: stemma.Bool, Doc: "its history is cut off"},
		{Name: "partial", Type: stemma.Bool, Doc: "objects may be missing by filter"},
		{Name: "bare", Type: stemma.Bool, Doc: "it has no work tree"},
	},
	Doors: []stemma.Door{
		{Name: "alias", To: []stemma.Kind{stemma.KindRepository}, Doc: "other names that it has gone by"},
	},
}

var commitSpec = stemma.KindSpec{
	Kind: stemma.KindCommit, Stage: stemma.StageCommit,
	Doc: "one commit object",
	Columns: []stemma.Column{
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "where it was read"},
		{Name: "sha", Type: stemma.Text, Index: true, Doc: "its hash"},
		{Name: "tree", Type: stemma.Text, Doc: "hash of its tree"},
		{Name: "parents", Type: stemma.Int, Doc: "how many parents"},
		{Name: "first_parent", Type: stemma.Link, Doc: "the commit it was made on"},
		{Name: "author", Type: stemma.Link, Index: true, Doc: "who wrote it"},
		{Name: "committer", Type: stemma.Link, Doc: "who committed it"},
		{Name: "authored", Type: stemma.Time, Doc: "when it was written"},
		{Name: "committed", Type: stemma.Time, Index: true, Doc: "when it was committed"},
		{Name: "title", Type: stemma.Text, Doc: "first line of the message"},
		{Name: "message", Type: stemma.Text, Doc: "the whole message"},
		{Name: "signature", Type: stemma.Text, Doc: "form of its signature, unverified"},
		{Name: "change_id", Type: stemma.Text, Index: true, Doc: "Gerrit's Change-Id"},
		{Name: "on_default", Type: stemma.Bool, Doc: "the default branch reaches it"},
		{Name: "merge", Type: stemma.Bool, Doc: "more than one parent"},
		{Name: "files", Type: stemma.Int, Doc: "files it touched"},
		{Name: "added", Type: stemma.Int, Doc: "lines added"},
		{Name: "deleted", Type: stemma.Int, Doc: "lines deleted"},
		{Name: "bytes_binary", Type: stemma.Int, Doc: "bytes of binary files it brought"},
		{Name: "ai_lines", Type: stemma.Int, Doc: "added lines that AI wrote"},
		{Name: "human_lines", Type: stemma.Int, Doc: "added lines that people wrote"},
		{Name: "unknown_lines", Type: stemma.Int, Doc: "added lines of unknown origin"},
		{Name: "author_class", Type: stemma.Text, Index: true, Doc: "ai, human, mixed or unknown"},
	},
	Lists: []stemma.List{
		{Name: "file", Doc: "files it touched", Columns: []stemma.Column{
			{Name: "path", Type: stemma.Text, Index: true, Doc: "path after it"},
			{Name: "old_path", Type: stemma.Text, Doc: "path before a rename or copy"},
			{Name: "status", Type: stemma.Text, Doc: "git's letter: A M D R C T"},
			{Name: "added", Type: stemma.Int, Doc: "lines added"},
			{Name: "deleted", Type: stemma.Int, Doc: "lines deleted"},
			{Name: "blob", Type: stemma.Text, Doc: "hash of the content after it"},
			{Name: "old_blob", Type: stemma.Text, Doc: "hash of the content before it"},
			{Name: "binary", Type: stemma.Bool, Doc: "not text"},
			{Name: "mended", Type: stemma.Text, Doc: "old lines that a fix changed, such as 12-14,20"},
			{Name: "respaced", Type: stemma.Text, Doc: "lines of which only the white space changed, with the first old line, such as 12-14=8"},
		}},
		{Name: "trailer", Doc: "key and value lines at the end of the message", Columns: []stemma.Column{
			{Name: "key", Type: stemma.Text, Index: true, Doc: "before the colon"},
			{Name: "value", Type: stemma.Text, Doc: "after the colon; empty if it names a person"},
			{Name: "person", Type: stemma.Link, Doc: "the person it names"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "parent", To: []stemma.Kind{stemma.KindCommit}, Doc: "commits it follows"},
		{Name: "author", To: people, Doc: "who wrote it"},
		{Name: "committer", To: people, Doc: "who committed it"},
		{Name: "coauthor", To: people, Doc: "who is named as another author"},
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "where it was read"},
		{Name: "reverts", To: []stemma.Kind{stemma.KindCommit}, Doc: "commits it takes back"},
		{Name: "picked-from", To: []stemma.Kind{stemma.KindCommit}, Doc: "commit it copies"},
		{Name: "session", To: []stemma.Kind{stemma.KindSession}, Flow: stemma.Up, Doc: "agent sessions it came from"},
		{Name: "assisted-by", To: []stemma.Kind{stemma.KindAgent, stemma.KindModel}, Doc: "agents and models it names"},
		{Name: "implements", To: []stemma.Kind{stemma.KindTicket}, Flow: stemma.Up, Doc: "tickets it works on"},
	},
}

var changeSpec = stemma.KindSpec{
	Kind: stemma.KindChange, Stage: stemma.StageChange,
	Doc: "what came into a branch at once: a merge request or a push",
	Columns: []stemma.Column{
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "where it went"},
		{Name: "number", Type: stemma.Int, Index: true, Doc: "of the merge request"},
		{Name: "title", Type: stemma.Text, Doc: "its title"},
		{Name: "method", Type: stemma.Text, Doc: "merge, squash, rebase or direct"},
		{Name: "platform", Type: stemma.Text, Doc: "whose message convention it follows"},
		{Name: "branch", Type: stemma.Text, Doc: "where it was made"},
		{Name: "target", Type: stemma.Text, Doc: "where it went"},
		{Name: "url", Type: stemma.Text, Doc: "to browse"},
		{Name: "state", Type: stemma.Text, Index: true, Doc: "of the merge request: open, merged, closed; empty if only its landing is known"},
		{Name: "opened", Type: stemma.Time, Doc: "when it was proposed"},
		{Name: "merged", Type: stemma.Time, Index: true, Doc: "when it came in"},
		{Name: "closed", Type: stemma.Time, Doc: "when it was given up"},
		{Name: "head", Type: stemma.Link, Index: true, Doc: "the last commit that it showed for review"},
		{Name: "queue", Type: stemma.Text, Doc: "in the merge queue: queued, merged, left"},
		{Name: "merged_by", Type: stemma.Link, Doc: "who merged it"},
		{Name: "merge_commit", Type: stemma.Link, Index: true, Doc: "commit it put on the target"},
		{Name: "author", Type: stemma.Link, Index: true, Doc: "who proposed it"},
		{Name: "intent", Type: stemma.Text, Index: true, Doc: "feature, fix, security-fix, refactor, docs, test, build, revert, other, unknown"},
		{Name: "intent_method", Type: stemma.Text, Doc: "how the intent was told"},
		{Name: "commits", Type: stemma.Int, Doc: "commits it carries"},
		{Name: "files", Type: stemma.Int, Doc: "files it touched"},
		{Name: "added", Type: stemma.Int, Doc: "lines added"},
		{Name: "deleted", Type: stemma.Int, Doc: "lines deleted"},
		{Name: "ai_lines", Type: stemma.Int, Doc: "added lines that AI wrote"},
		{Name: "human_lines", Type: stemma.Int, Doc: "added lines that people wrote"},
		{Name: "unknown_lines", Type: stemma.Int, Doc: "added lines of unknown origin"},
		{Name: "author_class", Type: stemma.Text, Index: true, Doc: "ai, human, mixed or unknown"},
		{Name: "fix_author", Type: stemma.Text, Index: true, Doc: "of a fix: who wrote the lines that mend"},
		{Name: "origin_author", Type: stemma.Text, Index: true, Doc: "of a fix: who wrote the lines that were mended"},
		{Name: "fix_method", Type: stemma.Text, Doc: "of a fix: how what it mends was found"},
		{Name: "breaking", Type: stemma.Bool, Doc: "declared to break its users"},
		{Name: "dropped", Type: stemma.Bool, Doc: "its target was put elsewhere and does not reach it any more"},
		{Name: "attempts", Type: stemma.Int, Doc: "commits that pipelines judged, up to the first that all of them found good"},
		{Name: "green", Type: stemma.Bool, Doc: "there is one that all of them found good"},
		{Name: "infrastructure_failures", Type: stemma.Int, Doc: "runs that tell nothing of it: cancelled, or what ran them failed"},
		{Name: "reprompts", Type: stemma.Int, Doc: "prompts in its sessions after tests or pipelines had failed"},
		{Name: "compared", Type: stemma.Link, Doc: "head that what landed was held against"},
		{Name: "altered", Type: stemma.Int, Doc: "files in which what landed is not what that head and the branch make together"},
	},
	Lists: []stemma.List{
		{Name: "credit", Doc: "added lines by origin", Columns: []stemma.Column{
			{Name: "origin", Type: stemma.Text, Index: true, Doc: "ai, human or unknown"},
			{Name: "agent", Type: stemma.Text, Index: true, Doc: "the agent's name"},
			{Name: "model", Type: stemma.Link, Index: true, Doc: "the model"},
			{Name: "model_name", Type: stemma.Text, Index: true, Doc: "the model as the source spells it"},
			{Name: "session", Type: stemma.Link, Index: true, Doc: "the agent session"},
			{Name: "lines", Type: stemma.Int, Doc: "how many"},
		}},
		{Name: "fixes", Doc: "what a fix mends", Columns: []stemma.Column{
			{Name: "change", Type: stemma.Link, Index: true, Doc: "change that brought what is mended"},
			{Name: "commit", Type: stemma.Link, Doc: "commit that brought what is mended"},
			{Name: "lines", Type: stemma.Int, Doc: "lines of it that the fix changes"},
			{Name: "ai_lines", Type: stemma.Int, Doc: "of these, written by AI"},
			{Name: "human_lines", Type: stemma.Int, Doc: "of these, written by people"},
			{Name: "unknown_lines", Type: stemma.Int, Doc: "of these, of unknown origin"},
			{Name: "method", Type: stemma.Text, Doc: "how it was found"},
		}},
		{Name: "evidence", Doc: "what speaks for an intent", Columns: []stemma.Column{
			{Name: "intent", Type: stemma.Text, Doc: "the intent it speaks for"},
			{Name: "method", Type: stemma.Text, Doc: "where it was found"},
			{Name: "text", Type: stemma.Text, Doc: "the words themselves"},
		}},
		{Name: "component", Doc: "parts of the repository it touched", Columns: []stemma.Column{
			{Name: "path", Type: stemma.Text, Index: true, Doc: "directory"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "carries", To: []stemma.Kind{stemma.KindCommit}, Flow: stemma.Both, Doc: "its commits"},
		{Name: "head", To: []stemma.Kind{stemma.KindCommit}, Flow: stemma.Both, Doc: "commits that it showed for review, and what a merge queue made of them"},
		{Name: "driver", To: people, Doc: "who drove the agent that brought it"},
		{Name: "picked-from", To: []stemma.Kind{stemma.KindChange}, Doc: "changes that it brings to another branch"},
		{Name: "implements", To: []stemma.Kind{stemma.KindTicket}, Flow: stemma.Up, Doc: "tickets it works on"},
		{Name: "satisfies", To: []stemma.Kind{stemma.KindRequirement}, Flow: stemma.Up, Doc: "requirements it meets"},
		{Name: "fixes", To: []stemma.Kind{stemma.KindChange, stemma.KindCommit}, Doc: "what it mends"},
		{Name: "reverts", To: []stemma.Kind{stemma.KindChange}, Doc: "changes it takes back"},
		{Name: "author", To: people, Doc: "who proposed it"},
		{Name: "merged-by", To: people, Doc: "who merged it"},
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "where it went"},
		{Name: "session", To: []stemma.Kind{stemma.KindSession}, Flow: stemma.Up, Doc: "agent sessions it came from"},
	},
}

var releaseSpec = stemma.KindSpec{
	Kind: stemma.KindRelease,
	Doc:  "a tag",
	Columns: []stemma.Column{
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "where it is"},
		{Name: "name", Type: stemma.Text, Index: true, Doc: "of the tag"},
		{Name: "target", Type: stemma.Link, Doc: "commit it tags"},
		{Name: "tagged", Type: stemma.Time, Index: true, Doc: "when it was made"},
		{Name: "annotated", Type: stemma.Bool, Doc: "an object of its own"},
		{Name: "signature", Type: stemma.Text, Doc: "form of its signature, unverified"},
		{Name: "title", Type: stemma.Text, Doc: "first line of its message"},
		{Name: "tag_object", Type: stemma.Text, Doc: "hash of the tag object"},
		{Name: "deleted", Type: stemma.Bool, Doc: "the tag is not there any more"},
		{Name: "published", Type: stemma.Time, Index: true, Doc: "when the forge told the world"},
		{Name: "prerelease", Type: stemma.Bool, Doc: "not yet for everybody"},
		{Name: "url", Type: stemma.Text, Doc: "to browse"},
	},
	Doors: []stemma.Door{
		{Name: "tags", To: []stemma.Kind{stemma.KindCommit}, Flow: stemma.Up, Doc: "commit it tags"},
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "where it is"},
		{Name: "tagger", To: people, Doc: "who made it"},
	},
}
