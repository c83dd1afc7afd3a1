package population

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/lineage/deployed"
)

// chunk is of how many things is asked at once.
const chunk = 500

// refs are the names of things, in order.
func refs(ctx context.Context, s *deployed.Store, ids []int64) ([]stemma.Ref, error) {
	refs := []stemma.Ref{}
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), chunk) {
		err := s.Each(ctx, func(scan func(...any) error) error {
			var ref stemma.Ref
			err := scan((*string)(&ref))
			refs = append(refs, ref)
			return err
		}, `SELECT ref FROM node WHERE id IN (`+deployed.List(part)+`)`)
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(refs)
	return refs, nil
}

// describe reads what is known of the members.
func describe(ctx context.Context, s *deployed.Store, members map[int64]*Member) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(members)), chunk) {
		for _, read := range []func(context.Context, *deployed.Store, string, map[int64]*Member) error{commits, changes} {
			if err := read(ctx, s, deployed.List(part), members); err != nil {
				return err
			}
		}
	}
	if err := sessions(ctx, s, members); err != nil {
		return err
	}
	return reviews(ctx, s, members)
}

func commits(ctx context.Context, s *deployed.Store, ids string, members map[int64]*Member) error {
	return s.Each(ctx, func(scan func(...any) error) error {
		var id, at int64
		var m Member
		if err := scan(&id, (*string)(&m.Commit), &m.Title, (*string)(&m.Author), &at, &m.AI, &m.Human, &m.Unknown); err != nil {
			return err
		}
		of := members[id]
		of.Commit, of.Title, of.Author, of.AI, of.Human, of.Unknown = m.Commit, m.Title, m.Author, m.AI, m.Human, m.Unknown
		if at != 0 {
			of.Committed = time.UnixMicro(at).UTC()
		}
		return nil
	}, `SELECT n.id, n.ref, COALESCE(c."title", ''), COALESCE(a.ref, ''), COALESCE(c."committed", 0), COALESCE(c."ai_lines", 0), COALESCE(c."human_lines", 0),
			COALESCE(c."unknown_lines", 0)
		FROM node n LEFT JOIN k_commit c ON c.id = n.id LEFT JOIN node a ON a.id = c."author" WHERE n.id IN (`+ids+`)`)
}

// changes finds what carried the members: a merge request before a push, then what came
// first.
func changes(ctx context.Context, s *deployed.Store, ids string, members map[int64]*Member) error {
	return s.Carried(ctx, ids, func(c deployed.Carried) {
		if m := members[c.Commit]; m != nil && m.change == 0 {
			m.change, m.Change, m.Method = c.Change, c.Ref, c.Method
		}
	})
}

// sessions counts those that the members came from, or the changes that carried them: a
// commit that a forge made of others is in no session itself.
func sessions(ctx context.Context, s *deployed.Store, members map[int64]*Member) error {
	ids := map[int64]bool{}
	for id, m := range members {
		ids[id] = true
		if m.change != 0 {
			ids[m.change] = true
		}
	}
	found := map[int64]int{}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(ids)), chunk) {
		err := s.Each(ctx, func(scan func(...any) error) error {
			var id int64
			var n int
			err := scan(&id, &n)
			found[id] = n
			return err
		}, `SELECT e.src, COUNT(DISTINCT e.dst) FROM edge e WHERE e.src IN (`+deployed.List(part)+`) AND e.door IN (`+s.Doors("session")+`) GROUP BY e.src`)
		if err != nil {
			return err
		}
	}
	for id, m := range members {
		if m.Sessions = found[id]; m.Sessions == 0 {
			m.Sessions = found[m.change]
		}
	}
	return nil
}
