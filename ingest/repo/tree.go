package repo

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/records"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/pipeline"
)

const sourceOwners = "codeowners"

// ownerFiles are where forges look for the owners of code.
var ownerFiles = []string{"CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS", "docs/CODEOWNERS"}

// maxOwnerFile bounds a file of owners; forges take less.
const maxOwnerFile = 4 << 20

// A version is one content of a file that the scanner wants to look into.
type version struct {
	path, blob string
	commit     *git.Ident
	ref        stemma.Ref
}

// pipelineSystem tells which system takes a path for its definition.
func pipelineSystem(p string) string {
	dir, base := path.Split(p)
	yaml := strings.HasSuffix(base, ".yml") || strings.HasSuffix(base, ".yaml")
	switch {
	case dir == ".github/workflows/" && yaml:
		return "github-actions"
	case dir == ".gitea/workflows/" && yaml, dir == ".forgejo/workflows/" && yaml:
		return "gitea-actions"
	case p == ".gitlab-ci.yml" || strings.HasPrefix(p, ".gitlab/ci/") && yaml:
		return "gitlab-ci"
	case p == "Jenkinsfile":
		return "jenkins"
	case p == ".circleci/config.yml":
		return "circleci"
	case strings.HasPrefix(p, ".buildkite/") && yaml:
		return "buildkite"
	case strings.HasPrefix(base, "azure-pipelines") && yaml:
		return "azure-pipelines"
	case p == "bitbucket-pipelines.yml":
		return "bitbucket-pipelines"
	case p == ".travis.yml":
		return "travis-ci"
	case p == ".drone.yml":
		return "drone"
	case p == ".woodpecker.yml" || dir == ".woodpecker/" && yaml:
		return "woodpecker"
	case dir == ".tekton/" && yaml:
		return "tekton"
	case p == ".cirrus.yml":
		return "cirrus-ci"
	}
	return ""
}

// noticeFiles states the pipeline definitions that a commit brought, and
// remembers the files of owners and which contents are binary for later.
func (s *scanner) noticeFiles(ctx context.Context, c *history.Commit) error {
	for i := range c.Files {
		f := &c.Files[i]
		if f.Status == patch.Deleted || f.Blob == "" {
			continue
		}
		if f.Binary {
			s.binary[f.Blob] = true
		}
		if system := pipelineSystem(f.Path); system != "" {
			config := pipeline.Config{
				Repository: s.record.ID, Path: quote.Path(f.Path), Blob: f.Blob, System: system,
				Commit: s.repo.CommitRef(c.ID), Since: stemma.At(c.Committer.When),
			}
			if err := s.w.Once(ctx, config.Ref(), config); err != nil {
				return err
			}
		}
		if f.Path == mailmap {
			s.mailmap = true
		}
		if slices.Contains(ownerFiles, f.Path) {
			when := c.Committer
			s.owners = append(s.owners, version{f.Path, f.Blob, &when, s.repo.CommitRef(c.ID)})
		}
	}
	return nil
}

// readTree reads what stands in files: owners of code at every time.
func (s *scanner) readTree(ctx context.Context) error {
	blobs := func(yield func(string) bool) {
		for _, v := range s.owners {
			if !yield(v.blob) {
				return
			}
		}
	}
	if len(s.owners) == 0 {
		return nil
	}
	i := 0
	for o, err := range s.repo.Objects(ctx, blobs, maxOwnerFile) {
		if err != nil {
			return err
		}
		v := s.owners[i]
		i++
		if o.Data == nil && o.Size != 0 || o.Missing {
			if err := s.w.Gap(ctx, stemma.Gap{Source: sourceOwners, Place: v.path + " " + v.blob, Reason: records.Unreadable(o), Object: records.Lost(o)}); err != nil {
				return err
			}
			continue
		}
		if err := s.stateOwners(ctx, v, words.Fit(string(o.Data))); err != nil {
			return err
		}
	}
	return nil
}

// stateOwners states the roles that one version of a file of owners gives.
func (s *scanner) stateOwners(ctx context.Context, v version, content string) error {
	owners := identity.ParseOwners(content)
	for _, p := range owners.Problems {
		gap := stemma.Gap{Source: sourceOwners, Place: fmt.Sprintf("%s %s line %d", v.path, v.blob, p.Line), Reason: p.Why}
		if err := s.w.Gap(ctx, gap); err != nil {
			return err
		}
	}
	for _, rule := range owners.Rules {
		for _, owner := range rule.Owners {
			role := identity.Role{
				Repository: s.record.ID, Pattern: words.Short(rule.Pattern, words.MaxTitle), Line: rule.Line,
				Since: stemma.At(v.commit.When), File: v.path,
			}
			switch name, team := strings.CutPrefix(owner, "@"); {
			case team && strings.Contains(name, "/"):
				role.Owner = words.Short(owner, words.MaxTitle)
			case team:
				role.Holder = s.w.Person(name, "login:"+s.record.Host+"/"+name, name)
			default:
				role.Holder = s.w.Person("", owner, "")
			}
			if err := s.w.Record(ctx, role, sourceOwners, stemma.GradeD); err != nil {
				return err
			}
		}
	}
	return nil
}
