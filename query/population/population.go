// Package population lists what reached an environment: every commit that a deployment
// brought between two of them, with the change that carried it, who reviewed that and
// what is missing from the record. It starts from what was deployed and not from what
// was recorded, so that what has no record shows.
//
// What was there for a while and is gone again at the end is a member too. Every
// service of an environment is followed by itself.
//
// The package also draws samples that anybody can draw again ([Draw]). It reads the
// tables of package graph and writes nothing.
package population

import (
	"context"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/between"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/storage"
)

// A Deployment is one that the population rests on.
type Deployment struct {
	deployed.Deployment
	Commits int `json:"commits"` // that it brought first
}

// A Member is a commit that reached the environment.
type Member struct {
	Commit     stemma.Ref `json:"commit"`
	Title      string     `json:"title,omitempty"`
	Author     stemma.Ref `json:"author,omitempty"`
	Committed  time.Time  `json:"committed,omitzero"`
	Deployment stemma.Ref `json:"deployment"`       // the first that brought it
	Gone       bool       `json:"gone"`             // the last deployment has it not any more
	Change     stemma.Ref `json:"change,omitempty"` // that carried it
	Method     string     `json:"method,omitempty"` // how that landed
	Reviews    int        `json:"reviews"`
	Approvals  int        `json:"approvals"` // that still count
	Sessions   int        `json:"sessions"`
	AI         int64      `json:"ai_lines"`
	Human      int64      `json:"human_lines"`
	Unknown    int64      `json:"unknown_lines"`
	Missing    []string   `json:"missing"` // which records there are not

	id, change int64
	at         time.Time // of the deployment
}

// What may be missing of a member.
const (
	NoCommit  = "commit"  // nothing is known of it but that others stand on it
	NoChange  = "change"  // nothing says how it came in
	NoReview  = "review"  // nobody judged the change
	NoSession = "session" // AI wrote some of it, and no session is known
)

// A Population is all that reached an environment.
type Population struct {
	Environment string         `json:"environment"`
	From        []Deployment   `json:"from"`        // what was there before, of each service
	Deployments []Deployment   `json:"deployments"` // in order
	Members     []Member       `json:"members"`     // the newest first
	Orphans     map[string]int `json:"orphans"`     // how many members miss what
	Removed     []stemma.Ref   `json:"removed"`     // commits that were there before and are not at the end
	Unresolved  []stemma.Ref   `json:"unresolved"`  // deployments of which no commit is known
}

// Between lists the population.
func Between(ctx context.Context, tx *storage.Tx, ask deployed.Ask) (*Population, error) {
	p := &Population{Environment: ask.Environment, From: []Deployment{}, Deployments: []Deployment{}, Members: []Member{}, Orphans: map[string]int{}, Removed: []stemma.Ref{}, Unresolved: []stemma.Ref{}}
	s, err := deployed.In(ctx, tx)
	if err != nil {
		return nil, err
	}
	services, err := s.Period(ctx, ask)
	if err != nil {
		return nil, err
	}
	h, err := between.Of(ctx, tx, stemma.KindCommit, "parent", "committed")
	if err != nil {
		return nil, err
	}
	members := map[int64]*Member{}
	var there, last []int64 // commits that were deployed, ever and at the end
	before, err := p.before(ctx, s, services)
	if err != nil {
		return nil, err
	}
	for _, of := range services {
		all, end, err := p.follow(ctx, s, h, of, before, members)
		if err != nil {
			return nil, err
		}
		there, last = append(there, all...), append(last, end...)
	}
	gone, err := h.Difference(ctx, there, last)
	if err != nil {
		return nil, err
	}
	var removed []int64
	for _, id := range gone.IDs {
		if m := members[id]; m != nil {
			m.Gone = true
		} else {
			removed = append(removed, id)
		}
	}
	slices.SortStableFunc(p.Deployments, func(a, b Deployment) int { return a.At.Compare(b.At) })
	if p.Removed, err = refs(ctx, s, removed); err != nil {
		return nil, err
	}
	if err := describe(ctx, s, members); err != nil {
		return nil, err
	}
	for _, m := range members {
		m.judge()
		p.Members = append(p.Members, *m)
		for _, what := range m.Missing {
			p.Orphans[what]++
		}
	}
	slices.SortFunc(p.Members, newestFirst)
	return p, nil
}

// before are the commits that were there when the period began, of all services.
func (p *Population) before(ctx context.Context, s *deployed.Store, services []deployed.Service) (commits []int64, err error) {
	for _, of := range services {
		if of.Before == nil {
			continue
		}
		if err := s.Resolve(ctx, of.Before); err != nil {
			return nil, err
		}
		commits = append(commits, of.Before.Commits...)
		p.From = append(p.From, Deployment{*of.Before, 0})
		p.unresolved(*of.Before)
	}
	return commits, nil
}

// follow goes through the deployments of one service, and tells which commits they
// shipped, that of before among them, and which the last one did.
func (p *Population) follow(
	ctx context.Context, s *deployed.Store, h *between.History, of deployed.Service, before []int64, members map[int64]*Member,
) (there, last []int64, err error) {
	if of.Before != nil {
		last = of.Before.Commits
	}
	there = slices.Clone(last)
	brought := map[int64]bool{} // by one of these deployments
	for i := range of.Period {
		d := &of.Period[i]
		if err := s.Resolve(ctx, d); err != nil {
			return nil, nil, err
		}
		p.unresolved(*d)
		found, err := h.Difference(ctx, d.Commits, slices.Concat(before, last))
		if err != nil {
			return nil, nil, err
		}
		n := 0
		for _, id := range found.IDs {
			if brought[id] {
				continue // and gone meanwhile
			}
			brought[id] = true
			n++
			if members[id] == nil {
				members[id] = &Member{id: id, Deployment: d.Ref, at: d.At, Missing: []string{}}
			} else if m := members[id]; d.At.Before(m.at) {
				m.Deployment, m.at = d.Ref, d.At // of another service
			}
		}
		if len(d.Commits) > 0 {
			there, last = append(there, d.Commits...), d.Commits
		}
		p.Deployments = append(p.Deployments, Deployment{*d, n})
	}
	return there, last, nil
}

func (p *Population) unresolved(d deployed.Deployment) {
	if len(d.Commits) == 0 {
		p.Unresolved = append(p.Unresolved, d.Ref)
	}
}

// judge says what is missing.
func (m *Member) judge() {
	switch {
	case m.Committed.IsZero():
		m.Missing = append(m.Missing, NoCommit)
		return
	case m.Change == "":
		m.Missing = append(m.Missing, NoChange)
	}
	if m.Reviews == 0 {
		m.Missing = append(m.Missing, NoReview)
	}
	if m.AI > 0 && m.Sessions == 0 {
		m.Missing = append(m.Missing, NoSession)
	}
}

func newestFirst(a, b Member) int {
	if c := b.Committed.Compare(a.Committed); c != 0 {
		return c
	}
	if a.Commit < b.Commit {
		return -1
	}
	return 1
}
