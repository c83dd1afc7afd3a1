package ci

import (
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/pipeline"
)

const (
	maxConfig = 1 << 20 // bytes of a file
	maxPins   = 300     // that are kept of one
)

// A finder finds what one value of a configuration takes from elsewhere, by the name it
// is the value of.
type finder func(name string, value *yaml.Node) []pipeline.Pin

// config takes the first of the files that there is, with what it takes from elsewhere.
func (p *Pipeline) config(files Files, find finder, paths ...string) {
	for _, name := range paths {
		if !fs.ValidPath(name) || path.Base(name) == "." {
			continue
		}
		b, err := files(name)
		if err != nil {
			continue
		}
		if len(b) > maxConfig {
			p.Problems = append(p.Problems, name+" is too long to be a configuration")
			return
		}
		sum := sha256.Sum256(b)
		c := Config{Path: name, Blob: blob(b, len(p.Commit) == 2*sha256.Size), SHA256: hex.EncodeToString(sum[:])}
		if find != nil {
			var ok bool
			if c.Pins, ok = pins(b, find); !ok {
				p.Problems = append(p.Problems, name+" is not YAML that can be read here: what it takes from elsewhere is not known")
			}
		}
		p.Configs = append(p.Configs, c)
		return
	}
	p.Problems = append(p.Problems, "the file that tells the pipeline what to do is not here: its content is not known")
}

// blob is what git calls a content.
func blob(b []byte, long bool) string {
	h := sha1.New()
	if long {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", len(b))
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

// inputs are members whose values are told to what is taken, and take nothing.
var inputs = []string{"with", "env", "environment", "variables", "inputs"}

// pins walks through a configuration. References are not followed: what they name
// stands in it, too.
func pins(b []byte, find finder) (list []pipeline.Pin, ok bool) {
	var document yaml.Node
	if strings.Count(string(b), "[")+strings.Count(string(b), "{") > 10_000 || yaml.Unmarshal(b, &document) != nil {
		return nil, false
	}
	var walk func(n *yaml.Node, depth int)
	walk = func(n *yaml.Node, depth int) {
		if depth > 100 || len(list) >= maxPins {
			return
		}
		if n.Kind != yaml.MappingNode {
			for _, inner := range n.Content {
				walk(inner, depth+1)
			}
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			for _, pin := range find(n.Content[i].Value, n.Content[i+1]) {
				pin.Uses, pin.Ref = jsonwalk.Clean(pin.Uses, maxText), jsonwalk.Clean(pin.Ref, maxText)
				if pin.Uses != "" && len(list) < maxPins && !slices.Contains(list, pin) {
					list = append(list, pin)
				}
			}
			if !slices.Contains(inputs, n.Content[i].Value) {
				walk(n.Content[i+1], depth+1)
			}
		}
	}
	walk(&document, 0)
	return list, true
}

// text is a value that is a text.
func text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// texts are the texts of a list.
func texts(n *yaml.Node) (list []string) {
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if s := text(item); s != "" {
				list = append(list, s)
			}
		}
	}
	return list
}

// member is a member of a mapping, if it is a text.
func member(n *yaml.Node, name string) string {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return text(n.Content[i+1])
			}
		}
	}
	return ""
}

// sourcePin is a part of another repository at some version of it.
func sourcePin(s, separator string) pipeline.Pin {
	uses, ref, _ := strings.Cut(s, separator)
	return pipeline.Pin{Uses: uses, Ref: ref, Pinned: sha(ref) != ""}
}

// imagePin is an image by its tag or its digest.
func imagePin(s string) pipeline.Pin {
	s = strings.TrimPrefix(s, "docker://")
	name, digest, pinned := strings.Cut(s, "@sha256:")
	tag := ""
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, tag = name[:i], name[i+1:]
	}
	if pinned {
		return pipeline.Pin{Uses: name, Ref: "sha256:" + digest, Pinned: len(digest) == 64}
	}
	return pipeline.Pin{Uses: name, Ref: tag}
}

func images(name string, value *yaml.Node) []pipeline.Pin {
	if name != "image" {
		return nil
	}
	return some(cmp.Or(text(value), member(value, "name")), imagePin)
}

func some(s string, as func(string) pipeline.Pin) []pipeline.Pin {
	if s == "" || strings.Contains(s, "${") { // what a variable names is not known
		return nil
	}
	return []pipeline.Pin{as(s)}
}

// actions are what workflows of GitHub and Gitea take.
func actions(name string, value *yaml.Node) []pipeline.Pin {
	switch name {
	case "uses":
		return some(text(value), func(s string) pipeline.Pin {
			switch {
			case strings.HasPrefix(s, "docker://"):
				return imagePin(s)
			case strings.HasPrefix(s, "./"):
				return pipeline.Pin{Uses: s, Pinned: true} // it is part of the same commit
			}
			return sourcePin(s, "@")
		})
	case "container":
		return some(text(value), imagePin)
	}
	return images(name, value)
}

// gitLabCI is what configurations of GitLab take.
func gitLabCI(name string, value *yaml.Node) (list []pipeline.Pin) {
	switch name {
	case "services":
		for _, s := range texts(value) {
			list = append(list, some(s, imagePin)...)
		}
	case "component":
		return some(text(value), func(s string) pipeline.Pin { return sourcePin(s, "@") })
	case "remote":
		return some(text(value), func(s string) pipeline.Pin { return pipeline.Pin{Uses: s} })
	case "include":
		return includes(value)
	}
	return append(list, images(name, value)...)
}

// includes are files of other projects.
func includes(value *yaml.Node) (list []pipeline.Pin) {
	items := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		items = value.Content
	}
	for _, item := range items {
		if project := member(item, "project"); project != "" {
			ref := member(item, "ref")
			list = append(list, pipeline.Pin{Uses: project, Ref: ref, Pinned: sha(ref) != ""})
		}
	}
	return list
}

// buildkitePins are the plug-ins and images of Buildkite.
func buildkitePins(name string, value *yaml.Node) (list []pipeline.Pin) {
	if name != "plugins" || value.Kind != yaml.SequenceNode {
		return images(name, value)
	}
	for _, item := range value.Content {
		s := text(item)
		if item.Kind == yaml.MappingNode && len(item.Content) > 0 {
			s = item.Content[0].Value
		}
		list = append(list, some(s, func(s string) pipeline.Pin { return sourcePin(s, "#") })...)
	}
	return list
}

// azurePins are the tasks, templates and images of Azure.
func azurePins(name string, value *yaml.Node) []pipeline.Pin {
	switch name {
	case "task", "template":
		return some(text(value), func(s string) pipeline.Pin {
			if name == "template" && !strings.Contains(s, "@") {
				return pipeline.Pin{Uses: s, Pinned: true} // it is part of the same commit
			}
			return sourcePin(s, "@")
		})
	case "container":
		return some(text(value), imagePin)
	}
	return images(name, value)
}

// circlePins are the orbs and images of CircleCI.
func circlePins(name string, value *yaml.Node) (list []pipeline.Pin) {
	if name != "orbs" || value.Kind != yaml.MappingNode {
		return images(name, value)
	}
	for i := 1; i < len(value.Content); i += 2 {
		list = append(list, some(text(value.Content[i]), func(s string) pipeline.Pin { return sourcePin(s, "@") })...)
	}
	return list
}
