// Package kubernetes reads what runs in a cluster: what "kubectl get pods -o json"
// prints, any list of objects in JSON or YAML, or manifests one after the other. The
// package does no I/O.
//
// Pods with a status tell what runs. Where there are none, the templates of
// deployments, stateful sets, daemon sets, jobs and the like tell what shall run; it is
// known by a digest only if it is asked for by one. A pod that has ended is passed over,
// and so are containers that run before the others. Environment, arguments, secrets and
// config maps are not read.
package kubernetes

import (
	"bytes"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// Format is what errors of this package, and snapshots, call the list.
const Format = "kubernetes"

// A workload is one object that runs containers.
type workload struct {
	kind, name, namespace string
	owner, template       string // of a pod: what made it, and the mark of the version of it
	phase                 string
	wanted, seen          []container
}

// A container of a workload, with its image as asked for and as pulled.
type container struct{ name, image, id string }

// Read returns what runs. That nothing does is an answer, but of a file that has no
// object of Kubernetes at all it is an error.
func Read(b []byte) (evidence.Sight, error) {
	documents := [][]byte{b}
	if first := bytes.TrimLeft(b, " \t\r\n\xef\xbb\xbf"); len(first) == 0 || first[0] != '{' {
		var err error
		if documents, err = evidence.YAML(Format, b); err != nil {
			return evidence.Sight{}, err
		}
	}
	var all []workload
	for _, document := range documents {
		found, err := objects(document)
		if err != nil {
			return evidence.Sight{}, err
		}
		if all = append(all, found...); len(all) > evidence.MaxRunning {
			return evidence.Sight{}, &evidence.Error{Format: Format, Why: "it lists more than 20000 things"}
		}
	}
	if len(documents) == 0 {
		return evidence.Sight{}, &evidence.Error{Format: Format, Place: "line 1", Why: "there is no object in it"}
	}
	return sight(all), nil
}

func sight(all []workload) (s evidence.Sight) {
	live := slices.ContainsFunc(all, func(w workload) bool { return w.kind == "Pod" && w.phase != "" })
	for _, w := range all {
		list := w.wanted
		switch {
		case w.phase == "Succeeded" || w.phase == "Failed":
			continue
		case live && (w.kind != "Pod" || w.phase == ""):
			continue
		case len(w.seen) > 0:
			list = w.seen
		}
		for _, c := range list {
			s.See(w.title()+"/"+c.name, c.image, c.digests(), "kubernetes")
		}
	}
	return s
}

// title is the namespace of a workload and what people call it.
func (w workload) title() string {
	name := w.name
	if w.owner != "" {
		name = w.owner
		if w.template != "" {
			name = strings.TrimSuffix(name, "-"+w.template)
		}
	}
	return strings.TrimPrefix(w.namespace+"/"+name, "/")
}

// digests are those that a container is known by, that of a registry first. An id with
// a name before it is of a registry, one without is of the image's configuration.
func (c container) digests() (list []string) {
	for _, s := range []string{c.image, c.id} {
		if d := evidence.DigestIn(s); d != "" && strings.Contains(s, "@") && !slices.Contains(list, d) {
			list = append(list, d)
		}
	}
	if d := evidence.DigestIn(c.id); d != "" && !slices.Contains(list, d) {
		list = append(list, d)
	}
	return list
}

// objects reads one document: an object, or a list of them.
func objects(b []byte) ([]workload, error) {
	r, err := evidence.JSON(Format, b)
	if err != nil {
		return nil, err
	}
	var all []workload
	w := readObject(r, func() { all = append(all, readObject(r, nil)) })
	if err := evidence.End(Format, b, r); err != nil {
		return nil, err
	}
	switch {
	case w.kind == "":
		return nil, &evidence.Error{Format: Format, Place: "line 1", Why: "it has no kind, as objects of Kubernetes have"}
	case strings.HasSuffix(w.kind, "List"):
		return all, nil
	}
	return []workload{w}, nil
}

// readObject reads an object; item is called before each item of a list.
func readObject(r *jsonwalk.Reader, item func()) (w workload) {
	for name := range r.Object() {
		switch name {
		case "kind":
			w.kind = r.String()
		case "metadata":
			w.metadata(r)
		case "spec":
			w.spec(r)
		case "status":
			w.status(r)
		case "items":
			for range r.Array() {
				if item != nil {
					item()
				}
			}
		}
	}
	return w
}

func (w *workload) metadata(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "name":
			w.name = r.String()
		case "namespace":
			w.namespace = r.String()
		case "labels":
			for name := range r.Object() {
				if name == "pod-template-hash" {
					w.template = r.String()
				}
			}
		case "ownerReferences":
			for i := range r.Array() {
				for name := range r.Object() {
					if i == 0 && name == "name" {
						w.owner = r.String()
					}
				}
			}
		}
	}
}

// spec finds the containers of a pod, of a template, or of a template of a template.
func (w *workload) spec(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "containers":
			w.wanted = append(w.wanted, containers(r)...)
		case "template", "jobTemplate":
			for name := range r.Object() {
				if name == "spec" {
					w.spec(r)
				}
			}
		}
	}
}

func (w *workload) status(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "phase":
			w.phase = r.String()
		case "containerStatuses":
			w.seen = append(w.seen, containers(r)...)
		}
	}
}

// maxContainers is how many containers one workload may have.
const maxContainers = 1000

func containers(r *jsonwalk.Reader) (list []container) {
	for range r.Array() {
		var c container
		for name := range r.Object() {
			switch name {
			case "name":
				c.name = r.String()
			case "image":
				c.image = r.String()
			case "imageID":
				c.id = r.String()
			}
		}
		if c.image != "" && len(list) < maxContainers {
			list = append(list, c)
		}
	}
	return list
}
