package pipeline_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/pipeline"
)

// told makes runs of words: COMMIT:PIPELINE:ATTEMPT:HOW, in the order of time; another run
// of the pipeline on the commit is COMMIT:PIPELINE#RUN:…. How is good, bad, cancelled,
// running, or the reason of a failure; a job is COMMIT:PIPELINE/JOB:….
func told(script string) (runs []pipeline.Run) {
	for i, w := range strings.Fields(script) {
		p := strings.Split(w, ":")
		name, job, isJob := strings.Cut(p[1], "/")
		id := p[0] + "/" + name + "/" + p[2]
		name, _, _ = strings.Cut(name, "#")
		r := pipeline.Run{
			ID: pipeline.RunRef("ci", id), System: "ci", Name: name, Attempt: int(p[2][0] - '0'), Commit: stemma.Ref("commit:sha1/" + strings.Repeat(p[0], 40)),
			Status: "completed", Conclusion: "failure", Started: stemma.Moment(i + 1), Ended: stemma.Moment(i + 100),
		}
		if isJob {
			r.PartOf, r.ID, r.Name = r.ID, pipeline.RunRef("ci", id+"/"+job), job
		}
		switch p[3] {
		case "good":
			r.Conclusion = "success"
		case "bad":
		case "cancelled":
			r.Conclusion = "cancelled"
		case "running":
			r.Status, r.Conclusion, r.Ended = "running", "", 0
		default:
			r.Reason = p[3]
		}
		runs = append(runs, r)
	}
	return runs
}

func TestAttemptsAreCommitsUntilAllIsGreen(t *testing.T) {
	for _, c := range []struct {
		about, script string
		want          pipeline.Attempts
	}{
		{"nothing ran", "", pipeline.Attempts{}},
		{"good at once", "a:test:1:good", pipeline.Attempts{Count: 1, Green: true}},
		{"the third is good", "a:test:1:bad b:test:1:bad c:test:1:good", pipeline.Attempts{Count: 3, Green: true, Failed: []stemma.Moment{100, 101}}},
		{"what comes after does not count", "a:test:1:good b:test:1:bad c:test:1:good", pipeline.Attempts{Count: 1, Green: true, Failed: []stemma.Moment{101}}},
		{"a second run of one commit is no attempt", "a:test:1:bad a:test:2:good", pipeline.Attempts{Count: 1, Green: true}},
		{"and says what counts", "a:test:1:good a:test:2:bad b:test:1:good", pipeline.Attempts{Count: 2, Green: true, Failed: []stemma.Moment{101}}},
		{"another run of it began later, if at its first attempt", "a:test:1:good a:test:2:bad a:test#2:1:good", pipeline.Attempts{Count: 1, Green: true}},
		{"or failed then", "a:test:1:bad a:test:2:good a:test#2:1:bad", pipeline.Attempts{Count: 1, Failed: []stemma.Moment{102}}},
		{"and the first again", "a:test:1:bad a:test#2:1:good a:test:2:bad", pipeline.Attempts{Count: 1, Failed: []stemma.Moment{102}}},
		{"every pipeline has its say", "a:test:1:good a:lint:1:bad b:test:1:good b:lint:1:good", pipeline.Attempts{Count: 2, Green: true, Failed: []stemma.Moment{101}}},
		{"one that still runs is waited for", "a:test:1:good a:lint:1:running", pipeline.Attempts{}},
		{"but not to know what is bad", "a:test:1:bad a:lint:1:running", pipeline.Attempts{Count: 1, Failed: []stemma.Moment{100}}},
		{"not green yet", "a:test:1:bad b:test:1:bad", pipeline.Attempts{Count: 2, Failed: []stemma.Moment{100, 101}}},
		{"a lost runner is no failure", "a:test:1:runner_system_failure a:test:2:good", pipeline.Attempts{Count: 1, Green: true, Infrastructure: 1}},
		{"nor a cancelled run", "a:test:1:cancelled b:test:1:timed_out c:test:1:good", pipeline.Attempts{Count: 1, Green: true, Infrastructure: 2}},
		{"nor does it take back what was found", "a:test:1:bad a:test:2:startup_failure", pipeline.Attempts{Count: 1, Infrastructure: 1, Failed: []stemma.Moment{100}}},
		{"all jobs that failed lost their runner", "a:ci:1:bad a:ci/test:1:runner_system_failure a:ci/lint:1:good", pipeline.Attempts{Infrastructure: 1}},
		{"one job failed by itself", "a:ci:1:bad a:ci/test:1:runner_system_failure a:ci/lint:1:script_failure", pipeline.Attempts{Count: 1, Failed: []stemma.Moment{100}}},
	} {
		runs := told(c.script)
		for seed := range uint64(5) {
			if got := pipeline.Judge(runs); !cmp.Equal(got, c.want) {
				t.Errorf("%s: %+v, want %+v", c.about, got, c.want)
			}
			rand.New(rand.NewPCG(seed, 1)).Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
		}
	}
}
