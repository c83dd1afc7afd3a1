package git_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
)

func room(size int) []byte { return make([]byte, size) }

// blobs makes many, in one pack.
func blobs(r *gittest.Repo, n int) (ids []string) {
	var in strings.Builder
	for i := range n {
		text := fmt.Sprintf("%d %s", i, strings.Repeat("x", i%5000))
		fmt.Fprintf(&in, "blob\nmark :%d\ndata %d\n%s\n", i+1, len(text), text)
	}
	r.GitWith([]byte(in.String()), "fast-import", "--quiet")
	return strings.Fields(r.Git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
}

func told(objects iter.Seq2[git.Object, error]) (all []string) {
	for o, err := range objects {
		all = append(all, fmt.Sprintf("%s %s %d %v %v %.20s %v", o.ID, o.Type, o.Size, o.Missing, o.TooBig, o.Data, err))
	}
	return all
}

func TestManyObjectsAreReadAsOneByOne(t *testing.T) {
	made := gittest.New(t)
	all := blobs(made, 1500)
	all[700], all[701], all[3] = strings.Repeat("e", 40), "no id", all[4]
	r := open(t, made.Dir)
	for _, n := range []int{0, 1, 255, 256, 257, 512, 513, 1500} {
		want := told(r.Objects(t.Context(), slices.Values(all[:n]), 4000))
		if got := told(r.Many(t.Context(), all[:n], 4000, room)); !slices.Equal(got, want) {
			t.Errorf("%d objects differ from those that are read one by one", n)
		}
	}
}

func TestManyObjectsNeedNotBeReadToTheEnd(t *testing.T) {
	made := gittest.New(t)
	all := blobs(made, 1500)
	r := open(t, made.Dir)
	for _, after := range []int{1, 300, 1499} {
		n := 0
		for _, err := range r.Many(t.Context(), all, 1<<20, room) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == after {
				break
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range r.Many(ctx, all, 1<<20, room) {
		if n++; n == 400 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) || n == len(all) {
		t.Errorf("%d objects were told and %v after the context ended", n, last)
	}
}

func TestDamageAmongManyObjectsIsToldOfThatOne(t *testing.T) {
	made := gittest.New(t)
	all := blobs(made, 1000)
	loose := strings.TrimSpace(made.GitWith([]byte("loose"), "hash-object", "-w", "--stdin"))
	made.Write(".git/objects/"+loose[:2]+"/"+loose[2:], "no object")
	all = slices.Insert(all, 600, loose)
	i := 0
	for o, err := range open(t, made.Dir).Many(t.Context(), all, 1<<20, room) {
		if err != nil || o.Broken != (i == 600) || o.Missing != (i == 600) {
			t.Fatalf("object %d: broken %v, missing %v, %v", i, o.Broken, o.Missing, err)
		}
		i++
	}
	if i != len(all) {
		t.Errorf("%d of %d objects", i, len(all))
	}
}
