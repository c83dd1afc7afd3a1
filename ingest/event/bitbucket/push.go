package bitbucket

import (
	"net/mail"
	"strings"

	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/pipeline"
)

// ref is the whole name of what Cloud calls a branch or a tag.
func ref(v event.Value) string {
	name := v.At("name").Name()
	switch {
	case name == "":
		return ""
	case strings.HasSuffix(v.At("type").Text(20), "tag"):
		return "refs/tags/" + name
	}
	return "refs/heads/" + name
}

func (d *delivery) cloudPush() {
	main := d.body.At("repository", "mainbranch", "name").Name()
	for c := range d.body.At("push", "changes").Items() {
		now, old := c.At("new"), c.At("old")
		p := change.Push{
			Repository: d.Repository, Name: ref(event.First(now, old)), Before: old.At("target", "hash").Sha(), After: now.At("target", "hash").Sha(),
			Count: c.At("commits").Len(), By: d.cloudAccount(d.body.At("actor")), Pushed: event.First(c.At("date"), now.At("target", "date")).Moment(),
		}
		if c.At("forced").Has() {
			p.Forced = new(c.At("forced").Bool())
		}
		if main != "" {
			p.OnDefault = new(p.Name == "refs/heads/"+main)
		}
		for one := range c.At("commits").Items() {
			sha := one.At("hash").Sha()
			author, err := mail.ParseAddress(one.At("author", "raw").Text(event.MaxName))
			if err != nil {
				author = &mail.Address{}
			}
			d.Commit(event.Commit{SHA: sha, Message: one.At("message").Long(), Author: author.Name, Mail: author.Address})
			if r := change.ShaRef(sha); r != "" {
				p.Brought = append(p.Brought, r)
			}
		}
		d.pushed(p)
	}
}

func (d *delivery) push() {
	for c := range d.body.At("changes").Items() {
		d.pushed(change.Push{
			Repository: d.Repository, Name: event.First(c.At("refId"), c.At("ref", "id")).Name(), Before: c.At("fromHash").Sha(),
			After: c.At("toHash").Sha(), By: d.account(d.body.At("actor")), Pushed: d.body.At("date").Moment(),
		})
	}
}

// pushed states a push, and the tag that it moved.
func (d *delivery) pushed(p change.Push) {
	if p.Ref() == "" {
		d.Problem("push.changes", "one of them does not say what moved")
		return
	}
	at := p.Pushed
	if at == 0 { // nothing tells when
		at = d.at
	}
	d.State(p, at)
	if tag, ok := strings.CutPrefix(p.Name, "refs/tags/"); ok {
		gone := p.After == ""
		d.State(change.Release{Repository: d.Repository, Name: tag, Deleted: &gone}, at, "annotated")
	}
}

// statuses are Cloud's words for a build in ours.
var statuses = map[string][2]string{
	"INPROGRESS": {"running", ""}, "SUCCESSFUL": {"completed", "success"}, "FAILED": {"completed", "failure"}, "STOPPED": {"completed", "cancelled"},
}

// cloudStatus states what a build says of a commit: the last word under one key.
func (d *delivery) cloudStatus() {
	s := d.body.At("commit_status")
	href := event.First(s.At("commit", "hash"), s.At("links", "commit", "href")).Text(event.MaxURL)
	sha := event.Text(href[strings.LastIndexByte(href, '/')+1:]).Sha()
	key := s.At("key").Name()
	if key == "" || sha == "" {
		if key == "" {
			d.Problem("commit_status.key", "it is missing")
		} else {
			d.Skipped = "the commit of a build is told by a shortened hash only"
		}
		return
	}
	words := statuses[s.At("state").Text(20)]
	d.State(pipeline.Run{
		ID: pipeline.AttemptRef("bitbucket-builds", d.Repository, sha+"/"+key, 1), System: "bitbucket-builds", Name: s.At("name").Name(),
		Status: words[0], Conclusion: words[1], Commit: change.ShaRef(sha), Started: s.At("created_on").Moment(), URL: s.At("url").URL(),
		Branch: s.At("refname").Name(), Repository: d.Repository,
	}, event.Order(s.At("updated_on").Moment(), event.Step(words[0], "running completed")))
}
