// Package vaulttest holds the suite that every store of blobs must pass, and
// lends tests an object store.
package vaulttest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/vault"
)

// Blobs tests what every store of blobs promises. Every call of open returns
// another handle of the same store, which is empty at first.
func Blobs(t *testing.T, open func() vault.Blobs) {
	t.Helper()
	s := &blobSuite{open: open}
	for _, c := range []struct {
		name string
		f    func(*testing.T)
	}{
		{"NothingIsNotFound", s.nothingIsNotFound},
		{"WhatIsPutComesBack", s.whatIsPutComesBack},
		{"PutReplaces", s.putReplaces},
		{"DeleteTwice", s.deleteTwice},
		{"NamesAreListedInOrder", s.namesAreListedInOrder},
		{"BadNamesAreRefused", s.badNamesAreRefused},
		{"ConcurrentPuts", s.concurrentPuts},
	} {
		t.Run(c.name, c.f)
	}
}

type blobSuite struct{ open func() vault.Blobs }

func (s *blobSuite) nothingIsNotFound(t *testing.T) {
	if _, err := s.open().Get(t.Context(), "nothing"); !errors.Is(err, stemma.ErrNotFound) {
		t.Errorf("Get of nothing: %v, want ErrNotFound", err)
	}
	for name, err := range s.open().Names(t.Context()) {
		t.Errorf("an empty store lists %q, %v", name, err)
	}
}

func (s *blobSuite) whatIsPutComesBack(t *testing.T) {
	ctx := t.Context()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	items := []vault.Blob{
		{Name: "empty", Data: nil},
		{Name: "every", Data: every},
		{Name: "large", Data: bytes.Repeat(every, 40_000)},
		{Name: "a-b_c.d9", Data: []byte("x")},
	}
	for i := range 100 { // as many as take the way of a large batch
		items = append(items, vault.Blob{Name: fmt.Sprintf("%02d-many", i), Data: []byte{byte(i)}})
	}
	if err := s.open().Put(ctx, items...); err != nil {
		t.Fatal(err)
	}
	if err := s.open().Put(ctx); err != nil {
		t.Errorf("Put of nothing: %v", err)
	}
	for _, it := range items {
		got, err := s.open().Get(ctx, it.Name)
		if err != nil || !bytes.Equal(got, it.Data) {
			t.Errorf("Get(%s) = %d bytes, %v, want %d", it.Name, len(got), err, len(it.Data))
		}
	}
	s.clear(t)
}

func (s *blobSuite) putReplaces(t *testing.T) {
	ctx := t.Context()
	for _, data := range []string{"one", "one", "another", ""} {
		if err := s.open().Put(ctx, vault.Blob{Name: "same", Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
		got, err := s.open().Get(ctx, "same")
		if err != nil || string(got) != data {
			t.Errorf("Get = %q, %v, want %q", got, err, data)
		}
	}
	s.clear(t)
}

func (s *blobSuite) deleteTwice(t *testing.T) {
	ctx := t.Context()
	if err := s.open().Put(ctx, vault.Blob{Name: "gone", Data: []byte("x")}, vault.Blob{Name: "gone-not", Data: []byte("y")}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.open().Delete(ctx, "gone"); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	if _, err := s.open().Get(ctx, "gone"); !errors.Is(err, stemma.ErrNotFound) {
		t.Errorf("Get of what was deleted: %v, want ErrNotFound", err)
	}
	if _, err := s.open().Get(ctx, "gone-not"); err != nil {
		t.Errorf("another name went too: %v", err)
	}
	s.clear(t)
}

func (s *blobSuite) namesAreListedInOrder(t *testing.T) {
	ctx := t.Context()
	want := []string{"00a", "a-b", "a.b", "aab", "aabb", "ab0", "b00", "zz9"}
	for _, i := range []int{3, 1, 7, 0, 5, 2, 6, 4} {
		if err := s.open().Put(ctx, vault.Blob{Name: want[i], Data: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.names(t); !slices.Equal(got, want) {
		t.Errorf("Names = %q, want %q", got, want)
	}
	for name, err := range s.open().Names(ctx) { // stopping early is allowed
		if name != want[0] || err != nil {
			t.Errorf("first name %q, %v", name, err)
		}
		break
	}
	s.clear(t)
}

func (s *blobSuite) badNamesAreRefused(t *testing.T) {
	ctx := t.Context()
	for _, name := range []string{"", "a", "..", "../../etc/passwd", "a/b", "/abc", "abc/", ".abc", "abc.", "a\\b", "ABC", "a\x00b", "a b", "äöü", "-abc", string(make([]byte, 200))} {
		good := vault.Blob{Name: "good", Data: []byte("x")}
		if err := s.open().Put(ctx, good, vault.Blob{Name: name, Data: []byte("x")}); err == nil {
			t.Errorf("Put(%q) was accepted", name)
		}
		if _, err := s.open().Get(ctx, name); err == nil || errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("Get(%q): %v, want another refusal than not found", name, err)
		}
		if err := s.open().Delete(ctx, name); err == nil {
			t.Errorf("Delete(%q) was accepted", name)
		}
	}
	s.clear(t)
}

func (s *blobSuite) concurrentPuts(t *testing.T) {
	ctx := t.Context()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			b := s.open()
			for j := range 10 {
				items := []vault.Blob{{Name: "shared", Data: []byte("the same for all")}, {Name: fmt.Sprintf("own-%d-%d", i, j), Data: []byte{byte(j)}}}
				if err := b.Put(ctx, items...); err != nil {
					t.Error(err)
				}
				if got, err := b.Get(ctx, "shared"); err != nil || string(got) != "the same for all" {
					t.Errorf("Get = %q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(s.names(t)); got != 81 {
		t.Errorf("%d names, want 81", got)
	}
	s.clear(t)
}

func (s *blobSuite) names(t *testing.T) (names []string) {
	t.Helper()
	for name, err := range s.open().Names(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func (s *blobSuite) clear(t *testing.T) {
	t.Helper()
	for _, name := range s.names(t) {
		if err := s.open().Delete(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	if got := s.names(t); len(got) != 0 {
		t.Errorf("%q are left after deleting everything", got)
	}
}

// S3 starts an object store in this process and returns how to reach an empty
// bucket of it. It sets the credentials in the environment of the test.
func S3(t *testing.T) vault.S3Config {
	t.Helper()
	fake := gofakes3.New(s3mem.New())
	server := httptest.NewServer(fake.Server())
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
	const bucket = "stemma-test"
	req := httptest.NewRequestWithContext(t.Context(), "PUT", "/"+bucket, nil)
	answer := httptest.NewRecorder()
	fake.Server().ServeHTTP(answer, req)
	if answer.Code != 200 {
		t.Fatalf("storagetest: making a bucket: %d %s", answer.Code, answer.Body)
	}
	return vault.S3Config{Endpoint: server.URL, Bucket: bucket, Prefix: "some/prefix/", Region: "us-east-1", PathStyle: true}
}
