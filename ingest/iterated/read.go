package iterated

import (
	"context"
	"fmt"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/storage"
)

// door is true of edges through one of some doors.
func door(names ...string) string {
	return `e.door IN (SELECT d.id FROM door d WHERE d.name IN ('` + strings.Join(names, `', '`) + `'))`
}

// touched are the changes of which something is news, in order: the way goes from what
// is news to them.
func touched(ctx context.Context, db *storage.DB, since int64) (ids []int64, err error) {
	showing := func(commit, from string) string { // the changes that showed or landed a commit
		return `SELECT e.src FROM ` + from + ` JOIN edge e ON e.dst = ` + commit + ` WHERE ` + door("head", "carries") + `
			UNION SELECT c.id FROM ` + from + ` JOIN k_change c ON c."head" = ` + commit + ` UNION SELECT c.id FROM ` + from + ` JOIN k_change c ON c."merge_commit" = ` + commit
	}
	query := `WITH news(id) AS (SELECT n.id FROM node n WHERE n.last_pos >= $1),
		run(id) AS (SELECT r.id FROM news JOIN k_run r ON r.id = news.id UNION SELECT r."part_of" FROM news JOIN k_run r ON r.id = news.id WHERE r."part_of" IS NOT NULL),
		source(id) AS (SELECT e.src FROM news JOIN k_session s ON s.id = news.id JOIN edge e ON e.dst = s.id WHERE ` + door("session", "opened") + `
			UNION SELECT c.id FROM news JOIN k_commit c ON c.id = news.id),
		touched(id) AS (SELECT id FROM news UNION SELECT id FROM source UNION ` + showing("source.id", "source") + `
			UNION SELECT e.dst FROM run JOIN edge e ON e.src = run.id WHERE ` + door("of-change") + `
			UNION ` + showing(`r."commit"`, `run JOIN k_run r ON r.id = run.id`) + `)
		SELECT c.id FROM touched JOIN k_change c ON c.id = touched.id
		WHERE EXISTS (SELECT 1 FROM k_run) OR EXISTS (SELECT 1 FROM k_session) ORDER BY c.id`
	return ids, db.Each(ctx, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, query, since)
}

// A reader reads some changes.
type reader struct {
	ctx     context.Context
	tx      *storage.Tx
	changes map[int64]*counted
}

func (r *reader) each(take func(scan func(...any) error) error, query string, of []int64) (err error) {
	if len(of) == 0 {
		return nil
	}
	rows, err := r.tx.Query(r.ctx, strings.ReplaceAll(query, "{}", list(of)))
	if err != nil {
		return err
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed
		}
	}()
	for rows.Next() {
		if err := take(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list writes ids for a query: they are numbers.
func list(ids []int64) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ","), "[]")
}

// pairs are what one of two columns leads to.
type pairs map[int64][]int64

func (p pairs) seconds() (list []int64) {
	seen := map[int64]bool{}
	for _, of := range p {
		for _, id := range of {
			if !seen[id] {
				seen[id] = true
				list = append(list, id)
			}
		}
	}
	return list
}

func (r *reader) pairs(query string, of []int64) (pairs, error) {
	p := pairs{}
	return p, r.each(func(scan func(...any) error) error {
		var a, b int64
		err := scan(&a, &b)
		p[a] = append(p[a], b)
		return err
	}, query, of)
}

func (r *reader) read(ids []int64) error {
	err := r.each(func(scan func(...any) error) error {
		var id int64
		c := &counted{typed: map[int64][]prompt{}}
		err := scan(&id, (*string)(&c.ref), &c.known.Attempts, &c.known.Green, &c.known.Idle, &c.known.Reprompts)
		r.changes[id] = c
		return err
	}, `SELECT c.id, n.ref, COALESCE(c."attempts", 0), COALESCE(c."green", 0), COALESCE(c."infrastructure_failures", 0), COALESCE(c."reprompts", 0)
		FROM k_change c JOIN node n ON n.id = c.id WHERE c.id IN ({})`, ids)
	if err != nil {
		return err
	}
	shown, err := r.shown(ids)
	if err != nil {
		return err
	}
	if err := r.runs(ids, shown); err != nil {
		return err
	}
	return r.sessions(ids)
}

// shown are the commits that a change showed for review; of one that showed none those
// that it put on its target.
func (r *reader) shown(ids []int64) (pairs, error) {
	shown, err := r.pairs(`SELECT e.src, e.dst FROM edge e WHERE e.src IN ({}) AND `+door("head")+`
		UNION SELECT c.id, c."head" FROM k_change c WHERE c.id IN ({}) AND c."head" IS NOT NULL`, ids)
	if err != nil {
		return nil, err
	}
	var direct []int64
	for _, id := range ids {
		if shown[id] == nil {
			direct = append(direct, id)
		}
	}
	landed, err := r.pairs(`SELECT e.src, e.dst FROM edge e WHERE e.src IN ({}) AND `+door("carries")+`
		UNION SELECT c.id, c."merge_commit" FROM k_change c WHERE c.id IN ({}) AND c."merge_commit" IS NOT NULL`, direct)
	for id, commits := range landed {
		shown[id] = commits
	}
	return shown, err
}

// runs reads the runs that say that they are of a change, or are of a commit that it
// showed, with their jobs.
func (r *reader) runs(ids []int64, shown pairs) error {
	of, err := r.pairs(`SELECT e.dst, e.src FROM edge e WHERE e.dst IN ({}) AND `+door("of-change"), ids)
	if err != nil {
		return err
	}
	byCommit, err := r.pairs(`SELECT r."commit", r.id FROM k_run r WHERE r."commit" IN ({})`, shown.seconds())
	if err != nil {
		return err
	}
	for id, commits := range shown {
		for _, c := range commits {
			of[id] = append(of[id], byCommit[c]...)
		}
	}
	jobs, err := r.pairs(`SELECT r."part_of", r.id FROM k_run r WHERE r."part_of" IN ({})`, of.seconds())
	if err != nil {
		return err
	}
	all := map[int64]pipeline.Run{}
	err = r.each(func(scan func(...any) error) error {
		var id int64
		var x pipeline.Run
		err := scan(&id, (*string)(&x.ID), &x.System, &x.Name, &x.Attempt, &x.Status, &x.Conclusion, &x.Reason, (*string)(&x.Commit), (*int64)(&x.Started), (*int64)(&x.Ended), (*string)(&x.PartOf))
		all[id] = x
		return err
	}, `SELECT r.id, n.ref, COALESCE(r."system", ''), COALESCE(r."name", ''), COALESCE(r."attempt", 0), COALESCE(r."status", ''), COALESCE(r."conclusion", ''), COALESCE(r."reason", ''),
			COALESCE(c.ref, ''), COALESCE(r."started", 0), COALESCE(r."ended", 0), COALESCE(p.ref, '')
		FROM k_run r JOIN node n ON n.id = r.id LEFT JOIN node c ON c.id = r."commit" LEFT JOIN node p ON p.id = r."part_of" WHERE r.id IN ({})`,
		append(of.seconds(), jobs.seconds()...))
	for id, c := range r.changes {
		seen := map[stemma.Ref]bool{}
		add := func(run int64) {
			if x := all[run]; x.ID != "" && !seen[x.ID] {
				seen[x.ID] = true
				c.runs = append(c.runs, x)
			}
		}
		for _, run := range of[id] {
			add(run)
			for _, job := range jobs[run] {
				add(job)
			}
		}
	}
	return err
}

// sessions reads what was typed in the sessions that a change, or a commit of it, came
// from.
func (r *reader) sessions(ids []int64) error {
	of, err := r.pairs(`SELECT e.src, e.dst FROM edge e WHERE e.src IN ({}) AND `+door("session", "opened")+`
		UNION SELECT h.src, e.dst FROM edge h JOIN edge e ON e.src = h.dst WHERE h.src IN ({})
			AND h.door IN (SELECT d.id FROM door d WHERE d.name IN ('head', 'carries')) AND `+door("session"), ids)
	if err != nil {
		return err
	}
	typed := map[int64][]prompt{}
	err = r.each(func(scan func(...any) error) error {
		var id, failing int64
		var p prompt
		err := scan(&id, (*int64)(&p.at), &failing)
		p.failing = failing == 1
		typed[id] = append(typed[id], p)
		return err
	}, `SELECT t.id, COALESCE(t."at", 0), COALESCE(t."failing", 0) FROM k_session_turn t WHERE t.id IN ({}) AND t."typed" = 1 ORDER BY t.id, t.seq`, of.seconds())
	for id, c := range r.changes {
		for _, session := range of[id] {
			if t := typed[session]; t != nil {
				c.typed[session] = t
			}
		}
	}
	return err
}
