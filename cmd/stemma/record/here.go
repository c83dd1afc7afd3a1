package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/ci"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/spool"
)

// maxNamed is how long a file may be that the environment names.
const maxNamed = 32 << 20

// envelope begins a report: which run it is from, and about which commit.
func (o *options) envelope(ctx context.Context, a *program.App, kind string) (*reported.Envelope, error) {
	at, err := o.moment(a.Now())
	if err != nil {
		return nil, err
	}
	e := &reported.Envelope{Kind: kind, At: at, Sender: "stemma"}
	place, inTree := workTree()
	p, known := ci.Detect(environment(), files(place))
	for _, problem := range p.Problems {
		a.Log.Info("record: "+problem, "system", p.System)
	}
	if e.Run = p; known && p.Commit != "" {
		e.Method = ci.Method
	}
	if inTree && (e.Run.Commit == "" || e.Run.Repository == "") {
		o.fromTree(ctx, a, place.WorkTree, e)
	}
	if err := o.override(e); err != nil {
		return nil, err
	}
	ofCode := kind == reported.KindTest || kind == reported.KindScan || kind == reported.KindArtifact || kind == reported.KindBom
	if ofCode && e.Run.Commit == "" && e.Run.Ref() == "" {
		fmt.Fprintln(a.Err, "stemma: warning: nothing here says which commit this is about: call it in a clone or a pipeline, or give --commit")
	}
	return e, nil
}

// fromTree fills in what the work tree tells and the environment does not.
func (o *options) fromTree(ctx context.Context, a *program.App, dir string, e *reported.Envelope) {
	r, err := git.Open(ctx, dir)
	if err != nil {
		a.Log.Info("record: the work tree cannot be asked", "error", err)
		return
	}
	defer func() { _ = r.Close() }() // it is only read
	if host, name, _ := change.ParseRemote(r.OriginURL()); e.Run.Repository == "" && name != "" {
		e.Run.Repository = host + "/" + name
	}
	if e.Run.Commit == "" {
		if head, err := r.Resolve(ctx, "HEAD"); err == nil {
			e.Run.Commit, e.Method = head, reported.MethodTree
		}
	}
}

// override puts what flags say before all else.
func (o *options) override(e *reported.Envelope) error {
	if o.repository != "" {
		host, name, _ := change.ParseRemote(o.repository)
		if name == "" {
			host, name, _ = change.ParseRemote("https://" + o.repository)
		}
		if name == "" {
			return program.Usage(nil, fmt.Errorf("record: --repository %.100q is not written as github.com/acme/pay", o.repository))
		}
		e.Run.Repository = host + "/" + name
	}
	if o.commit != "" {
		if change.ShaRef(o.commit) == "" {
			return program.Usage(nil, stemma.WithHint(fmt.Errorf("record: --commit %.100q is not the whole name of a commit", o.commit), "use the 40 or 64 digits that git rev-parse prints"))
		}
		if o.commit != e.Run.Commit {
			e.Run.Commit, e.Run.Trial, e.Method = o.commit, "", reported.MethodDeclared
		}
	}
	if o.branch != "" {
		e.Run.Branch = stemma.CleanText(o.branch, 300)
	}
	if o.change < 0 {
		return program.Usage(nil, errors.New("record: --change is the number of a merge request"))
	}
	if o.change > 0 {
		e.Run.Change = o.change
	}
	return nil
}

// workTree is the work tree that the program stands in; it reports false outside of any.
func workTree() (spool.Place, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return spool.Place{}, false
	}
	place, err := spool.Find(dir)
	if err != nil {
		return spool.Place{WorkTree: dir}, false
	}
	return place, true
}

func environment() map[string]string {
	env := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env
}

// files reads those of the work tree, and by their absolute paths those that the
// environment names.
func files(place spool.Place) ci.Files {
	return func(path string) ([]byte, error) {
		if !filepath.IsAbs(path) {
			root, err := os.OpenRoot(place.WorkTree) // a link leads nowhere else
			if err != nil {
				return nil, err
			}
			defer func() { _ = root.Close() }() // it is only read
			f, err := root.Open(filepath.FromSlash(path))
			if err != nil {
				return nil, err
			}
			return all(f)
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return all(f)
	}
}

func all(f *os.File) ([]byte, error) {
	defer func() { _ = f.Close() }() // it is only read
	b, err := io.ReadAll(io.LimitReader(f, maxNamed+1))
	if err == nil && len(b) > maxNamed {
		err = fmt.Errorf("%s has more than %d bytes", f.Name(), maxNamed)
	}
	return b, err
}
