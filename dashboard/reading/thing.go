package reading

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/lineage"
)

// Names gives the names of things: titles, and for people the names that the
// erasable table has for them. It takes a constant number of statements.
func (r *Reader) Names(ctx context.Context, refs ...stemma.Ref) (map[stemma.Ref]string, error) {
	out := map[stemma.Ref]string{}
	var unknown, people []stemma.Ref
	for _, ref := range refs {
		if _, ok := out[ref]; ok || ref == "" {
			continue
		}
		out[ref] = ""
		unknown = append(unknown, ref)
		if k := ref.Kind(); k == stemma.KindPerson || k == stemma.KindBot {
			people = append(people, ref)
		}
	}
	nodes, err := r.space.Graph.Nodes(ctx, unknown...)
	if err != nil {
		return nil, err
	}
	if err := r.space.Graph.Fill(ctx, nodes); err != nil {
		return nil, err
	}
	for _, n := range nodes {
		out[n.Ref] = lineage.Title(n.Ref, n.Attrs)
	}
	called, err := r.called(ctx, people)
	for _, p := range called {
		out[p.Ref] = p.Name
	}
	return out, err
}

// called tells how people are called, of the accounts that are known to be theirs: by a
// name if there is one, of the account itself if that has it, else by what they log in as.
// An account that was erased is called nothing.
func (r *Reader) called(ctx context.Context, people []stemma.Ref) ([]Profile, error) {
	if len(people) == 0 {
		return nil, nil
	}
	marks, args := parameters(people)
	list, err := ask(ctx, r, func(p *Profile) []any { return []any{&p.Ref, &p.Name} },
		`SELECT n.ref, COALESCE(NULLIF(pf.name, ''), pf.login) FROM node n LEFT JOIN same s ON s.id = n.id LEFT JOIN same o ON o.self = s.self
			JOIN node a ON a.id = COALESCE(o.id, n.id) JOIN profile pf ON pf.ref = a.ref AND (pf.name <> '' OR pf.login <> '')
		WHERE n.ref IN (`+marks+`) AND NOT EXISTS (SELECT 1 FROM profile gone WHERE gone.ref = n.ref AND gone.erased > 0)
		ORDER BY n.ref, CASE WHEN pf.name = '' THEN 1 ELSE 0 END, CASE WHEN a.id = n.id THEN 0 ELSE 1 END, a.ref`, args...)
	return slices.CompactFunc(list, func(a, b Profile) bool { return a.Ref == b.Ref }), err
}

// A Profile is who a pseudonym stands for, as far as that was not erased.
type Profile struct {
	Ref                stemma.Ref
	Name, Email, Login string
}

// Profiles are those of people and bots; of some there is none.
func (r *Reader) Profiles(ctx context.Context, refs ...stemma.Ref) ([]Profile, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	marks, args := parameters(refs)
	return ask(ctx, r, func(p *Profile) []any { return []any{&p.Ref, &p.Name, &p.Email, &p.Login} },
		`SELECT ref, name, email, login FROM profile WHERE ref IN (`+marks+`)`, args...)
}

// parameters are refs as those of a statement.
func parameters(refs []stemma.Ref) (marks string, args []any) {
	for i, ref := range refs {
		marks += ",$" + strconv.Itoa(i+1)
		args = append(args, string(ref))
	}
	return strings.TrimPrefix(marks, ","), args
}

// A Record is one fact about a thing.
type Record struct {
	Pos, Size int64
	Fact      stemma.Fact // zero if it is too large to be read for a list, or erased
	ID        string
	Recorded  time.Time
}

const recordInList = 64 << 10 // larger ones are not read for a list

// Records are the latest facts about a thing, newest first: at most 20. The
// thing is named by its node.
func (r *Reader) Records(ctx context.Context, node int64) ([]Record, error) {
	type row struct {
		Record
		id, canonical []byte
	}
	rows, err := ask(ctx, r, func(f *row) []any { return []any{&f.Pos, &f.id, &f.canonical, &f.Size, (*micros)(&f.Recorded)} },
		`SELECT f.pos, f.id, CASE WHEN length(f.canonical) <= $2 THEN f.canonical END, COALESCE(length(f.canonical), 0), f.recorded
		FROM node_fact nf JOIN fact f ON f.pos = nf.pos WHERE nf.node = $1 ORDER BY nf.pos DESC LIMIT 20`, node, int64(recordInList))
	if err != nil {
		return nil, err
	}
	var out []Record
	for _, f := range rows {
		if len(f.id) == len(stemma.Digest{}) {
			f.ID = stemma.Digest(f.id).String()
		}
		if f.canonical != nil {
			if f.Fact, err = stemma.DecodeFact(f.canonical); err != nil {
				return nil, err
			}
		}
		out = append(out, f.Record)
	}
	return out, nil
}

// A Role is what a file of owners makes of a person.
type Role struct {
	Ref, Repository stemma.Ref
	Pattern         string
	Since           time.Time
}

// Roles are those that a person or bot holds, the latest first: at most 100.
func (r *Reader) Roles(ctx context.Context, holder int64) ([]Role, error) {
	return ask(ctx, r, func(o *Role) []any { return []any{&o.Ref, &o.Repository, &o.Pattern, (*micros)(&o.Since)} },
		`SELECT n.ref, COALESCE(h.ref, ''), COALESCE(k.pattern, ''), k.since FROM k_role k JOIN node n ON n.id = k.id LEFT JOIN node h ON h.id = k.repository
		WHERE k.holder = $1 ORDER BY k.since DESC, n.ref LIMIT 100`, holder)
}
