package git

import (
	"testing"
)

func FuzzCommit(f *testing.F) {
	f.Add([]byte("tree x\nparent y\nauthor A <a> 1 +0000\ngpgsig -----BEGIN PGP SIGNATURE-----\n more\n\nmessage"))
	f.Add([]byte("object x\ntype commit\ntag v\ntagger A <a> 99999999999999 +9999\n\nm\n-----BEGIN SSH SIGNATURE-----\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var c Commit
		c.Parse(in)
		_, _, tag := parseTag(in)
		for _, i := range []Ident{c.Author, c.Committer, tag.Tagger} {
			if y := i.When.Year(); y < 1 || y > 9999 {
				t.Errorf("year %d", y)
			}
		}
		if len(c.Extra) > maxExtra || len(c.Parents) > maxParents {
			t.Errorf("%d headers, %d parents", len(c.Extra), len(c.Parents))
		}
	})
}
