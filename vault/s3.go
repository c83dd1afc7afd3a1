package vault

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sync/errgroup"

	"github.com/stemma-dev/stemma"
)

// S3Config names a place in an S3-compatible object store. The credentials
// are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of the
// environment; without them requests are not signed.
type S3Config struct {
	Endpoint  string // https://host or http://host:port
	Bucket    string // must exist
	Prefix    string // before every name: "stemma/"
	Region    string // empty: asked from the store
	PathStyle bool   // https://host/bucket instead of https://bucket.host
}

// A Bucket is [Blobs] in an object store: the blob NAME is the object PREFIX+NAME.
type Bucket struct {
	client         *minio.Client
	bucket, prefix string
}

// transfers is how many objects one Put sends at once.
const transfers = 16

// S3 keeps blobs in an existing bucket.
func S3(ctx context.Context, c S3Config) (*Bucket, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("vault: the endpoint of the object store is not https://HOST or http://HOST")
	}
	lookup := minio.BucketLookupDNS
	if c.PathStyle {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewEnvAWS(), Secure: u.Scheme == "https", Region: c.Region, BucketLookup: lookup,
	})
	if err != nil {
		return nil, fmt.Errorf("vault: object store %s: %w", u.Host, err)
	}
	b := &Bucket{client: client, bucket: c.Bucket, prefix: c.Prefix}
	switch ok, err := client.BucketExists(ctx, c.Bucket); {
	case err != nil:
		return nil, stemma.WithHint(fmt.Errorf("vault: opening bucket %s at %s: %w", c.Bucket, u.Host, err),
			"Check the endpoint, the region, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
	case !ok:
		return nil, stemma.WithHint(fmt.Errorf("vault: opening bucket %s at %s: %w", c.Bucket, u.Host, stemma.ErrNotFound),
			"Make the bucket first.")
	}
	return b, nil
}

// Put implements [Blobs].
func (b *Bucket) Put(ctx context.Context, items ...Blob) error {
	for _, item := range items {
		if err := item.check(); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(transfers)
	for _, item := range items {
		g.Go(func() error {
			_, err := b.client.PutObject(ctx, b.bucket, b.prefix+item.Name, bytes.NewReader(item.Data), int64(len(item.Data)),
				minio.PutObjectOptions{
					ContentType: "application/octet-stream",
					// The client signs in chunks over plain HTTP and then sends
					// no length for an empty object, which stores refuse.
					DisableContentSha256: len(item.Data) == 0,
				})
			return b.wrap("writing", item.Name, err)
		})
	}
	return g.Wait()
}

// Get implements [Blobs].
func (b *Bucket) Get(ctx context.Context, name string) ([]byte, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	o, err := b.client.GetObject(ctx, b.bucket, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, b.wrap("reading", name, err)
	}
	data, err := io.ReadAll(io.LimitReader(o, MaxBlob+1))
	if err := cmp.Or(err, o.Close()); err != nil {
		return nil, b.wrap("reading", name, err)
	}
	if len(data) > MaxBlob {
		return nil, fmt.Errorf("vault: blob %s has more than %d bytes: %w", name, MaxBlob, stemma.ErrTampered)
	}
	return data, nil
}

// Delete implements [Blobs].
func (b *Bucket) Delete(ctx context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	err := b.wrap("deleting", name, b.client.RemoveObject(ctx, b.bucket, b.prefix+name, minio.RemoveObjectOptions{}))
	if errors.Is(err, stemma.ErrNotFound) {
		return nil
	}
	return err
}

// Names implements [Blobs].
func (b *Bucket) Names(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for o := range b.client.ListObjectsIter(ctx, b.bucket, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
			if o.Err != nil {
				yield("", fmt.Errorf("vault: listing bucket %s: %w", b.bucket, o.Err))
				return
			}
			name := strings.TrimPrefix(o.Key, b.prefix)
			if CheckName(name) == nil && !yield(name, nil) {
				return
			}
		}
	}
}

func (b *Bucket) wrap(what, name string, err error) error {
	if err == nil {
		return nil
	}
	if r := minio.ToErrorResponse(err); r.StatusCode == http.StatusNotFound && r.Code == minio.NoSuchKey {
		return fmt.Errorf("vault: blob %s: %w", name, stemma.ErrNotFound)
	}
	return fmt.Errorf("vault: %s blob %s in bucket %s: %w", what, name, b.bucket, err)
}
