//go:build linux || darwin

package vault_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/vault"
)

func TestMain(m *testing.M) { children.Main(m) }

var children = storagetest.Children{
	"blobs": func(ctx context.Context, dir string) error {
		d, err := vault.Dir(dir)
		if err != nil {
			return err
		}
		return d.Put(ctx, vault.Blob{Name: "abc", Data: []byte("x")})
	},
	"fillblobs": func(ctx context.Context, dir string) error {
		d, err := vault.Dir(dir)
		if err != nil {
			return err
		}
		if err := storagetest.LimitFiles(); err != nil {
			return err
		}
		return d.Put(ctx, vault.Blob{Name: "small", Data: make([]byte, 10)}, vault.Blob{Name: "large", Data: make([]byte, 4<<20)})
	},
}

func TestReadOnlyDirectoryIsSaidPlainly(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { must(t, os.Chmod(dir, 0o755)) })
	out := storagetest.AsOrdinaryUser(t, "blobs", filepath.Join(dir, "blobs"))
	if !strings.Contains(out, "vault:") || !strings.Contains(out, dir) || !strings.Contains(out, "read-only") || !strings.Contains(out, "hint: ") {
		t.Errorf("a read-only directory: %s", out)
	}
}

func TestFullDiskLeavesNoHalfBlob(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	child := storagetest.Start(t, "fillblobs", dir)
	if got := child.Line(); !strings.Contains(got, "large") || !strings.Contains(got, dir) || !strings.Contains(got, "no space left") {
		t.Errorf("the error is %q", got)
	}
	d, err := vault.Dir(dir)
	must(t, err)
	for name, err := range d.Names(t.Context()) {
		t.Errorf("%s (%v) was stored by a Put that failed", name, err)
	}
	left, err := os.ReadDir(filepath.Join(dir, "tmp"))
	must(t, err)
	if len(left) != 0 {
		t.Errorf("%d files were left on their way", len(left))
	}
}
