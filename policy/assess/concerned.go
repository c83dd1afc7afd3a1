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
	{stemma.KindException, stemma.KindChange, "for", false},
}

// maxHops is how many steps lead at most from evidence to a change: from a bill of
// materials by its artifact, another digest of that, its deployment, to what it brought.
const maxHops = 6

// concerned are the changes in which things have a say, in order of their refs.
func concerned(ctx context.Context, db *storage.DB, things []stemma.Ref) (changes []stemma.Ref, err error) {
	found := map[int64]stemma.Ref{}
	return changes, db.Read(ctx, func(tx *storage.Tx) error {
		doors, err := doorIDs(ctx, tx)
		if err != nil {
			return err
		}
		front, seen := map[stemma.Kind][]int64{}, map[int64]bool{}
		take := func(rows *storage.Rows) error {
			for rows.Next() {
				var id int64
				var ref, kind string
				if err := rows.Scan(&id, &ref, &kind); err != nil {
					return err
				}
				if seen[id] {
					continue
				}
				seen[id] = true
				if k := stemma.Kind(kind); k == stemma.KindChange {
					found[id] = stemma.Ref(ref)
				} else {
					front[k] = append(front[k], id)
				}
			}
			return rows.Err()
		}
		for part := range slices.Chunk(things, perQuery) {
			args, marks := make([]any, len(part)), make([]string, len(part))
			for i, r := range part {
				args[i], marks[i] = string(r), "$"+itoa(i+1)
			}
			rows, err := tx.Query(ctx, `SELECT id, ref, kind FROM node WHERE ref IN (`+strings.Join(marks, ", ")+`)`, args...)
			if err == nil {
				err = take(rows)
			}
			if err != nil {
				return err
			}
		}
		for range maxHops {
			if len(front) == 0 {
				break
			}
			from := front
			front = map[stemma.Kind][]int64{}
			for _, h := range hops {
				for part := range slices.Chunk(from[h.from], perQuery) {
					rows, err := tx.Query(ctx, h.query(list(part), doors))
					if err == nil {
						err = take(rows)
					}
					if err != nil {
						return err
					}
				}
			}
		}
		changes = slices.Sorted(maps.Values(found))
		return nil
	})
}

// query asks for what some things lead to.
func (h hop) query(ids string, doors map[string]int64) string {
	at := []int64{-1}
	for name := range strings.FieldsSeq(h.doors) {
		if id, ok := doors[name]; ok {
			at = append(at, id)
		}
	}
	near, far := "src", "dst"
	if h.back {
		near, far = far, near
	}
	return `SELECT n.id, n.ref, n.kind FROM edge e CROSS JOIN node n WHERE e.` + near + ` IN (` + ids + `) AND e.door IN (` + list(at) +
		`) AND n.id = e.` + far + ` AND n.kind || '' = '` + string(h.to) + `' ORDER BY n.id`
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
