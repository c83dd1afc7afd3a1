package figure

import (
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/policy/tally"
)

// NoTeam is how an address names what is of no team; none can be called so.
const NoTeam = "-"

// Teams are the names of those that the policy has, in its order, and NoTeam; nothing if it
// has none.
func (b *Book) Teams() []string {
	if len(b.policy.Teams) == 0 {
		return nil
	}
	var names []string
	for _, t := range b.policy.Teams {
		names = append(names, t.Name)
	}
	return append(names, NoTeam)
}

// TeamName is what pages call a team.
func TeamName(team string) string {
	if team == NoTeam {
		return "no team"
	}
	return team
}

// TeamOf is the team of a repository, or NoTeam.
func (b *Book) TeamOf(repository stemma.Ref) string {
	_, name := repository.Split()
	if team := b.policy.TeamOf(name); team != "" {
		return team
	}
	return NoTeam
}

// Of is the part of a board that is of a team, of all if none is named. The error is
// stemma.ErrNotFound if there is no such team.
func (b *Book) Of(board tally.Board, team string) (tally.Board, error) {
	if team == "" {
		return board, nil
	}
	if !slices.Contains(b.Teams(), team) {
		return board, stemma.ErrNotFound
	}
	part := tally.Board{Cells: map[tally.Cell]tally.Count{}}
	for at, c := range board.Cells {
		if b.TeamOf(at.Repository) == team {
			part.Cells[at] = c
		}
	}
	return part, nil
}

// ByTeam are the counts of each team, of the cells that a condition holds for.
func (b *Book) ByTeam(board tally.Board, of func(tally.Cell) bool) map[string]tally.Count {
	sums, teams := map[string]tally.Count{}, map[stemma.Ref]string{}
	for at, c := range board.Cells {
		if !of(at) {
			continue
		}
		team, known := teams[at.Repository]
		if !known {
			team = b.TeamOf(at.Repository)
			teams[at.Repository] = team
		}
		sums[team] = sums[team].Plus(c)
	}
	return sums
}
