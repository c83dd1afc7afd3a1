package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An Engine is the sort of database under a [DB].
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// A DB is one space. Its methods may be called concurrently, also by several
// processes at once.
type DB struct {
	engine   Engine
	place    string // for messages; carries no password
	schema   string // PostgreSQL only
	lock     int64  // PostgreSQL only: the advisory lock of the one writer
	readOnly bool
	patience atomic.Int64 // a time.Duration

	readers, writer *pool
	migrations      func() (*sql.DB, error) // a short-lived pool for goose
	closing         chan struct{}
	closeOnce       sync.Once
	closeErr        error
}

// A pool lends sessions, the one that came back last first: its pages and
// statements are at hand.
type pool struct {
	db    *sql.DB
	turns chan struct{} // one for each that may be lent now
	mu    sync.Mutex
	idle  []*session // under mu
}

func newPool(db *sql.DB, size int) *pool {
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	p := &pool{db: db, turns: make(chan struct{}, size)}
	for range size {
		p.turns <- struct{}{}
	}
	return p
}

// pop takes a session that is open and idle, or nil.
func (p *pool) pop() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	s := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return s
}

// push ends a turn and keeps its session, unless it is nil.
func (p *pool) push(s *session) {
	if s != nil {
		p.mu.Lock()
		p.idle = append(p.idle, s)
		p.mu.Unlock()
	}
	p.turns <- struct{}{}
}

// A session is one connection and the statements prepared on it.
type session struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt // nil: the driver keeps its own
	waits int64                // SQLite only: how many milliseconds it waits for a lock
}

const (
	defaultPatience = 30 * time.Second
	maxStatements   = 256              // prepared at once on one connection
	readOnlyTime    = 60 * time.Second // of one Read of a read-only DB
)

// readerCount is how many Reads run at once; more wait.
func readerCount() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

// Open opens the space that dsn names and makes it if it is not there:
//
//   - file:PATH is a SQLite file, PATH taken as it is; its directory must exist;
//   - postgres://… is a schema of a PostgreSQL database, named by schema=NAME
//     or search_path=NAME in the query, else "stemma".
//
// The error is one of [ErrLocked], [ErrReadOnly], [ErrFull] where that is the
// reason, and carries a hint.
func Open(ctx context.Context, dsn string) (*DB, error) { return open(ctx, dsn, false) }

// OpenReadOnly opens a space that is there for statements nobody has checked:
// whatever SQL is given to Read, nothing can be written, neither to the space
// nor to another file, and it stops after a minute. Write and Migrate fail. On
// PostgreSQL every statement must be a query (SELECT, VALUES or WITH), and
// what it may read is what its role may read.
func OpenReadOnly(ctx context.Context, dsn string) (*DB, error) { return open(ctx, dsn, true) }

func open(ctx context.Context, dsn string, readOnly bool) (*DB, error) {
	db := &DB{readOnly: readOnly, closing: make(chan struct{})}
	db.SetPatience(defaultPatience)
	var err error
	switch scheme, rest, _ := strings.Cut(dsn, ":"); {
	case scheme == "file" && rest != "":
		err = db.openSQLite(ctx, rest)
	case scheme == "postgres" || scheme == "postgresql":
		err = db.openPostgres(ctx, dsn)
	default:
		// The text is not shown: it may be a mistyped URL with a password.
		return nil, errors.New("storage: a database is named file:PATH or postgres://HOST/DATABASE")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Engine says what is below.
func (db *DB) Engine() Engine { return db.engine }

// ReadOnly reports whether db was opened by [OpenReadOnly].
func (db *DB) ReadOnly() bool { return db.readOnly }

// String names the place of the space without any password.
func (db *DB) String() string { return db.place }

// SetPatience sets how long Open, Write and Migrate wait for another process
// before they fail with [ErrLocked]; 30 seconds unless set.
func (db *DB) SetPatience(d time.Duration) { db.patience.Store(int64(d)) }

// waitMillis is the patience in milliseconds; neither engine takes less than one.
func (db *DB) waitMillis() int64 { return max(1, time.Duration(db.patience.Load()).Milliseconds()) }

// Close waits for every Read and Write under way and closes the space.
func (db *DB) Close() error {
	db.closeOnce.Do(func() {
		close(db.closing)
		for _, p := range []*pool{db.readers, db.writer} {
			if p == nil {
				continue // it could not be opened, or is for reading only
			}
			for range cap(p.turns) {
				<-p.turns
				if s := p.pop(); s != nil {
					db.closeErr = errors.Join(db.closeErr, s.close())
				}
			}
			db.closeErr = errors.Join(db.closeErr, p.db.Close())
		}
	})
	return db.closeErr
}

// Read runs f on a snapshot: every statement of f sees the state at the first
// of them, whatever is written meanwhile. f must not keep tx.
func (db *DB) Read(ctx context.Context, f func(*Tx) error) error {
	if db.readOnly {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, readOnlyTime)
		defer cancel()
	}
	return db.run(ctx, db.readers, false, f)
}

// Write runs f as the only writer of the space among all processes. When it
// returns nil all that f did is durable; when it returns an error none of it
// happened. f must not keep tx and must not call Write.
func (db *DB) Write(ctx context.Context, f func(*Tx) error) error {
	if db.readOnly {
		return fmt.Errorf("storage: writing to %s: %w", db.place, ErrReadOnly)
	}
	return db.run(ctx, db.writer, true, f)
}

func (db *DB) run(ctx context.Context, p *pool, write bool, f func(*Tx) error) (err error) {
	what := "reading from"
	if write {
		what = "writing to"
	}
	defer func() { err = becauseOver(ctx, err) }()
	s, err := db.take(ctx, p)
	if err != nil {
		return db.explain(what, err)
	}
	healthy := false // also when f panics
	defer func() { db.give(p, s, healthy) }()
	err = db.begin(ctx, s, write)
	if err != nil && ctx.Err() == nil && s.dead() {
		_ = s.discard() // it died while it was idle
		if s, err = db.connect(ctx, p); err == nil {
			err = db.begin(ctx, s, write)
		}
	}
	if err != nil {
		return db.explain(what, err)
	}
	tx := &Tx{db: db, s: s}
	ended := false
	defer func() {
		tx.over = true
		if !ended {
			_ = tx.closeRows() // f's error counts; a result must not outlive its transaction
			healthy = s.end("ROLLBACK") == nil && ctx.Err() == nil
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	tx.over = true
	if err := cmpErr(tx.closeRows(), tx.failed, ctx.Err()); err != nil {
		return db.explain(what, err)
	}
	if err := s.end("COMMIT"); err != nil {
		return db.explain(what, err)
	}
	ended, healthy = true, true
	return nil
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// take lends a session, opening it where needed.
func (db *DB) take(ctx context.Context, p *pool) (*session, error) {
	select {
	case <-db.closing:
		return nil, errClosed
	default:
	}
	select {
	case <-p.turns:
	case <-db.closing:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s := p.pop(); s != nil {
		return s, nil
	}
	s, err := db.connect(ctx, p)
	if err != nil {
		p.push(nil)
		return nil, err
	}
	return s, nil
}

func (db *DB) connect(ctx context.Context, p *pool) (*session, error) {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn}
	if db.engine == SQLite {
		s.stmts = map[string]*sql.Stmt{}
		if db.readOnly {
			err = guard(conn)
		} else {
			err = db.tune(ctx, conn, p == db.writer)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.discard())
	}
	return s, nil
}

// give takes a session back. Connections to PostgreSQL return to the driver's
// pool, which notices when one has died.
func (db *DB) give(p *pool, s *session, healthy bool) {
	switch {
	case s == nil:
	case !healthy || db.readOnly:
		// Closing can only fail for a connection that is lost anyway.
		_ = s.discard()
		s = nil
	case db.engine == Postgres:
		_ = s.close()
		s = nil
	}
	p.push(s)
}

// begin starts a transaction; for a writer it also waits for the lock.
func (db *DB) begin(ctx context.Context, s *session, write bool) error {
	if db.engine == Postgres {
		return db.beginPostgres(ctx, s.conn, write)
	}
	if !write {
		return s.exec(ctx, "BEGIN")
	}
	if wait := db.waitMillis(); s.waits != wait {
		if _, err := s.conn.ExecContext(ctx, busyTimeout(wait)); err != nil {
			return err
		}
		s.waits = wait
	}
	return s.exec(ctx, "BEGIN IMMEDIATE")
}

// end commits or rolls back, also when the caller's context is over: a
// transaction must not stay open, and a commit must not be left in doubt.
func (s *session) end(how string) error { return s.exec(context.Background(), how) }

func (s *session) exec(ctx context.Context, query string) error {
	if s.stmts == nil {
		_, err := s.conn.ExecContext(ctx, query)
		return err
	}
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(ctx)
	return err
}

// prepare returns the statement for query, prepared once.
func (s *session) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := s.stmts[query]; stmt != nil {
		return stmt, nil
	}
	if len(s.stmts) >= maxStatements {
		if err := s.forget(); err != nil {
			return nil, err
		}
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.stmts[query] = stmt
	return stmt, nil
}

// forget closes every prepared statement.
func (s *session) forget() (err error) {
	for _, stmt := range s.stmts {
		err = errors.Join(err, stmt.Close())
	}
	clear(s.stmts)
	return err
}

func (s *session) close() error { return errors.Join(s.forget(), s.conn.Close()) }

// discard closes the connection itself instead of returning it to its pool.
func (s *session) discard() error {
	err := s.forget()
	raw := s.conn.Raw(func(any) error { return driver.ErrBadConn })
	if raw != nil && !errors.Is(raw, driver.ErrBadConn) && !errors.Is(raw, sql.ErrConnDone) {
		err = errors.Join(err, raw)
	}
	return err
}
