package story

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A stage is where the story is told. The first error ends it: whatever comes behind does
// nothing.
type stage struct {
	ctx      context.Context
	in       Setting
	dir      string
	now      time.Time
	told     Told
	err      error
	chapter  string
	people   map[string]*person
	url      string
	server   *exec.Cmd
	numbered int // deliveries, so that each has an id
}

func newStage(ctx context.Context, in Setting, dir string) *stage {
	s := &stage{ctx: ctx, in: in, dir: dir, people: map[string]*person{}}
	s.told.Clone, s.told.Commits, s.told.Images = filepath.Join(dir, "ada", "pay"), map[string]string{}, map[string]string{}
	return s
}

func (s *stage) say(format string, args ...any) {
	if s.in.Log != nil {
		_, _ = fmt.Fprintf(s.in.Log, "story: "+format+"\n", args...) // nothing depends on it
	}
}

func (s *stage) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// at is when what follows happens.
func (s *stage) at(text string) {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		s.fail(err)
	}
	s.now = t
}

func (s *stage) stamp() string { return s.now.Format(time.RFC3339) }

// tick lets a moment pass.
func (s *stage) tick() { s.now = s.now.Add(20 * time.Second) }

// env is that of a child: of ours only where programs are found. The hooks of git look for
// stemma there.
func (s *stage) env(p *person, more ...string) []string {
	env := []string{
		"PATH=" + filepath.Dir(s.in.Stemma) + string(filepath.ListSeparator) + os.Getenv("PATH"), "HOME=" + filepath.Join(s.dir, p.login), "XDG_CACHE_HOME=" + filepath.Join(s.dir, p.login, "cache"), "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=file", "GIT_EDITOR=true",
		"GIT_AUTHOR_NAME=" + p.name, "GIT_AUTHOR_EMAIL=" + p.mail, "GIT_AUTHOR_DATE=" + s.stamp(),
		"GIT_COMMITTER_NAME=" + p.name, "GIT_COMMITTER_EMAIL=" + p.mail, "GIT_COMMITTER_DATE=" + s.stamp(),
		"STEMMA_WAIT=1",
	}
	return append(append(env, s.in.Env...), more...)
}

// run runs a program in a directory and returns what it printed.
func (s *stage) run(dir string, env []string, stdin, name string, args ...string) string {
	if s.err != nil {
		return ""
	}
	c := exec.CommandContext(s.ctx, name, args...)
	c.Dir, c.Env, c.Stdin = dir, env, strings.NewReader(stdin)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		s.fail(fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out.String(), errs.String()))
	}
	return strings.TrimSpace(out.String())
}

// write writes a file, with the directories above it.
func (s *stage) write(path, text string) {
	if s.err != nil {
		return
	}
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		s.fail(err)
	}
}

// addLine adds a row to a file.
func (s *stage) addLine(path string, row any) {
	if s.err != nil {
		return
	}
	b, err := json.Marshal(row)
	if err != nil {
		s.fail(err)
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.fail(err)
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.fail(err)
		return
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		s.fail(err)
	}
}

// The secrets that both sides share. They guard nothing: the server listens on the loopback
// interface while the story is told.
const (
	hookSecret  = "the secret of the story's hooks"
	recordToken = "the token of the story's pipelines"
)

// serve starts a server for the space and waits until it listens.
func (s *stage) serve() {
	c := exec.CommandContext(s.ctx, s.in.Stemma, "serve", "--addr", "127.0.0.1:0")
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = time.Minute
	c.Env = s.env(&person{login: "server", name: "server"}, "STEMMA_RECORD_TOKEN="+recordToken,
		"STEMMA_HOOK_GITHUB_SECRET="+hookSecret, "STEMMA_HOOK_JIRA_SECRET="+hookSecret, "STEMMA_HOOK_PAGERDUTY_SECRET="+hookSecret)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		s.fail(err)
		return
	}
	s.server = c
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "stemma serves ")
	if !ok {
		_ = c.Wait() // it says itself why it ended
		s.server = nil
		s.fail(fmt.Errorf("stemma serve: %q: %w\n%s", line, err, errs.String()))
		return
	}
	s.url = url
	go func() { _, _ = io.Copy(io.Discard, lines) }() // so that it never waits for a reader
}

// stop ends the server.
func (s *stage) stop() {
	if s.server == nil {
		return
	}
	if err := s.server.Process.Signal(os.Interrupt); err != nil {
		s.fail(err)
	}
	if err := s.server.Wait(); err != nil {
		s.fail(fmt.Errorf("stemma serve: %w", err))
	}
	s.server = nil
}

// How often it is asked whether deliveries have become facts, and how long that may take.
const (
	pause    = 100 * time.Millisecond
	patience = 2 * time.Minute
)

// settled waits until everything that was sent is in the graph.
func (s *stage) settled() {
	ops := &person{login: "ops", name: "ops"}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	for s.err == nil {
		var state struct {
			Sources []struct {
				Pending int64 `json:"pending"`
			} `json:"sources"`
			Dead []struct {
				Reason string `json:"reason"`
			} `json:"dead_letters"`
			Turned []struct {
				Reason string `json:"reason"`
			} `json:"turned_away"`
		}
		out := s.run(s.dir, s.env(ops), "", s.in.Stemma, "deliveries", "--json")
		if s.err == nil {
			s.fail(json.Unmarshal([]byte(out), &state))
		}
		waiting := int64(0)
		for _, source := range state.Sources {
			waiting += source.Pending
		}
		switch {
		case len(state.Dead)+len(state.Turned) > 0:
			s.fail(fmt.Errorf("deliveries were not taken: %s", out))
		case s.err == nil && waiting == 0 && len(state.Sources) > 0:
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			s.fail(fmt.Errorf("%d deliveries still wait: %w", waiting, ctx.Err()))
		}
	}
}

// end reads the repository into the space, and says what the team found out.
func (s *stage) end() {
	s.settled()
	ada := s.person("ada")
	ada.git("fetch", "-q") // with everybody's notes
	ada.git("fetch", "-q", "origin", "+refs/pull/*/head:refs/pull/*/head")
	ada.git("checkout", "-q", "main")
	ada.git("pull", "-q", "--ff-only", "origin", "main")
	ada.stemma("reconcile", s.told.Commits["charges"]+"..main") // what the forge squashed
	ada.stemma("scan", ".")
	ada.stemma("incident", "confirm", Incident, "#2", "--reason", "the retry paid every refund twice")
	ada.stemma("incident", "reject", Incident, "#1", "--reason", "charges were right all the time")
}
