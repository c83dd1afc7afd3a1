package pipeline

import (
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
)

// A Run is one attempt of a pipeline.
type Run struct {
	ID         stemma.Ref    `json:"-" fact:"subject"` // see [RunRef]
	System     string        `json:"system,omitempty"` // what ran it: "github-actions"
	Name       string        `json:"name,omitempty"`   // of the workflow or job
	Number     int           `json:"number,omitempty"`
	Attempt    int           `json:"attempt,omitempty"` // from 1
	Status     string        `json:"status,omitempty" of:"queued running completed"`
	Conclusion string        `json:"conclusion,omitempty" of:"success failure cancelled skipped unknown"`
	Reason     string        `json:"reason,omitempty"` // why it failed, as the system says: "runner_system_failure"
	Commit     stemma.Ref    `json:"commit,omitempty" door:"of"`
	Started    stemma.Moment `json:"started,omitempty" fact:"occurred"`
	Ended      stemma.Moment `json:"ended,omitempty"`
	URL        string        `json:"url,omitempty"`
	Trigger    string        `json:"trigger,omitempty"` // as the system says: "push", "schedule"
	Branch     string        `json:"branch,omitempty"`  // what it ran for
	Repository stemma.Ref    `json:"repository,omitempty" door:"in"`
	By         stemma.Ref    `json:"actor,omitempty" door:"by"` // who made it run
	PartOf     stemma.Ref    `json:"part_of,omitempty" door:"part-of"`
	Method     string        `json:"method,omitempty"` // how its commit is known
	Fork       stemma.Ref    `json:"fork,omitempty"`   // repository that the merge request came from, if it is another

	Changes []stemma.Ref  `json:"-" door:"of-change"`
	Uses    []stemma.Ref  `json:"-" door:"uses"`
	On      []stemma.Edge `json:"-" door:"on"`
	Trial   []stemma.Edge `json:"-" door:"trial"`
	Bodies  []stemma.Body `json:"-" fact:"bodies"`
}

// AttemptRef names one attempt, from 1 on, of the run to which a system gave id in a
// repository: run:SYSTEM/HOST/OWNER/NAME/ID/ATTEMPT. Whoever reports a run, the
// system itself or a step of it, names it so.
func AttemptRef(system string, repository stemma.Ref, id string, attempt int) stemma.Ref {
	host, name := repository.Split()
	if repository == "" || id == "" {
		return ""
	}
	return RunRef(system, host+"/"+name+"/"+id+"/"+strconv.Itoa(max(attempt, 1)))
}

// whole names the run that r is an attempt of.
func (r Run) whole() stemma.Ref {
	return stemma.Ref(strings.TrimSuffix(string(r.ID), "/"+strconv.Itoa(r.Attempt)))
}

// RunRef names the run to which a system gave id; the id tells attempts apart.
func RunRef(system, id string) stemma.Ref { return stemma.NewRef(stemma.KindRun, system, id) }

// Ref names the run.
func (r Run) Ref() stemma.Ref { return r.ID }

// Fact states the run.
func (r Run) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	f, err := stemma.State(Room, r, source, grade)
	return known(f, r.Method), err
}

// known says of the links to what was run, tested or scanned how they are known.
func known(f stemma.Fact, method string) stemma.Fact {
	for i := range f.Edges {
		if f.Edges[i].Door == "of" || f.Edges[i].Door == "of-change" {
			f.Edges[i].Method = method
		}
	}
	return f
}

// RunFromFact reads what Fact wrote.
func RunFromFact(f stemma.Fact) (Run, error) { return stemma.Recall[Run](Room, f) }

// A Test is the result of one suite, or of one test of it, in a run.
type Test struct {
	ID      stemma.Ref `json:"-" fact:"subject"` // see [TestRef]
	Run     stemma.Ref `json:"run,omitempty"`
	Suite   string     `json:"suite,omitempty"`
	Name    string     `json:"name,omitempty"`
	Status  string     `json:"status,omitempty" of:"passed failed skipped unknown"`
	Failed  int        `json:"failed"`
	Passed  int        `json:"passed"`
	Skipped int        `json:"skipped"`
	Job     string     `json:"job,omitempty"`
	Method  string     `json:"method,omitempty"` // how Of is known

	Failures []Failure `json:"failure,omitzero"` // the first of them

	Of       []stemma.Ref  `json:"-" door:"of"` // the run, and the commit that was tested
	Occurred stemma.Moment `json:"-" fact:"occurred"`
	Bodies   []stemma.Body `json:"-" fact:"bodies"`
}

// A Failure is one test that failed.
type Failure struct {
	Name    string `json:"name"`
	Class   string `json:"class,omitempty"`   // where it is
	Message string `json:"message,omitempty"` // the beginning of what it said
}

// TestRef names results by the system that ran and an id there.
func TestRef(system, id string) stemma.Ref { return stemma.NewRef(stemma.KindTest, system, id) }

// Ref names the results.
func (t Test) Ref() stemma.Ref { return t.ID }

// Fact states the results.
func (t Test) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	f, err := stemma.State(Room, t, source, grade)
	return known(f, t.Method), err
}

// TestFromFact reads what Fact wrote.
func TestFromFact(f stemma.Fact) (Test, error) { return stemma.Recall[Test](Room, f) }

// A Scan is what one scanner found in a run.
type Scan struct {
	ID       stemma.Ref `json:"-" fact:"subject"` // see [ScanRef]
	Run      stemma.Ref `json:"run,omitempty"`
	Tool     string     `json:"tool,omitempty"` // the scanner
	Version  string     `json:"version,omitempty"`
	Rule     string     `json:"rule,omitempty"`  // of one finding that is told by itself
	State    string     `json:"state,omitempty"` // of it, as its source says: "open", "fixed"
	URL      string     `json:"url,omitempty"`
	Findings int        `json:"findings"`
	Critical int        `json:"critical"`
	High     int        `json:"high"`
	Medium   int        `json:"medium"`
	Low      int        `json:"low"`
	Format   string     `json:"format,omitempty"` // of the report
	Target   string     `json:"target,omitempty"` // what was scanned, as the report says
	Job      string     `json:"job,omitempty"`
	Method   string     `json:"method,omitempty"` // how Of is known

	Found []Finding `json:"finding,omitzero"` // the first of them

	Of       []stemma.Ref  `json:"-" door:"of"` // the run, and the commit that was scanned
	Occurred stemma.Moment `json:"-" fact:"occurred"`
	Bodies   []stemma.Body `json:"-" fact:"bodies"` // the report
}

// A Finding is one thing that a scanner found. What it found is a name and a place,
// never the text there: of a secret that would be the secret.
type Finding struct {
	Rule     string `json:"rule"` // or vulnerability, as its tool calls it
	Severity string `json:"severity,omitempty" of:"critical high medium low none unknown"`
	Path     string `json:"path,omitempty"`
	Line     int    `json:"line,omitempty"`
	Package  string `json:"package,omitempty"`
	Version  string `json:"version,omitempty"`  // of the package
	FixedIn  string `json:"fixed_in,omitempty"` // versions without it
}

// ScanRef names a scan by the system that ran and an id there.
func ScanRef(system, id string) stemma.Ref { return stemma.NewRef(stemma.KindScan, system, id) }

// Ref names the scan.
func (s Scan) Ref() stemma.Ref { return s.ID }

// Fact states the scan.
func (s Scan) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	f, err := stemma.State(Room, s, source, grade)
	return known(f, s.Method), err
}

// ScanFromFact reads what Fact wrote.
func ScanFromFact(f stemma.Fact) (Scan, error) { return stemma.Recall[Scan](Room, f) }

// A Config is one content of a file that tells a pipeline what to do.
type Config struct {
	Repository stemma.Ref    `json:"repository" door:"in"`
	Path       string        `json:"path"`
	Blob       string        `json:"blob"`                            // hash of the content
	System     string        `json:"system,omitempty"`                // "github-actions"
	Commit     stemma.Ref    `json:"commit,omitempty" door:"at"`      // that brought it
	Since      stemma.Moment `json:"since,omitempty" fact:"occurred"` // when it came
	SHA256     string        `json:"sha256,omitempty"`                // of the content

	Pins []Pin `json:"pin,omitzero"`
}

// A Pin is something that a pipeline takes from elsewhere.
type Pin struct {
	Uses   string `json:"uses"`          // an action, a workflow, an image, another file
	Ref    string `json:"ref,omitempty"` // version, branch or digest that is named
	Pinned bool   `json:"pinned"`        // by the hash of what it is
}

// ConfigRef names one content of a file. A hash holds no colon, so no two
// files share a spelling.
func ConfigRef(repository stemma.Ref, path, blob string) stemma.Ref {
	host, name := repository.Split()
	return stemma.NewRef(stemma.KindConfig, host, name+":"+blob+":"+path)
}

// Ref names the content.
func (c Config) Ref() stemma.Ref {
	if c.Repository == "" || c.Path == "" || c.Blob == "" {
		return ""
	}
	return ConfigRef(c.Repository, c.Path, c.Blob)
}

// Fact states the content.
func (c Config) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, c, source, grade)
}

// ConfigFromFact reads what Fact wrote.
func ConfigFromFact(f stemma.Fact) (Config, error) { return stemma.Recall[Config](Room, f) }

// A Runner is what jobs run on: an image of a machine or a container.
type Runner struct {
	System  string `json:"system"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // or digest
	OS      string `json:"os,omitempty"`
	Arch    string `json:"arch,omitempty"`
	Pinned  bool   `json:"pinned"` // its version cannot change what it is
}

// Ref names the runner.
func (r Runner) Ref() stemma.Ref {
	if r.System == "" || r.Name == "" {
		return ""
	}
	return stemma.NewRef(stemma.KindRunner, r.System, r.Name+"@"+r.Version)
}

// Fact states the runner.
func (r Runner) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, r, source, grade)
}

// RunnerFromFact reads what Fact wrote.
func RunnerFromFact(f stemma.Fact) (Runner, error) { return stemma.Recall[Runner](Room, f) }
