package reading

import (
	"context"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/lineage"
)

// Heard tells of which kinds any fact tells.
func (r *Reader) Heard(ctx context.Context) (map[stemma.Kind]bool, error) {
	var parts []string
	for _, s := range lineage.Specs() {
		parts = append(parts, `SELECT '`+string(s.Kind)+`' WHERE EXISTS (SELECT 1 FROM k_`+string(s.Kind)+`)`)
	}
	kinds, err := ask(ctx, r, func(k *stemma.Kind) []any { return []any{(*string)(k)} }, strings.Join(parts, " UNION ALL "))
	heard := map[stemma.Kind]bool{}
	for _, k := range kinds {
		heard[k] = true
	}
	return heard, err
}

// Tests are the results of one suite in a run.
type Tests struct {
	Ref                     stemma.Ref
	Suite, Job, Status      string
	Passed, Failed, Skipped int64
	First                   string // of those that failed
}

// Tests are those that a run reported, the ones that failed first: at most 200.
func (r *Reader) Tests(ctx context.Context, run int64) ([]Tests, error) {
	return ask(ctx, r, func(t *Tests) []any {
		return []any{&t.Ref, &t.Suite, &t.Job, &t.Status, &t.Passed, &t.Failed, &t.Skipped, &t.First}
	}, `SELECT n.ref, COALESCE(t.suite, t.name, ''), COALESCE(t.job, ''), COALESCE(t.status, ''), COALESCE(t.passed, 0), COALESCE(t.failed, 0), COALESCE(t.skipped, 0),
			COALESCE((SELECT f.name FROM k_test_failure f WHERE f.id = t.id ORDER BY f.seq LIMIT 1), '')
		FROM k_test t JOIN node n ON n.id = t.id WHERE t.run = $1 ORDER BY COALESCE(t.failed, 0) DESC, n.ref LIMIT 200`, run)
}

// A Scan is what one scanner found in a run.
type Scan struct {
	Ref                                   stemma.Ref
	Tool, Version, Target, Rule, State    string
	Findings, Critical, High, Medium, Low int64
}

// Scans are those that a run reported, most findings first: at most 200.
func (r *Reader) Scans(ctx context.Context, run int64) ([]Scan, error) {
	return ask(ctx, r, func(s *Scan) []any {
		return []any{&s.Ref, &s.Tool, &s.Version, &s.Target, &s.Rule, &s.State, &s.Findings, &s.Critical, &s.High, &s.Medium, &s.Low}
	}, `SELECT n.ref, COALESCE(s.tool, ''), COALESCE(s.version, ''), COALESCE(s.target, ''), COALESCE(s.rule, ''), COALESCE(s.state, ''), COALESCE(s.findings, 0),
			COALESCE(s.critical, 0), COALESCE(s.high, 0), COALESCE(s.medium, 0), COALESCE(s.low, 0)
		FROM k_scan s JOIN node n ON n.id = s.id WHERE s.run = $1 ORDER BY COALESCE(s.findings, 0) DESC, n.ref LIMIT 200`, run)
}

// A Built thing is one that a run made.
type Built struct {
	Ref          stemma.Ref
	Name, Digest string
	Form         string
	Deployments  int64
}

// Built are the artifacts that a run made: at most 200.
func (r *Reader) Built(ctx context.Context, run int64) ([]Built, error) {
	return ask(ctx, r, func(b *Built) []any { return []any{&b.Ref, &b.Name, &b.Digest, &b.Form, &b.Deployments} },
		`SELECT n.ref, COALESCE(a.name, ''), COALESCE(a.digest, ''), COALESCE(a.form, ''),
			(SELECT COUNT(*) FROM edge s JOIN door o ON o.id = s.door AND o.name = 'ships' JOIN k_deployment d ON d.id = s.src WHERE s.dst = a.id)
		FROM edge e JOIN door d ON d.id = e.door AND d.name = 'built-by' JOIN k_artifact a ON a.id = e.src JOIN node n ON n.id = a.id
		WHERE e.dst = $1 ORDER BY a.name, n.ref LIMIT 200`, run)
}

// Beside are the sessions, reviews, runs and scans of changes, commits and runs that a
// walk in one direction does not meet, such as the reviews of a change from its ticket: at
// most 200.
func (r *Reader) Beside(ctx context.Context, of ...stemma.Ref) ([]stemma.Ref, error) {
	if len(of) == 0 {
		return nil, nil
	}
	marks, args := parameters(of)
	return ask(ctx, r, func(ref *stemma.Ref) []any { return []any{(*string)(ref)} },
		`WITH given(id) AS (SELECT n.id FROM node n WHERE n.kind IN ('change', 'commit', 'run') AND n.ref IN (`+marks+`)),
		linked(id, door) AS (SELECT e.src, d.name FROM given g JOIN edge e ON e.dst = g.id JOIN door d ON d.id = e.door WHERE d.name IN ('of', 'of-change')),
		ran(id) AS (SELECT id FROM given UNION SELECT l.id FROM linked l JOIN k_run k ON k.id = l.id)
		SELECT n.ref FROM (
			SELECT v.id FROM given g JOIN k_review v ON v."change" = g.id
			UNION SELECT e.dst FROM given g JOIN edge e ON e.src = g.id JOIN door d ON d.id = e.door WHERE d.name = 'session'
			UNION SELECT l.id FROM linked l
			UNION SELECT s.id FROM ran JOIN k_scan s ON s.run = ran.id) x
		JOIN node n ON n.id = x.id WHERE n.kind IN ('session', 'review', 'run', 'scan') ORDER BY n.ref LIMIT 200`, args...)
}
