// Package deployment keeps what ran where, from when to when.
//
// Refs: deployment:ENVIRONMENT/ID, environment:NAME.
//
// A deployment's doors lead up to what it ships and the changes it brings,
// aside to its environment and to the deployment it replaces.
//
// The package does no I/O, and a deployment whose end is not told is never
// said to be live: that is for whoever knows the next one.
package deployment

import "github.com/stemma-dev/stemma"

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
	}},
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

	Ships    []stemma.Edge `json:"-" door:"ships"`
	Brings   []stemma.Edge `json:"-" door:"brings"`
	Replaces []stemma.Ref  `json:"-" door:"replaces"`
	Runs     []stemma.Edge `json:"-" door:"run"`
}

// Ref names the deployment into environment that its system calls id.
func Ref(environment, id string) stemma.Ref {
	return stemma.NewRef(stemma.KindDeployment, environment, id)
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
