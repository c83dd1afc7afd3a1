package kubernetes_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
	"github.com/stemma-dev/stemma/ingest/evidence/kubernetes"
)

var hex = evidencetest.Hex

// pods are as "kubectl get pods,deployments -A -o json" prints them, with the ways in
// which the runtimes tell an image.
func pods() string {
	pod := func(name, phase, owner, hash, containers string) string {
		return fmt.Sprintf(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": %q, "namespace": "pay", "labels": {"pod-template-hash": %q}, "ownerReferences": [{"kind": "ReplicaSet", "name": %q}]},
   "spec": {"containers": [{"name": "api", "image": "registry.example.com/pay:1.4", "env": [{"name": "KEY", "value": "Hunter2Hunter2"}]}]},
   "status": {"phase": %q, "initContainerStatuses": [{"name": "init", "image": "busybox", "imageID": "docker.io/busybox@sha256:%s"}], "containerStatuses": [%s]}}`, name, hash, owner, phase, hex("f"), containers)
	}
	api := `{"name": "api", "image": "registry.example.com/pay:1.4", "imageID": "registry.example.com/pay@sha256:` + hex("a") + `"}`
	return `{"apiVersion": "v1", "kind": "List", "items": [` + strings.Join([]string{
		pod("pay-7d9f8-x1", "Running", "pay-7d9f8", "7d9f8", api),
		pod("pay-7d9f8-x2", "Running", "pay-7d9f8", "7d9f8", api),
		pod("side-1", "Running", "side", "", `{"name": "proxy", "image": "proxy@sha256:`+hex("b")+`", "imageID": "docker-pullable://proxy@sha256:`+hex("b")+`"},
			{"name": "log", "image": "log:2", "imageID": "docker://sha256:`+hex("c")+`"}, {"name": "late", "image": "late:1", "imageID": ""}`),
		pod("both-1", "Running", "both", "", `{"name": "x", "image": "x@sha256:`+hex("d")+`", "imageID": "sha256:`+hex("e")+`"}`),
		pod("job-1", "Succeeded", "job", "", api),
		`{"kind": "Deployment", "metadata": {"name": "pay", "namespace": "pay"}, "spec": {"template": {"spec": {"containers": [{"name": "api", "image": "registry.example.com/pay:9"}]}}}}`,
		`{"kind": "Service", "metadata": {"name": "pay"}, "spec": {"ports": [1]}}`,
	}, ",\n") + `], "metadata": {"resourceVersion": ""}}`
}

const manifests = `# what shall run
apiVersion: apps/v1
kind: Deployment
metadata:
  name: pay
  namespace: prod
spec:
  template:
    spec:
      initContainers: [{name: init, image: busybox}]
      containers:
        - name: api
          image: &image registry.example.com/pay@sha256:000000000000000000000000000000000000000000000000000000000000000a
          env: [{name: KEY, value: Hunter2Hunter2}]
        - name: twin
          image: *image
---
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: sweep}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: sweep, image: "sweep:3"}]}}}}}
`

func TestWhatRunsIsTold(t *testing.T) {
	for text, want := range map[string]string{
		pods(): `pay/pay/api registry.example.com/pay:1.4 a
pay/side/proxy proxy@sha256:` + hex("b") + ` b
pay/side/log log:2 c
pay/side/late late:1 
pay/both/x x@sha256:` + hex("d") + ` d
  d is e by kubernetes
`,
		manifests: `prod/pay/api registry.example.com/pay@sha256:` + hex("a") + ` a
prod/pay/twin registry.example.com/pay@sha256:` + hex("a") + ` a
sweep/sweep sweep:3 
`,
		`{"kind": "PodList", "items": []}`: "",
	} {
		s, err := kubernetes.Read([]byte(text))
		if d := cmp.Diff(want, evidencetest.SightSummary(s)); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
		evidencetest.Sight(t, s)
		if strings.Contains(fmt.Sprint(s), "Hunter2") {
			t.Errorf("a secret is read: %v", s)
		}
	}
}

func TestHostileListsAreRefused(t *testing.T) {
	read := func(b []byte) error { _, err := kubernetes.Read(b); return err }
	evidencetest.RefuseHostile(t, read)
	if n := evidencetest.CutShort(t, []byte(pods()), read); n < 95 {
		t.Errorf("only %d beginnings are refused", n)
	}
	bomb := "kind: List\na: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 12 {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", 'b'+i, 'b'+i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", 'a'+i), 10), ","))
	}
	for text, want := range map[string]string{
		`{"items": []}`:                   "kubernetes: line 1: it has no kind, as objects of Kubernetes have",
		"---\n---\n":                      "kubernetes: line 1: there is no object in it",
		"kind: [a":                        "kubernetes: document 1: it is not YAML that can be read here",
		bomb:                              "kubernetes: document 1: it is not YAML that can be read here",
		"kind: Pod\n1: a":                 "kubernetes: document 1: it has names or numbers that JSON does not have",
		"a: " + strings.Repeat("[", 5000): "kubernetes: it is nested deeper than 200",
		"kind: " + strings.Repeat("x", evidence.MaxYAML): "kubernetes: it has 8388614 bytes, more than 8388608, in YAML: write it as JSON",
	} {
		if err := read([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) { evidencetest.FuzzSight(f, kubernetes.Read, pods(), manifests) }
