// Package inspect reads what "docker inspect" and "podman inspect" print: a list of
// containers, of images, of services, or of all of these. The package does no I/O.
//
// A container tells its image by the digest of the image's configuration, a registry by
// that of its manifest. Which of them belong together tells the list of images, so
//
//	docker inspect $(docker ps -q) $(docker images -q)
//
// says most. A container that is not running is passed over. Environment, labels and
// commands, in which secrets stand, are not read.
package inspect

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// Format is what errors of this package, and snapshots, call the list.
const Format = "inspect"

// An object is one of the list.
type object struct {
	id, name, image  string
	config           string // the image as it was asked for
	digests, tags    []string
	state, running   bool
	isImage, service bool
}

// Read returns what runs.
func Read(b []byte) (evidence.Sight, error) {
	r, err := evidence.JSON(Format, b)
	if err != nil {
		return evidence.Sight{}, err
	}
	if r.Kind() != '[' {
		r.Skip()
		if err := evidence.End(Format, b, r); err != nil {
			return evidence.Sight{}, err
		}
		return evidence.Sight{}, &evidence.Error{Format: Format, Place: "line 1", Why: "it is no list of containers or images"}
	}
	var all []object
	for range r.Array() {
		of := readObject(r)
		if r.Err() == nil && (of.id == "" || !of.state && !of.isImage && !of.service) {
			return evidence.Sight{}, evidence.Fault(Format, b, r, "what ends there is no container, image or service")
		}
		if len(all) == evidence.MaxRunning {
			return evidence.Sight{}, &evidence.Error{Format: Format, Why: "it lists more than 20000 things"}
		}
		all = append(all, of)
	}
	if err := evidence.End(Format, b, r); err != nil {
		return evidence.Sight{}, err
	}
	return sight(all), nil
}

func sight(all []object) (s evidence.Sight) {
	images := map[string]object{}
	for _, of := range all {
		if of.isImage {
			images[of.id] = of
			s.Same(first(of.tags), of.all(), "image-inspect")
		}
	}
	for _, of := range all {
		switch {
		case of.service:
			s.See(of.name, of.config, digests(of.config), "inspect")
		case of.state && of.running:
			known := images[of.image]
			ids := slices.Concat(of.digests, digests(of.config), known.digests, digests(of.image))
			s.See(of.name, of.config, compact(ids), "inspect")
		}
	}
	return s
}

// all are the digests of an image, those of registries first.
func (of object) all() []string { return compact(slices.Concat(of.digests, digests(of.id))) }

func compact(list []string) (once []string) {
	for _, d := range list {
		if !slices.Contains(once, d) {
			once = append(once, d)
		}
	}
	return once
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func digests(s string) []string {
	if d := evidence.DigestIn(s); d != "" {
		return []string{d}
	}
	return nil
}

// id is an id as both programs write it: Podman leaves the algorithm away.
func id(s string) string {
	if evidence.Digest("sha256", s) != "" {
		return "sha256:" + s
	}
	return s
}

func readObject(r *jsonwalk.Reader) (of object) {
	for name := range r.Object() {
		switch name {
		case "Id", "ID":
			of.id = id(r.String())
		case "Name":
			of.name = strings.TrimPrefix(r.String(), "/")
		case "Image":
			of.image = id(r.String())
		case "ImageName":
			of.config = r.String()
		case "ImageDigest", "Digest":
			of.digests = append(of.digests, digests(r.String())...)
		case "RepoDigests":
			of.isImage = true
			for range r.Array() {
				of.digests = append(of.digests, digests(r.String())...)
			}
		case "RepoTags":
			of.isImage = true
			for range r.Array() {
				of.tags = append(of.tags, r.String())
			}
		case "State":
			of.readState(r)
		case "Config":
			for name := range r.Object() {
				if name == "Image" && of.config == "" {
					of.config = r.String()
				}
			}
		case "ImageManifestDescriptor":
			for name := range r.Object() {
				if name == "digest" {
					of.digests = append(of.digests, digests(r.String())...)
				}
			}
		case "Spec":
			of.readService(r)
		}
	}
	return of
}

func (of *object) readState(r *jsonwalk.Reader) {
	of.state = r.Kind() == '{'
	for name := range r.Object() {
		switch name {
		case "Running":
			of.running = r.Bool() || of.running
		case "Status":
			of.running = r.String() == "running" || of.running
		}
	}
}

// readService reads what a swarm runs.
func (of *object) readService(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "Name":
			of.name = r.String()
		case "TaskTemplate":
			for name := range r.Object() {
				for inner := range r.Object() {
					if name == "ContainerSpec" && inner == "Image" {
						of.config, of.service = r.String(), true
					}
				}
			}
		}
	}
}
