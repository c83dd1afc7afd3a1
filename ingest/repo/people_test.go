package repo_test

import (
	"slices"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestAddressesOfOnePersonAreOneByEvidenceOnly(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := gittest.New(t), spaceOn(t, open())
		for _, who := range []string{
			"Ada <7+ada@users.noreply.github.com>", "Ada <7+lovelace@users.noreply.github.com>", // one account, another login
			"Ada <8+ada@users.noreply.github.com>", // an account that has the old login now
			"Ada <ada@work.example>", "Ada <ada@home.example>", "Ada <ada@else.example>", "Ada <9+ann@users.noreply.github.com>",
		} {
			by(r, who, "")
			r.Commit("by "+who, "a", who)
		}
		r.Commit("map", ".mailmap", "Ada <ada@work.example> <ada@home.example>\nAda <ada@work.example> <9+ann@users.noreply.github.com>\nAda Else <ada@else.example>\nCI <ci@work.example> <dependabot[bot]@users.noreply.github.com>\n")
		s.scan(r.Dir)
		one := func(a, b stemma.Ref) bool {
			list, err := s.Graph.Same(t.Context(), a)
			must(t, err)
			return slices.Contains(list, b)
		}
		account, other := s.Account("github.com", "7", ""), s.Account("github.com", "8", "")
		for _, c := range []struct {
			why  string
			a, b stemma.Ref
			want bool
		}{
			{"an address that the forge made for an account", s.Person("7+ada@users.noreply.github.com"), account, true},
			{"two logins of one account", s.Person("7+ada@users.noreply.github.com"), s.Person("7+lovelace@users.noreply.github.com"), true},
			{"two accounts that had one login", account, other, false},
			{"a mail map, which anybody may write", s.Person("ada@work.example"), s.Person("ada@home.example"), false},
			{"a mail map that speaks of an account", s.Person("ada@work.example"), s.Account("github.com", "9", ""), false},
			{"equal names", s.Person("ada@work.example"), s.Person("ada@else.example"), false},
			{"equal names, one with an account", s.Person("ada@work.example"), account, false},
		} {
			if one(c.a, c.b) != c.want {
				t.Errorf("%s: one is %v, want %v", c.why, !c.want, c.want)
			}
		}
		s.verify()
	})
}
