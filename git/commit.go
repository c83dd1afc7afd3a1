package git

import (
	"bytes"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/git/internal/wire"
)

// A Commit is what the object of a commit says.
type Commit struct {
	ID        string
	Tree      string
	Parents   []string // as the commit says, also where they were not fetched
	Author    Ident
	Committer Ident
	Message   string
	Encoding  string // the encoding the commit names, "" for UTF-8
	Signature SignatureKind
	Extra     []Header // headers of the commit that have no field of their own, such as change-id
}

// Merge reports whether the commit has more than one parent.
func (c *Commit) Merge() bool { return len(c.Parents) > 1 }

// An Ident is a name in a commit or tag, with raw bytes.
type Ident struct {
	Name, Mail string
	When       time.Time // in the zone of the writer; zero when it cannot be read or lies outside the years 1 to 9999
	Malformed  bool      // the line is not of the form that git writes
}

// A Header is a further header of a commit; values are cut at 4 KiB.
type Header struct{ Key, Value string }

// SignatureKind says with what a commit or tag was signed. Nothing is verified.
type SignatureKind string

// Kinds of signatures.
const (
	Unsigned SignatureKind = "none"
	GPG      SignatureKind = "gpg"
	SSH      SignatureKind = "ssh"
	X509     SignatureKind = "x509"
	OtherSig SignatureKind = "other"
)

// signatureKind looks at the first line of a signature.
func signatureKind(sig []byte) SignatureKind {
	switch {
	case len(sig) == 0:
		return Unsigned
	case bytes.HasPrefix(sig, []byte("-----BEGIN PGP ")):
		return GPG
	case bytes.HasPrefix(sig, []byte("-----BEGIN SSH SIGNATURE-----")):
		return SSH
	case bytes.HasPrefix(sig, []byte("-----BEGIN SIGNED MESSAGE-----")), bytes.HasPrefix(sig, []byte("-----BEGIN CMS")):
		return X509
	}
	return OtherSig
}

const (
	maxHeaderValue = 4 << 10
	maxExtra       = 64
	maxParents     = 1 << 10
)

// ParseCommit reads the object of a commit, as [Repo.Objects] gives it. It
// never fails: what is malformed is missing.
func ParseCommit(id string, object []byte) *Commit {
	c := &Commit{ID: id}
	c.Parse(object)
	return c
}

// Parse takes over what the object of a commit says; what it does not say stays
// as it is. It never fails: what is malformed is missing or flagged, since git
// itself is content with little.
func (c *Commit) Parse(raw []byte) {
	c.Signature = Unsigned
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		raw = rest
		if len(line) == 0 { // the rest is the message
			c.Message = string(raw)
			return
		}
		key, value, _ := bytes.Cut(line, []byte(" "))
		more := false
		for len(raw) > 0 && raw[0] == ' ' { // continued lines, only looked at for keys that are kept
			_, raw, _ = bytes.Cut(raw, []byte("\n"))
			more = true
		}
		c.header(string(key), value, more)
	}
}

func (c *Commit) header(key string, value []byte, more bool) {
	switch key {
	case "tree":
		c.Tree = string(value)
	case "parent":
		if len(c.Parents) < maxParents {
			c.Parents = append(c.Parents, string(value))
		}
	case "author":
		c.Author = parseIdent(value)
	case "committer":
		c.Committer = parseIdent(value)
	case "encoding":
		c.Encoding = string(value)
	case "gpgsig", "gpgsig-sha256":
		if c.Signature == Unsigned {
			c.Signature = signatureKind(value)
		}
	default:
		if len(c.Extra) < maxExtra {
			v := string(value[:min(len(value), maxHeaderValue)])
			if more {
				v += " …"
			}
			c.Extra = append(c.Extra, Header{key, v})
		}
	}
}

// parseIdent reads "Name <mail> seconds zone".
func parseIdent(b []byte) Ident {
	open, end := bytes.IndexByte(b, '<'), bytes.LastIndexByte(b, '>')
	if open < 0 || end < open {
		return Ident{Name: strings.TrimSpace(string(b)), Malformed: true}
	}
	id := Ident{
		Name: strings.TrimSpace(string(b[:open])),
		Mail: strings.TrimSpace(string(b[open+1 : end])),
	}
	var ok bool
	id.When, ok = wire.When(string(bytes.TrimSpace(b[end+1:])))
	id.Malformed = !ok || strings.ContainsAny(id.Mail, "<>")
	return id
}
