// Package deployment keeps what ran where, from when to when.
//
// Refs: deployment:ENVIRONMENT/ID, environment:NAME, snapshot:ENVIRONMENT/KEY.
//
// A deployment's doors lead up to what it ships, the changes it brings and the run
// that did it, aside to its environment and to the deployment it replaces: the one
// before of the same service, since several share an environment.
//
// A snapshot is what was seen to run in an environment, whoever put it there. What no
// deployment explains that was known then is marked in it.
//
// The package does no I/O, and a deployment whose end is not told is never
// said to be live: that is for whoever knows the next one.
package deployment

import (
	"strings"

	"github.com/stemma-dev/stemma"
)

// Room declares the kinds of this package.
var Room = stemma.Room{
	Name: "deployment",
	Kinds: []stemma.KindSpec{deploymentSpec, {
		Kind: stemma.KindEnvironment,
		Doc:  "a place where software runs",
		Columns: []stemma.Column{
			{Name: "name", Type: stemma.Text, Index: true, Doc: "prod, staging"},
			{Name: "tier", Type: stemma.Text, Doc: "production, staging, testing, development, other"},
		},
	}, snapshotSpec},
}

var deploymentSpec = stemma.KindSpec{
	Kind: stemma.KindDeployment, Stage: stemma.StageDeployment,
	Doc: "a version put into an environment",
	Columns: []stemma.Column{
		{Name: "environment", Type: stemma.Link, Index: true, Doc: "where"},
		{Name: "version", Type: stemma.Text, Index: true, Doc: "as people call it"},
		{Name: "status", Type: stemma.Text, Index: true, Doc: "pending, running, success, failure, inactive, unknown"},
		{Name: "at", Type: stemma.Time, Index: true, Doc: "when it was put there"},
		{Name: "until", Type: stemma.Time, Doc: "when another took its place"},
		{Name: "url", Type: stemma.Text, Doc: "to browse"},
		{Name: "repository", Type: stemma.Link, Index: true, Doc: "whose software it is"},
		{Name: "task", Type: stemma.Text, Doc: "as the system says: deploy, rollback"},
		{Name: "actor", Type: stemma.Link, Index: true, Doc: "who made it so"},
		{Name: "finished", Type: stemma.Time, Doc: "when its outcome was told"},
		{Name: "service", Type: stemma.Text, Index: true, Doc: "what of the environment: a component, or a repository"},
		{Name: "orphans", Type: stemma.Int, Doc: "commits that it brought and no change carried; -1 if that cannot be told any more"},
		{Name: "direct", Type: stemma.Int, Doc: "changes that it brought and nobody was asked about; -1 if that cannot be told any more"},
	},
	Doors: []stemma.Door{
		{Name: "ships", To: []stemma.Kind{stemma.KindArtifact, stemma.KindCommit, stemma.KindRelease}, Flow: stemma.Up, Doc: "what it ships"},
		{Name: "run", To: []stemma.Kind{stemma.KindRun}, Flow: stemma.Up, Doc: "the run that put it there"},
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "whose software it is"},
		{Name: "by", To: []stemma.Kind{stemma.KindPerson, stemma.KindBot}, Doc: "who made it so"},
		{Name: "into", To: []stemma.Kind{stemma.KindEnvironment}, Doc: "where"},
		{Name: "brings", To: []stemma.Kind{stemma.KindChange}, Flow: stemma.Up, Doc: "changes that were not there before"},
		{Name: "replaces", To: []stemma.Kind{stemma.KindDeployment}, Doc: "what was there before"},
	},
}

var snapshotSpec = stemma.KindSpec{
	Kind: stemma.KindSnapshot,
	Doc:  "what was seen to run in an environment",
	Columns: []stemma.Column{
		{Name: "environment", Type: stemma.Link, Index: true, Doc: "where"},
		{Name: "taken", Type: stemma.Time, Index: true, Doc: "when"},
		{Name: "format", Type: stemma.Text, Doc: "of what was read: kubernetes, inspect, digests"},
		{Name: "things", Type: stemma.Int, Doc: "how much ran"},
		{Name: "unexplained", Type: stemma.Int, Doc: "of these, what no deployment explained"},
	},
	Lists: []stemma.List{
		{Name: "running", Doc: "what ran", Columns: []stemma.Column{
			{Name: "name", Type: stemma.Text, Index: true, Doc: "of the workload and its container"},
			{Name: "image", Type: stemma.Text, Doc: "as it was asked for"},
			{Name: "artifact", Type: stemma.Link, Index: true, Doc: "what ran, if it was told by digest"},
			{Name: "explained", Type: stemma.Bool, Doc: "a deployment was known that ships it there"},
			{Name: "deployment", Type: stemma.Link, Doc: "that one"},
			{Name: "why", Type: stemma.Text, Doc: "why nothing explains it"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "in", To: []stemma.Kind{stemma.KindEnvironment}, Doc: "where"},
		{Name: "shows", To: []stemma.Kind{stemma.KindArtifact}, Doc: "what ran"},
	},
}

// A Deployment is a version put into an environment.
type Deployment struct {
	ID          stemma.Ref    `json:"-" fact:"subject"` // see [Ref]
	Environment stemma.Ref    `json:"environment,omitempty" door:"into"`
	Version     string        `json:"version,omitempty"` // as people call it
	Status      string        `json:"status,omitempty" of:"pending running success failure inactive unknown"`
	At          stemma.Moment `json:"at,omitempty" fact:"occurred"`
	Until       stemma.Moment `json:"until,omitempty"` // when another took its place
	URL         string        `json:"url,omitempty"`
	Repository  stemma.Ref    `json:"repository,omitempty" door:"in"`
	Task        string        `json:"task,omitempty"` // as the system says
	By          stemma.Ref    `json:"actor,omitempty" door:"by"`
	Finished    stemma.Moment `json:"finished,omitempty"` // when its outcome was told
	Service     string        `json:"service,omitempty"`  // what of the environment: a component, or a repository
	*Brought

	Ships    []stemma.Edge `json:"-" door:"ships"`
	Brings   []stemma.Edge `json:"-" door:"brings"`
	Replaces []stemma.Ref  `json:"-" door:"replaces"`
	Runs     []stemma.Edge `json:"-" door:"run"`
}

// Brought counts what of a deployment nobody was asked about. It is -1 where that was told
// once and cannot be told any more.
type Brought struct {
	Orphans int `json:"orphans"` // commits that it brought and no change carried
	Direct  int `json:"direct"`  // changes that it brought and that were pushed
}

// Ref names the deployment into environment that its system calls id.
func Ref(environment, id string) stemma.Ref {
	return stemma.NewRef(stemma.KindDeployment, escape(environment), id)
}

// escape keeps the name of an environment apart from what follows it: GitLab has
// environments such as review/feature-1.
func escape(environment string) string {
	return strings.NewReplacer("%", "%25", "/", "%2F").Replace(environment)
}

// Where is the name of the environment of a deployment or a snapshot.
func Where(of stemma.Ref) string {
	name, _ := of.Split()
	return strings.NewReplacer("%2F", "/", "%25", "%").Replace(name)
}

// ServiceOf is what a repository's software is called where nobody names a service: by
// the last part of the repository's name.
func ServiceOf(repository stemma.Ref) string {
	_, name := repository.Split()
	return name[strings.LastIndexByte(name, '/')+1:]
}

// Ref names the deployment.
func (d Deployment) Ref() stemma.Ref { return d.ID }

// Fact states the deployment.
func (d Deployment) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, d, source, grade)
}

// FromFact reads what Fact wrote.
func FromFact(f stemma.Fact) (Deployment, error) { return stemma.Recall[Deployment](Room, f) }

// An Environment is a place where software runs.
type Environment struct {
	Name string `json:"name"` // "prod"
	Tier string `json:"tier,omitempty" of:"production staging testing development other"`
}

// EnvironmentRef names an environment.
func EnvironmentRef(name string) stemma.Ref { return stemma.NewRef(stemma.KindEnvironment, name) }

// Ref names the environment.
func (e Environment) Ref() stemma.Ref {
	if e.Name == "" {
		return ""
	}
	return EnvironmentRef(e.Name)
}

// Fact states the environment.
func (e Environment) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, e, source, grade)
}

// EnvironmentFromFact reads what Fact wrote.
func EnvironmentFromFact(f stemma.Fact) (Environment, error) {
	return stemma.Recall[Environment](Room, f)
}

// A Snapshot is what was seen to run in an environment.
type Snapshot struct {
	ID          stemma.Ref    `json:"-" fact:"subject"` // see [SnapshotRef]
	Environment stemma.Ref    `json:"environment" door:"in"`
	Taken       stemma.Moment `json:"taken,omitempty" fact:"occurred"`
	Format      string        `json:"format,omitempty"`
	Things      int           `json:"things"`
	Unexplained int           `json:"unexplained"`

	Running []Running `json:"running,omitzero"`

	Shows  []stemma.Edge `json:"-" door:"shows"`
	Bodies []stemma.Body `json:"-" fact:"bodies"`
}

// A Running is one thing that ran, however many times.
type Running struct {
	Name       string     `json:"name,omitempty"`     // of the workload and its container
	Image      string     `json:"image,omitempty"`    // as it was asked for
	Artifact   stemma.Ref `json:"artifact,omitempty"` // empty if it was not told by digest
	Explained  bool       `json:"explained"`
	Deployment stemma.Ref `json:"deployment,omitempty"` // that explains it
	Why        string     `json:"why,omitempty"`        // nothing explains it
}

// SnapshotRef names the snapshot of an environment that is called key.
func SnapshotRef(environment, key string) stemma.Ref {
	return stemma.NewRef(stemma.KindSnapshot, escape(environment), key)
}

// Ref names the snapshot.
func (s Snapshot) Ref() stemma.Ref { return s.ID }

// Fact states the snapshot.
func (s Snapshot) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, s, source, grade)
}

// SnapshotFromFact reads what Fact wrote.
func SnapshotFromFact(f stemma.Fact) (Snapshot, error) { return stemma.Recall[Snapshot](Room, f) }
