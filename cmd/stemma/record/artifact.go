package record

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/ingest/statement"
)

// recordArtifact records what was built.
func recordArtifact(a *program.App, o *options) *cobra.Command {
	var images, also, attestations []string
	name := ""
	c := &cobra.Command{
		Use:   "artifact [PATH…] [--oci NAME@sha256:…] [--attestation FILE]",
		Short: "record what was built, by its digest",
		Long: `Records files, directories and images that the run built. A file is known by the SHA-256
of its bytes; a directory by its dirHash, the SHA-256 of the sorted lines "HEX  PATH" of
its files; an image by the digest that its registry gives it. --also names another
digest of the same image, such as the id that it has where it runs.

--attestation adds what the builder signed about it: see record attestation.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args)+len(images) == 0 {
				return program.Usage(c, errors.New("record artifact: nothing is named that was built"))
			}
			if len(also) > 0 && len(args)+len(images) != 1 {
				return program.Usage(c, errors.New("record artifact: --also is for one artifact"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			signed, err := attested(c.InOrStdin(), attestations)
			if err != nil {
				return err
			}
			return runArtifact(c.Context(), a, o, args, images, also, name, signed)
		},
	}
	c.Flags().StringArrayVar(&images, "oci", nil, "an image with its digest: registry.example.com/pay@sha256:…")
	c.Flags().StringArrayVar(&also, "also", nil, "another digest of the same thing: sha256:…")
	c.Flags().StringArrayVar(&attestations, "attestation", nil, "`FILE` with what was signed about it: a DSSE envelope or a Sigstore bundle, or several, one a line")
	c.Flags().StringVar(&name, "name", "", "where it is published, in the place of its path")
	return c
}

func runArtifact(ctx context.Context, a *program.App, o *options, paths, images, also []string, name string, signed []statement.Statement) error {
	var all []reported.Artifact
	for _, path := range paths {
		b, err := built(path)
		if err != nil {
			return err
		}
		all = append(all, reported.Artifact{Artifact: b})
	}
	for _, ref := range images {
		b, err := image(ref)
		if err != nil {
			return err
		}
		all = append(all, reported.Artifact{Artifact: b})
	}
	for _, d := range also {
		if artifact.Ref(d) == "" {
			return program.Usage(nil, fmt.Errorf("record artifact: --also %.100q is no digest", d))
		}
		all[0].Same, all[0].Method = append(all[0].Same, d), reported.MethodDeclared
	}
	if name != "" && len(all) == 1 {
		all[0].Name = stemma.CleanText(name, 300)
	}
	if err := about(signed, all); err != nil {
		return err
	}
	e, err := o.envelope(ctx, a, reported.KindArtifact)
	if err != nil {
		return err
	}
	e.Artifacts, e.Attestations = all, bytesOf(signed)
	var names []string
	for _, b := range all {
		names = append(names, b.Name+" "+b.Digest)
	}
	if n := len(signed); n > 0 {
		names = append(names, fmt.Sprintf("%d attestations", n))
	}
	return o.report(ctx, a, e, strings.Join(names, ", "))
}

// image is an image by its name with a digest.
func image(ref string) (artifact.Artifact, error) {
	name, hex, ok := strings.Cut(ref, "@sha256:")
	digest := evidence.Digest("sha256", hex)
	if !ok || digest == "" || name == "" {
		return artifact.Artifact{}, program.Usage(nil, stemma.WithHint(fmt.Errorf("record: %.200q is no image with its digest", ref), "write it as registry.example.com/pay@sha256:…, with the 64 digits that pushing it printed"))
	}
	return artifact.Artifact{Name: stemma.CleanText(name, 300), Digest: digest, Form: "image"}, nil
}

// built is a file or a directory by its content.
func built(path string) (artifact.Artifact, error) {
	info, err := os.Stat(path)
	if err != nil {
		return artifact.Artifact{}, stemma.WithHint(fmt.Errorf("record: artifact: %w", err), "name a file or a directory that was built")
	}
	a := artifact.Artifact{Name: stemma.CleanText(filepath.ToSlash(filepath.Clean(path)), 300)}
	switch {
	case info.IsDir():
		a.Form = "directory"
		err = directory(path, &a)
	case info.Mode().IsRegular():
		a.Form = "file"
		err = file(path, &a)
	default:
		err = errors.New("it is neither a file nor a directory")
	}
	if err != nil {
		return artifact.Artifact{}, fmt.Errorf("record: artifact %s: %w", path, err)
	}
	return a, nil
}

func file(path string, a *artifact.Artifact) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it is only read
	h := sha256.New()
	n, err := io.Copy(h, f)
	a.Digest, a.Size = "sha256:"+hex.EncodeToString(h.Sum(nil)), int(n)
	return err
}

// maxFiles is how many files a directory may have.
const maxFiles = 200_000

// directory computes the dirHash of a directory. What a link leads to may lie anywhere,
// so it counts with the text that it holds.
func directory(root string, a *artifact.Artifact) error {
	var names []string
	links := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			if links[name], err = os.Readlink(path); err != nil {
				return err
			}
		case !e.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a link", name)
		}
		if names = append(names, name); len(names) > maxFiles {
			return fmt.Errorf("it has more than %d files", maxFiles)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return errors.New("there is no file in it")
	}
	size := int64(0)
	sum, err := dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		if to, is := links[name]; is {
			return io.NopCloser(strings.NewReader(to)), nil
		}
		f, err := os.Open(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		return counted{f, &size}, nil
	})
	if err != nil {
		return err
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:"))
	a.Digest, a.Size, a.Files = "dirhash:"+hex.EncodeToString(b), int(size), len(names)
	return err
}

// A counted file adds up what is read of it.
type counted struct {
	*os.File
	size *int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.File.Read(b)
	*c.size += int64(n)
	return n, err
}
