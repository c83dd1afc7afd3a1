package git

import (
	"context"
	"errors"
	"strings"

	"github.com/stemma-dev/stemma/git/internal/child"
)

// A setting is one line of the repository's own configuration.
type setting struct{ key, value string }

// wanted are the settings we look at; they are data to us, never in force.
const wanted = `^(remote\..*\.(url|promisor|partialclonefilter)|extensions\.partialclone|core\.(autocrlf|eol))$`

// promises: says that objects may be left unfetched.
func (s setting) promises() bool {
	return strings.HasSuffix(s.key, ".promisor") && s.value != "false" || s.key == "extensions.partialclone"
}

func (r *Repo) readConfig(ctx context.Context) ([]setting, error) {
	out, err := r.here.Output(ctx, nil, 8<<20, "config", "--local", "--no-includes", "--null", "--get-regexp", wanted)
	var bad *child.Error
	if errors.As(err, &bad) && bad.Code == 1 { // nothing set
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var list []setting
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		key, value, _ := strings.Cut(line, "\n")
		list = append(list, setting{key, value})
	}
	return list, nil
}

// LineEnds are the settings that say how lines end in the work tree, as
// "core.eol=lf". They are read anew.
func (r *Repo) LineEnds(ctx context.Context) ([]string, error) {
	config, err := r.readConfig(ctx)
	var list []string
	for _, s := range config {
		if s.key == "core.autocrlf" || s.key == "core.eol" {
			list = append(list, s.key+"="+s.value)
		}
	}
	return list, err
}

// A Remote is another copy of the repository, as its configuration names it.
type Remote struct{ Name, URL string }

// Remotes lists the remotes in the order of the configuration, each with its
// first URL as it is written there: it may contain a password.
func (r *Repo) Remotes() []Remote {
	var list []Remote
	seen := map[string]bool{}
	for _, s := range r.config {
		name, ok := strings.CutSuffix(strings.TrimPrefix(s.key, "remote."), ".url")
		if ok && !seen[name] {
			seen[name] = true
			list = append(list, Remote{name, s.value})
		}
	}
	return list
}

// OriginURL is the URL of the remote "origin", else of the only remote, else "".
func (r *Repo) OriginURL() string {
	list := r.Remotes()
	for _, m := range list {
		if m.Name == "origin" {
			return m.URL
		}
	}
	if len(list) == 1 {
		return list[0].URL
	}
	return ""
}
