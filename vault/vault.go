package vault

import (
	"cmp"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrErased means: what was asked for was erased, with its key. It comes together
// with [stemma.ErrNotFound].
var ErrErased = errors.New("erased")

// zipWindow is how far back compression looks. Each of two encoders keeps as much.
const zipWindow = 2 << 20

// MaxBody is how many bytes one body may have.
const MaxBody = 256 << 20

// A Vault keeps bodies so that all those of one owner (a session, a person)
// can be made unreadable for ever, also in backups of the blobs: it encrypts
// them under a key of the owner, which it keeps in table data_key, itself
// encrypted under the space key. Destroying that key is the erasure.
//
// A body is compressed with zstd and sealed with AES-256-GCM; its blob is
// named by owner and digest, so equal bytes of two owners are two blobs. The
// table body lists what each owner has.
//
// Its methods may be called concurrently and by several processes.
type Vault struct {
	db    *storage.DB
	blobs Blobs
	wrap  cipher.AEAD // under the space key
	zip   *zstd.Encoder
	unzip *zstd.Decoder
}

// A Sealed is a body and whose it is.
type Sealed struct {
	Owner stemma.Ref
	Body  []byte
}

// Open keeps bodies in blobs and their keys in db.
func Open(ctx context.Context, db *storage.DB, blobs Blobs, key SpaceKey) (*Vault, error) {
	secret, err := key.Derive("stemma/data-key/v1")
	if err != nil {
		return nil, err
	}
	v := &Vault{db: db, blobs: blobs}
	if v.wrap, err = newAEAD(secret); err != nil {
		return nil, err
	}
	if v.zip, err = zstd.NewWriter(nil, zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(2),
		zstd.WithWindowSize(zipWindow), zstd.WithLowerEncoderMem(true)); err != nil {
		return nil, fmt.Errorf("vault: opening the vault: %w", err)
	}
	if v.unzip, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxBody), zstd.WithDecoderConcurrency(2)); err != nil {
		return nil, fmt.Errorf("vault: opening the vault: %w", err)
	}
	if db.ReadOnly() {
		return v, nil
	}
	return v, db.Migrate(ctx, "vault", migrations)
}

// Put stores the bodies of one owner, durable on return, and gives their
// digests in order. The same body again is stored again, which mends one that
// was damaged. After Erase of the owner the error is [ErrErased].
func (v *Vault) Put(ctx context.Context, owner stemma.Ref, bodies ...[]byte) ([]stemma.Digest, error) {
	items := make([]Sealed, len(bodies))
	for i, b := range bodies {
		items[i] = Sealed{Owner: owner, Body: b}
	}
	return v.PutAll(ctx, items...)
}

// PutAll is Put for the bodies of several owners: cheaper than one Put each.
// When one of the owners is erased nothing is stored.
func (v *Vault) PutAll(ctx context.Context, items ...Sealed) ([]stemma.Digest, error) {
	if len(items) == 0 {
		return nil, nil
	}
	for _, it := range items {
		if !it.Owner.Valid() {
			return nil, &stemma.InvalidError{Ref: it.Owner, Field: "owner", Why: "not a canonical ref"}
		}
		if len(it.Body) > MaxBody {
			return nil, fmt.Errorf("vault: a body of %s: %d bytes, more than %d", it.Owner, len(it.Body), MaxBody)
		}
	}
	keys, err := v.keysFor(ctx, items)
	if err != nil {
		return nil, err
	}
	digests := make([]stemma.Digest, len(items))
	blobs := map[string][]byte{} // by name: the same body twice is one blob
	rows := map[string][]any{}
	for i, it := range items {
		d := stemma.Sum(it.Body)
		digests[i] = d
		name := blobName(it.Owner, d)
		if _, ok := blobs[name]; ok {
			continue
		}
		blobs[name] = seal(keys[it.Owner], name, v.zip.EncodeAll(it.Body, nil))
		rows[name] = []any{it.Owner, d, len(it.Body)}
	}
	names := slices.Sorted(maps.Keys(blobs))
	list := make([]Blob, len(names))
	for i, name := range names {
		list[i] = Blob{Name: name, Data: blobs[name]}
	}
	if err := v.blobs.Put(ctx, list...); err != nil {
		return nil, err
	}
	// Listed after they are there: a body that is listed and missing was taken away.
	return digests, v.list(ctx, names, rows)
}

func (v *Vault) list(ctx context.Context, names []string, rows map[string][]any) error {
	return v.db.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.Upsert(ctx, "body", []string{"owner", "digest", "size"},
			"ON CONFLICT (owner, digest) DO NOTHING", func(yield func([]any) bool) {
				for _, name := range names {
					if !yield(rows[name]) {
						return
					}
				}
			})
		return err
	})
}

// keysFor returns a key for every owner and makes those that are missing.
func (v *Vault) keysFor(ctx context.Context, items []Sealed) (map[stemma.Ref]cipher.AEAD, error) {
	keys := map[stemma.Ref]cipher.AEAD{}
	for _, it := range items {
		keys[it.Owner] = nil
	}
	owners := slices.Sorted(maps.Keys(keys))
	load := func(tx *storage.Tx) error {
		for _, o := range owners {
			if keys[o] != nil {
				continue
			}
			key, err := v.loadKey(ctx, tx, o)
			if err != nil && (errors.Is(err, ErrErased) || !errors.Is(err, stemma.ErrNotFound)) {
				return err
			}
			keys[o] = key
		}
		return nil
	}
	if err := v.db.Read(ctx, load); err != nil {
		return nil, err
	}
	if !slices.Contains(slices.Collect(maps.Values(keys)), nil) {
		return keys, nil
	}
	err := v.db.Write(ctx, func(tx *storage.Tx) error {
		if err := load(tx); err != nil { // another process may have made some
			return err
		}
		_, err := tx.Insert(ctx, "data_key", []string{"owner", "wrapped"}, v.newKeys(owners, keys))
		return err
	})
	return keys, err
}

// newKeys makes a key for each owner that has none and yields their rows.
func (v *Vault) newKeys(owners []stemma.Ref, keys map[stemma.Ref]cipher.AEAD) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for _, o := range owners {
			if keys[o] != nil {
				continue
			}
			secret := make([]byte, keySize)
			rand.Read(secret) // never fails
			key, err := newAEAD(secret)
			if err != nil {
				panic("vault: a data key of 32 bytes was refused: " + err.Error())
			}
			keys[o] = key
			if !yield([]any{o, seal(v.wrap, string(o), secret)}) {
				return
			}
		}
	}
}

// loadKey returns the key of an owner. Without one the error wraps
// stemma.ErrNotFound, after Erase also ErrErased.
func (v *Vault) loadKey(ctx context.Context, tx *storage.Tx, owner stemma.Ref) (cipher.AEAD, error) {
	var wrapped []byte
	err := tx.QueryRow(ctx, "SELECT wrapped FROM data_key WHERE owner = $1", owner).Scan(&wrapped)
	if err != nil {
		return nil, err
	}
	if len(wrapped) == 0 {
		return nil, fmt.Errorf("vault: bodies of %s: %w (%w)", owner, ErrErased, stemma.ErrNotFound)
	}
	secret, err := unseal(v.wrap, string(owner), wrapped)
	if err != nil {
		return nil, fmt.Errorf("vault: the key of %s was changed, or the space key is another one: %w", owner, stemma.ErrTampered)
	}
	return newAEAD(secret)
}

// Get returns a body of owner. It wraps [stemma.ErrNotFound] where there is
// none, and [ErrErased] too after Erase; it wraps [stemma.ErrTampered] and
// names the blob when the blob, its name or the owner's key was changed or
// taken away.
func (v *Vault) Get(ctx context.Context, owner stemma.Ref, digest stemma.Digest) ([]byte, error) {
	name := blobName(owner, digest)
	var key cipher.AEAD
	listed := false
	err := v.db.Read(ctx, func(tx *storage.Tx) (err error) {
		const query = "SELECT EXISTS (SELECT 1 FROM body WHERE owner = $1 AND digest = $2)"
		if err := tx.QueryRow(ctx, query, owner, digest).Scan(&listed); err != nil {
			return err
		}
		key, err = v.loadKey(ctx, tx, owner)
		return err
	})
	switch {
	case errors.Is(err, ErrErased):
		return nil, err
	case errors.Is(err, stemma.ErrTampered):
		return nil, fmt.Errorf("vault: blob %s: %w", name, err)
	case err != nil && !errors.Is(err, stemma.ErrNotFound):
		return nil, err
	}
	data, err := v.blobs.Get(ctx, name)
	switch {
	case errors.Is(err, stemma.ErrNotFound) && listed:
		return nil, fmt.Errorf("vault: blob %s, body %s of %s, was taken away: %w", name, digest, owner, stemma.ErrTampered)
	case errors.Is(err, stemma.ErrNotFound):
		return nil, fmt.Errorf("vault: body %s of %s: %w", digest, owner, stemma.ErrNotFound)
	case err != nil:
		return nil, err
	case key == nil:
		return nil, fmt.Errorf("vault: blob %s: the key of %s was taken away: %w", name, owner, stemma.ErrTampered)
	}
	return v.open(key, name, owner, digest, data)
}

// Check looks for a body of owner as Get does, and whether it is listed as it
// is: Erase would leave the blob of another one behind. Where it is not, the
// error wraps [stemma.ErrTampered].
func (v *Vault) Check(ctx context.Context, owner stemma.Ref, digest stemma.Digest) error {
	body, err := v.Get(ctx, owner, digest)
	if err != nil {
		return err
	}
	listed := false
	err = v.db.Read(ctx, func(tx *storage.Tx) error {
		const query = "SELECT EXISTS (SELECT 1 FROM body WHERE owner = $1 AND digest = $2 AND size = $3)"
		return tx.QueryRow(ctx, query, owner, digest, len(body)).Scan(&listed)
	})
	if err == nil && !listed {
		err = fmt.Errorf("vault: body %s of %s was taken off the list by which it is erased, or changed there: %w", digest, owner, stemma.ErrTampered)
	}
	return err
}

// Count is how many bodies owner has.
func (v *Vault) Count(ctx context.Context, owner stemma.Ref) (n int, err error) {
	err = v.db.Read(ctx, func(tx *storage.Tx) error {
		return tx.QueryRow(ctx, "SELECT COUNT(*) FROM body WHERE owner = $1", owner).Scan(&n)
	})
	return n, err
}

// Erased reports whether the bodies of owner were erased, so that it may get no
// more of them.
func (v *Vault) Erased(ctx context.Context, owner stemma.Ref) (bool, error) {
	err := v.db.Read(ctx, func(tx *storage.Tx) error {
		_, err := v.loadKey(ctx, tx, owner)
		return err
	})
	switch {
	case errors.Is(err, ErrErased):
		return true, nil
	case errors.Is(err, stemma.ErrNotFound):
		return false, nil
	}
	return false, err
}

// open undoes what PutAll did to one body.
func (v *Vault) open(key cipher.AEAD, name string, owner stemma.Ref, digest stemma.Digest, data []byte) ([]byte, error) {
	packed, err := unseal(key, name, data)
	if err == nil {
		var body []byte
		if body, err = v.unzip.DecodeAll(packed, nil); err == nil && stemma.Sum(body) == digest {
			return body, nil
		}
	}
	return nil, fmt.Errorf("vault: blob %s, body %s of %s, was changed: %w", name, digest, owner, stemma.ErrTampered)
}

// Erase destroys the key of owner, so that none of its bodies can be read
// again, and then deletes their blobs. Once the key is gone the erasure is
// done; an error after that names blobs that are left, unreadable, and
// another Erase tries them again. Erasing an owner without bodies keeps it
// from getting any.
//
// Backups of the database made before still have the key.
func (v *Vault) Erase(ctx context.Context, owner stemma.Ref) error {
	if !owner.Valid() {
		return &stemma.InvalidError{Ref: owner, Field: "owner", Why: "not a canonical ref"}
	}
	var digests []stemma.Digest
	err := v.db.Write(ctx, func(tx *storage.Tx) (err error) {
		const destroy = "INSERT INTO data_key (owner, wrapped) VALUES ($1, NULL) ON CONFLICT (owner) DO UPDATE SET wrapped = NULL"
		if _, err := tx.Exec(ctx, destroy, owner); err != nil {
			return err
		}
		digests, err = bodiesOf(ctx, tx, owner)
		return err
	})
	if err != nil {
		return err
	}
	if err := v.db.Scrub(ctx); err != nil {
		return fmt.Errorf("vault: the key of %s is destroyed, but may still be in the write-ahead log: %w", owner, err)
	}
	for _, d := range digests {
		if err := v.blobs.Delete(ctx, blobName(owner, d)); err != nil {
			return fmt.Errorf("vault: the key of %s is destroyed, but blobs are left: %w", owner, err)
		}
	}
	return v.db.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM body WHERE owner = $1", owner)
		return err
	})
}

func bodiesOf(ctx context.Context, tx *storage.Tx, owner stemma.Ref) (digests []stemma.Digest, err error) {
	rows, err := tx.Query(ctx, "SELECT digest FROM body WHERE owner = $1 ORDER BY digest", owner)
	if err != nil {
		return nil, err
	}
	defer func() { err = cmp.Or(err, rows.Close()) }()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		if len(b) != sha256.Size {
			return nil, fmt.Errorf("vault: a digest of %d bytes among the bodies of %s: %w", len(b), owner, stemma.ErrTampered)
		}
		digests = append(digests, stemma.Digest(b))
	}
	return digests, rows.Err()
}
