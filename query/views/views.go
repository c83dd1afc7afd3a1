// Package views keeps the public face of a space for SQL: the versioned views
// v1_…, whose columns are only ever added, and the one way to ask them.
//
// [Ensure] makes the views, and the indexes that the plans of package query rely
// on. [ReadOnly] runs a SELECT that a stranger wrote: one statement, over views
// only, within [Limits], in a space that was opened for reading.
//
// The package changes no table and reads no clock but to stop a statement that
// takes too long.
package views

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/storage"
)

// A view is one public table for SQL. Columns of v1 are only ever added.
type view struct {
	name string
	doc  string
	from string
	cols []viewCol
}

// A viewCol is a column: plain SQL, the id of a node to be shown as its ref,
// a number or truth that nobody states when it is 0, or microseconds to be shown
// as a time of the engine, and once more as they are, for comparisons that an
// index can serve.
type viewCol struct {
	name string
	kind viewKind
	expr string
}

type viewKind int

const (
	plain viewKind = iota
	link
	count
	moment
)

// cols reads a short description of columns of one table: a leading @ marks a
// link, a leading # a count, a leading ~ a moment.
func cols(alias, list string, more ...viewCol) []viewCol {
	var out []viewCol
	for _, w := range strings.Fields(list) {
		c := viewCol{name: strings.TrimLeft(w, "@#~")}
		switch w[0] {
		case '@':
			c.kind = link
		case '#':
			c.kind = count
		case '~':
			c.kind = moment
		}
		c.expr = alias + `."` + c.name + `"`
		out = append(out, c)
	}
	return append(out, more...)
}

// lineCols are the lines by origin. Of a change or a commit they are not there
// when nobody counted them, of all else they always are.
const (
	lineCols      = "ai_lines human_lines unknown_lines"
	lineCountCols = "#ai_lines #human_lines #unknown_lines"
)

// closed is when it was done with, unless it was opened again.
const closed = `CASE WHEN c."state" IN ('open', 'opened', 'reopened') THEN NULL ELSE c."closed" END`

// views are made when somebody asks: most runs of the program do not.
var views = sync.OnceValue(func() []view {
	return []view{
		{
			"v1_change", "what landed on a branch as one decision", `k_change c JOIN node n ON n.id = c.id`,
			cols("c", "@repository number title ~merged @author intent intent_method method platform branch target url @merge_commit #commits #files #added #deleted "+
				lineCols+" author_class fix_author origin_author fix_method #breaking", append(append([]viewCol{{"grade", plain, "n.grade"}, {"dropped", count, `c."dropped"`}}, cols("c", "state ~opened", viewCol{"closed", moment, closed})...), cols("c", "@head queue @merged_by #attempts #green #infrastructure_failures #reprompts @compared #altered")...)...),
		},
		{
			"v1_change_credit", "lines of a change by origin, agent, model and session", `k_change_credit c JOIN node n ON n.id = c.id`,
			cols("c", "seq origin agent @model model_name @session #lines"),
		},
		{
			"v1_change_fix", "what a fix mends", `k_change_fixes c JOIN node n ON n.id = c.id`,
			cols("c", "seq @change @commit #lines "+lineCountCols+" method"),
		},
		{
			"v1_commit", "single commits", `k_commit c JOIN node n ON n.id = c.id`,
			cols("c", "@repository sha @author @committer ~authored ~committed title message signature change_id #on_default #merge #parents #files #added #deleted "+
				lineCols+" author_class", viewCol{"grade", plain, "n.grade"}),
		},
		{"v1_commit_file", "files that a commit touched", `k_commit_file c JOIN node n ON n.id = c.id`, cols("c", "seq path old_path status #added #deleted")},
		{
			"v1_line", "lines at the tip of a branch, in runs of one origin", `k_file f JOIN k_file_run c ON c.id = f.id JOIN node n ON n.id = f.id`,
			append(cols("f", "@repository branch path"), cols("c", "#start #count origin basis reason agent @model model_name @session @commit")...),
		},
		{"v1_file", "files at the tip of a branch", `k_file c JOIN node n ON n.id = c.id`, cols("c", "@repository branch path blob @commit #lines "+lineCountCols+" #deleted")},
		{
			"v1_session", "runs of coding agents", `k_session c JOIN node n ON n.id = c.id`,
			cols("c", "tool external_id ~started ~ended title #turns #prompts #tool_calls #iterations #input_tokens #output_tokens @parent #depth branch #cache_read_tokens #cache_write_tokens cost_micro_usd price_table #reprompts"),
		},
		{"v1_session_turn", "messages of a session in their order", `k_session_turn c JOIN node n ON n.id = c.id`, cols("c", "seq #number role ~at model #input_tokens #output_tokens #tool_calls #typed #failing")},
		{"v1_session_tool_call", "calls of tools of a session in their order", `k_session_tool_call c JOIN node n ON n.id = c.id`, cols("c", "seq turn call tool path ~at #error #shell #network")},
		{"v1_session_file", "files that a session edited", `k_session_file c JOIN node n ON n.id = c.id`, cols("c", "seq path #edits")},
		{"v1_session_model", "models that a session used", `k_session_model c JOIN node n ON n.id = c.id`, cols("c", "seq @model name #turns #input_tokens #output_tokens #cache_read_tokens #cache_write_tokens cost_micro_usd")},
		{"v1_session_config", "what a session worked under: prompts and rules by digest, servers of tools by name", `k_session_config c JOIN node n ON n.id = c.id`, cols("c", "seq kind name digest")},
		{"v1_person", "accounts of people and bots, by pseudonym; self is the one by which the person is known", `node n`, []viewCol{
			{"kind", plain, "n.kind"},
			{"commits", plain, `(SELECT COUNT(*) FROM k_commit pc WHERE pc."author" = n.id)`},
			{"changes", plain, `(SELECT COUNT(*) FROM k_change pc WHERE pc."author" = n.id AND COALESCE(pc."dropped", 0) = 0)`},
			{"self", plain, `COALESCE((SELECT x.ref FROM same s JOIN node x ON x.id = s.self WHERE s.id = n.id), n.ref)`},
		}},
		{"v1_tie", "that two accounts are one person or bot, or that they are not", `k_tie c JOIN node n ON n.id = c.id`, cols("c", "@one @other method #apart #open @by ~at reason", viewCol{"grade", plain, "n.grade"})},
		{"v1_mandate", "roles and memberships of teams, from a time on", `k_mandate c JOIN node n ON n.id = c.id`, cols("c", "@holder role team host @repository ~since ~until method #withdrawn", viewCol{"grade", plain, "n.grade"})},
		{"v1_model", "language models", `k_model c JOIN node n ON n.id = c.id`, cols("c", "name provider family version #named")},
		{"v1_ticket", "pieces of work that somebody asked for", `k_ticket c JOIN node n ON n.id = c.id`, cols("c", "tracker key title url state type ~opened", append([]viewCol{{"closed", moment, closed}}, cols("c", "@reporter")...)...)},
		{"v1_requirement", "what the software has to do", `k_requirement c JOIN node n ON n.id = c.id`, cols("c", "source key title url")},
		{"v1_release", "tags", `k_release c JOIN node n ON n.id = c.id`, cols("c", "@repository name @target ~tagged #annotated signature title #deleted ~published #prerelease url")},
		{"v1_push", "moves of branches and tags", `k_push c JOIN node n ON n.id = c.id`, cols("c", "@repository name before after #forced #on_default #commits ~pushed @actor")},
		{"v1_protection", "rules of forges about branches", `k_protection c JOIN node n ON n.id = c.id`, cols("c", "@repository pattern #approvals #owners #stale_dismissed #checks #for_admins #force_pushes #deleted ~changed @actor")},
		{"v1_review", "judgements of changes", `k_review c JOIN node n ON n.id = c.id`, cols("c", "@change @reviewer role verdict @head ~submitted #dismissed #comments method url", viewCol{"grade", plain, "n.grade"})},
		{"v1_standing", "roles in which reviews were given, at that moment", `k_standing c JOIN node n ON n.id = c.id`, cols("c", "@review @holder role method via file @commit #owned #files ~as_of #withdrawn", viewCol{"grade", plain, "n.grade"})},
		{"v1_run", "attempts of pipelines, and their jobs", `k_run c JOIN node n ON n.id = c.id`, cols("c", "system name #number #attempt status conclusion reason @commit ~started ~ended url trigger branch @repository @actor @part_of", append([]viewCol{{"grade", plain, "n.grade"}}, cols("c", "method @fork")...)...)},
		{"v1_test", "results of suites", `k_test c JOIN node n ON n.id = c.id`, cols("c", "@run suite name status #failed #passed #skipped job method")},
		{"v1_test_failure", "tests that failed, the first of each report", `k_test_failure c JOIN node n ON n.id = c.id`, cols("c", "seq name class message")},
		{"v1_scan", "what scanners found", `k_scan c JOIN node n ON n.id = c.id`, cols("c", "@run tool version rule state #findings #critical #high #medium #low url format target job method")},
		{"v1_scan_finding", "what scanners found, the first of each report", `k_scan_finding c JOIN node n ON n.id = c.id`, cols("c", "seq rule severity path #line package version fixed_in")},
		{"v1_config", "contents of files that tell pipelines what to do", `k_config c JOIN node n ON n.id = c.id`, cols("c", "@repository path blob sha256 system @commit ~since")},
		{"v1_config_pin", "what they take from elsewhere", `k_config_pin c JOIN node n ON n.id = c.id`, cols("c", "seq uses #pinned", viewCol{"version", plain, `c."ref"`})},
		{"v1_artifact", "what was built, by digest", `k_artifact c JOIN node n ON n.id = c.id`, cols("c", "name digest media #size form #files", viewCol{"grade", plain, "n.grade"})},
		{"v1_attestation", "what others state, as they say it: whoever judges checks who signed", `k_attestation c JOIN node n ON n.id = c.id`, cols("c", "predicate_type builder @source #subjects place signer_hint", viewCol{"grade", plain, "n.grade"})},
		{"v1_bom", "bills of materials", `k_bom c JOIN node n ON n.id = c.id`, cols("c", "format version name serial tool #components #unresolved")},
		{"v1_bom_component", "what they list, the first of each", `k_bom_component c JOIN node n ON n.id = c.id`, cols("c", "seq name version purl license package source")},
		{"v1_package", "packages, as registries tell of them", `k_package c JOIN node n ON n.id = c.id`, cols("c", "purl #missing ~first #downloads registry ~asked")},
		{"v1_deployment", "versions put into environments", `k_deployment c JOIN node n ON n.id = c.id`, cols("c", "@environment version status ~at", append([]viewCol{{"until", moment, deployed.Until}}, cols("c", "url @repository task @actor ~finished", viewCol{"grade", plain, "n.grade"}, viewCol{"service", plain, `c."service"`}, viewCol{"orphans", plain, `NULLIF(c."orphans", -1)`}, viewCol{"direct", plain, `NULLIF(c."direct", -1)`})...)...)},
		{"v1_environment", "places where software runs", `k_environment c JOIN node n ON n.id = c.id`, cols("c", "name tier")},
		{"v1_snapshot", "what was seen to run in environments", `k_snapshot c JOIN node n ON n.id = c.id`, cols("c", "@environment ~taken format #things #unexplained")},
		{"v1_snapshot_running", "the things that ran, and what explains them", `k_snapshot_running c JOIN node n ON n.id = c.id`, cols("c", "seq name image @artifact #explained @deployment why")},
		{"v1_incident", "what broke", `k_incident c JOIN node n ON n.id = c.id`, cols("c", "source key title severity state service ~opened ~resolved url", append([]viewCol{{"grade", plain, "n.grade"}}, cols("c", "@environment")...)...)},
		{"v1_incident_judgement", "what people found out about causes of incidents, the last word last", `k_incident_judgement c JOIN node n ON n.id = c.id`, cols("c", "seq @cause verdict @by ~at reason")},
		{"v1_policy", "what changes were judged by", `k_policy c JOIN node n ON n.id = c.id`, cols("c", "~since #controls packs decided")},
		{"v1_policy_control", "controls of policies", `k_policy_control c JOIN node n ON n.id = c.id`, cols("c", "seq control version severity title digest")},
		{"v1_assessment", "how changes stand", `k_assessment c JOIN node n ON n.id = c.id`, cols("c", "@change @repository state @head @queued @landed @policy ~evaluated ~merged trigger score #passed #failed #unknown #waived #blocks #turned #log", viewCol{"due", plain, `NULLIF(c."due", 0)`})},
		{"v1_assessment_finding", "how each control stands for each change", `k_assessment_finding c JOIN node n ON n.id = c.id`, cols("c", "seq control version severity mode state before reason rests grade @exception #blocks #waits")},
		{"v1_assessment_factor", "what the scores of changes are made of", `k_assessment_factor c JOIN node n ON n.id = c.id`, cols("c", "seq name weight signal text")},
		{"v1_exception", "controls that need not hold for a while", `k_exception c JOIN node n ON n.id = c.id`, cols("c", "control @change @repository reason #emergency @owner @approver ~opened ~approved ~until ~followed_up follow_up ~withdrawn")},
		{"v1_advisory", "what is wrong with models and packages", `k_advisory c JOIN node n ON n.id = c.id`, cols("c", "model title severity url ~since ~published ~withdrawn #malicious ~modified standing")},
		{"v1_advisory_affects", "which versions of packages are affected", `k_advisory_affects c JOIN node n ON n.id = c.id`, cols("c", "seq package ecosystem #range event version")},
		{"v1_round", "changes that were judged again, all for one reason", `k_round c JOIN node n ON n.id = c.id`, cols("c", "trigger ~started @policy #judged #turned")},
		{"v1_round_turn", "what stands otherwise since", `k_round_turn c JOIN node n ON n.id = c.id`, cols("c", "seq @change control was state")},
		{"v1_repository", "histories", `k_repository c JOIN node n ON n.id = c.id`, cols("c", "name host url default_branch @tip #shallow")},
		{
			"v1_attribution", "records of line origin, each about a commit; repository is empty if that is not here",
			`k_attribution c JOIN node n ON n.id = c.id LEFT JOIN k_commit k ON k.id = c."commit"`,
			append(cols("c", "@commit format writer basis "+lineCountCols+" #withdrawn"), cols("k", "@repository")...),
		},
		{"v1_thing", "everything that the log names; stated is 0 if others name it only", `node n`, []viewCol{{"kind", plain, "n.kind"}, {"grade", plain, "n.grade"}, {"stated", plain, "n.stated"}}},
		{"v1_fact", "the facts about a thing, by their positions in the log", `node_fact c JOIN node n ON n.id = c.node`, cols("c", "pos")},
		{"v1_skip", "parts of facts that have no place in the graph", `graph_skip c`, cols("c", "pos reason")},
		{"v1_gap", "what could not be seen or read, and why", `k_gap c JOIN node n ON n.id = c.id`, cols("c", "source place reason #count @about @repository object #closed")},
		{"v1_edge", "every edge, from effect to cause", `edge c JOIN door d ON d.id = c.door JOIN node n ON n.id = c.src JOIN node x ON x.id = c.dst`, []viewCol{
			{"door", plain, "d.name"},
			{"cause", plain, "x.ref"},
			{"grade", plain, "c.grade"},
			{"basis", plain, "c.basis"},
			{"method", plain, "c.method"},
			{"flow", plain, "CASE WHEN c.door < 65536 THEN 'causal' WHEN c.door < 131072 THEN 'both' ELSE 'aside' END"},
		}},
	}
})

// sql is the statement that makes v.
func (v view) sql(engine storage.Engine) string {
	var out []string
	where := ""
	switch v.name {
	case "v1_edge":
		out = append(out, `n.ref AS effect`)
	case "v1_skip": // a part of a fact, about nothing that has a ref
	case "v1_person":
		out = append(out, `n.ref AS ref`)
		where = ` WHERE n.kind IN ('person', 'bot')`
	default:
		out = append(out, `n.ref AS ref`)
	}
	for _, c := range v.cols {
		name := `"` + c.name + `"`
		switch c.kind {
		case link:
			out = append(out, `(SELECT x.ref FROM node x WHERE x.id = `+c.expr+`) AS `+name)
		case count:
			out = append(out, `COALESCE(`+c.expr+`, 0) AS `+name)
		case moment:
			at := `strftime('%Y-%m-%dT%H:%M:%SZ', ` + c.expr + ` / 1000000, 'unixepoch')`
			if engine == storage.Postgres {
				at = `to_timestamp(` + c.expr + ` / 1000000.0)`
			}
			out = append(out, at+` AS `+name, c.expr+` AS "`+c.name+`_us"`)
		default:
			out = append(out, c.expr+` AS `+name)
		}
	}
	return `CREATE VIEW ` + v.name + ` AS SELECT ` + strings.Join(out, ", ") + ` FROM ` + v.from + where
}

// Statements are those that make the public views.
func Statements(engine storage.Engine) []string {
	var out []string
	for _, v := range views() {
		out = append(out, v.sql(engine))
	}
	return out
}

// indexes are those that plans rely on beyond the ones that rooms declare: a
// name and what follows ON.
func indexes(engine storage.Engine) [][2]string {
	// One state of one control is a small part of all findings.
	finding := [2]string{"q_finding_state", `k_assessment_finding ("control", "state", id)`}
	if engine != storage.Postgres {
		return [][2]string{finding}
	}
	// What is not there comes last in every order. SQLite reads an index that
	// way when it goes down, PostgreSQL only if the index is made so.
	return [][2]string{
		{"q_change_merged", `k_change ("merged" DESC NULLS LAST, id)`},
		{"q_commit_committed", `k_commit ("committed" DESC NULLS LAST, id)`},
		{"q_session_started", `k_session ("started" DESC NULLS LAST, id)`},
		{"q_assessment_evaluated", `k_assessment ("evaluated" DESC NULLS LAST, id)`},
		{"q_exception_opened", `k_exception ("opened" DESC NULLS LAST, id)`},
		finding,
	}
}

// stamp is the view that tells which views and indexes are there.
const stamp = "v1_about"

// Ensure makes the views and indexes, unless they are there already. Call it
// after graph.Open and after a rebuild, which drop tables with all that hangs
// on them.
func Ensure(ctx context.Context, db *storage.DB) error {
	fits := false
	check := func(tx *storage.Tx) (err error) {
		fits, err = ensured(ctx, tx)
		return err
	}
	if err := db.Read(ctx, check); err != nil || fits {
		return wrapEnsure(err)
	}
	return wrapEnsure(db.Write(ctx, func(tx *storage.Tx) error {
		if err := check(tx); err != nil || fits {
			return err // another process was faster
		}
		return remake(ctx, tx)
	}))
}

// Make makes the views and indexes anew, whatever is there.
func Make(ctx context.Context, db *storage.DB) error {
	return wrapEnsure(db.Write(ctx, func(tx *storage.Tx) error { return remake(ctx, tx) }))
}

// digest is that of all that is made.
func digest(engine storage.Engine) string {
	return stemma.Sum([]byte(strings.Join(Statements(engine), "\n") + fmt.Sprint(indexes(engine)))).String()
}

func remake(ctx context.Context, tx *storage.Tx) error {
	made := Statements(tx.Engine())
	statements := []string{`DROP VIEW IF EXISTS ` + stamp}
	for i, v := range views() {
		columns, err := tx.Columns(ctx, v.name)
		if err != nil {
			return err
		}
		what := "VIEW"
		if len(columns) > 0 {
			what = "TABLE"
		}
		statements = append(statements, `DROP `+what+` IF EXISTS `+v.name, made[i])
	}
	for _, x := range indexes(tx.Engine()) {
		statements = append(statements, `DROP INDEX IF EXISTS `+x[0], `CREATE INDEX `+x[0]+` ON `+x[1])
	}
	statements = append(statements, `CREATE VIEW `+stamp+` AS SELECT 1 AS version, '`+digest(tx.Engine())+`' AS digest`)
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func wrapEnsure(err error) error {
	if err != nil {
		return fmt.Errorf("query: making the views: %w", err)
	}
	return nil
}

// ensured reports whether everything that Ensure makes is there in this form.
func ensured(ctx context.Context, tx *storage.Tx) (bool, error) {
	names, err := relations(ctx, tx)
	if err != nil {
		return false, err
	}
	want := []string{stamp}
	for _, v := range views() {
		want = append(want, v.name)
	}
	for _, x := range indexes(tx.Engine()) {
		want = append(want, x[0])
	}
	for _, name := range want {
		if !names[name] {
			return false, nil
		}
	}
	var got string
	err = tx.QueryRow(ctx, `SELECT digest FROM `+stamp).Scan(&got)
	return got == digest(tx.Engine()), err
}

// relations are the names of all tables, views and indexes, and of all schemas.
func relations(ctx context.Context, tx *storage.Tx) (map[string]bool, error) {
	text := `SELECT name FROM sqlite_schema`
	if tx.Engine() == storage.Postgres {
		text = `SELECT CAST(relname AS TEXT) FROM pg_class WHERE relnamespace = current_schema()::regnamespace
			UNION ALL SELECT CAST(nspname AS TEXT) FROM pg_namespace`
	}
	return column(ctx, tx, text)
}

// column is the answer to a query for names.
func column(ctx context.Context, tx *storage.Tx, text string) (map[string]bool, error) {
	rows, err := tx.Query(ctx, text)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells of a failure
	names := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names[name] = true
	}
	return names, rows.Err()
}
