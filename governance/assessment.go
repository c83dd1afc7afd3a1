package governance

import "github.com/stemma-dev/stemma"

// A Policy is what changes were judged by.
type Policy struct {
	ID       stemma.Ref      `json:"-" fact:"subject"` // see [PolicyRef]
	Since    stemma.Moment   `json:"since,omitempty" fact:"occurred"`
	Count    int             `json:"controls"`
	Packs    string          `json:"packs,omitempty"`
	Decided  string          `json:"decided,omitempty"` // digest of modes, scopes and settings
	Controls []PolicyControl `json:"control,omitzero"`
}

// A PolicyControl is a control of a policy.
type PolicyControl struct {
	Control  string `json:"control"`
	Version  int    `json:"version"`
	Severity string `json:"severity,omitempty" of:"critical high medium low"`
	Title    string `json:"title,omitempty"`
	Digest   string `json:"digest,omitempty"` // of its rules
}

// PolicyRef names the policy of a digest, written "sha256:hex".
func PolicyRef(digest string) stemma.Ref {
	algorithm, hex := cut(digest)
	return stemma.NewRef(stemma.KindPolicy, algorithm, hex)
}

// Ref names the policy.
func (p Policy) Ref() stemma.Ref { return p.ID }

// Fact states the policy.
func (p Policy) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, p, source, grade)
}

// PolicyFromFact reads what Fact wrote.
func PolicyFromFact(f stemma.Fact) (Policy, error) { return stemma.Recall[Policy](Room, f) }

// An Assessment is how every control stands for one change.
type Assessment struct {
	ID         stemma.Ref    `json:"-" fact:"subject"` // see [AssessmentRef]
	Change     stemma.Ref    `json:"change" door:"assesses"`
	Repository stemma.Ref    `json:"repository,omitempty"`
	State      string        `json:"state,omitempty" of:"open merged closed"`
	Head       stemma.Ref    `json:"head,omitempty"`   // that it showed for review when it was judged
	Queued     stemma.Ref    `json:"queued,omitempty"` // that a merge queue made of it last
	Landed     stemma.Ref    `json:"landed,omitempty"` // in which it stands on its branch
	Policy     stemma.Ref    `json:"policy,omitempty" door:"judged-by"`
	Evaluated  stemma.Moment `json:"evaluated" fact:"occurred"`
	Merged     stemma.Moment `json:"merged,omitempty"`
	Trigger    string        `json:"trigger" of:"head merge evidence policy advisory vulnerability exception repository time asked"`
	Score      int           `json:"score"`
	Passed     int           `json:"passed"`
	Failed     int           `json:"failed"`
	Unknown    int           `json:"unknown"`
	Waived     int           `json:"waived"`
	Blocks     bool          `json:"blocks"`
	Due        int           `json:"due"`    // Unix seconds; 0 if nothing is waited for
	Turned     int           `json:"turned"` // controls that stand otherwise than the time before
	Log        int           `json:"log"`    // entries that were known when it was judged
	Digest     string        `json:"digest,omitempty"`

	Findings []Finding `json:"finding,omitzero"`
	Factors  []Factor  `json:"factor,omitzero"`

	WaivedBy []stemma.Ref `json:"-" door:"waived-by"`
}

// A Finding is how one control stands.
type Finding struct {
	Control   string     `json:"control"`
	Version   int        `json:"version"`
	Severity  string     `json:"severity,omitempty" of:"critical high medium low"`
	Mode      string     `json:"mode,omitempty" of:"enforce warn observe"`
	State     string     `json:"state" of:"pass fail unknown not-applicable waived"`
	Before    string     `json:"before,omitempty" of:"pass fail unknown not-applicable waived"`
	Reason    string     `json:"reason,omitempty"`
	Rests     string     `json:"rests,omitempty"` // refs between spaces, the first of them
	Grade     string     `json:"grade,omitempty" of:"A B C D"`
	Exception stemma.Ref `json:"exception,omitempty"`
	Blocks    bool       `json:"blocks,omitempty"`
	Waits     bool       `json:"waits,omitempty"` // evidence may still come
}

// A Factor is a part of the score.
type Factor struct {
	Name   string `json:"name"`
	Weight int    `json:"weight"`
	Signal *int   `json:"signal,omitempty"` // in percent; nil if it is not known
	Text   string `json:"text,omitempty"`
}

// AssessmentRef names the assessment of a change.
func AssessmentRef(of stemma.Ref) stemma.Ref {
	authority, key := of.Split()
	return stemma.NewRef(stemma.KindAssessment, authority, key)
}

// Ref names the assessment.
func (a Assessment) Ref() stemma.Ref { return a.ID }

// Fact states the assessment.
func (a Assessment) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, a, source, grade)
}

// AssessmentFromFact reads what Fact wrote.
func AssessmentFromFact(f stemma.Fact) (Assessment, error) {
	return stemma.Recall[Assessment](Room, f)
}

// A Round is changes that were judged again for one reason.
type Round struct {
	ID      stemma.Ref    `json:"-" fact:"subject"` // see [RoundRef]
	Trigger string        `json:"trigger" of:"policy advisory vulnerability exception repository time asked"`
	Started stemma.Moment `json:"started" fact:"occurred"`
	Policy  stemma.Ref    `json:"policy,omitempty" door:"judged-by"`
	Judged  int           `json:"judged"`
	Turned  int           `json:"turned"`
	Turns   []Turn        `json:"turn,omitzero"`
}

// A Turn is a control that stands otherwise than before.
type Turn struct {
	Change  stemma.Ref `json:"change"`
	Control string     `json:"control"`
	Was     string     `json:"was,omitempty" of:"pass fail unknown not-applicable waived"` // "" if it was not judged
	State   string     `json:"state,omitempty" of:"pass fail unknown not-applicable waived"`
}

// RoundRef names a round by its trigger and an id.
func RoundRef(trigger, id string) stemma.Ref { return stemma.NewRef(stemma.KindRound, trigger, id) }

// Ref names the round.
func (r Round) Ref() stemma.Ref { return r.ID }

// Fact states the round.
func (r Round) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, r, source, grade)
}

// RoundFromFact reads what Fact wrote.
func RoundFromFact(f stemma.Fact) (Round, error) { return stemma.Recall[Round](Room, f) }
