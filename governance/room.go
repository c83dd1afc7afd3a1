// Package governance keeps how changes were judged: what they were judged by, how each
// control stood, what was let pass for a while, and what is known to be wrong with models.
//
// Refs: assessment:HOST/OWNER/NAME#NUMBER with the name of the change, policy:sha256/DIGEST,
// exception:CONTROL/ID, advisory:SOURCE/KEY, round:TRIGGER/ID.
//
// Doors lead aside: from an assessment to the change, the policy and the exceptions that
// it rests on, from an exception to what it is for and to who asked for it and granted it.
//
// A later assessment of the same change takes the place of the one before; all of them
// stay in the log. The package does no I/O, and never says that a change complies with
// anything: it keeps what is evidence.
package governance

import "github.com/stemma-dev/stemma"

// Room declares the kinds of this package.
var Room = stemma.Room{
	Name:  "governance",
	Kinds: []stemma.KindSpec{policySpec, assessmentSpec, exceptionSpec, advisorySpec, roundSpec},
}

var people = []stemma.Kind{stemma.KindPerson, stemma.KindBot}

var policySpec = stemma.KindSpec{
	Kind: stemma.KindPolicy,
	Doc:  "what changes were judged by, from a time on",
	Columns: []stemma.Column{
		{Name: "since", Type: stemma.Time, Index: true, Doc: "when it was in force first"},
		{Name: "controls", Type: stemma.Int, Doc: "how many controls it has"},
		{Name: "packs", Type: stemma.Text, Doc: "packs that they are of"},
		{Name: "decided", Type: stemma.Text, Doc: "digest of what was decided beside them: modes, scopes, settings"},
	},
	Lists: []stemma.List{
		{Name: "control", Doc: "its controls", Columns: []stemma.Column{
			{Name: "control", Type: stemma.Text, Index: true, Doc: "id"},
			{Name: "version", Type: stemma.Int, Doc: "of the control"},
			{Name: "severity", Type: stemma.Text, Doc: "critical, high, medium, low"},
			{Name: "title", Type: stemma.Text, Doc: "what it says"},
			{Name: "digest", Type: stemma.Text, Doc: "of its rules"},
		}},
	},
}

var assessmentSpec = stemma.KindSpec{
	Kind: stemma.KindAssessment,
	Doc:  "how every control stands for one change",
	Columns: []stemma.Column{
		{Name: "change", Type: stemma.Link, Index: true, Doc: "what was judged"},
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "where it went"},
		{Name: "state", Type: stemma.Text, Doc: "of the merge request then: open, merged, closed"},
		{Name: "head", Type: stemma.Link, Doc: "commit that it showed for review when it was judged"},
		{Name: "queued", Type: stemma.Link, Doc: "commit that a merge queue made of it last"},
		{Name: "landed", Type: stemma.Link, Doc: "commit in which it stands on its branch"},
		{Name: "policy", Type: stemma.Link, Index: true, Doc: "what it was judged by"},
		{Name: "evaluated", Type: stemma.Time, Index: true, Doc: "when"},
		{Name: "merged", Type: stemma.Time, Index: true, Doc: "when the change came in; empty if it did not yet"},
		{Name: "trigger", Type: stemma.Text, Doc: "why it was judged then: head, merge, evidence, policy, advisory, vulnerability, exception, repository, time, asked"},
		{Name: "score", Type: stemma.Int, Doc: "how much may go wrong, 0 to 100"},
		{Name: "passed", Type: stemma.Int, Doc: "controls that it meets"},
		{Name: "failed", Type: stemma.Int, Doc: "controls that it does not meet"},
		{Name: "unknown", Type: stemma.Int, Doc: "controls of which that is not known"},
		{Name: "waived", Type: stemma.Int, Doc: "controls that it does not have to meet for a while"},
		{Name: "blocks", Type: stemma.Bool, Index: true, Doc: "a control that is enforced is not met"},
		{Name: "due", Type: stemma.Int, Index: true, Doc: "when it has to be judged again, whatever comes, in seconds since 1970; 0 if nothing is waited for"},
		{Name: "turned", Type: stemma.Int, Doc: "controls that stand otherwise than the time before"},
		{Name: "log", Type: stemma.Int, Doc: "entries of the log that were known when it was judged"},
		{Name: "digest", Type: stemma.Text, Doc: "of how everything stands, to tell whether that changed"},
	},
	Lists: []stemma.List{
		{Name: "finding", Doc: "how each control stands", Columns: []stemma.Column{
			{Name: "control", Type: stemma.Text, Index: true, Doc: "id"},
			{Name: "version", Type: stemma.Int, Doc: "of the control"},
			{Name: "severity", Type: stemma.Text, Doc: "critical, high, medium, low"},
			{Name: "mode", Type: stemma.Text, Doc: "enforce, warn, observe"},
			{Name: "state", Type: stemma.Text, Doc: "pass, fail, unknown, not-applicable, waived"},
			{Name: "before", Type: stemma.Text, Doc: "the state of the time before, if that was another"},
			{Name: "reason", Type: stemma.Text, Doc: "why"},
			{Name: "rests", Type: stemma.Text, Doc: "what it rests on, the first of it, between spaces"},
			{Name: "grade", Type: stemma.Text, Doc: "the least of that evidence"},
			{Name: "exception", Type: stemma.Link, Doc: "what waives it"},
			{Name: "blocks", Type: stemma.Bool, Doc: "it holds the change up"},
			{Name: "waits", Type: stemma.Bool, Doc: "evidence may still come"},
		}},
		{Name: "factor", Doc: "what the score is made of", Columns: []stemma.Column{
			{Name: "name", Type: stemma.Text, Doc: "of the factor"},
			{Name: "weight", Type: stemma.Int, Doc: "what it counts at most, in percent"},
			{Name: "signal", Type: stemma.Int, Doc: "how much of it is there, in percent; empty if that is not known"},
			{Name: "text", Type: stemma.Text, Doc: "why"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "assesses", To: []stemma.Kind{stemma.KindChange}, Doc: "what was judged"},
		{Name: "judged-by", To: []stemma.Kind{stemma.KindPolicy}, Doc: "what it was judged by"},
		{Name: "waived-by", To: []stemma.Kind{stemma.KindException}, Doc: "exceptions that it rests on"},
	},
}

var exceptionSpec = stemma.KindSpec{
	Kind: stemma.KindException,
	Doc:  "a control that does not have to be met for a while",
	Columns: []stemma.Column{
		{Name: "control", Type: stemma.Text, Index: true, Doc: "id; * for all"},
		{Name: "change", Type: stemma.Link, Index: true, Doc: "the change that it is for"},
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "or the repository, for all of its changes"},
		{Name: "reason", Type: stemma.Text, Doc: "why, in their words"},
		{Name: "emergency", Type: stemma.Bool, Doc: "it was taken before anybody granted it"},
		{Name: "owner", Type: stemma.Link, Index: true, Doc: "who asked for it"},
		{Name: "approver", Type: stemma.Link, Doc: "who granted it"},
		{Name: "opened", Type: stemma.Time, Index: true, Doc: "when it was asked for"},
		{Name: "approved", Type: stemma.Time, Doc: "when it was granted"},
		{Name: "until", Type: stemma.Time, Index: true, Doc: "when it ends"},
		{Name: "followed_up", Type: stemma.Time, Doc: "when it was looked at again"},
		{Name: "follow_up", Type: stemma.Text, Doc: "what that showed, in their words"},
		{Name: "withdrawn", Type: stemma.Time, Doc: "when it was taken back"},
	},
	Doors: []stemma.Door{
		{Name: "for", To: []stemma.Kind{stemma.KindChange, stemma.KindRepository}, Doc: "what it is for"},
		{Name: "owner", To: people, Doc: "who asked for it"},
		{Name: "granted-by", To: people, Doc: "who granted it"},
	},
}

var advisorySpec = stemma.KindSpec{
	Kind: stemma.KindAdvisory,
	Doc:  "something that is wrong with a model, or with packages",
	Columns: []stemma.Column{
		{Name: "model", Type: stemma.Text, Index: true, Doc: "pattern of the names of models; empty of one about packages"},
		{Name: "malicious", Type: stemma.Bool, Doc: "the packages were made to do harm"},
		{Name: "title", Type: stemma.Text, Doc: "what is wrong"},
		{Name: "severity", Type: stemma.Text, Doc: "critical, high, medium, low"},
		{Name: "url", Type: stemma.Text, Doc: "to read on"},
		{Name: "since", Type: stemma.Time, Doc: "uses from then on are concerned"},
		{Name: "published", Type: stemma.Time, Index: true, Doc: "when it was told"},
		{Name: "modified", Type: stemma.Time, Index: true, Doc: "when it was changed last"},
		{Name: "withdrawn", Type: stemma.Time, Doc: "when it was taken back"},
		{Name: "standing", Type: stemma.Text, Doc: "how it stands by its last word: open or withdrawn"},
	},
	Lists: []stemma.List{
		{Name: "affects", Doc: "which versions of packages are affected", Columns: []stemma.Column{
			{Name: "package", Type: stemma.Text, Index: true, Doc: "package URL without a version"},
			{Name: "ecosystem", Type: stemma.Text, Doc: "by the rules of which versions are compared"},
			{Name: "range", Type: stemma.Int, Doc: "which rows belong together"},
			{Name: "event", Type: stemma.Text, Doc: "introduced, fixed, last-affected; version: that one; unknown: nobody can tell"},
			{Name: "version", Type: stemma.Text, Doc: "from which, before which, up to which on"},
		}},
	},
}

var roundSpec = stemma.KindSpec{
	Kind: stemma.KindRound,
	Doc:  "changes that were judged again, all for one reason",
	Columns: []stemma.Column{
		{Name: "trigger", Type: stemma.Text, Index: true, Doc: "policy, advisory, vulnerability, exception, repository, time, asked"},
		{Name: "started", Type: stemma.Time, Index: true, Doc: "when"},
		{Name: "policy", Type: stemma.Link, Doc: "what they were judged by"},
		{Name: "judged", Type: stemma.Int, Doc: "how many changes"},
		{Name: "turned", Type: stemma.Int, Doc: "of these, how many stand otherwise than before"},
	},
	Lists: []stemma.List{
		{Name: "turn", Doc: "what stands otherwise, the first of it", Columns: []stemma.Column{
			{Name: "change", Type: stemma.Link, Index: true, Doc: "of which change"},
			{Name: "control", Type: stemma.Text, Index: true, Doc: "which control"},
			{Name: "was", Type: stemma.Text, Doc: "its state before"},
			{Name: "state", Type: stemma.Text, Doc: "its state now"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "judged-by", To: []stemma.Kind{stemma.KindPolicy}, Doc: "what they were judged by"},
	},
}
