package vault_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/vault"
)

var (
	alice = stemma.NewRef(stemma.KindSession, "claude-code", "alice")
	bob   = stemma.NewRef(stemma.KindSession, "claude-code", "bob")
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func hint(err error) string {
	var h *stemma.HintError
	if !errors.As(err, &h) {
		return ""
	}
	return h.Hint
}

func do(t *testing.T, db *storage.DB, query string, args ...any) error {
	t.Helper()
	return db.Write(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
}

func count(t *testing.T, db *storage.DB, query string, args ...any) (n int64) {
	t.Helper()
	must(t, db.Read(t.Context(), func(tx *storage.Tx) error {
		return tx.QueryRow(t.Context(), query, args...).Scan(&n)
	}))
	return n
}

func spaceKey(t testing.TB) vault.SpaceKey {
	t.Helper()
	k, err := vault.NewSpaceKey([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// vaults runs f on each engine with blobs in a directory.
func vaults(t *testing.T, f func(t *testing.T, v *vault.Vault, db *storage.DB, blobs vault.Blobs)) {
	t.Helper()
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		blobs, err := vault.Dir(t.TempDir())
		must(t, err)
		v, err := vault.Open(t.Context(), db, blobs, spaceKey(t))
		must(t, err)
		f(t, v, db, blobs)
	})
}

func names(t *testing.T, blobs vault.Blobs) (list []string) {
	t.Helper()
	for name, err := range blobs.Names(t.Context()) {
		must(t, err)
		list = append(list, name)
	}
	return list
}

func TestVaultGivesBackWhatWasPut(t *testing.T) {
	vaults(t, func(t *testing.T, v *vault.Vault, db *storage.DB, blobs vault.Blobs) {
		ctx := t.Context()
		bodies := [][]byte{{}, []byte("a prompt"), bytes.Repeat([]byte("long "), 1<<18), {0}, []byte("a prompt")}
		digests, err := v.Put(ctx, alice, bodies...)
		must(t, err)
		again, err := vault.Open(ctx, db, blobs, spaceKey(t))
		must(t, err)
		for i, d := range digests {
			if d != stemma.Sum(bodies[i]) {
				t.Errorf("digest %d is %s", i, d)
			}
			got, err := again.Get(ctx, alice, d)
			if err != nil || !bytes.Equal(got, bodies[i]) {
				t.Errorf("Get of body %d = %d bytes, %v", i, len(got), err)
			}
		}
		if n := len(names(t, blobs)); n != 4 {
			t.Errorf("%d blobs, want 4: equal bodies of one owner are one", n)
		}
		if _, err := v.Get(ctx, bob, digests[1]); !errors.Is(err, stemma.ErrNotFound) || errors.Is(err, vault.ErrErased) {
			t.Errorf("the body of another owner: %v", err)
		}
		if _, err := v.Get(ctx, alice, stemma.Sum([]byte("nothing"))); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("a body that is not there: %v", err)
		}
	})
}

func TestVaultHidesBodies(t *testing.T) {
	vaults(t, func(t *testing.T, v *vault.Vault, db *storage.DB, blobs vault.Blobs) {
		ctx := t.Context()
		secret := []byte("correct horse battery staple")
		_, err := v.PutAll(ctx, vault.Sealed{Owner: alice, Body: secret}, vault.Sealed{Owner: bob, Body: secret})
		must(t, err)
		list := names(t, blobs)
		if len(list) != 2 {
			t.Fatalf("%d blobs, want 2: equal bodies of two owners are two", len(list))
		}
		for _, name := range list {
			data, err := blobs.Get(ctx, name)
			must(t, err)
			if bytes.Contains(data, secret[:8]) || strings.Contains(name, stemma.Sum(secret).String()) {
				t.Errorf("blob %s shows its body", name)
			}
		}
		other, err := vault.NewSpaceKey(bytes.Repeat([]byte{7}, 32))
		must(t, err)
		wrong, err := vault.Open(ctx, db, blobs, other)
		must(t, err)
		if _, err := wrong.Get(ctx, alice, stemma.Sum(secret)); !errors.Is(err, stemma.ErrTampered) {
			t.Errorf("with another space key: %v", err)
		}
	})
}

func TestTamperedBodyIsFoundAndNamed(t *testing.T) {
	vaults(t, func(t *testing.T, v *vault.Vault, db *storage.DB, blobs vault.Blobs) {
		ctx := t.Context()
		digests, err := v.Put(ctx, alice, []byte("what the agent was told"))
		must(t, err)
		name := names(t, blobs)[0]
		whole, err := blobs.Get(ctx, name)
		must(t, err)
		check := func(what string) {
			t.Helper()
			if _, err := v.Get(ctx, alice, digests[0]); !errors.Is(err, stemma.ErrTampered) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v, want ErrTampered naming %s", what, err, name)
			}
		}
		mend := func() {
			t.Helper()
			must(t, blobs.Put(ctx, vault.Blob{Name: name, Data: whole}))
			if _, err := v.Get(ctx, alice, digests[0]); err != nil {
				t.Fatalf("mended: %v", err)
			}
		}
		for i := range whole { // every byte: version, nonce, ciphertext, tag
			for _, bit := range []byte{1, 0x80} {
				bad := bytes.Clone(whole)
				bad[i] ^= bit
				must(t, blobs.Put(ctx, vault.Blob{Name: name, Data: bad}))
				check(fmt.Sprintf("byte %d of the blob", i))
			}
		}
		for _, n := range []int{0, 1, 12, 28, len(whole) - 1} {
			must(t, blobs.Put(ctx, vault.Blob{Name: name, Data: whole[:n]}))
			check(fmt.Sprintf("cut to %d bytes", n))
		}
		must(t, blobs.Put(ctx, vault.Blob{Name: name, Data: append(bytes.Clone(whole), 0)}))
		check("a byte more")
		must(t, blobs.Delete(ctx, name))
		check("taken away")
		mend()

		_, err = v.Put(ctx, alice, []byte("something else"))
		must(t, err)
		for _, other := range names(t, blobs) {
			if other != name {
				data, err := blobs.Get(ctx, other)
				must(t, err)
				must(t, blobs.Put(ctx, vault.Blob{Name: name, Data: data}))
				check("another body of the owner under its name")
			}
		}
		mend()
	})
}

func TestBodyThatIsNotListedAsItIsIsFoundAndNamed(t *testing.T) {
	vaults(t, func(t *testing.T, v *vault.Vault, db *storage.DB, _ vault.Blobs) {
		ctx := t.Context()
		for i, change := range []string{
			"DELETE FROM body", "UPDATE body SET size = size + 1",
			"UPDATE body SET owner = 'session:claude-code/mallory'", "UPDATE body SET digest = $1",
		} {
			digests, err := v.Put(ctx, alice, fmt.Appendf(nil, "body %d", i))
			must(t, err)
			if err := v.Check(ctx, alice, digests[0]); err != nil {
				t.Fatalf("before: %v", err)
			}
			var args []any
			if strings.Contains(change, "$1") {
				args = append(args, stemma.Sum([]byte("another")))
			}
			must(t, do(t, db, change, args...))
			if err := v.Check(ctx, alice, digests[0]); !errors.Is(err, stemma.ErrTampered) || !strings.Contains(err.Error(), digests[0].String()) {
				t.Errorf("after %s: %v, want ErrTampered naming the body", change, err)
			}
			must(t, do(t, db, "DELETE FROM body"))
		}
		if err := v.Check(ctx, alice, stemma.Sum([]byte("none"))); !errors.Is(err, stemma.ErrNotFound) || errors.Is(err, stemma.ErrTampered) {
			t.Errorf("a body that never was: %v", err)
		}
	})
}

func TestTamperedKeyIsFoundAndNamed(t *testing.T) {
	vaults(t, func(t *testing.T, v *vault.Vault, db *storage.DB, blobs vault.Blobs) {
		ctx := t.Context()
		digests, err := v.Put(ctx, alice, []byte("body"))
		must(t, err)
		name := names(t, blobs)[0]
		_, err = v.Put(ctx, bob, []byte("body"))
		must(t, err)
		key := func(owner stemma.Ref) (b []byte) {
			must(t, db.Read(ctx, func(tx *storage.Tx) error {
				return tx.QueryRow(ctx, "SELECT wrapped FROM data_key WHERE owner = $1", owner).Scan(&b)
			}))
			return b
		}
		check := func(what string) {
			t.Helper()
			if _, err := v.Get(ctx, alice, digests[0]); !errors.Is(err, stemma.ErrTampered) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v, want ErrTampered naming %s", what, err, name)
			}
		}
		whole := key(alice)
		for i := range whole {
			bad := bytes.Clone(whole)
			bad[i] ^= 0x10
			must(t, do(t, db, "UPDATE data_key SET wrapped = $1 WHERE owner = $2", bad, alice))
			check(fmt.Sprintf("byte %d of the key", i))
			if _, err := v.Put(ctx, alice, []byte("more")); !errors.Is(err, stemma.ErrTampered) {
				t.Errorf("Put under a changed key: %v", err)
			}
		}
		must(t, do(t, db, "UPDATE data_key SET wrapped = $1 WHERE owner = $2", key(bob), alice))
		check("the key of another owner")
		must(t, do(t, db, "UPDATE data_key SET wrapped = $1 WHERE owner = $2", whole[:5], alice))
		check("a short key")
		must(t, do(t, db, "DELETE FROM data_key WHERE owner = $1", alice))
		check("no key")
		must(t, do(t, db, "INSERT INTO data_key (owner, wrapped) VALUES ($1, $2)", alice, whole))
		if _, err := v.Get(ctx, alice, digests[0]); err != nil {
			t.Errorf("mended: %v", err)
		}
	})
}

func TestErasedOwnerIsGoneForEver(t *testing.T) {
	vaults(t, func(t *testing.T, v *vault.Vault, db *storage.DB, blobs vault.Blobs) {
		ctx := t.Context()
		body := []byte("to be forgotten")
		digests, err := v.Put(ctx, alice, body, []byte("this too"))
		must(t, err)
		_, err = v.Put(ctx, bob, body)
		must(t, err)
		kept := map[string][]byte{} // a backup of the blobs
		for _, name := range names(t, blobs) {
			kept[name], err = blobs.Get(ctx, name)
			must(t, err)
		}
		for range 2 {
			must(t, v.Erase(ctx, alice))
			for _, d := range digests {
				if _, err := v.Get(ctx, alice, d); !errors.Is(err, stemma.ErrNotFound) || !errors.Is(err, vault.ErrErased) || !strings.Contains(err.Error(), "erased") {
					t.Errorf("Get of an erased body: %v", err)
				}
			}
			if n := len(names(t, blobs)); n != 1 {
				t.Errorf("%d blobs are left, want that of the other owner", n)
			}
		}
		for name, data := range kept {
			must(t, blobs.Put(ctx, vault.Blob{Name: name, Data: data}))
		}
		if _, err := v.Get(ctx, alice, digests[0]); !errors.Is(err, vault.ErrErased) {
			t.Errorf("Get after the blobs came back from a backup: %v", err)
		}
		if _, err := v.Put(ctx, alice, body); !errors.Is(err, vault.ErrErased) {
			t.Errorf("Put for an erased owner: %v", err)
		}
		if got, err := v.Get(ctx, bob, digests[0]); err != nil || !bytes.Equal(got, body) {
			t.Errorf("the same body of another owner: %q, %v", got, err)
		}
		if n := count(t, db, "SELECT count(*) FROM body WHERE owner = $1", alice); n != 0 {
			t.Errorf("%d bodies are still listed", n)
		}
	})
}

func TestErasedKeyIsNotInTheFile(t *testing.T) {
	ctx := t.Context()
	dsn := storagetest.SQLiteDSN(t)
	path := strings.TrimPrefix(dsn, "file:")
	db, err := storage.Open(ctx, dsn)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	blobs, err := vault.Dir(t.TempDir())
	must(t, err)
	v, err := vault.Open(ctx, db, blobs, spaceKey(t))
	must(t, err)
	_, err = v.Put(ctx, alice, []byte("x"))
	must(t, err)
	var key []byte
	must(t, db.Read(ctx, func(tx *storage.Tx) error {
		return tx.QueryRow(ctx, "SELECT wrapped FROM data_key WHERE owner = $1", alice).Scan(&key)
	}))
	found := func() bool {
		for _, suffix := range []string{"", "-wal"} {
			b, err := os.ReadFile(path + suffix)
			must(t, err)
			if bytes.Contains(b, key[1:]) {
				return true
			}
		}
		return false
	}
	if !found() {
		t.Fatal("the key is not where this test looks")
	}
	must(t, v.Erase(ctx, alice))
	if found() {
		t.Error("the key can still be found in the file or its log")
	}
}

func TestVaultTakesManyBodiesAtOnce(t *testing.T) {
	vaults(t, func(t *testing.T, v *vault.Vault, db *storage.DB, blobs vault.Blobs) {
		ctx := t.Context()
		var items []vault.Sealed
		for i := range 2000 {
			items = append(items, vault.Sealed{Owner: stemma.NewRef(stemma.KindSession, "t", fmt.Sprint(i/2)), Body: fmt.Appendf(nil, "body %d", i)})
		}
		digests, err := v.PutAll(ctx, items...)
		must(t, err)
		for _, i := range []int{0, 1, 999, 1999} {
			got, err := v.Get(ctx, items[i].Owner, digests[i])
			if err != nil || !bytes.Equal(got, items[i].Body) {
				t.Errorf("body %d: %q, %v", i, got, err)
			}
		}
		if n := count(t, db, "SELECT count(*) FROM body"); n != 2000 {
			t.Errorf("%d bodies are listed, want 2000", n)
		}
	})
}

func TestSpaceKeyIsMadeOnceAndNeverShown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "space.key")
	var wg sync.WaitGroup
	derived := make([][]byte, 8)
	for i := range derived {
		wg.Go(func() {
			k, err := vault.LoadSpaceKey(path, rand.NewChaCha8([32]byte{byte(i)}))
			if err != nil {
				t.Error(err)
				return
			}
			if derived[i], err = k.Derive("test"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, d := range derived {
		if diff := cmp.Diff(derived[0], d); diff != "" {
			t.Errorf("two processes have different keys: %s", diff)
		}
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o, want 600", info.Mode().Perm())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(left) != 1 {
		t.Errorf("%d files, want the key only", len(left))
	}
	text, err := os.ReadFile(path)
	must(t, err)
	k, err := vault.LoadSpaceKey(path, rand.NewChaCha8([32]byte{}))
	must(t, err)
	held := struct {
		Key    vault.SpaceKey
		hidden vault.SpaceKey
	}{k, k}
	js, err := json.Marshal(held)
	must(t, err)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k, "held", held)
	shown := string(js) + log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p"} {
		shown += fmt.Sprintf(verb, k) + fmt.Sprintf(verb, held) + fmt.Sprintf(verb, &held)
	}
	if strings.Contains(shown, string(text[:10])) || strings.Contains(shown, "0x"+string(text[:2])+", 0x"+string(text[2:4])) {
		t.Errorf("the key is shown: %s", shown)
	}
	if other, err := k.Derive("other"); err != nil || bytes.Equal(other, derived[0]) {
		t.Errorf("two purposes give the same bytes (%v)", err)
	}
	if _, err := (vault.SpaceKey{}).Derive("x"); err == nil {
		t.Error("a key that was never set derives something")
	}
}

func TestBadSpaceKeyFileIsRefused(t *testing.T) {
	good := strings.Repeat("ab", 32)
	for name, f := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"readable by others": {good + "\n", 0o644},
		"short":              {good[:60], 0o600},
		"long":               {good + good, 0o600},
		"not hexadecimal":    {"x" + good[1:], 0o600},
		"empty":              {"", 0o600},
	} {
		path := filepath.Join(t.TempDir(), "space.key")
		must(t, os.WriteFile(path, []byte(f.text), f.mode))
		_, err := vault.LoadSpaceKey(path, rand.NewChaCha8([32]byte{}))
		if err == nil || hint(err) == "" || strings.Contains(err.Error(), good[2:20]) {
			t.Errorf("%s: %v, hint %q", name, err, hint(err))
		}
	}
}

func TestVaultRefusesWhatIsNoRef(t *testing.T) {
	vaults(t, func(t *testing.T, v *vault.Vault, _ *storage.DB, _ vault.Blobs) {
		var invalid *stemma.InvalidError
		if _, err := v.Put(t.Context(), "nonsense", []byte("x")); !errors.As(err, &invalid) {
			t.Errorf("Put: %v", err)
		}
		if err := v.Erase(t.Context(), ""); !errors.As(err, &invalid) {
			t.Errorf("Erase: %v", err)
		}
	})
}
