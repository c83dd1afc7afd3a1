package evidence

import (
	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/deployment"
)

// A Sight is what was seen to run: the things, and which digests are of one of them.
type Sight struct {
	Running   []deployment.Running
	Artifacts []artifact.Artifact

	seen map[deployment.Running]bool
	at   map[string]int // artifacts by their first digest
}

// MaxRunning is how many things may run at once.
const MaxRunning = 20_000

// See adds one thing that runs, with the digests it is known by: the one of the
// registry first, if it is told. A thing that runs many times is one.
func (s *Sight) See(name, image string, digests []string, method string) {
	r := deployment.Running{Name: Name(name), Image: Name(image)}
	if len(digests) > 0 {
		r.Artifact = artifact.Ref(digests[0])
	}
	if s.seen[r] {
		return
	}
	if s.seen == nil {
		s.seen = map[deployment.Running]bool{}
	}
	s.seen[r] = true
	s.Running = append(s.Running, r)
	s.Same(image, digests, method)
}

// Same says that digests are of one image.
func (s *Sight) Same(image string, digests []string, method string) {
	if len(digests) == 0 {
		return
	}
	a := artifact.Artifact{Name: Name(image), Digest: digests[0], Form: "image"}
	for _, other := range digests[1:] {
		if ref := artifact.Ref(other); ref != a.Ref() {
			a.Same = stemma.AddEdge(a.Same, stemma.Edge{To: ref, Method: method})
		}
	}
	i, known := s.at[a.Digest]
	if !known {
		if s.at == nil {
			s.at = map[string]int{}
		}
		s.at[a.Digest] = len(s.Artifacts)
		s.Artifacts = append(s.Artifacts, a)
		return
	}
	for _, e := range a.Same {
		s.Artifacts[i].Same = stemma.AddEdge(s.Artifacts[i].Same, e)
	}
}
