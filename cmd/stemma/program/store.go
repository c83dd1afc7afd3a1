package program

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/vault"
)

// storeFlags say which store a verb works on.
type storeFlags struct {
	db     string
	data   string
	bodies string
}

func (s *storeFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&s.db, "db", os.Getenv("STEMMA_DB"), "database: file:PATH or postgres://… (default file:stemma.db in the data directory) [STEMMA_DB]")
	flags.StringVar(&s.data, "data", os.Getenv("STEMMA_DATA"), "directory of keys and bodies (default ~/.local/share/stemma) [STEMMA_DATA]")
	flags.StringVar(&s.bodies, "bodies", os.Getenv("STEMMA_BODIES"), "where bodies are kept: a directory, or s3+https://HOST/BUCKET/PREFIX?region=… (default bodies in the data directory) [STEMMA_BODIES]")
}

// ParseStore reads the flags of the store where a verb keeps the others for git.
func (a *App) ParseStore(args []string) error {
	flags := pflag.NewFlagSet("stemma", pflag.ContinueOnError)
	flags.BoolP("verbose", "v", false, "") // read by the frame
	a.store.add(flags)
	return flags.Parse(args)
}

// dir returns the data directory and makes it.
func (s *storeFlags) dir() (string, error) {
	dir := s.data
	if dir == "" {
		base := os.Getenv("XDG_DATA_HOME")
		if base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", stemma.WithHint(fmt.Errorf("no place for the store: %w", err), "name one with --data DIR or STEMMA_DATA")
			}
			base = filepath.Join(home, ".local", "share")
		}
		dir = filepath.Join(base, "stemma")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", stemma.WithHint(fmt.Errorf("data directory: %w", err), "name another place with --data DIR or STEMMA_DATA")
	}
	return dir, nil
}

func (s *storeFlags) dsn(dir string) string {
	if s.db != "" {
		return s.db
	}
	return "file:" + filepath.Join(dir, "stemma.db")
}

// blobs opens the place of the bodies.
func (s *storeFlags) blobs(ctx context.Context, dir string) (vault.Blobs, error) {
	place, remote := strings.CutPrefix(s.bodies, "s3+")
	if scheme, _, ok := strings.Cut(s.bodies, "://"); ok && scheme != "s3+https" && scheme != "s3+http" {
		return nil, stemma.WithHint(fmt.Errorf("place of the bodies: %s:// is not known", terminal.OneLine(scheme)), "name a directory, or s3+https://HOST/BUCKET/PREFIX")
	}
	if !remote {
		return vault.Dir(cmp.Or(s.bodies, filepath.Join(dir, "bodies")))
	}
	u, err := url.Parse(place)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return nil, stemma.WithHint(errors.New("place of the bodies: not an address of a bucket"), "write it as s3+https://HOST/BUCKET/PREFIX")
	}
	bucket, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if prefix != "" {
		prefix += "/"
	}
	return vault.S3(ctx, vault.S3Config{
		Endpoint: u.Scheme + "://" + u.Host, Bucket: bucket, Prefix: prefix, Region: u.Query().Get("region"), PathStyle: true,
	})
}

// A Store is an open space with what is beside it.
type Store struct {
	*ingest.Space
	Key *seal.Key // of the log
}

// Close closes the database.
func (s *Store) Close() error { return s.DB.Close() }

// OpenStore wires the parts of a space together, lowest first.
func (a *App) OpenStore(ctx context.Context) (*Store, error) {
	dir, err := a.store.dir()
	if err != nil {
		return nil, err
	}
	db, err := storage.Open(ctx, a.store.dsn(dir))
	if err != nil {
		return nil, err
	}
	s, err := a.unlock(ctx, db, dir)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// OpenReadOnly opens the database of the store, for nothing but reading.
func (a *App) OpenReadOnly(ctx context.Context) (*storage.DB, error) {
	dir, err := a.store.dir()
	if err != nil {
		return nil, err
	}
	return storage.OpenReadOnly(ctx, a.store.dsn(dir))
}

// The files of the keys, in the data directory.
const (
	spaceKeyFile = "space.key"
	logKeyFile   = "log.key"
)

// unlock reads the keys of a store; a new store gets new ones.
func (a *App) unlock(ctx context.Context, db *storage.DB, dir string) (*Store, error) {
	if err := a.keysAreThere(ctx, db, dir); err != nil {
		return nil, err
	}
	secret, err := vault.LoadSpaceKey(filepath.Join(dir, spaceKeyFile), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := seal.LoadKey(filepath.Join(dir, logKeyFile), rand.Reader, logOrigin())
	if err != nil {
		return nil, err
	}
	space, err := a.assemble(ctx, db, dir, secret, key)
	if err != nil {
		return nil, err
	}
	return &Store{space, key}, nil
}

// keysAreThere refuses a store that holds facts when one of its keys is gone:
// with a new one its bodies could not be read, people would get other
// pseudonyms and the log would have another signer.
func (a *App) keysAreThere(ctx context.Context, db *storage.DB, dir string) error {
	for _, name := range []string{spaceKeyFile, logKeyFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		passing, err := seal.NewKey(rand.Reader, logOrigin()) // signs nothing here
		if err != nil {
			return err
		}
		log, err := ledger.Open(ctx, db, ledger.Config{Signer: passing, Now: a.Now, Rand: rand.Reader})
		if err != nil {
			return err
		}
		size, err := log.Size(ctx)
		if err != nil {
			return err
		}
		if size > 0 {
			return stemma.WithHint(fmt.Errorf("the store holds %d facts, but its key %s is gone", size, filepath.Join(dir, name)),
				"put the key back from a backup, or begin another store with --data DIR")
		}
		return nil
	}
	return nil
}

func (a *App) assemble(ctx context.Context, db *storage.DB, dir string, secret vault.SpaceKey, key *seal.Key) (*ingest.Space, error) {
	blobs, err := a.store.blobs(ctx, dir)
	if err != nil {
		return nil, err
	}
	bodies, err := vault.Open(ctx, db, blobs, secret)
	if err != nil {
		return nil, err
	}
	log, err := ledger.Open(ctx, db, ledger.Config{
		Signer: key, Now: a.Now, Rand: rand.Reader, Log: a.Log,
		Bodies: func(f stemma.Fact) error {
			for _, b := range f.Bodies {
				if err := checkBody(ctx, db, bodies, f.Subject, b.Digest); err != nil {
					return err
				}
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	g, err := graph.Open(ctx, db, lineage.Specs())
	if err != nil {
		return nil, err
	}
	if err := a.catchUp(ctx, db, log, g); err != nil {
		return nil, err
	}
	return ingest.Open(ctx, ingest.Space{DB: db, Ledger: log, Graph: g, Vault: bodies}, secret)
}

// catchUp fills a graph that has nothing of a log that has something: this version
// keeps it in another form than the one before, and has made its tables anew.
func (a *App) catchUp(ctx context.Context, db *storage.DB, log *ledger.Ledger, g *graph.Graph) error {
	applied, err := g.Applied(ctx)
	if err != nil || applied > 0 {
		return err
	}
	size, err := log.Size(ctx)
	if err != nil || size == 0 {
		return err
	}
	filled := false // then somebody has changed the cursor, which "stemma verify" tells
	err = db.Each(ctx, func(func(...any) error) error { filled = true; return nil }, "SELECT id FROM node LIMIT 1")
	if err != nil || filled {
		return err
	}
	fmt.Fprintf(a.Err, "stemma: the graph is derived anew from %d facts, since this version keeps it in another form\n", size)
	_, err = g.Apply(ctx, log)
	return err
}

// logOrigin names the log of this machine's store in its checkpoints; a
// server that others read sets its own.
func logOrigin() string {
	if origin := os.Getenv("STEMMA_LOG_ORIGIN"); origin != "" {
		return origin
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	return host + "/stemma"
}

// checkBody says what is wrong with a body. One that was erased is missing rightly, if it
// is said why.
func checkBody(ctx context.Context, db *storage.DB, bodies *vault.Vault, owner stemma.Ref, digest stemma.Digest) error {
	err := bodies.Check(ctx, owner, digest)
	if !errors.Is(err, vault.ErrErased) {
		return err
	}
	accounted, failed := ingest.Accounted(ctx, db, owner)
	switch {
	case failed != nil:
		return failed
	case !accounted:
		return fmt.Errorf("%w, and nothing says on what ground: %w", err, stemma.ErrTampered)
	}
	return nil
}
