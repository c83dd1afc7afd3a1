package gather

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// run runs what was asked for since the last time, in one way there and back.
func (g *gatherer) run() error {
	asks := g.asks
	g.asks = nil
	return errors.Join(g.wrong, g.tx.Ask(g.ctx, asks...))
}

// ask has a query run with the others, and its rows taken when they are there.
func (g *gatherer) ask(query string, take func(scan func(...any) error) error, args ...any) {
	g.asked(query)
	g.asks = append(g.asks, storage.Ask{Query: query, Args: args, Take: take})
}

// planned has PostgreSQL plan each statement once, since to plan most of them takes longer than to
// run them.
const planned = `set_config('plan_cache_mode', 'force_generic_plan', true)`

// readDoors reads what other queries are written with: the numbers of doors.
func (g *gatherer) readDoors() {
	query := `SELECT json_group_object(name, id), '' FROM door`
	if g.tx.Engine() == storage.Postgres {
		query = `SELECT json_object_agg(name, id)::text, ` + planned + ` FROM door`
	}
	g.ask(query, func(scan func(...any) error) error {
		var text, set string
		if err := scan(&text, &set); err != nil {
			return err
		}
		return json.Unmarshal([]byte(text), &g.doors)
	})
}

// each asks about some nodes: in a query {ids} is a table i of their numbers, with
// which it begins (CROSS JOIN keeps SQLite from beginning elsewhere), and {doors a b} are
// the numbers of doors. The query is the same whatever the nodes, so that an engine plans
// it once.
func (g *gatherer) each(ids []int64, query string, take func(scan func(...any) error) error, args ...any) {
	if len(ids) == 0 {
		return
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	table, list := "json_each($1) i", "["+numbers(ids)+"]"
	if g.tx.Engine() == storage.Postgres {
		table, list = "unnest(CAST(CAST($1 AS text) AS bigint[])) i(value)", "{"+numbers(ids)+"}"
	}
	query = strings.ReplaceAll(query, "{ids}", table)
	for {
		before, rest, found := strings.Cut(query, "{doors ")
		if !found {
			break
		}
		names, after, _ := strings.Cut(rest, "}")
		query = before + "(" + g.through(names) + ")" + after
	}
	g.ask(query, take, append([]any{list}, args...)...)
}

// named asks about some names: in a query {names} is a table i of them.
func (g *gatherer) named(names map[string]bool, query string, take func(scan func(...any) error) error, args ...any) {
	if len(names) == 0 {
		return
	}
	list, err := json.Marshal(slices.Sorted(maps.Keys(names)))
	g.wrong = errors.Join(g.wrong, err)
	table := "json_each($1) i"
	if g.tx.Engine() == storage.Postgres {
		table = "json_array_elements_text(CAST(CAST($1 AS text) AS json)) i(value)"
	}
	g.ask(strings.ReplaceAll(query, "{names}", table), take, append([]any{string(list)}, args...)...)
}

// through are the numbers of doors, for a query; one that nothing went through yet has none.
func (g *gatherer) through(doors string) string {
	var ids []int64
	for _, name := range strings.Fields(doors) {
		if id, ok := g.doors[name]; ok {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return "-1"
	}
	return numbers(ids)
}

// numbers writes a list of them.
func numbers(ids []int64) string {
	var b []byte
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return string(b)
}

// A link is the other end of an edge, without its beginning.
type link struct {
	door, method string
	to           int64
	pos          int64
}

// The ways of links.
const (
	away = `SELECT e.src AS a, e.door, e.dst AS b, e.method, e.pos FROM {ids} CROSS JOIN edge e WHERE e.src = i.value AND e.door IN {doors}`
	back = `SELECT e.dst AS a, e.door, e.src AS b, e.method, e.pos FROM {ids} CROSS JOIN edge e WHERE e.dst = i.value AND e.door IN {doors}`
	both = away + ` UNION ALL ` + back
)

// links asks for the edges of nodes through doors.
func (g *gatherer) links(ids []int64, into map[int64][]link, way, doors string) {
	names := map[int64]string{}
	for _, name := range strings.Fields(doors) {
		names[g.doors[name]] = name
	}
	g.each(ids, strings.ReplaceAll(way, "{doors}", "{doors "+doors+"}")+` ORDER BY 1, 3, 2`, func(scan func(...any) error) error {
		var of, door int64
		var l link
		err := scan(&of, &door, &l.to, &l.method, &l.pos)
		l.door = names[door]
		into[of] = append(into[of], l)
		return err
	})
}

// through are the ends of links through some doors.
func through(list []link, doors ...string) (ids []int64) {
	for _, l := range list {
		if slices.Contains(doors, l.door) {
			ids = append(ids, l.to)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// texts are refs as names to ask about.
func texts(refs []stemma.Ref) map[string]bool {
	names := map[string]bool{}
	for _, ref := range refs {
		names[string(ref)] = true
	}
	return names
}

func keys[V any](m map[int64]V) []int64 {
	list := make([]int64, 0, len(m))
	for id := range m {
		list = append(list, id)
	}
	return list
}
