package assess

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// A hop leads from a thing that is news one step nearer to the changes that it has a say in.
type hop struct {
	from, to stemma.Kind
	doors    string // between spaces
	back     bool   // against the edge, which leads from effect to cause
}

// hops are the ways from evidence to changes. None leads away from them, so that a
// commit does not reach all changes of its ticket.
var hops = []hop{
	{stemma.KindCommit, stemma.KindChange, "carries head", true},
	{stemma.KindAttribution, stemma.KindCommit, "attributes", true},
	{stemma.KindReview, stemma.KindChange, "judges", true},
	{stemma.KindStanding, stemma.KindReview, "in", false},
	{stemma.KindRun, stemma.KindCommit, "of", false},
	{stemma.KindRun, stemma.KindChange, "of-change", false},
	{stemma.KindTest, stemma.KindRun, "of", false},
	{stemma.KindTest, stemma.KindCommit, "of", false},
	{stemma.KindScan, stemma.KindRun, "of", false},
	{stemma.KindScan, stemma.KindCommit, "of", false},
	{stemma.KindArtifact, stemma.KindCommit, "from", false},
	{stemma.KindArtifact, stemma.KindRun, "built-by", false},
	{stemma.KindArtifact, stemma.KindDeployment, "ships", true},
	{stemma.KindArtifact, stemma.KindArtifact, "same-as", false},
	{stemma.KindArtifact, stemma.KindArtifact, "same-as", true},
	{stemma.KindBom, stemma.KindArtifact, "of", false},
	{stemma.KindBom, stemma.KindCommit, "of", false},
	{stemma.KindAttestation, stemma.KindArtifact, "about", false},
	{stemma.KindAttestation, stemma.KindCommit, "about", false},
	{stemma.KindDeployment, stemma.KindChange, "brings", false},
	{stemma.KindSnapshot, stemma.KindArtifact, "shows", false},
	{stemma.KindIncident, stemma.KindChange, "caused-by suspects ruled-out", false},
	{stemma.KindIncident, stemma.KindDeployment, "caused-by suspects", false},
	{stemma.KindRequirement, stemma.KindTicket, "refines", true},
	{stemma.KindRequirement, stemma.KindChange, "satisfies", true},
	{stemma.KindTicket, stemma.KindChange, "implements", true},
	{stemma.KindTicket, stemma.KindCommit, "implements", true},
	{stemma.KindSession, stemma.KindChange, "session", true},
	{stemma.KindSession, stemma.KindChange, "opened", true},
	{stemma.KindSession, stemma.KindCommit, "session", true},
	{stemma.KindSession, stemma.KindAttribution, "session", true},
	{stemma.KindSession, stemma.KindSession, "spawned-by", true},
	{stemma.KindException, stemma.KindChange, "for", false},
}

// maxHops is how many steps lead at most from evidence to a change: from a session by the many
// that were started one by another below it, and the lines of the last, to the commit of these.
const maxHops = 64 + 3

// onCommits are kinds of evidence of which also what stands on their commit tells.
var onCommits = []stemma.Kind{stemma.KindRun, stemma.KindTest, stemma.KindScan, stemma.KindArtifact, stemma.KindBom}

// A search goes from things to the changes in which they have a say.
type search struct {
	tx    *storage.Tx
	doors map[string]int64
	seen  map[int64]bool
	found map[stemma.Ref]bool
	front map[stemma.Kind][]int64 // what was reached last
	bases map[int64]bool          // commits of which evidence is news
}

// concerned are the changes in which things have a say, in order of their refs.
func concerned(ctx context.Context, db *storage.DB, things []stemma.Ref) (changes []stemma.Ref, err error) {
	return changes, db.Read(ctx, func(tx *storage.Tx) error {
		doors, err := doorIDs(ctx, tx)
		if err != nil {
			return err
		}
		s := &search{tx: tx, doors: doors, seen: map[int64]bool{}, found: map[stemma.Ref]bool{}, front: map[stemma.Kind][]int64{}, bases: map[int64]bool{}}
		for part := range slices.Chunk(things, perQuery) {
			args, marks := make([]any, len(part)), make([]string, len(part))
			for i, r := range part {
				args[i], marks[i] = string(r), "$"+itoa(i+1)
			}
			if err := s.take(ctx, "", `SELECT id, ref, kind FROM node WHERE ref IN (`+strings.Join(marks, ", ")+`)`, args...); err != nil {
				return err
			}
		}
		for n := 0; n < maxHops && len(s.front) > 0; n++ {
			from := s.front
			s.front = map[stemma.Kind][]int64{}
			for _, h := range hops {
				for part := range slices.Chunk(from[h.from], perQuery) {
					if err := s.take(ctx, h.from, h.query(list(part), doors)); err != nil {
						return err
					}
				}
			}
			for part := range slices.Chunk(from[stemma.KindIncident], perQuery) {
				if err := s.take(ctx, stemma.KindIncident, mending(list(part), doors)); err != nil {
					return err
				}
			}
			for part := range slices.Chunk(from[stemma.KindSnapshot], perQuery) {
				if err := s.take(ctx, stemma.KindSnapshot, ranThen(list(part))); err != nil {
					return err
				}
			}
		}
		for part := range slices.Chunk(slices.Sorted(maps.Keys(s.bases)), perQuery) {
			if err := s.take(ctx, "", standOn(list(part), doors)); err != nil {
				return err
			}
		}
		changes = slices.Sorted(maps.Keys(s.found))
		return nil
	})
}

// take takes in what a query gives, to which things of a kind led.
func (s *search) take(ctx context.Context, from stemma.Kind, query string, args ...any) error {
	rows, err := s.tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		var id int64
		var ref string
		var kind stemma.Kind
		if err := rows.Scan(&id, &ref, &kind); err != nil {
			return err
		}
		if kind == stemma.KindCommit && slices.Contains(onCommits, from) {
			s.bases[id] = true
		}
		if s.seen[id] {
			continue
		}
		s.seen[id] = true
		if kind == stemma.KindChange {
			s.found[stemma.Ref(ref)] = true
		} else {
			s.front[kind] = append(s.front[kind], id)
		}
	}
	return rows.Err()
}

// standOn asks for the changes that stand on commits: the first commit that they carry, going back by
// first parents from where they landed, has one of these as its first parent. The first commit of a
// merged branch is not on that way: it is the merge that tells what the change stands on.
func standOn(ids string, doors map[string]int64) string {
	carries := named(doors, "carries")
	return `WITH next(id, base) AS (SELECT k.id, k."first_parent" FROM edge p CROSS JOIN k_commit k
			WHERE p.dst IN (` + ids + `) AND p.door IN (` + named(doors, "parent") + `) AND k.id = p.src AND k."first_parent" = p.dst)
		SELECT n.id, n.ref, n.kind FROM next CROSS JOIN k_change c CROSS JOIN node n WHERE c."merge_commit" = next.id AND n.id = c.id
		UNION SELECT n.id, n.ref, n.kind FROM next CROSS JOIN edge e CROSS JOIN k_change c CROSS JOIN node n LEFT JOIN k_commit l ON l.id = c."merge_commit"
			WHERE e.dst = next.id AND e.door IN (` + carries + `) AND c.id = e.src AND n.id = c.id AND (COALESCE(l."merge", 0) = 0
				OR EXISTS (SELECT 1 FROM edge x WHERE x.src = c.id AND x.door IN (` + carries + `) AND x.dst = l."first_parent"))
		ORDER BY 1`
}

// mending asks for the changes that mend what caused incidents.
func mending(ids string, doors map[string]int64) string {
	return `SELECT n.id, n.ref, n.kind FROM edge c CROSS JOIN edge f CROSS JOIN node n WHERE c.src IN (` + ids + `) AND c.door IN (` + named(doors, "caused-by") +
		`) AND f.dst = c.dst AND f.door IN (` + named(doors, "fixes") + `) AND n.id = f.src AND n.kind || '' = '` + string(stemma.KindChange) + `' ORDER BY n.id`
}

// ranThen asks for the deployments that were the last of their services when snapshots were
// taken. What nothing explains was shipped by none, and tells of all that are there.
func ranThen(ids string) string {
	return `WITH seen(id, environment, taken) AS (SELECT s.id, s."environment", s."taken" FROM k_snapshot s WHERE s.id IN (` + ids + `)),
		latest(environment, service, at) AS (SELECT seen.environment, COALESCE(d."service", ''), MAX(d."at") FROM seen CROSS JOIN k_deployment d
			WHERE d."environment" = seen.environment AND d."at" <= seen.taken AND d."status" IN ('success', 'inactive') GROUP BY seen.id, seen.environment, COALESCE(d."service", ''))
		SELECT n.id, n.ref, n.kind FROM latest CROSS JOIN k_deployment d CROSS JOIN node n
			WHERE d."environment" = latest.environment AND d."at" = latest.at AND COALESCE(d."service", '') = latest.service AND n.id = d.id ORDER BY 1`
}

// query asks for what some things lead to.
func (h hop) query(ids string, doors map[string]int64) string {
	near, far := "src", "dst"
	if h.back {
		near, far = far, near
	}
	return `SELECT n.id, n.ref, n.kind FROM edge e CROSS JOIN node n WHERE e.` + near + ` IN (` + ids + `) AND e.door IN (` + named(doors, h.doors) +
		`) AND n.id = e.` + far + ` AND n.kind || '' = '` + string(h.to) + `' ORDER BY n.id`
}

// named are the ids of doors: of those that nothing went through there are none.
func named(doors map[string]int64, names string) string {
	var at []int64
	for name := range strings.FieldsSeq(names) {
		if id, ok := doors[name]; ok {
			at = append(at, id)
		}
	}
	return list(at)
}

func doorIDs(ctx context.Context, tx *storage.Tx) (map[string]int64, error) {
	doors := map[string]int64{}
	rows, err := tx.Query(ctx, `SELECT id, name FROM door`)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, err
		}
		doors[name] = id
	}
	return doors, rows.Err()
}
