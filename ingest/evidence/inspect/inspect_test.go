package inspect_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
	"github.com/stemma-dev/stemma/ingest/evidence/inspect"
)

var hex = evidencetest.Hex

func docker() string {
	return `[
 {"Id": "c1", "Name": "/pay", "Image": "sha256:` + hex("c") + `", "State": {"Status": "running", "Running": true}, "Config": {"Image": "registry.example.com/pay:1.4", "Env": ["KEY=Hunter2Hunter2"]}},
 {"Id": "c2", "Name": "/pay-2", "Image": "sha256:` + hex("c") + `", "State": {"Status": "running", "Running": true}, "Config": {"Image": "registry.example.com/pay@sha256:` + hex("a") + `"}},
 {"Id": "c3", "Name": "/old", "Image": "sha256:` + hex("d") + `", "State": {"Status": "exited", "Running": false}, "Config": {"Image": "registry.example.com/pay:1.3"}},
 {"Id": "c4", "Name": "/db", "Image": "sha256:` + hex("e") + `", "State": {"Status": "running", "Running": true}, "Config": {"Image": "postgres:17"}},
 {"Id": "sha256:` + hex("c") + `", "RepoTags": ["registry.example.com/pay:1.4"], "RepoDigests": ["registry.example.com/pay@sha256:` + hex("a") + `", "mirror.example.com/pay@sha256:` + hex("a") + `"], "Config": {"Image": ""}},
 {"ID": "s1", "Spec": {"Name": "web", "TaskTemplate": {"ContainerSpec": {"Image": "nginx:1@sha256:` + hex("b") + `"}}}}
]`
}

func podman() string {
	return `[{"Id": "` + hex("1") + `", "Name": "pay", "Image": "` + hex("c") + `", "ImageName": "registry.example.com/pay:1.4", "ImageDigest": "sha256:` + hex("a") + `", "State": {"Status": "running", "Running": true}},
 {"Id": "` + hex("c") + `", "Digest": "sha256:` + hex("a") + `", "RepoTags": ["registry.example.com/pay:1.4"], "RepoDigests": ["registry.example.com/pay@sha256:` + hex("a") + `"]}]`
}

// TestImagesAreKnownByAllTheirDigests: a container tells the digest of its image's
// configuration, a registry that of the manifest.
func TestImagesAreKnownByAllTheirDigests(t *testing.T) {
	for text, want := range map[string]string{
		docker(): `pay registry.example.com/pay:1.4 a
pay-2 registry.example.com/pay@sha256:` + hex("a") + ` a
db postgres:17 e
web nginx:1@sha256:` + hex("b") + ` b
  a is c by image-inspect
`,
		podman(): "pay registry.example.com/pay:1.4 a\n  a is c by image-inspect\n",
		`[]`:     "",
	} {
		s, err := inspect.Read([]byte(text))
		if d := cmp.Diff(want, evidencetest.SightSummary(s)); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
		evidencetest.Sight(t, s)
	}
}

func TestHostileListsAreRefused(t *testing.T) {
	read := func(b []byte) error { _, err := inspect.Read(b); return err }
	evidencetest.RefuseHostile(t, read)
	if n := evidencetest.CutShort(t, []byte(docker()), read); n < 95 {
		t.Errorf("only %d beginnings are refused", n)
	}
	for text, want := range map[string]string{
		`{}`:                  "inspect: line 1: it is no list of containers or images",
		"[\n{\"Id\": \"v\"}]": "inspect: line 2: what ends there is no container, image or service",
		`[{"Id":"a","State":{}},` + strings.Repeat(" ", 9): "inspect: line 1: it is not whole, or not JSON",
	} {
		if err := read([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) { evidencetest.FuzzSight(f, inspect.Read, docker(), podman()) }
