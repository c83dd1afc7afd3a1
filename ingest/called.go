package ingest

import (
	"context"
	"fmt"
	"strings"

	"github.com/stemma-dev/stemma"
)

// maxCalled is how many people of one name are told.
const maxCalled = 10

// Called returns the people who are called so: by mail address, also if their
// names were erased, by account, by the whole name or a word of it. Case does not
// matter.
func (s *Space) Called(ctx context.Context, name string) ([]stemma.Ref, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" || name != clean(name) {
		return nil, nil // nobody is called so
	}
	var people []stemma.Ref
	if strings.Contains(name, "@") {
		people = append(people, s.Person(name))
	}
	err := s.DB.Each(ctx, func(scan func(...any) error) error {
		var ref stemma.Ref
		err := scan(&ref)
		people = append(people, ref)
		return err
	}, `SELECT ref FROM profile WHERE lower(email) = $1 OR lower(login) = $1 OR lower(name) = $1
			OR ' ' || lower(name) || ' ' LIKE $2 ESCAPE '\'
		ORDER BY CASE WHEN lower(email) = $1 OR lower(login) = $1 OR lower(name) = $1 THEN 0 ELSE 1 END, ref LIMIT $3`,
		name, "% "+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(name)+" %", maxCalled)
	if err != nil {
		return nil, fmt.Errorf("ingest: people called %.60q: %w", name, err)
	}
	return people, nil
}
