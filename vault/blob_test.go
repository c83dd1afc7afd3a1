package vault_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/vault"
	"github.com/stemma-dev/stemma/vault/vaulttest"
)

func TestDirectoryKeepsBlobs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "blobs")
	vaulttest.Blobs(t, func() vault.Blobs {
		d, err := vault.Dir(dir)
		must(t, err)
		return d
	})
	left, err := os.ReadDir(filepath.Join(dir, "tmp"))
	must(t, err)
	if len(left) != 0 {
		t.Errorf("%d files were left on their way", len(left))
	}
}

func TestBucketKeepsBlobs(t *testing.T) {
	config := vaulttest.S3(t)
	vaulttest.Blobs(t, func() vault.Blobs {
		b, err := vault.S3(t.Context(), config)
		must(t, err)
		return b
	})
}

func TestBucketErrorsAreSaidPlainly(t *testing.T) {
	config := vaulttest.S3(t)
	missing := config
	missing.Bucket = "no-such-bucket"
	if _, err := vault.S3(t.Context(), missing); !errors.Is(err, stemma.ErrNotFound) || hint(err) == "" {
		t.Errorf("a bucket that is not there: %v", err)
	}
	for _, endpoint := range []string{"", "host", "ftp://host", "https://host/path", "https://", "%zz"} {
		bad := config
		bad.Endpoint = endpoint
		if _, err := vault.S3(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "endpoint") {
			t.Errorf("endpoint %q: %v", endpoint, err)
		}
	}
}

func TestBlobsOfOtherPrefixesAreNotSeen(t *testing.T) {
	config, ctx := vaulttest.S3(t), t.Context()
	one, err := vault.S3(ctx, config)
	must(t, err)
	config.Prefix = "other/"
	other, err := vault.S3(ctx, config)
	must(t, err)
	must(t, one.Put(ctx, vault.Blob{Name: "abc", Data: []byte("x")}))
	for name, err := range other.Names(ctx) {
		t.Errorf("%s is listed under another prefix, %v", name, err)
	}
	if _, err := other.Get(ctx, "abc"); !errors.Is(err, stemma.ErrNotFound) {
		t.Errorf("Get under another prefix: %v", err)
	}
}

func FuzzBlobNameStaysInItsDirectory(f *testing.F) {
	for _, s := range []string{"abc", "../x", "a/../../b", "..", "a\x00b", "con", "aa..bb", "a/b", "C:\\x", strings.Repeat("a", 128), strings.Repeat("a", 129), "\u202eabc", "%2e%2e%2fx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if vault.CheckName(name) != nil {
			return
		}
		if len(name) > 128 || strings.ToLower(name) != name || !filepath.IsLocal(name) || filepath.Base(name) != name || strings.ContainsAny(name, "/\\:\x00 %") {
			t.Errorf("%q was accepted", name)
		}
		shard := name[:2]
		if !filepath.IsLocal(shard) || shard == ".." || shard == "." {
			t.Errorf("%q has the shard %q", name, shard)
		}
	})
}
