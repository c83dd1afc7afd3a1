package space

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/policy/alert"
	"github.com/stemma-dev/stemma/policy/announce"
	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/policy/tally"
)

// judgingFlags say by what changes are judged, and who is told.
type judgingFlags struct {
	policy string   // directory
	status []string // SYSTEM[@HOST]=FILE
	url    string   // under which this server is reached
	feeds  feeds
}

// judging is what keeps verdicts up with the facts.
type judging struct {
	judge  *assess.Judge
	tally  *tally.Tally
	ann    *announce.Announcer
	alerts *alert.Alerter
	feeds  feeds
	space  *ingest.Space
}

// openJudging reads the policy and makes everything ready: a fault in it ends the server
// before it judges anything.
func openJudging(ctx context.Context, a *program.App, s *program.Store, flags judgingFlags, link func(stemma.Ref) string) (*judging, error) {
	var dir fs.FS
	if flags.policy != "" {
		if info, err := os.Stat(flags.policy); err != nil || !info.IsDir() {
			return nil, stemma.WithHint(fmt.Errorf("the policy %s: %w", flags.policy, errors.Join(err, errNoPolicy)), "name a directory like .stemma: see docs/controls.md")
		}
		dir = os.DirFS(flags.policy)
	}
	set, err := catalogue.Load(dir)
	if err != nil {
		return nil, stemma.WithHint(fmt.Errorf("the policy: %w", err), "\"stemma controls lint %s\" names all faults", flags.policy)
	}
	j := &judging{feeds: flags.feeds, space: s.Space}
	if j.judge, err = assess.Open(ctx, assess.Judge{Space: s.Space, Set: set, Now: a.Now, Log: a.Log}); err != nil {
		return nil, err
	}
	if j.tally, err = tally.Open(ctx, s.DB, s.Ledger); err != nil {
		return nil, err
	}
	if j.alerts, err = openAlerts(ctx, a, s, flags.policy, flags.url); err != nil {
		return nil, err
	}
	forges, err := forges(flags.status)
	if err != nil || len(forges) == 0 {
		return j, err
	}
	if flags.url == "" {
		link = nil
	}
	j.ann, err = announce.Open(ctx, announce.Config{DB: s.DB, Ledger: s.Ledger, Forges: forges, Link: link, Now: a.Now, Log: a.Log})
	return j, err
}

var errNoPolicy = errors.New("it is no directory")

// run keeps verdicts, sums and forges up with the facts until ctx ends.
func (j *judging) run(ctx context.Context, work *sync.WaitGroup, a *program.App) {
	work.Go(func() { j.judge.Run(ctx) })
	j.feeds.run(ctx, work, a, j.space)
	work.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			if _, err := j.tally.Apply(ctx); err != nil && ctx.Err() == nil {
				a.Log.Error("verdicts wait to be summed up", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	if j.ann != nil {
		work.Go(func() { j.ann.Run(ctx) })
	}
	if j.alerts != nil {
		work.Go(func() { j.alerts.Run(ctx) })
	}
}

// forges are those that are told how changes stand: for each a flag SYSTEM[@HOST]=FILE with
// the file of its token, where HOST may be an address, or a variable STEMMA_STATUS_SYSTEM_TOKEN for the host that everybody
// knows.
func forges(flags []string) (list []announce.Forge, err error) {
	for _, flag := range flags {
		what, file, ok := strings.Cut(flag, "=")
		if !ok || file == "" {
			return nil, stemma.WithHint(fmt.Errorf("--status %q names no file", flag), "write it as SYSTEM@HOST=FILE, with the token of an account that may set statuses in FILE")
		}
		system, host, _ := strings.Cut(what, "@")
		token, err := secretFile(file, "--status")
		if err != nil {
			return nil, err
		}
		f, err := forge(system, host, token)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	for _, system := range announce.Systems {
		variable := "STEMMA_STATUS_" + strings.ToUpper(strings.ReplaceAll(system, "-", "_")) + "_TOKEN"
		token, err := secret(variable)
		if err != nil {
			return nil, err
		}
		if token == "" {
			continue
		}
		f, err := forge(system, os.Getenv(strings.TrimSuffix(variable, "_TOKEN")+"_HOST"), token)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// known are the hosts that everybody knows.
var known = map[string]string{"github": "github.com", "github-checks": "github.com", "gitlab": "gitlab.com", "forgejo": "codeberg.org"}

func forge(system, host, token string) (f announce.Forge, err error) {
	if name, check, ok := strings.Cut(host, "#"); ok {
		if f, err = forge(system, name, token); err == nil {
			f.Check, err = strconv.Atoi(check)
		}
		if err != nil || f.Check < 1 || system != "gitlab" {
			return f, stemma.WithHint(errors.Join(fmt.Errorf("--status %s@%s names no external status check", system, host), err), "write it as gitlab@HOST#NUMBER")
		}
		return f, nil
	}
	if host == "" {
		host = known[system]
	}
	if host == "" {
		return announce.Forge{}, stemma.WithHint(fmt.Errorf("it is not known at which host %q is to be told", system), "write it as %s@HOST", system)
	}
	return announce.Forge{Host: hostOf(host), System: system, Base: announce.Base(system, host), Token: token}, nil
}

// hostOf is the host of an address, or of what is only its host, with a port or without.
func hostOf(address string) string {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	if at, err := url.Parse(address); err == nil && at.Hostname() != "" {
		return strings.ToLower(at.Hostname())
	}
	return address
}
