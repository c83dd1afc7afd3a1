package packs_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/git/internal/packs"
)

// packed is a repository whose objects lie in several packs, and all their ids.
func packed(t testing.TB, version string, flags ...string) (objects string, ids []string) {
	r := gittest.New(t, flags...)
	for _, word := range []string{"one", "two", "three"} {
		for i := range 40 {
			r.Write(word+strings.Repeat("x", i), gittest.Lines(word, i))
		}
		r.Commit(word)
		r.Git("-c", "pack.indexVersion="+version, "repack", "-d", "-q")
	}
	objects = filepath.Join(r.Dir, ".git", "objects")
	if n, _ := filepath.Glob(filepath.Join(objects, "pack", "*.idx")); len(n) != 3 {
		t.Fatalf("%d packs, want 3", len(n))
	}
	return objects, strings.Fields(r.Git("rev-list", "--all", "--objects", "--no-object-names"))
}

func TestEveryObjectOfEveryPackIsHeldAndNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		flags   []string
	}{"version 1": {"1", nil}, "version 2": {"2", nil}, "SHA-256": {"2", []string{"--object-format=sha256"}}} {
		t.Run(name, func(t *testing.T) {
			objects, ids := packed(t, c.version, c.flags...)
			var p packs.Packs
			for _, id := range ids {
				if !p.Hold(objects, id) {
					t.Errorf("%s is not held", id)
				}
				if p.Hold(objects, id[:len(id)-1]+string(rune(id[len(id)-1]^1))) {
					t.Errorf("the neighbour of %s is held", id)
				}
			}
			if p.Hold(t.TempDir(), ids[0]) || p.Hold(objects, "") || p.Hold(objects, "no id") {
				t.Error("something is held by nothing")
			}
		})
	}
}

// sharedDigits is how many digits each id shares at most with the one before or behind it.
func sharedDigits(sorted []string) []int {
	most := make([]int, len(sorted))
	for i := 1; i < len(sorted); i++ {
		n := 0
		for sorted[i-1][n] == sorted[i][n] {
			n++
		}
		most[i-1], most[i] = max(most[i-1], n), n
	}
	return most
}

func TestAlikeIsWhatAnotherBeginsWith(t *testing.T) {
	same := func(name, objects string, ids []string) {
		slices.Sort(ids)
		ids = slices.Compact(ids)
		for i, want := range sharedDigits(ids) {
			n, got := packs.Alike([]string{objects}, ids[i:i+1])
			if got != want && want > 1 || n != uint64(len(ids)) {
				t.Errorf("%s: of %d, %s shares %d digits, want %d of %d", name, n, ids[i], got, want, len(ids))
			}
		}
	}
	for _, version := range []string{"1", "2"} {
		objects, ids := packed(t, version)
		same("version "+version, objects, ids)
	}
	// Ids of which no place can be expected.
	var ids []string
	for i := range 3000 {
		ids = append(ids, fmt.Sprintf("00%04x%034x", i*i%70, i*i))
	}
	slices.Sort(ids)
	index := []byte("\xfftOc\x00\x00\x00\x02")
	for range 256 {
		index = binary.BigEndian.AppendUint32(index, uint32(len(ids)))
	}
	for _, id := range ids {
		raw, err := hex.DecodeString(id)
		if err != nil {
			t.Fatal(err)
		}
		index = append(index, raw...)
	}
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "pack"), 0o755), os.WriteFile(filepath.Join(dir, "pack", "a.idx"), index, 0o644)); err != nil {
		t.Fatal(err)
	}
	same("uneven", dir, ids)
}

func FuzzIndex(f *testing.F) {
	objects, ids := packed(f, "2")
	list, _ := filepath.Glob(filepath.Join(objects, "pack", "*.idx"))
	for _, name := range list {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, ids[0])
	}
	f.Add([]byte("\xfftOc\x00\x00\x00\x02"), ids[0])
	f.Add([]byte(strings.Repeat("\xff", 1100)), ids[0])
	f.Fuzz(func(t *testing.T, idx []byte, id string) {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "pack"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "pack", "pack-1.idx"), idx, 0o644); err != nil {
			t.Fatal(err)
		}
		var p packs.Packs
		if held := p.Hold(dir, id); p.Hold(dir, id) != held {
			t.Error("asked twice, it answers differently")
		}
		if at, _ := packs.Places([]string{dir}, []string{id}); len(at) > 0 && !p.Hold(dir, id) {
			t.Errorf("it does not hold what lies at %v", at)
		}
		if _, digits := packs.Alike([]string{dir}, []string{id}); digits >= len(id) && digits > 0 {
			t.Errorf("it shares %d digits with another", digits)
		}
	})
}
