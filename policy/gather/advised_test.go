package gather_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestAModelAdvisoryHoldsByItsLastWord(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db, p, model := open(), &place{n: 1}, identity.ParseModel("claude-opus-4-6")
		p.merged(func(c *change.Change) { c.Sessions = edge(p.session("s")) })
		p.tell(model, session.Session{Tool: "claude-code", ExternalID: p.name("s"), Models: []session.ModelUse{{Model: model.Ref(), Name: "claude-opus-4-6"}}})
		say := func(id string, words ...string) {
			for i, word := range words {
				a := governance.Advisory{ID: governance.AdvisoryRef("acme", id), Model: "claude-opus-4*", Title: "a hole", Published: at(i), Modified: at(i), Standing: word}
				if word != "open" {
					a.Withdrawn = at(i)
				}
				p.tell(a)
			}
		}
		say("1-open", "open")
		say("2-back", "open", "withdrawn")
		say("3-again", "open", "withdrawn", "open")
		say("4-of-old", "") // as it was told before there was a standing
		tellAll(t, db, []*place{p})
		got := map[string]bool{}
		for _, a := range gathered(t, db, p.change())[0].Advisories {
			got[stemma.Ref(a.Ref).Key()] = a.Applies
		}
		for key, want := range map[string]bool{"1-open": true, "2-back": false, "3-again": true, "4-of-old": false} {
			if applies, told := got["acme/"+key]; !told || applies != want {
				t.Errorf("%s applies: %v, %v, want %v", key, applies, told, want)
			}
		}
	})
}
