// Package server puts the pages, the log and a small JSON interface behind one
// address.
//
// It only answers GET and HEAD, but for the notes that clients of Git AI send to
// whoever shares a token with them, for the webhooks of systems that share a secret, and
// for the reports of pipelines and the traces of agents that share a token. Bound to this
// machine alone, it answers only to names of this machine, so that no page of another site
// can reach it through a name that changes its address; then its pages also take what
// people say about the causes of incidents, and have dead letters read again. Queries are
// not written to its log.
package server

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/stemma-dev/stemma/dashboard"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/hooks"
	"github.com/stemma-dev/stemma/ingest/posted"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/announce"
)

// A Config says what is served.
type Config struct {
	Space *ingest.Space
	// Now is the clock, for relative times in queries and the access log.
	Now func() time.Time
	// Log receives a line for each request; nil drops them.
	Log *slog.Logger
	// Addr is where the server listens. If it is an address of this machine
	// only, requests must name this machine as their host.
	Addr string
	// Hosts are further names by which the server may be asked for.
	Hosts []string
	// VerifierKey is the public key of the log, shown to whoever verifies it.
	VerifierKey string
	// NotesToken is what clients of Git AI must know to send and read notes: at
	// least [MinToken] bytes; "" for that nobody may.
	NotesToken string
	// Hooks takes the webhooks of other systems; nil for that none are taken.
	Hooks *hooks.Hooks
	// Inbox, if there is one, tells how their sources fare.
	Inbox *inbox.Inbox
	// RecordToken is what pipelines must know to report: at least [MinToken] bytes; ""
	// for that nobody may.
	RecordToken string
	// Holder names this process among those that settle deliveries of one inbox; it is
	// the one of Hooks, where there are some.
	Holder string
	// Set is what changes are judged by, and Announcer tells forges how they stand; nil if
	// this process does neither.
	Set       *policy.Set
	Announcer *announce.Announcer
}

// A Server answers every request. It may be used concurrently; close it when no
// request is under way.
type Server struct {
	handler http.Handler
	pages   *dashboard.Dashboard
	space   *ingest.Space
	now     func() time.Time
	log     *slog.Logger
	hosts   map[string]bool // nil: any
	notes   *posted.Notes   // nil: nobody may send or read any
	token   [sha256.Size]byte
	hooks   *hooks.Hooks // nil: none are taken
	bodies  *semaphore.Weighted
	records *records // nil: nobody may report

	verdicts  *verdicts.Reader
	announcer *announce.Announcer // nil: no forge is told

	decoding chan struct{} // held by who reads traces: few at once, since what they hold unfolds
}

// New wires everything together.
func New(ctx context.Context, c Config) (*Server, error) {
	if c.Space == nil || c.Now == nil {
		return nil, errors.New("server: a space and a clock are needed")
	}
	s := &Server{space: c.Space, now: c.Now, log: c.Log, hosts: localNames(c.Addr, c.Hosts), hooks: c.Hooks, announcer: c.Announcer, bodies: newBodies(), decoding: make(chan struct{}, 2)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if err = s.openNotes(ctx, c.NotesToken); err != nil {
		return nil, err
	}
	if s.verdicts, err = verdicts.New(ctx, c.Space); err != nil {
		return nil, err
	}
	s.pages, err = dashboard.New(dashboard.Config{Space: c.Space, Inbox: c.Inbox, Now: c.Now, Log: s.log, VerifierKey: c.VerifierKey, Forms: s.hosts != nil, Set: c.Set})
	if err != nil {
		return nil, err
	}
	tiles := c.Space.Ledger.Handler()
	mux := http.NewServeMux()
	mux.Handle("/checkpoint", tiles)
	mux.Handle("/tile/", tiles)
	mux.HandleFunc("/healthz", s.healthy)
	mux.HandleFunc("/readyz", s.ready)
	mux.HandleFunc("/metrics", s.metrics)
	mux.HandleFunc("/api/v1/query/{kind}", s.query)
	mux.HandleFunc("/api/v1/trace/{ref...}", s.trace)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "there is no such address in this version", "")
	})
	mux.Handle("/", s.pages)
	all := http.NewServeMux()
	all.HandleFunc(notesPath, s.readNotes)
	all.HandleFunc(notesPath+"/{$}", s.readNotes)
	all.HandleFunc(notesPath+"/upload", s.writeNotes)
	all.HandleFunc(notesPath+"/upload/{$}", s.writeNotes)
	all.HandleFunc(notesPath+"/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "there is no such address", "")
	})
	all.HandleFunc(hooksPath+"{name}", s.takeHook)
	all.HandleFunc(hooksPath, s.takeHook) // nobody is named, or more than a name: it says so
	all.HandleFunc(recordsPath, s.takeRecord)
	all.HandleFunc(recordsPath+"/{key}", s.toldRecord)
	all.HandleFunc(tracesPath, s.takeTraces)
	all.Handle("/", s.readOnly(mux))
	s.handler = s.logged(s.guarded(zipped(all)))
	if err := s.openRecords(ctx, c); err != nil {
		return nil, errors.Join(err, s.pages.Close())
	}
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close lets go of what was opened to answer.
func (s *Server) Close() error {
	s.records.close()
	return s.pages.Close()
}

// localNames are the hosts that a server on a loopback address answers to; nil
// if others may reach it anyway.
func localNames(addr string, more []string) map[string]bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil
	}
	names := map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, strings.Trim(host, "[]"): true}
	for _, h := range more {
		names[strings.ToLower(h)] = true
	}
	return names
}

// guarded refuses foreign hosts, and says to browsers what a page may do.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		if s.hosts != nil && !s.hosts[hostname(r.Host)] && !fromOutside(r.URL.Path) {
			refuse(w, http.StatusMisdirectedRequest, "this server answers to names of its own machine only", "use http://127.0.0.1")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fromOutside reports whether programs of other machines send to an address, with a
// secret or a token that pages of other sites do not know.
func fromOutside(path string) bool {
	return strings.HasPrefix(path, hooksPath) || strings.HasPrefix(path, recordsPath) || path == tracesPath
}

// readOnly refuses what no reader sends: other methods, and bodies; but for what the
// pages take.
func (s *Server) readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !s.pages.Takes(r) {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "this can only be read", "")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		next.ServeHTTP(w, r)
	})
}

func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// A counted response remembers what was answered.
type counted struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (c *counted) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a handler give a request more time.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *counted) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// logged writes a line for each request, without what was asked for in it.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.now()
		c := &counted{ResponseWriter: w}
		defer func() {
			s.log.Info("request", "method", r.Method, "path", r.URL.Path, "status", c.status, "bytes", c.bytes, "took", s.now().Sub(start))
		}()
		next.ServeHTTP(c, r)
	})
}

var zippers = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed); return w }} // the level is a valid one

// A zip response compresses text.
type zip struct {
	http.ResponseWriter
	w       *gzip.Writer
	decided bool
}

func (z *zip) WriteHeader(status int) {
	z.decide(status)
	z.ResponseWriter.WriteHeader(status)
}

func (z *zip) decide(status int) {
	if z.decided {
		return
	}
	z.decided = true
	h := z.Header()
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	text := strings.HasPrefix(media, "text/") || media == "application/json" || media == "image/svg+xml"
	if !text || status == http.StatusNoContent || status == http.StatusNotModified || h.Get("Content-Encoding") != "" {
		return
	}
	h.Del("Content-Length")
	h.Set("Content-Encoding", "gzip")
	h.Add("Vary", "Accept-Encoding")
	z.w = zippers.Get().(*gzip.Writer)
	z.w.Reset(z.ResponseWriter)
}

func (z *zip) Write(b []byte) (int, error) {
	z.decide(http.StatusOK)
	if z.w != nil {
		return z.w.Write(b)
	}
	return z.ResponseWriter.Write(b)
}

// Unwrap lets a handler give a request more time.
func (z *zip) Unwrap() http.ResponseWriter { return z.ResponseWriter }

func zipped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		z := &zip{ResponseWriter: w}
		next.ServeHTTP(z, r)
		if z.w != nil {
			_ = z.w.Close() // the reader went away
			zippers.Put(z.w)
		}
	})
}

// Serve listens on addr until ctx ends, then lets the requests under way
// finish. ready, if set, is told the address once it is open, which tells the
// port where addr left it to the system.
func Serve(ctx context.Context, addr string, h http.Handler, log *slog.Logger, ready func(addr string)) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("server: listening on %s: %w", addr, err)
	}
	s := &http.Server{
		Handler: h, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10,
	}
	if ready != nil {
		ready(l.Addr().String())
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		quiet, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = s.Shutdown(quiet)
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	if c, ok := h.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	if err != nil {
		return fmt.Errorf("server: serving %s: %w", addr, err)
	}
	return nil
}
