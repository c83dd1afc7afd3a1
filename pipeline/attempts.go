package pipeline

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma"
)

// infrastructure are the reasons for which a run fails whatever is in the commit: what
// ran it was lost, did not start, or had no time left.
var infrastructure = []string{
	"timed_out", "startup_failure", // GitHub, Buildkite
	"runner_system_failure", "stuck_or_timeout_failure", "job_execution_timeout", "stale_schedule", "scheduler_failure", "data_integrity_failure",
	"runner_unsupported", "api_failure", "no_matching_runner", "ci_quota_exceeded", "builds_disabled", "archived_failure", "job_token_expired", // GitLab
	"agent_stop", "agent_refused", "agent_incompatible", "agent_lost", "process_run_error", "stack_error", "cancel", // Buildkite
}

// Infrastructure reports whether a run that failed for a reason, as its system says it,
// tells nothing about what it ran on.
func Infrastructure(reason string) bool { return slices.Contains(infrastructure, reason) }

// Attempts are how often a change was tried.
type Attempts struct {
	Count          int             // commits that pipelines judged, up to the first that all of them found good
	Green          bool            // there is one
	Infrastructure int             // runs that tell nothing: they were cancelled, or what ran them failed
	Failed         []stemma.Moment // when the first of each commit ended that was found bad
}

// A verdict is what the runs of one commit say of it.
type verdict struct {
	first          stemma.Moment // when the first of them began that say something
	good, bad, due bool
	failed         stemma.Moment
}

// Judge counts the attempts of a change by the runs of the commits that it showed. A
// pipeline that runs again on a commit says anew what it says of it; that is no other
// attempt. Jobs are told apart from runs by what they are part of: a run that failed for
// none but reasons of the infrastructure, by its jobs, tells nothing. The order of the
// runs does not matter.
func Judge(runs []Run) Attempts {
	var a Attempts
	byCommit := map[stemma.Ref]map[stemma.Ref]Run{} // and by run: its last attempt
	jobs := jobsOf(runs)
	for _, r := range runs {
		if r.PartOf != "" {
			continue
		}
		of := cmp.Or(r.Commit, r.ID) // of another commit than any that is known
		if byCommit[of] == nil {
			byCommit[of] = map[stemma.Ref]Run{}
		}
		if r.Status == "completed" && idle(r, jobs[r.ID]) {
			a.Infrastructure++
			continue
		}
		if before, told := byCommit[of][r.whole()]; !told || r.Attempt > before.Attempt {
			byCommit[of][r.whole()] = r
		}
	}
	var all []verdict
	for _, runs := range byCommit {
		if v := judge(current(runs)); v.bad || v.good && !v.due {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(x, y verdict) int { return cmp.Or(cmp.Compare(x.first, y.first), cmp.Compare(x.failed, y.failed)) })
	for _, v := range all {
		if v.bad {
			a.Failed = append(a.Failed, v.failed)
		}
		if !a.Green {
			a.Count++
			a.Green = !v.bad
		}
	}
	return a
}

// jobsOf are the jobs of each run.
func jobsOf(runs []Run) map[stemma.Ref][]Run {
	jobs := map[stemma.Ref][]Run{}
	for _, r := range runs {
		if r.PartOf != "" {
			jobs[r.PartOf] = append(jobs[r.PartOf], r)
		}
	}
	return jobs
}

// idle reports whether a run that ended tells nothing of what it ran on.
func idle(r Run, jobs []Run) bool {
	if r.Conclusion != "failure" {
		return r.Conclusion != "success"
	}
	failed := slices.DeleteFunc(slices.Clone(jobs), func(j Run) bool { return j.Conclusion != "failure" })
	if len(failed) == 0 {
		return Infrastructure(r.Reason)
	}
	return !slices.ContainsFunc(failed, func(j Run) bool { return !Infrastructure(j.Reason) })
}

// current are the runs that say what their pipelines say now, by those: of each the one
// that began last. Attempts tell nothing of the order of two runs.
func current(runs map[stemma.Ref]Run) map[string]Run {
	now := map[string]Run{}
	for _, r := range runs {
		name := r.System + "/" + r.Name
		if before, told := now[name]; !told || cmp.Or(cmp.Compare(r.Started, before.Started), cmp.Compare(r.ID, before.ID)) > 0 {
			now[name] = r
		}
	}
	return now
}

func judge(names map[string]Run) (v verdict) {
	for _, r := range names {
		switch {
		case r.Status != "completed":
			v.due = true
			continue
		case r.Conclusion == "success":
			v.good = true
		default:
			v.bad = true
			if ended := cmp.Or(r.Ended, r.Started); v.failed == 0 || ended < v.failed {
				v.failed = ended
			}
		}
		if v.first == 0 || r.Started < v.first {
			v.first = r.Started
		}
	}
	return v
}
