package story

import (
	"encoding/json"
	"fmt"
	"path/filepath"
)

// A person has an account at the forge and a clone, with capture set up.
type person struct {
	s                 *stage
	name, login, mail string
	id                int
	ready             bool
}

// everybody is who acts; none of them exists.
var everybody = []person{
	{name: "Ada Example", login: "ada", mail: "ada@example.com", id: 900_000_001},
	{name: "Ben Example", login: "ben", mail: "ben@example.com", id: 900_000_002},
	{name: "Cleo Example", login: "cleo", mail: "cleo@example.com", id: 900_000_003},
	{name: "Dan Example", login: "dan", mail: "dan@example.com", id: 900_000_004},
	{name: "GitHub", login: "web-flow", mail: "noreply@github.com", id: 19_864_447},
}

// who is somebody, whether they have a clone or not.
func (s *stage) who(login string) *person {
	if s.people[login] == nil {
		for _, e := range everybody {
			if e.login == login {
				e.s = s
				s.people[login] = &e
			}
		}
	}
	return s.people[login]
}

// person is somebody with a clone.
func (s *stage) person(login string) *person {
	p := s.who(login)
	if p.ready {
		return p
	}
	p.ready = true
	hub := filepath.Join(s.dir, "hub.git")
	// What is pushed to the forge goes to a bare repository beside the clones.
	s.write(filepath.Join(s.dir, login, ".gitconfig"), fmt.Sprintf("[user]\n\tname = %s\n\temail = %s\n[url %q]\n\tinsteadOf = https://%s.git\n[maintenance]\n\tauto = false\n[advice]\n\tdetachedHead = false\n",
		p.name, p.mail, hub, Repository))
	s.run(filepath.Join(s.dir, login), s.env(p), "", "git", "clone", "-q", "https://"+Repository+".git", "pay")
	if login != "web-flow" {
		p.stemma("init", "--agents", "none")
	}
	return p
}

func (p *person) dir() string { return filepath.Join(p.s.dir, p.login, "pay") }

func (p *person) git(args ...string) string {
	return p.s.run(p.dir(), p.s.env(p), "", "git", args...)
}

func (p *person) stemma(args ...string) string {
	return p.s.run(p.dir(), p.s.env(p), "", p.s.in.Stemma, args...)
}

// hook is what a program tells a hook in the clone of a person.
func (p *person) hook(agent string, payload object) {
	b, err := json.Marshal(payload)
	if err != nil {
		p.s.fail(err)
	}
	p.s.run(p.dir(), p.s.env(p), string(b), p.s.in.Stemma, "hook", agent)
}

// types is what a person writes in an editor that tells of it.
func (p *person) types(path, text string) {
	p.s.tick()
	p.s.write(filepath.Join(p.dir(), path), text)
	p.hook("generic", object{"type": "known_human", "edited_filepaths": []string{path}, "cwd": p.dir()})
}

// branch begins a branch at the newest main.
func (p *person) branch(name string) {
	p.git("fetch", "-q", "origin")
	p.git("checkout", "-q", "--no-track", "-b", name, "origin/main")
}

// commit commits all there is, and returns its name.
func (p *person) commit(message string) string {
	p.s.tick()
	p.git("add", "-A")
	p.git("commit", "-q", "-m", message)
	return p.git("rev-parse", "HEAD")
}
