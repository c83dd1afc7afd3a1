// Package subject is what a control is asked about: one change, with all that is known
// of the way to it and from it, as plain values.
//
// Its types are the vocabulary of rules: a field is called in a rule as in JSON, and a case
// beside a control is written with the same names. Who fills a subject in tells what the
// graph knows; what follows from that is added by [Subject.Derive], in one way for
// all. The package does no I/O and reads no clock.
//
// What is not known is empty: a time is zero, a text is "", a list has no elements. A rule
// asks by known(time), and never takes what is not known for good.
package subject

import "time"

// A Subject is one change with its lineage.
type Subject struct {
	Change          Change          `json:"change"`
	Repository      Repository      `json:"repository"`
	Commits         []Commit        `json:"commits,omitempty"` // that it carries
	Files           []File          `json:"files,omitempty"`   // that it touches
	Spans           []Span          `json:"spans,omitempty"`   // whose the lines are that it added
	Sessions        []Session       `json:"sessions,omitempty"`
	Reviews         []Review        `json:"reviews,omitempty"`
	Runs            []Run           `json:"runs,omitempty"`
	Tests           []Test          `json:"tests,omitempty"`
	Scans           []Scan          `json:"scans,omitempty"`
	Artifacts       []Artifact      `json:"artifacts,omitempty"`       // built of it
	Packages        []Package       `json:"packages,omitempty"`        // that came in with these, or are in them and an advisory is about
	Vulnerabilities []Vulnerability `json:"vulnerabilities,omitempty"` // that advisories tell of in these
	Unmatched       []Unmatched     `json:"unmatched,omitempty"`       // what came in and advisories cannot be held against
	Deployments     []Deployment    `json:"deployments,omitempty"`
	Incidents       []Incident      `json:"incidents,omitempty"`
	Tickets         []Ticket        `json:"tickets,omitempty"`
	Requirements    []Requirement   `json:"requirements,omitempty"`
	Exceptions      []Exception     `json:"exceptions,omitempty"`
	Advisories      []Advisory      `json:"advisories,omitempty"` // about models that it was made with
	Gaps            []Gap           `json:"gaps,omitempty"`       // open, in sources that tell of it
	Risk            int             `json:"risk,omitempty"`       // 0 to 100, when it is judged
	Log             Log             `json:"log"`
	Settings        Settings        `json:"settings"` // of its repository
	Now             time.Time       `json:"now,omitzero"`
}

// A Thing is what a finding may rest on: something with a name, and how good the evidence
// of it is.
type Thing struct {
	Ref   string `json:"ref"`
	Grade string `json:"grade,omitempty"` // A to D
}

// A Person is who did something.
type Person struct {
	Ref   string `json:"ref,omitempty"`
	Self  string `json:"self,omitempty"` // the same for all accounts of one person; the ref if nothing is known
	Human bool   `json:"human,omitempty"`
	Bot   bool   `json:"bot,omitempty"`
}

// A Repository is where the change went.
type Repository struct {
	Thing
	Name          string     `json:"name,omitempty"` // acme/pay
	Host          string     `json:"host,omitempty"`
	DefaultBranch string     `json:"default_branch,omitempty"`
	Protection    Protection `json:"protection,omitzero"` // of the branch that the change went to, when it did
	Captured      bool       `json:"captured,omitempty"`  // sessions of agents are known of it
	Scanned       bool       `json:"scanned,omitempty"`   // its history was read
	Forge         bool       `json:"forge,omitempty"`     // its forge tells what happens
}

// A Protection is what a forge asks for before a branch changes.
type Protection struct {
	Thing
	Known          bool      `json:"known,omitempty"`     // a forge told; without that nothing else is
	Approvals      int       `json:"approvals,omitempty"` // how many a merge needs
	Owners         bool      `json:"owners,omitempty"`    // owners of the files must approve
	StaleDismissed bool      `json:"stale_dismissed,omitempty"`
	Checks         bool      `json:"checks,omitempty"` // checks must have passed
	ForAdmins      bool      `json:"for_admins,omitempty"`
	ForcePushes    bool      `json:"force_pushes,omitempty"`
	Changed        time.Time `json:"changed,omitzero"`
}

// A Change is what came into a branch at once.
type Change struct {
	Thing
	Number       int       `json:"number,omitempty"`
	Title        string    `json:"title,omitempty"`
	Method       string    `json:"method,omitempty"` // merge, squash, rebase or direct
	State        string    `json:"state,omitempty"`  // open, merged, closed; "" if only its landing is known
	Target       string    `json:"target,omitempty"`
	Intent       string    `json:"intent,omitempty"` // feature, bug-fix, security-fix, refactor, revert, …
	Opened       time.Time `json:"opened,omitzero"`
	Merged       time.Time `json:"merged,omitzero"`
	Recorded     time.Time `json:"recorded,omitzero"` // when the first word of its landing came in
	Author       Person    `json:"author,omitzero"`
	Merger       Person    `json:"merger,omitzero"`
	Drivers      []Person  `json:"drivers,omitempty"` // of the agents that brought it
	Shown        []Person  `json:"shown,omitempty"`   // who wrote the commits that it showed for review, also those that a forge made one of
	Makers       []Person  `json:"makers,omitempty"`  // derived: author, drivers, operators of its sessions, authors of its commits
	Head         string    `json:"head,omitempty"`    // commit that was last shown for review
	HeadTree     string    `json:"head_tree,omitempty"`
	MoreFiles    bool      `json:"more_files,omitempty"`   // it touches more than are looked at
	MoreCommits  bool      `json:"more_commits,omitempty"` // it has more than are looked at
	MoreBuilt    bool      `json:"more_built,omitempty"`   // more was built of it than is looked at
	Queued       []string  `json:"queued,omitempty"`       // commits that a merge queue made of it, the last one last
	Landed       string    `json:"landed,omitempty"`       // commit in which it stands on its branch
	Added        int       `json:"added,omitempty"`
	Deleted      int       `json:"deleted,omitempty"`
	AILines      int       `json:"ai_lines,omitempty"` // of the lines that it added
	HumanLines   int       `json:"human_lines,omitempty"`
	UnknownLines int       `json:"unknown_lines,omitempty"`
	Attempts     int       `json:"attempts,omitempty"` // until pipelines found it good; 0 if it is not known
	Green        bool      `json:"green,omitempty"`
	Reprompts    int       `json:"reprompts,omitempty"`
	FixAuthor    string    `json:"fix_author,omitempty"`    // of a fix: who wrote the lines that mend
	OriginAuthor string    `json:"origin_author,omitempty"` // and those that were mended
	Mends        []string  `json:"mends,omitempty"`         // changes and commits that it mends
	Components   []string  `json:"components,omitempty"`
	Direct       bool      `json:"direct,omitempty"`   // derived: nobody was asked
	Dropped      bool      `json:"dropped,omitempty"`  // its branch does not have it any more
	Compared     bool      `json:"compared,omitempty"` // what landed was held against its head, merged anew with what its branch was
	Altered      int       `json:"altered,omitempty"`  // files in which it is not that
	Unseen       int       `json:"unseen,omitempty"`   // derived: lines that the merge of its head and its branch added or took away by itself; a binary file is one
	AI           bool      `json:"ai,omitempty"`       // derived: AI wrote of it, or an agent brought it
	AIShare      float64   `json:"ai_share,omitempty"` // derived: of its added lines of known origin, 0 to 1
	Tags         []string  `json:"tags,omitempty"`     // derived: boundaries that it crosses
	Untold       bool      `json:"untold,omitempty"`   // derived: of more of its added lines than may be it is not known whose they are
}

// A Commit is one that the change carries.
type Commit struct {
	Thing
	Author       Person    `json:"author,omitzero"`
	Committer    Person    `json:"committer,omitzero"`
	Committed    time.Time `json:"committed,omitzero"`
	Recorded     time.Time `json:"recorded,omitzero"`
	Title        string    `json:"title,omitempty"`
	Signature    string    `json:"signature,omitempty"` // form of its signature
	Added        int       `json:"added,omitempty"`
	Deleted      int       `json:"deleted,omitempty"`
	AILines      int       `json:"ai_lines,omitempty"`
	UnknownLines int       `json:"unknown_lines,omitempty"`
	Sessions     []string  `json:"sessions,omitempty"`
	Told         bool      `json:"told,omitempty"`          // derived: of every session that it names something is told by itself
	AIAuthor     bool      `json:"ai_author,omitempty"`     // an agent's own account wrote it, or a trailer names one
	UsesCapture  bool      `json:"uses_capture,omitempty"`  // sessions of its author are known in this repository
	Merge        bool      `json:"merge,omitempty"`         // it has several parents
	Unattributed int       `json:"unattributed,omitempty"`  // lines of which no record tells at all
	HasRecord    bool      `json:"has_record,omitempty"`    // a record of its lines is known
	BinaryBytes  int       `json:"binary_bytes,omitempty"`  // of binary files that it brought
	OnDefault    bool      `json:"on_default,omitempty"`    // the default branch reaches it
	RecordWriter string    `json:"record_writer,omitempty"` // program that wrote the record
}

// A File is one that the change touches.
type File struct {
	Path      string   `json:"path"`               // as git writes it: quoted if it holds a control character or the like; fits looks at what it is
	Status    string   `json:"status,omitempty"`   // A M D R C T
	MovedTo   string   `json:"moved_to,omitempty"` // of the old path of a file that was renamed, which is a file of its own: the new one
	Added     int      `json:"added,omitempty"`
	Deleted   int      `json:"deleted,omitempty"`
	AILines   int      `json:"ai_lines,omitempty"`
	ByAI      bool     `json:"by_ai,omitempty"`     // a commit with lines of AI, or that an agent had a part in (ai_author), touched it
	Test      bool     `json:"test,omitempty"`      // derived, from its name
	Manifest  bool     `json:"manifest,omitempty"`  // derived: it names dependencies
	Tags      []string `json:"tags,omitempty"`      // derived, by the settings: auth, payments, pci, phi
	Sensitive bool     `json:"sensitive,omitempty"` // derived: it has such a tag
	Protected bool     `json:"protected,omitempty"` // derived: two people have to approve
	Forbidden bool     `json:"forbidden,omitempty"` // derived: AI may not write it
}

// A Span is lines that the change added, of one origin.
type Span struct {
	Path      string `json:"path,omitempty"`
	Lines     int    `json:"lines"`
	Origin    string `json:"origin"`               // ai, human, unknown
	Session   string `json:"session,omitempty"`    // ref
	Model     string `json:"model,omitempty"`      // ref, if it has a name
	ModelName string `json:"model_name,omitempty"` // as the source spells it
	Agent     string `json:"agent,omitempty"`
	Stated    bool   `json:"stated,omitempty"` // its session is told of by itself, not only named here
}

// A Model is one that a session used.
type Model struct {
	Ref     string `json:"ref,omitempty"`
	Name    string `json:"name"` // as the tool spells it
	Version string `json:"version,omitempty"`
	Named   bool   `json:"named,omitempty"`   // the name says which model it is
	Allowed bool   `json:"allowed,omitempty"` // derived, by the settings
	Turns   int    `json:"turns,omitempty"`
}

// A Session is one run of an agent from which the change came, or that spawned one.
type Session struct {
	Thing
	Tool           string    `json:"tool,omitempty"`
	HarnessVersion string    `json:"harness_version,omitempty"`
	Started        time.Time `json:"started,omitzero"`
	Ended          time.Time `json:"ended,omitzero"`
	Recorded       time.Time `json:"recorded,omitzero"`
	Stated         bool      `json:"stated,omitempty"` // it is told of by itself, not only named
	Parent         string    `json:"parent,omitempty"`
	Depth          int       `json:"depth,omitempty"`
	Operators      []Person  `json:"operators,omitempty"` // who started it
	Models         []Model   `json:"models,omitempty"`
	Turns          int       `json:"turns,omitempty"`
	Kept           int       `json:"kept,omitempty"`   // messages of which the text is kept
	Erased         int       `json:"erased,omitempty"` // messages of which it was erased, by a tombstone
	Prompts        int       `json:"prompts,omitempty"`
	Iterations     int       `json:"iterations,omitempty"`
	Reprompts      int       `json:"reprompts,omitempty"`
	CostMicroUSD   int       `json:"cost_micro_usd,omitempty"`
	Priced         bool      `json:"priced,omitempty"` // all of its tokens have a price
	Configs        []Config  `json:"configs,omitempty"`
	Tools          []Tool    `json:"tools,omitempty"`
	Tickets        []string  `json:"tickets,omitempty"`
	Bodies         bool      `json:"bodies,omitempty"`    // derived: every message is kept, or was erased lawfully
	Root           string    `json:"root,omitempty"`      // derived: the session at the top, "" if the chain does not end
	Principal      bool      `json:"principal,omitempty"` // derived: a person started the one at the top
	Service        string    `json:"service,omitempty"`   // derived, by the settings: the program that may start agents and started that one
}

// A Config is what a session worked under.
type Config struct {
	Kind   string `json:"kind"` // system-prompt, rules, mcp-server
	Name   string `json:"name,omitempty"`
	Digest string `json:"digest,omitempty"`
}

// A Tool is one that a session called.
type Tool struct {
	Name      string `json:"name"`
	Calls     int    `json:"calls,omitempty"`
	Network   bool   `json:"network,omitempty"`   // it talks to other machines
	Untrusted bool   `json:"untrusted,omitempty"` // derived: it brings text from outside
	Allowed   bool   `json:"allowed,omitempty"`   // derived, by the settings
}

// A Review is one judgement of the change.
type Review struct {
	Thing
	By        Person    `json:"by,omitzero"`
	Verdict   string    `json:"verdict,omitempty"` // approved, rejected, commented, requested
	Head      string    `json:"head,omitempty"`
	Tree      string    `json:"tree,omitempty"`
	Submitted time.Time `json:"submitted,omitzero"`
	Recorded  time.Time `json:"recorded,omitzero"`
	Dismissed bool      `json:"dismissed,omitempty"`
	Comments  int       `json:"comments,omitempty"`
	Roles     []Role    `json:"roles,omitempty"`    // of who gave it, at that moment
	Last      bool      `json:"last,omitempty"`     // derived: their last word, comments apart
	OnHead    bool      `json:"on_head,omitempty"`  // derived: of what was merged, or of an equal tree
	ByMaker   bool      `json:"by_maker,omitempty"` // derived: of who made the change or drove the agent that did
	Counts    bool      `json:"counts,omitempty"`   // derived: a standing approval of what was merged by a person who did not make it
}

// A Role is one in which a review was given.
type Role struct {
	Thing
	Role   string `json:"role"`             // owner, maintainer, security-reviewer
	Method string `json:"method,omitempty"` // how it is known: codeowners, role-map, forge-member, forge-team
	Owned  int    `json:"owned,omitempty"`  // files of the change that the reviewer owns
	Files  int    `json:"files,omitempty"`  // files of the change
}

// A Run is one attempt of a pipeline.
type Run struct {
	Thing
	Name       string    `json:"name,omitempty"`
	System     string    `json:"system,omitempty"`
	Attempt    int       `json:"attempt,omitempty"`
	Conclusion string    `json:"conclusion,omitempty"` // success, failure, cancelled, skipped, unknown; "" while it runs
	Commit     string    `json:"commit,omitempty"`
	Started    time.Time `json:"started,omitzero"`
	Trigger    string    `json:"trigger,omitempty"`
	Actor      Person    `json:"actor,omitzero"`
	PartOf     string    `json:"part_of,omitempty"`
	Configs    int       `json:"configs,omitempty"` // files that told it what to do
	Pinned     bool      `json:"pinned,omitempty"`  // all that they take from elsewhere is named by its hash
	OnHead     bool      `json:"on_head,omitempty"` // derived: on what was merged, or what a merge queue made of it
	Latest     bool      `json:"latest,omitempty"`  // derived: the last attempt on what was merged, by name
	Required   bool      `json:"required,omitempty"`
}

// A Test is the result of one suite.
type Test struct {
	Thing
	Suite   string `json:"suite,omitempty"`
	Status  string `json:"status,omitempty"` // passed, failed, skipped, unknown
	Failed  int    `json:"failed,omitempty"`
	Passed  int    `json:"passed,omitempty"`
	Skipped int    `json:"skipped,omitempty"`
	Run     string `json:"run,omitempty"`
	Commit  string `json:"commit,omitempty"`
	OnHead  bool   `json:"on_head,omitempty"` // derived
	Before  []Test `json:"before,omitempty"`  // the same suite on the commit that the change stands on, if it is known
}

// A Scan is what one scanner found.
type Scan struct {
	Thing
	Tool     string    `json:"tool,omitempty"`
	Format   string    `json:"format,omitempty"`
	Findings int       `json:"findings,omitempty"`
	Critical int       `json:"critical,omitempty"`
	High     int       `json:"high,omitempty"`
	Run      string    `json:"run,omitempty"`
	Commit   string    `json:"commit,omitempty"`
	At       time.Time `json:"at,omitzero"`
	Rules    []string  `json:"rules,omitempty"`   // that found something of high severity or above
	OnHead   bool      `json:"on_head,omitempty"` // derived
	Latest   bool      `json:"latest,omitempty"`  // derived: it is of the last run of its pipeline on what was merged, or, of no run, the last one of its tool
	Secrets  bool      `json:"secrets,omitempty"` // derived: it looks for secrets
	New      int       `json:"new,omitempty"`     // derived: high or critical, and not among those before
	Before   []Scan    `json:"before,omitempty"`  // by the same tool on the commit that the change stands on, if it is known
}

// An Artifact is something built of the change.
type Artifact struct {
	Thing
	Name         string        `json:"name,omitempty"`
	Digest       string        `json:"digest,omitempty"`
	Run          string        `json:"run,omitempty"` // that built it
	Commit       string        `json:"commit,omitempty"`
	Attestations []Attestation `json:"attestations,omitempty"`
	Boms         []Bom         `json:"boms,omitempty"`
	Attested     bool          `json:"attested,omitempty"` // derived: provenance of it was verified
}

// An Attestation is a statement by somebody else about an artifact or a commit.
type Attestation struct {
	Thing
	Predicate  string `json:"predicate,omitempty"`  // its type
	Signature  string `json:"signature,omitempty"`  // holds, stranger, broken, unsigned, elsewhere (it signs something about another thing); or why it is not known: erased, missing, unreadable
	Signer     string `json:"signer,omitempty"`     // who signed, as the trust map calls them
	Builder    string `json:"builder,omitempty"`    // as what was signed says
	Source     string `json:"source,omitempty"`     // commit that it says it was built of
	Verified   bool   `json:"verified,omitempty"`   // the signature holds
	Trusted    bool   `json:"trusted,omitempty"`    // the trust map knows who signed
	Provenance bool   `json:"provenance,omitempty"` // derived: it says how something was built
	Speaks     bool   `json:"speaks,omitempty"`     // derived: who signed is trusted to speak for the builder
	Level      int    `json:"level,omitempty"`      // derived: of SLSA Build, as the trust map says of the builder
}

// A Bom is a bill of materials.
type Bom struct {
	Thing
	Format     string `json:"format,omitempty"`
	Components int    `json:"components,omitempty"`
	Unresolved int    `json:"unresolved,omitempty"`
	More       bool   `json:"more,omitempty"` // it names more than are looked at
}

// A Package is one that came in with what was built of the change, or in another version,
// or of which an advisory tells something. How many parts there are in all a Bom says.
type Package struct {
	Thing               // what a registry tells of it; without a name if nobody told
	Name      string    `json:"name"` // package URL without a version
	Versions  []string  `json:"versions,omitempty"`
	Kept      bool      `json:"kept,omitempty"`      // the bill of materials of what was built before, of the commit that the change stands on, names it too
	Came      bool      `json:"came,omitempty"`      // such a bill of materials is known, and has it not, or not in this version
	Told      bool      `json:"told,omitempty"`      // it is known what a registry says of it
	Missing   bool      `json:"missing,omitempty"`   // that it has no such package
	First     time.Time `json:"first,omitzero"`      // when its first version was published
	Downloads int       `json:"downloads,omitempty"` // in a month; 0 if it is not known
	Asked     time.Time `json:"asked,omitzero"`      // when the registry was asked
	Listed    bool      `json:"listed,omitempty"`    // derived, by the settings: somebody decided on it
	MadeUp    bool      `json:"made_up,omitempty"`   // derived: it was not there when the work on the change began
	Vetted    bool      `json:"vetted,omitempty"`    // derived, by the settings: it may be used
	Refused   string    `json:"refused,omitempty"`   // derived, by the settings: why it may not be used
}

// A Vulnerability is what an advisory tells of a version of a package that came in, unless
// it was taken back.
type Vulnerability struct {
	Thing
	Package   string    `json:"package"` // package URL without a version
	Version   string    `json:"version,omitempty"`
	Title     string    `json:"title,omitempty"`
	Severity  string    `json:"severity,omitempty"`
	Malicious bool      `json:"malicious,omitempty"` // the package was made to do harm
	Published time.Time `json:"published,omitzero"`
	Modified  time.Time `json:"modified,omitzero"`
	Kept      bool      `json:"kept,omitempty"`    // the bill of materials of what was built before has that version too
	Unsure    string    `json:"unsure,omitempty"`  // why it is not known whether that version is affected; "" if it is
	Grave     bool      `json:"grave,omitempty"`   // derived: it is affected, and the package is malicious or the severity high or above
	Open      bool      `json:"open,omitempty"`    // derived: that may be so, and is not known
	Scanned   bool      `json:"scanned,omitempty"` // derived: what came in was scanned after this was published, and changed last
}

// An Unmatched is parts that came in with what was built of the change, and of which nobody
// can tell whether an advisory is about them.
type Unmatched struct {
	Reason   string    `json:"reason"`
	Parts    []string  `json:"parts,omitempty"` // the first of them
	Count    int       `json:"count,omitempty"`
	Nameless bool      `json:"nameless,omitempty"` // they have no package URL, so that nobody can say what they are
	Known    time.Time `json:"known,omitzero"`     // when the last advisory that may be about them was published or changed; none if there is none
	Open     bool      `json:"open,omitempty"`     // derived: there is one
	Scanned  bool      `json:"scanned,omitempty"`  // derived: what came in was scanned after that
}

// A Deployment is one that brought the change somewhere.
type Deployment struct {
	Thing
	Environment string    `json:"environment,omitempty"`
	Tier        string    `json:"tier,omitempty"` // production, staging, …
	Service     string    `json:"service,omitempty"`
	Version     string    `json:"version,omitempty"`
	Status      string    `json:"status,omitempty"`
	Task        string    `json:"task,omitempty"`
	At          time.Time `json:"at,omitzero"`
	Actor       Person    `json:"actor,omitzero"`
	Run         string    `json:"run,omitempty"`
	Artifacts   []string  `json:"artifacts,omitempty"`   // that it ships
	Replaces    string    `json:"replaces,omitempty"`    // deployment
	ReplacesOf  []string  `json:"replaces_of,omitempty"` // artifacts that the replaced one shipped and that are still there
	First       bool      `json:"first,omitempty"`       // of its service: there is nothing to go back to
	Orphans     int       `json:"orphans,omitempty"`     // commits that it brought and no change carried, -1 if nobody counted
	Direct      int       `json:"direct,omitempty"`      // changes that it brought and nobody was asked about
	Unexplained int       `json:"unexplained,omitempty"` // things that ran there after it and no deployment explains
	Snapshots   int       `json:"snapshots,omitempty"`   // how often it was looked what runs there, after it
	Production  bool      `json:"production,omitempty"`  // derived
	Succeeded   bool      `json:"succeeded,omitempty"`   // derived
	ByMaker     bool      `json:"by_maker,omitempty"`    // derived: of who made the change
}

// An Incident is one that the change caused, is suspected of, or mends.
type Incident struct {
	Thing
	Severity   string    `json:"severity,omitempty"`
	State      string    `json:"state,omitempty"`
	Opened     time.Time `json:"opened,omitzero"`
	Resolved   time.Time `json:"resolved,omitzero"`
	Causes     []string  `json:"causes,omitempty"` // confirmed
	Suspects   []string  `json:"suspects,omitempty"`
	RuledOut   []string  `json:"ruled_out,omitempty"`
	Traced     time.Time `json:"traced,omitzero"`    // when its first cause was confirmed
	Deployed   bool      `json:"deployed,omitempty"` // deployments are among causes or suspects
	CausedHere bool      `json:"caused_here,omitempty"`
}

// A Ticket is a piece of work that the change does.
type Ticket struct {
	Thing
	Title  string    `json:"title,omitempty"`
	State  string    `json:"state,omitempty"`
	Type   string    `json:"type,omitempty"`
	Opened time.Time `json:"opened,omitzero"`
	Closed time.Time `json:"closed,omitzero"`
	Stated bool      `json:"stated,omitempty"` // a tracker told of it; else it is only named
	Method string    `json:"method,omitempty"` // how the link was found
}

// A Requirement is one that the change serves.
type Requirement struct {
	Thing
	Title string `json:"title,omitempty"`
}

// An Exception lets one control not hold for a while.
type Exception struct {
	Thing
	Control     string    `json:"control"` // id; "*" for all
	Reason      string    `json:"reason,omitempty"`
	Owner       Person    `json:"owner,omitzero"`    // who asked for it
	Approver    Person    `json:"approver,omitzero"` // who granted it
	Opened      time.Time `json:"opened,omitzero"`
	Until       time.Time `json:"until,omitzero"`
	FollowedUp  time.Time `json:"followed_up,omitzero"`
	Emergency   bool      `json:"emergency,omitempty"`
	Approved    time.Time `json:"approved,omitzero"`
	Withdrawn   time.Time `json:"withdrawn,omitzero"`
	Waived      bool      `json:"waived,omitempty"`       // a verdict about the change that it is for rested on it once
	SelfGranted bool      `json:"self_granted,omitempty"` // derived: by who asked for it, or by nobody
	Holds       bool      `json:"holds,omitempty"`        // derived: now
	Void        bool      `json:"void,omitempty"`         // derived: withdrawn, and it never let anything pass
	Late        bool      `json:"late,omitempty"`         // derived: the follow-up is overdue
}

// An Advisory says that something is wrong with a model.
type Advisory struct {
	Thing
	Model     string    `json:"model"` // pattern of names
	Title     string    `json:"title,omitempty"`
	Severity  string    `json:"severity,omitempty"`
	Since     time.Time `json:"since,omitzero"` // uses from then on are concerned
	Published time.Time `json:"published,omitzero"`
	Withdrawn time.Time `json:"withdrawn,omitzero"`
	Applies   bool      `json:"applies,omitempty"` // derived: to a model of this change at the time of its use
}

// A Gap is recorded silence.
type Gap struct {
	Source string    `json:"source,omitempty"`
	Place  string    `json:"place,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Seen   time.Time `json:"seen,omitzero"`
}

// A Log is the state of the log in which all of this is kept.
type Log struct {
	Checked    time.Time `json:"checked,omitzero"` // when all of it was verified last
	Problems   int       `json:"problems,omitempty"`
	Signed     bool      `json:"signed,omitempty"`  // its last checkpoint is signed
	Size       int       `json:"size,omitempty"`    // of that checkpoint
	Behind     int       `json:"behind,omitempty"`  // facts that came since
	Anchored   time.Time `json:"anchored,omitzero"` // when a checkpoint was last kept elsewhere
	Consistent bool      `json:"consistent,omitempty"`
}
