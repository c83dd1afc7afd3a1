package ingest

import (
	"cmp"

	"github.com/stemma-dev/stemma"
)

// An Account is somebody as another system calls them; any part may be missing.
type Account struct {
	Host  string // whose account it is: "github.com", "jira"
	ID    string // which never changes there
	Login string
	Name  string
	Mail  string
}

// Account returns the pseudonym of whoever has an account and remembers who it is in
// the profile table. An account is known by its id, where there is one: the login may
// be given to somebody else. It is not taken to be the person with the same address:
// that is for whoever has the evidence.
func (w *Writer) Account(a Account) stemma.Ref {
	if a.Host == "" || a.ID == "" && a.Login == "" {
		return w.Person(a.Name, a.Mail, a.Login)
	}
	ref := w.space.Account(a.Host, a.ID, a.Login)
	named := a.Name != "" || a.Login != ""
	if before, stored := w.stored[ref]; !stored || !before && named {
		w.stored[ref] = named
		w.profiles[ref] = profile{clean(a.Name), clean(a.Mail), clean(a.Login), clean(a.Host), clean(a.ID)}
	}
	return ref
}

// Pseudonym is what [Writer.Account] returns, for whoever need not be remembered.
func (s *Space) Pseudonym(a Account) stemma.Ref {
	if a.Host == "" || a.ID == "" && a.Login == "" {
		return s.Person(cmp.Or(a.Mail, "name:"+a.Name))
	}
	return s.Account(a.Host, a.ID, a.Login)
}

// Account returns the pseudonym of an account: by its id, or by its login where no id
// is known.
func (s *Space) Account(host, id, login string) stemma.Ref {
	key := "account:" + host + "/" + id
	if id == "" {
		key = "account:" + host + "/login:" + login
	}
	return s.Person(cmp.Or(key, host))
}
