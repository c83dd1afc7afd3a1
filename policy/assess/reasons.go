package assess

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest"
)

// wished is under which it is remembered up to which fact so much was news that all changes are
// to be judged.
const wished = Source + "-wish"

// wish asks that all changes are judged: they are more than those may be that something is news of.
func (j *Judge) wish(ctx context.Context) error {
	at, err := j.Space.Graph.Applied(ctx)
	if err != nil {
		return err
	}
	state, err := json.Marshal(at)
	if err != nil {
		return err
	}
	for moved := false; !moved; {
		before, err := j.Space.Bookmark(ctx, wished)
		if err != nil {
			return err
		}
		if moved, err = j.Space.MoveBookmark(ctx, ingest.Move{Source: wished, From: before.State, To: string(state), Now: j.Now()}); err != nil {
			return err
		}
	}
	return nil
}

// everything is all changes, in order of their refs.
const everything = `SELECT n.ref FROM node n WHERE n.ref >= 'change:' AND n.ref < 'change;' AND n.ref > $1 ORDER BY n.ref LIMIT `

// Everything judges all changes if more was news than is followed one by one: the first time,
// and when very much came in at once.
func (j *Judge) Everything(ctx context.Context) error {
	return j.work(ctx, plan{
		source: Source + "-all",
		begin: func(ctx context.Context, s *shift) (bool, error) {
			b, err := j.Space.Bookmark(ctx, wished)
			if err != nil || b.State == "" {
				return false, err
			}
			err = json.Unmarshal([]byte(b.State), &s.Until)
			return s.Until != s.Log, err
		},
		tasks: func(context.Context, *shift) ([]task, error) {
			return []task{{OnEvidence, func(ctx context.Context, last stemma.Ref) ([]stemma.Ref, error) {
				return j.refs(ctx, everything+itoa(10*portion), string(last))
			}}}, nil
		},
		end: func(s *shift) { s.Log = s.Until },
	})
}

// Feeds judges changes again that advisories are about, of whose packages a registry told, in whose
// repositories an exception holds, of whose people it turned out which accounts are theirs, or of
// whose environment what it is for.
func (j *Judge) Feeds(ctx context.Context) error {
	return j.work(ctx, plan{
		source: Source + "-feeds",
		begin: func(ctx context.Context, s *shift) (bool, error) {
			return j.since(ctx, s, func(n news) bool {
				return len(n.advisories)+len(n.packages)+len(n.exceptions)+len(n.ties)+len(n.environments) > 0
			})
		},
		tasks: func(ctx context.Context, s *shift) ([]task, error) {
			n, err := j.news(ctx, s.Log, s.Until)
			if err != nil {
				return nil, err
			}
			models, packages, err := j.advised(ctx, n.advisories)
			return []task{
				these(OnException, func(ctx context.Context) ([]stemma.Ref, error) { return j.inRepositories(ctx, n.exceptions) }),
				these(OnAdvisory, func(ctx context.Context) ([]stemma.Ref, error) { return j.usedModels(ctx, models) }),
				these(OnVulnerability, func(ctx context.Context) ([]stemma.Ref, error) { return j.withPackages(ctx, packages) }),
				these(OnEvidence, func(ctx context.Context) ([]stemma.Ref, error) { return j.withPackages(ctx, n.packages) }),
				these(OnEvidence, func(ctx context.Context) ([]stemma.Ref, error) { return j.ofPeople(ctx, n.ties) }),
				these(OnEvidence, func(ctx context.Context) ([]stemma.Ref, error) {
					return j.deployedInto(ctx, n.environments, s.Log, s.Until)
				}),
			}, err
		},
		end: func(s *shift) { s.Log, s.Until = s.Until, 0 },
	})
}

// since finds out whether a shift concerns anything that is news to it. If not, it is as far as the log.
func (j *Judge) since(ctx context.Context, s *shift, concerns func(news) bool) (bool, error) {
	size, err := j.Space.Graph.Applied(ctx)
	if err != nil || size <= s.Log { // it is being made anew if it is less
		return false, err
	}
	n, err := j.news(ctx, s.Log, size)
	if err != nil {
		return false, err
	}
	if !concerns(n) {
		s.Log = size
		return false, nil
	}
	s.Until = size
	return true, nil
}

// ofPeople are the changes that people made or judged, brought somewhere, or let off a control,
// of whose accounts something is news: whether two are one decides whether an approval counts.
// Who deploys or grants is to be none of those who made the change in any way, and so these are
// found by what they did, under whichever account.
func (j *Judge) ofPeople(ctx context.Context, ties []stemma.Ref) (changes []stemma.Ref, err error) {
	for _, t := range ties {
		some, err := j.refs(ctx, `WITH tied(id) AS (SELECT e.dst FROM node t JOIN edge e ON e.src = t.id JOIN node p ON p.id = e.dst WHERE t.ref = $1 AND p.kind IN ('person', 'bot')),
			who(id) AS (SELECT id FROM tied UNION SELECT o.id FROM tied CROSS JOIN same s CROSS JOIN same o WHERE s.id = tied.id AND o.self = s.self),
			let(id, of) AS (SELECT x."change", x."repository" FROM who CROSS JOIN k_exception x WHERE x."owner" = who.id OR x."approver" = who.id)
			SELECT n.ref FROM who CROSS JOIN k_review r JOIN node n ON n.id = r."change" WHERE r."reviewer" = who.id
			UNION SELECT n.ref FROM who CROSS JOIN edge e JOIN node n ON n.id = e.src JOIN door d ON d.id = e.door
				WHERE e.dst = who.id AND d.name IN ('author', 'driver') AND n.kind = 'change'
			UNION SELECT n.ref FROM who CROSS JOIN k_deployment k CROSS JOIN edge e JOIN node n ON n.id = e.dst JOIN door d ON d.id = e.door
				WHERE k."actor" = who.id AND e.src = k.id AND d.name = 'brings' AND n.kind = 'change'
			UNION SELECT n.ref FROM let JOIN node n ON n.id = let.id
			UNION SELECT n.ref FROM let CROSS JOIN k_change c JOIN node n ON n.id = c.id WHERE c."repository" = let.of ORDER BY 1`, string(t))
		if err != nil {
			return nil, err
		}
		changes = append(changes, some...)
	}
	return changes, nil
}

// deployedInto are the changes that were brought into environments of which something else than
// before is said about what they are for: whether it is production decides what is asked.
func (j *Judge) deployedInto(ctx context.Context, environments []stemma.Ref, since, until int64) ([]stemma.Ref, error) {
	tiers, turned := map[stemma.Ref]string{}, []stemma.Ref(nil)
	for e, err := range j.Space.Ledger.About(ctx, environments...) {
		if err != nil {
			return nil, err
		}
		x, err := deployment.EnvironmentFromFact(e.Fact)
		if err != nil || x.Tier == "" || e.Pos >= until {
			continue // as the graph does
		}
		if ref := e.Fact.Subject; x.Tier != tiers[ref] {
			if tiers[ref] = x.Tier; e.Pos >= since {
				turned = append(turned, ref)
			}
		}
	}
	return among(ctx, j, unique(turned), `SELECT DISTINCT n.ref FROM node v CROSS JOIN k_deployment k CROSS JOIN edge e JOIN node n ON n.id = e.dst JOIN door d ON d.id = e.door
		WHERE v.ref IN ({these}) AND k."environment" = v.id AND e.src = k.id AND d.name = 'brings' AND n.kind = 'change'`)
}

// inRepositories are changes of the repositories that exceptions are for.
func (j *Judge) inRepositories(ctx context.Context, exceptions []stemma.Ref) (changes []stemma.Ref, err error) {
	for _, e := range exceptions {
		some, err := j.refs(ctx, `SELECT n.ref FROM node x JOIN k_exception e ON e.id = x.id JOIN k_change c ON c."repository" = e."repository"
			JOIN node n ON n.id = c.id WHERE x.ref = $1 ORDER BY n.ref`, string(e))
		if err != nil {
			return nil, err
		}
		changes = append(changes, some...)
	}
	return changes, nil
}

// lately is how many changes count as those of the last time.
var lately = 10_000

// calm is how long after changes of whole repositories were judged that is done again at the
// earliest: gaps come in swarms.
const calm = 10 * time.Minute

// Repositories judges changes again that may still turn, of repositories of which a gap was opened or
// closed, or a rule about branches is another.
func (j *Judge) Repositories(ctx context.Context) error {
	return j.work(ctx, plan{
		source: Source + "-repositories",
		begin: func(ctx context.Context, s *shift) (bool, error) {
			if s.Ended != 0 && j.Now().Sub(time.UnixMicro(s.Ended)).Abs() < calm {
				return false, nil
			}
			return j.since(ctx, s, func(n news) bool { return len(n.wide) > 0 })
		},
		tasks: func(ctx context.Context, s *shift) ([]task, error) {
			n, err := j.news(ctx, s.Log, s.Until)
			return []task{these(OnRepository, func(ctx context.Context) ([]stemma.Ref, error) { return j.ofRepositories(ctx, n.wide) })}, err
		},
		end: func(s *shift) { s.Log, s.Until = s.Until, 0 },
	})
}

// lacking are the things that gaps leave unknown.
func (j *Judge) lacking(ctx context.Context, gaps []stemma.Ref) ([]stemma.Ref, error) {
	return among(ctx, j, gaps, `SELECT a.ref FROM node n JOIN k_gap g ON g.id = n.id JOIN node a ON a.id = g."about" WHERE n.ref IN ({these})`)
}

// ofRepositories are the changes that may still turn, open ones and the last that came in, of the repositories
// that gaps and rules about branches are of.
func (j *Judge) ofRepositories(ctx context.Context, wide []stemma.Ref) (changes []stemma.Ref, err error) {
	repositories, err := among(ctx, j, wide, `SELECT r.ref FROM node n JOIN k_gap g ON g.id = n.id JOIN node r ON r.id = g."repository" WHERE n.ref IN ({these}) AND g."about" IS NULL
		UNION SELECT r.ref FROM node n JOIN k_protection p ON p.id = n.id JOIN node r ON r.id = p."repository" WHERE n.ref IN ({these})`)
	if err != nil {
		return nil, err
	}
	for _, r := range repositories {
		const of = `SELECT n.ref FROM node r JOIN k_change c ON c."repository" = r.id JOIN node n ON n.id = c.id WHERE r.ref = $1 AND c.`
		for _, query := range []string{of + `"state" = 'open' ORDER BY n.ref`, of + `"merged" IS NOT NULL ORDER BY c."merged" DESC, n.ref`} {
			some, err := j.refs(ctx, query+` LIMIT `+itoa(lately), string(r))
			if err != nil {
				return nil, err
			}
			changes = append(changes, some...)
		}
	}
	return changes, nil
}

// Due judges changes again of which evidence was waited for, or an exception ended.
func (j *Judge) Due(ctx context.Context) error {
	const due = ` FROM k_assessment a CROSS JOIN node n WHERE a."due" > 0 AND a."due" <= $1 AND n.id = a."change"`
	return j.work(ctx, plan{
		source: Source + "-due",
		begin: func(ctx context.Context, s *shift) (bool, error) {
			now := j.Now()
			if s.vain(now) {
				return false, nil
			}
			some, err := j.refs(ctx, `SELECT n.ref`+due+` LIMIT 1`, now.Unix())
			return len(some) > 0, err
		},
		tasks: func(context.Context, *shift) ([]task, error) {
			return []task{{OnTime, func(ctx context.Context, last stemma.Ref) ([]stemma.Ref, error) {
				return j.refs(ctx, `SELECT n.ref`+due+` AND n.ref > $2 ORDER BY n.ref LIMIT `+itoa(10*portion), j.Now().Unix(), string(last))
			}}}, nil
		},
	})
}

// Policy judges changes again that were judged by something else.
func (j *Judge) Policy(ctx context.Context) error {
	const others = ` FROM k_policy p CROSS JOIN k_assessment a CROSS JOIN node n
		WHERE p.id <> (SELECT o.id FROM node o WHERE o.ref = $1) AND a."policy" = p.id AND n.id = a."change"`
	return j.work(ctx, plan{
		source: Source + "-policy",
		begin: func(ctx context.Context, s *shift) (bool, error) {
			if s.vain(j.Now()) {
				return false, nil
			}
			some, err := j.refs(ctx, `SELECT n.ref`+others+` LIMIT 1`, string(j.ref))
			return len(some) > 0, err
		},
		tasks: func(context.Context, *shift) ([]task, error) {
			return []task{{OnPolicy, func(ctx context.Context, last stemma.Ref) ([]stemma.Ref, error) {
				return j.refs(ctx, `SELECT n.ref`+others+` AND n.ref > $2 ORDER BY n.ref LIMIT `+itoa(10*portion), string(j.ref), string(last))
			}}}, nil
		},
	})
}

// Night verifies the log and judges changes again, once a day whoever does it first: those of the last time, and as
// many of all in turn, so that in time each is looked at.
func (j *Judge) Night(ctx context.Context) error {
	return j.work(ctx, plan{
		source: Source + "-night",
		begin: func(_ context.Context, s *shift) (bool, error) {
			now := j.Now().UTC()
			today := now.Format(time.DateOnly)
			if s.Day == today || s.Day != "" && now.Hour() < 2 {
				return false, nil
			}
			s.Day = today
			return true, nil
		},
		tasks: func(ctx context.Context, s *shift) ([]task, error) {
			if s.Last == "" {
				if err := j.CheckLog(ctx); err != nil {
					return nil, err
				}
			}
			older, err := j.refs(ctx, everything+itoa(lately), string(s.Older))
			if s.Next = ""; len(older) == lately {
				s.Next = older[lately-1]
			}
			return []task{these(OnTime, func(ctx context.Context) ([]stemma.Ref, error) {
				last, err := j.last(ctx)
				return append(last, older...), err
			})}, err
		},
		end: func(s *shift) { s.Older, s.Next = s.Next, "" },
	})
}

// last are the changes that are open, and those that came in last.
func (j *Judge) last(ctx context.Context) (all []stemma.Ref, err error) {
	for _, query := range []string{
		`SELECT n.ref FROM k_change c JOIN node n ON n.id = c.id WHERE c."state" = 'open' ORDER BY n.ref LIMIT ` + itoa(lately),
		`SELECT n.ref FROM k_change c JOIN node n ON n.id = c.id WHERE c."merged" IS NOT NULL ORDER BY c."merged" DESC, n.ref LIMIT ` + itoa(lately),
	} {
		some, err := j.refs(ctx, query)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}
