// Package gather fills subjects from the tables of the graph and the log, many at a time.
//
// Every table is asked once for a page of changes, by the nodes that the page names, so
// the number of statements does not grow with the changes of a page, and what is found of
// a change does not depend on which others are asked for with it.
//
// What is taken of one change is bounded; where a bound left something out, the subject
// has a gap that says so. The package writes nothing and reads no clock.
package gather

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
)

// Source is what gaps are from that say that a bound was met.
const Source = "gather"

// page is how many changes are read together.
const page = 200

// MaxFiles is how many paths of a change are looked at, and one less than how many files of
// a commit are read.
const MaxFiles = 10_000

// How much of one change is taken.
const (
	maxCommits      = 1_000  // that came in, and that were shown
	maxSpans        = 20_000 // paths and origins
	maxSessions     = 500
	maxAncestors    = 64 // sessions above one
	maxReviews      = 500
	maxRuns         = 1_000
	maxReports      = 1_000 // tests, scans
	maxArtifacts    = 200
	maxAttestations = 100 // of one
	maxDeployments  = 200
	maxIncidents    = 100
	maxTickets      = 100
	maxGaps         = 100
	maxParts        = 5_000 // of a bill of materials

	maxPackages        = 10_000
	maxVulnerabilities = 1_000
)

// lately is of how many things of a repository, the last ones, it is looked at whether a
// forge or agents tell of it, and which gaps are open.
const lately = 500

// Options are what is not in the graph.
type Options struct {
	Settings func(repository string) subject.Settings // by its ref
	Now      time.Time
	Log      subject.Log
	// New leaves out packages that were built in before in these versions, and what is told of
	// them: no rule looks at them.
	New bool
}

// Changes are the subjects of some changes, derived, in their order. Who signed attestations
// is left to a [Verifier]. The same change has
// the same subject. The error wraps [stemma.ErrNotFound] if one of them is not known. On
// PostgreSQL the rest of the transaction plans a statement once, whatever its arguments.
func Changes(ctx context.Context, tx *storage.Tx, refs []stemma.Ref, opt Options) ([]*subject.Subject, error) {
	list := make([]*subject.Subject, 0, len(refs))
	for part := range slices.Chunk(refs, page) {
		found, err := open(ctx, tx, opt).page(part)
		if err != nil {
			return nil, fmt.Errorf("gathering changes: %w", err)
		}
		for _, ref := range part {
			s := found[ref]
			if s == nil {
				return nil, fmt.Errorf("gathering change %s: %w", ref, stemma.ErrNotFound)
			}
			list = append(list, s)
		}
	}
	return list, nil
}

// page fills the subjects of a page. What stands on one line is asked together, and what it is
// asked about came with the lines before.
func (g *gatherer) page(refs []stemma.Ref) (map[stemma.Ref]*subject.Subject, error) {
	for _, together := range [][]func(){
		{g.readDoors, func() { g.readChanges(refs) }},
		{g.readCredits, g.readLinks, g.readRepositories, g.readProtections, g.readReviews, g.readExceptions},
		{g.readCommits, g.readNext, g.readFiles, g.readRecords, g.readRoles, g.readDeployments, g.readRunsFor},
		{g.readSpans, g.readCapture, g.readRunsOn, g.readTickets, g.readIncidents},
		{g.readSessions, g.readPins, g.readReports, g.readBuilt, g.readTicketRows, g.readIncidentRows},
		{g.readSession, g.readRequirements, g.readRules, g.readSame},
		{g.readArtifacts, g.readStatements, g.readBoms, g.readAdvisories},
		{g.readParts, g.readGaps},
		{g.readPackages},
		{g.readVulnerabilities, g.readNames},
	} {
		for _, read := range together {
			read()
		}
		if err := g.run(); err != nil {
			return nil, err
		}
	}
	found := make(map[stemma.Ref]*subject.Subject, len(g.changes))
	for _, c := range g.changes {
		c.runs = nil // those of one time are put in order by their names, which came last
		s := g.subject(c)
		s.Settings, s.Now, s.Log = g.opt.Settings(s.Repository.Ref), g.opt.Now, g.opt.Log
		s.Derive()
		found[stemma.Ref(s.Change.Ref)] = s
	}
	return found, nil
}

// subject puts together what was read of one change.
func (g *gatherer) subject(c *changeRow) *subject.Subject {
	s := &subject.Subject{}
	g.putRepository(s, c)
	g.putChange(s, c)
	g.putCommits(s, c)
	g.putFiles(s, c)
	g.putSpans(s, c)
	g.putSessions(s, c)
	g.putReviews(s, c)
	g.putRuns(s, c)
	g.putReports(s, c)
	g.putDeployments(s, c)
	g.putArtifacts(s, c)
	g.putIncidents(s, c)
	g.putTickets(s, c)
	g.putGovernance(s, c)
	g.putGaps(s, c)
	return s
}

// most are the first of a list, as many as may be; that there were more is a gap.
func most[T any](s *subject.Subject, list []T, bound int, what string) []T {
	if len(list) <= bound {
		return list
	}
	s.Gaps = append(s.Gaps, subject.Gap{
		Source: Source, Place: s.Change.Ref, Reason: fmt.Sprintf("it has more than %d %s, and the others were not looked at", bound, what),
	})
	return list[:bound]
}
