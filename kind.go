package stemma

// A Kind is a sort of thing that a Ref can name.
type Kind string

// The kinds, in the order of the rooms that keep them.
const (
	KindPerson  Kind = "person"
	KindBot     Kind = "bot"
	KindAgent   Kind = "agent"
	KindModel   Kind = "model"
	KindKey     Kind = "key"
	KindRole    Kind = "role"
	KindTie     Kind = "tie"
	KindMandate Kind = "mandate"

	KindRequirement Kind = "requirement"
	KindTicket      Kind = "ticket"

	KindSession Kind = "session"

	KindAttribution Kind = "attribution"
	KindFile        Kind = "file"

	KindRepository Kind = "repository"
	KindCommit     Kind = "commit"
	KindChange     Kind = "change"
	KindRelease    Kind = "release"
	KindPush       Kind = "push"
	KindProtection Kind = "protection"

	KindReview   Kind = "review"
	KindStanding Kind = "standing"

	KindRun    Kind = "run"
	KindTest   Kind = "test"
	KindScan   Kind = "scan"
	KindConfig Kind = "config"
	KindRunner Kind = "runner"

	KindArtifact    Kind = "artifact"
	KindAttestation Kind = "attestation"
	KindBom         Kind = "bom"
	KindPackage     Kind = "package"

	KindDeployment  Kind = "deployment"
	KindEnvironment Kind = "environment"
	KindSnapshot    Kind = "snapshot"

	KindIncident Kind = "incident"

	KindPolicy     Kind = "policy"
	KindAssessment Kind = "assessment"
	KindException  Kind = "exception"
	KindAdvisory   Kind = "advisory"
	KindRound      Kind = "round"

	// KindGap belongs to no room: any source can fall silent.
	KindGap Kind = "gap"
)

// A Stage is one step of the way from a requirement to an incident. A trace
// names the stages for which it found nothing.
type Stage string

// The stages in causal order.
const (
	StageRequirement Stage = "requirement"
	StageTicket      Stage = "ticket"
	StageSession     Stage = "session"
	StageCommit      Stage = "commit"
	StageChange      Stage = "change"
	StageReview      Stage = "review"
	StagePipeline    Stage = "pipeline"
	StageArtifact    Stage = "artifact"
	StageDeployment  Stage = "deployment"
	StageIncident    Stage = "incident"
)

// Stages lists every stage from cause to effect.
var Stages = []Stage{
	StageRequirement, StageTicket, StageSession, StageCommit, StageChange,
	StageReview, StagePipeline, StageArtifact, StageDeployment, StageIncident,
}
