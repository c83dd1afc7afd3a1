package git

import (
	"bytes"
	"context"
	"slices"
	"strings"
)

// A Ref is a name of something in the repository.
type Ref struct {
	Name   string // whole: "refs/heads/main"
	ID     string // what it names
	Type   string // "commit", "tag", "tree", "blob"; "" when that object cannot be read
	Peeled string // for an annotated tag, what it finally names; else ID
	Target string // for a symbolic ref, the ref it stands for
	Tag    *Tag   // for an annotated tag
}

// A Tag is what an annotated tag says.
type Tag struct {
	Name      string
	Tagger    Ident
	Message   string // raw bytes, without the signature
	Signature SignatureKind
}

// maxTag bounds what is read of a tag.
const maxTag = 1 << 20

// refFormat asks for nothing that needs an object, so that no broken object
// hides the refs.
const refFormat = "--format=%(refname)%00%(objectname)%00%(symref)%00"

// Refs lists the refs below the prefixes, or all, sorted by name, with two
// processes: one for the names, one for what they name.
func (r *Repo) Refs(ctx context.Context, prefixes ...string) ([]Ref, error) {
	refs, err := r.RefNames(ctx, prefixes...)
	if err != nil {
		return nil, err
	}
	return refs, r.describe(ctx, refs)
}

// RefNames is Refs without what the refs name: Type, Tag and the Peeled of an
// annotated tag are missing. It takes one process.
func (r *Repo) RefNames(ctx context.Context, prefixes ...string) ([]Ref, error) {
	args := []string{"for-each-ref", refFormat, "--"}
	out, err := r.here.Output(ctx, nil, 1<<30, append(args, prefixes...)...)
	if err != nil {
		return nil, err
	}
	var refs []Ref
	for len(out) > 0 {
		var f [3][]byte
		for i := range f {
			f[i], out, _ = bytes.Cut(out, []byte{0})
		}
		out = bytes.TrimPrefix(out, []byte("\n"))
		refs = append(refs, Ref{Name: string(f[0]), ID: string(f[1]), Target: string(f[2]), Peeled: string(f[1])})
	}
	slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return refs, nil
}

// describe finds what the refs name. Only tags are read whole: sizes first
// would need a second pass, so the kind of a ref's name decides how to ask.
func (r *Repo) describe(ctx context.Context, refs []Ref) error {
	if len(refs) == 0 {
		return nil
	}
	at := 0
	ids := func(yield func(string) bool) {
		for i := range refs {
			if !yield(refs[i].ID) {
				return
			}
		}
	}
	var tags []int
	for o, err := range r.Check(ctx, ids) {
		if err != nil {
			return err
		}
		if refs[at].Type = o.Type; o.Type == "tag" {
			tags = append(tags, at)
		}
		at++
	}
	return r.readTags(ctx, refs, tags)
}

// readTags reads annotated tags, and tags of tags, with one process.
func (r *Repo) readTags(ctx context.Context, refs []Ref, tags []int) error {
	if len(tags) == 0 {
		return nil
	}
	cat, err := r.CatFile(ctx, maxTag)
	if err != nil {
		return err
	}
	defer cat.p.Kill()
	for _, i := range tags {
		o, err := cat.Object(refs[i].ID)
		for depth := 0; depth < 16; depth++ {
			if err != nil {
				return err
			}
			if o.Type != "tag" || o.Data == nil {
				break
			}
			target, kind, tag := parseTag(o.Data)
			if refs[i].Tag == nil {
				refs[i].Tag = tag
			}
			refs[i].Peeled = target
			if kind != "tag" {
				break
			}
			o, err = cat.Object(target)
		}
	}
	return nil
}

// parseTag reads a tag object.
func parseTag(raw []byte) (target, kind string, tag *Tag) {
	tag = &Tag{Signature: Unsigned}
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		raw = rest
		if len(line) == 0 {
			break
		}
		key, value, _ := bytes.Cut(line, []byte(" "))
		switch string(key) {
		case "object":
			target = string(value)
		case "type":
			kind = string(value)
		case "tag":
			tag.Name = string(value)
		case "tagger":
			tag.Tagger = parseIdent(value)
		}
	}
	message, sig := raw, []byte(nil)
	for at := 0; at < len(raw); {
		if bytes.HasPrefix(raw[at:], []byte("-----BEGIN ")) {
			if k := signatureKind(raw[at:]); k != OtherSig {
				message, sig = raw[:at], raw[at:]
				break
			}
		}
		n := bytes.IndexByte(raw[at:], '\n')
		if n < 0 {
			break
		}
		at += n + 1
	}
	tag.Message, tag.Signature = string(message), signatureKind(sig)
	return target, kind, tag
}

// DefaultBranch chooses among the refs the branch that counts as the line of
// history: where origin/HEAD points, else what is checked out, else main or
// master. A detached or unborn HEAD gives a branch only by the last rule; ""
// when there is none.
func (r *Repo) DefaultBranch(refs []Ref) string {
	have := map[string]Ref{}
	for _, f := range refs {
		have[f.Name] = f
	}
	if f, ok := have["refs/remotes/origin/HEAD"]; ok && have[f.Target].ID != "" {
		return f.Target
	}
	if r.Branch != "" && have[r.Branch].ID != "" {
		return r.Branch
	}
	for _, name := range []string{"heads/main", "heads/master", "remotes/origin/main", "remotes/origin/master"} {
		if have["refs/"+name].ID != "" {
			return "refs/" + name
		}
	}
	return ""
}
