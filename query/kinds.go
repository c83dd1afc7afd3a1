package query

import (
	"sync"

	"github.com/stemma-dev/stemma/query/filter"
)

// Values that several kinds share.
const (
	intents = "feature fix security-fix refactor docs test build revert other unknown"
	classes = "ai human mixed unknown"
)

// What the refs lead to.
var (
	toRepository  = &target{kinds: []string{"repository"}, table: "k_repository", column: "name", match: "tail", few: true}
	toPerson      = &target{kinds: []string{"person", "bot"}, match: "person"}
	toModel       = &target{kinds: []string{"model"}, table: "k_model", column: "name", few: true}
	toSession     = &target{kinds: []string{"session"}, table: "k_session", column: "external_id"}
	toTicket      = &target{kinds: []string{"ticket"}, table: "k_ticket", column: "key"}
	toRequirement = &target{kinds: []string{"requirement"}, table: "k_requirement", column: "key"}
	toCommit      = &target{kinds: []string{"commit"}, table: "k_commit", column: "sha", match: "hash"}
	toReview      = &target{kinds: []string{"review"}}
	toChange      = &target{kinds: []string{"change"}}
	toFile        = &target{kinds: []string{"file"}}
	toRelease     = &target{kinds: []string{"release"}, table: "k_release", column: "name"}
	toDeployment  = &target{kinds: []string{"deployment"}, table: "k_deployment", column: "version"}
	toEnvironment = &target{kinds: []string{"environment"}, table: "k_environment", column: "name", few: true}
	toArtifact    = &target{kinds: []string{"artifact"}, table: "k_artifact", column: "name"}
	toRun         = &target{kinds: []string{"run"}}
	toSnapshot    = &target{kinds: []string{"snapshot"}}
	toIncident    = &target{kinds: []string{"incident"}, table: "k_incident", column: "key"}
	toException   = &target{kinds: []string{"exception"}}
	toPolicy      = &target{kinds: []string{"policy"}}
)

// kinds are all that can be asked for, in the order of the documentation. They are
// made when somebody asks: most runs of the program do not.
var kinds = sync.OnceValue(func() []*kind {
	return declare(changes(), commits(), lines(), sessions(), toolcalls(), people(), models(), tickets(), requirements(), reviews(), runs(), releases(), files(),
		environments(), deployments(), running(), incidents(), findings(), exceptions(), records())
})

const shareDoc = "AI's part of all added lines, those of unknown origin included; in tenths of a percent, rounded down"

// share is the part of AI in lines per mille; not there when there are none.
func share(alias string) string {
	ai, all := `COALESCE(`+alias+`."ai_lines", 0)`, `(COALESCE(`+alias+`."ai_lines", 0) + COALESCE(`+alias+`."human_lines", 0) + COALESCE(`+alias+`."unknown_lines", 0))`
	return `CASE WHEN ` + all + ` > 0 THEN ` + ai + ` * 1000 / ` + all + ` END`
}

// lineCounts are the fields of what has lines by origin.
func lineCounts(alias string) []*field {
	return []*field{
		value(filter.Percent, "ai-share", share(alias), shareDoc),
		count("ai-lines", alias+`."ai_lines"`, "added lines that AI wrote"),
		count("human-lines", alias+`."human_lines"`, "added lines that people wrote"),
		count("unknown-lines", alias+`."unknown_lines"`, "added lines of which nobody knows"),
	}
}

// oneOf makes the conditions is:value from the values of a column.
func oneOf(column string, values ...string) map[string]string {
	m := map[string]string{}
	for _, v := range values {
		m[v] = column + ` = '` + v + `'`
	}
	return m
}

func with(m map[string]string, more map[string]string) map[string]string {
	for k, v := range more {
		m[k] = v
	}
	return m
}

// reaching are the commits from which a release was made, with all before them.
const reaching = `(WITH RECURSIVE anc(id) AS (SELECT rl."target" FROM k_release rl WHERE rl.id IN {match}
	UNION SELECT pe.dst FROM anc JOIN edge pe ON pe.src = anc.id AND pe.door IN (SELECT d.id FROM door d WHERE d.name = 'parent'))
	SELECT anc.id FROM anc)`

func concat(lists ...[]*field) []*field {
	var out []*field
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// gradeOf is the best evidence about a node.
func gradeOf(id string) string { return `(SELECT lower(x.grade) FROM node x WHERE x.id = ` + id + `)` }
