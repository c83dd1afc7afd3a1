package subject

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"
)

// Derive adds what follows from what is known. It may be called again.
func (s *Subject) Derive() {
	s.files()
	s.people()
	s.unseen()
	s.reviews()
	s.checks()
	s.sessions()
	s.production()
	s.packages()
	s.exceptions()
	c := &s.Change
	c.AI = c.AILines > 0 || slices.ContainsFunc(s.Spans, func(p Span) bool { return p.Origin == "ai" }) || len(s.Sessions) > 0 ||
		slices.ContainsFunc(s.Commits, func(k Commit) bool { return k.AIAuthor })
	c.AIShare = 0
	if known := c.AILines + c.HumanLines; known > 0 {
		c.AIShare = float64(c.AILines) / float64(known)
	}
	told := c.AILines + c.HumanLines
	c.Untold = told*100 < max(c.Added, told+c.UnknownLines)*(100-s.Settings.Unattributed)
	c.Direct = c.Method == "direct"
}

// testNames are parts of the names of files that hold tests.
var testNames = []string{"**/*_test.*", "**/test_*.*", "**/*.test.*", "**/*.spec.*", "**/*Test.*", "**/*Tests.*", "**/test/**", "**/tests/**", "**/__tests__/**", "**/testdata/**", "**/spec/**"}

// manifests are files that name dependencies, by what they are called wherever they lie.
var manifests = []string{
	"go.mod", "go.sum", "go.work", "go.work.sum",
	"package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "yarn.lock", "bun.lock*", "deno.json*", "deno.lock",
	"requirements*.txt", "requirements*.in", "constraints*.txt", "pyproject.toml", "poetry.lock", "uv.lock", "pdm.lock", "Pipfile*", "setup.py", "setup.cfg", "environment.y*ml",
	"Cargo.toml", "Cargo.lock", "pom.xml", "ivy.xml", "build.gradle*", "settings.gradle*", "gradle.lockfile", "*.versions.toml", "build.sbt", "MODULE.bazel*", "WORKSPACE*",
	"Gemfile*", "*.gemspec", "composer.json", "composer.lock", "Podfile*", "*.podspec", "Cartfile*", "Package.swift", "Package.resolved",
	"*.csproj", "*.fsproj", "*.vbproj", "Directory.Packages.props", "packages.config", "packages.lock.json", "paket.*",
	"mix.exs", "mix.lock", "pubspec.yaml", "pubspec.lock", "conanfile.*", "vcpkg.json", "flake.nix", "flake.lock", "cpanfile*", "renv.lock",
	"*Dockerfile*", "*.dockerfile", "*Containerfile*", "docker-compose*.y*ml", "compose*.y*ml",
}

// manifestPaths are such files by where they lie.
var manifestPaths = []string{"**/requirements/*.txt", "**/requirements/*.in", ".github/workflows/**", ".gitea/workflows/**", ".forgejo/workflows/**", "**/action.y*ml", "**/project/plugins.sbt", ".gitlab-ci.yml"}

func (s *Subject) files() {
	set := map[string]bool{}
	for i := range s.Files {
		f := &s.Files[i]
		raw := unquoted(f.Path)
		f.Test = Matches(raw, testNames...)
		f.Manifest = Matches(path.Base(raw), manifests...) || Matches(raw, manifestPaths...)
		f.Tags = nil
		for tag, patterns := range s.Settings.Tags {
			if Matches(raw, patterns...) {
				f.Tags = append(f.Tags, tag)
				set[tag] = true
			}
		}
		slices.Sort(f.Tags)
		f.Sensitive = len(f.Tags) > 0
		f.Protected = Matches(raw, s.Settings.Protected...)
		f.Forbidden = Matches(raw, s.Settings.Forbidden...)
	}
	s.Change.Tags = nil
	for tag := range set {
		s.Change.Tags = append(s.Change.Tags, tag)
	}
	slices.Sort(s.Change.Tags)
}

// people finds who made the change: an agent and who drove it are one.
func (s *Subject) people() {
	c := &s.Change
	c.Makers = nil
	add := func(list ...Person) {
		for _, p := range list {
			if p.Ref != "" && !is(c.Makers, p) {
				c.Makers = append(c.Makers, p)
			}
		}
	}
	add(c.Author)
	add(c.Drivers...)
	add(c.Shown...)
	for _, k := range s.Commits {
		if !k.Merge || k.Own() > 0 { // who merges did not write what is merged
			add(k.Author)
		}
	}
	for _, x := range s.Sessions {
		add(x.Operators...)
	}
}

// one is what all accounts of a person have in common.
func (p Person) one() string {
	if p.Self != "" {
		return p.Self
	}
	return p.Ref
}

// is reports whether a person is among others.
func is(list []Person, p Person) bool {
	return p.Ref != "" && slices.ContainsFunc(list, func(o Person) bool { return o.one() == p.one() })
}

// unseen counts the lines by which the merge of a change differs from all that it merged:
// nobody was shown them with its head.
func (s *Subject) unseen() {
	c := &s.Change
	c.Unseen = 0
	if i := slices.IndexFunc(s.Commits, func(k Commit) bool { return k.Ref == c.Landed && k.Merge }); i >= 0 && c.Landed != c.Head {
		c.Unseen = s.Commits[i].Own()
	}
}

// Own counts the lines that are a merge's own; a binary file is one.
func (k Commit) Own() int {
	n := k.Added + k.Deleted
	if k.BinaryBytes > 0 {
		n++
	}
	return n
}

// asShown reports whether nothing is known to have come in beside what was shown.
func (s *Subject) asShown() bool {
	return s.Change.Unseen == 0 && s.Change.Altered == 0
}

// shows reports whether who gave a review saw what was merged, or an equal tree.
func (s *Subject) shows(r Review) bool {
	c := s.Change
	if r.Head != "" && r.Head == c.Landed {
		return true
	}
	return s.asShown() && (r.Head != "" && r.Head == c.Head || r.Tree != "" && r.Tree == c.HeadTree)
}

func (s *Subject) reviews() {
	last := map[string]int{}
	for i := range s.Reviews {
		r := &s.Reviews[i]
		r.Last, r.ByMaker = false, is(s.Change.Makers, r.By)
		r.OnHead = s.shows(*r)
		if r.Verdict != "approved" && r.Verdict != "rejected" || r.By.Ref == "" {
			continue
		}
		if j, ok := last[r.By.one()]; !ok || !r.Submitted.Before(s.Reviews[j].Submitted) {
			last[r.By.one()] = i
		}
	}
	for _, i := range last {
		s.Reviews[i].Last = true
	}
	for i := range s.Reviews {
		r := &s.Reviews[i]
		before := s.Change.Merged.IsZero() || !r.Submitted.After(s.Change.Merged)
		r.Counts = r.Last && r.Verdict == "approved" && r.By.Human && !r.ByMaker && r.OnHead && !r.Dismissed && before
	}
}

// onHead reports whether something was done to what was merged, or to what a merge queue
// made of it.
func (s *Subject) onHead(commit string) bool {
	c := s.Change
	return commit != "" && (commit == c.Head && s.asShown() || commit == c.Landed || slices.Contains(c.Queued, commit))
}

func (s *Subject) checks() {
	type check struct{ system, name, commit string }
	runs, byRef := map[check]int{}, map[string]*Run{}
	for i := range s.Runs {
		r := &s.Runs[i]
		byRef[r.Ref] = r
		r.OnHead, r.Latest = s.onHead(r.Commit), false
		r.Required = slices.Contains(s.Settings.Checks, r.Name)
		if !r.OnHead {
			continue
		}
		of := check{r.System, r.Name, r.Commit}
		if j, ok := runs[of]; !ok || later(r, &s.Runs[j]) {
			runs[of] = i
		}
	}
	for _, i := range runs {
		s.Runs[i].Latest = true
	}
	commitOf := func(commit, run string) string {
		if commit == "" && byRef[run] != nil {
			return byRef[run].Commit
		}
		return commit
	}
	for i := range s.Tests {
		s.Tests[i].OnHead = s.onHead(commitOf(s.Tests[i].Commit, s.Tests[i].Run))
	}
	s.scans(byRef, commitOf)
}

// scans finds which scans count. Of a tool those of the last run of each pipeline do, all of
// them: one looks at the files and one at the image.
func (s *Subject) scans(runs map[string]*Run, commitOf func(commit, run string) string) {
	last := map[[2]string]int{}
	key := func(x *Scan) [2]string {
		if r := runs[x.Run]; r != nil {
			return [2]string{x.Tool, r.Name}
		}
		return [2]string{x.Tool}
	}
	for i := range s.Scans {
		x := &s.Scans[i]
		x.OnHead, x.Latest = s.onHead(commitOf(x.Commit, x.Run)), false
		x.Secrets = Matches(strings.ToLower(x.Tool), s.Settings.SecretScanners...) || x.Format == "gitleaks"
		x.New = x.High + x.Critical
		if len(x.Before) > 0 {
			b := slices.MaxFunc(x.Before, earlier)
			x.New = max(0, x.New-b.High-b.Critical)
			if slices.ContainsFunc(x.Rules, func(rule string) bool { return !slices.Contains(b.Rules, rule) }) {
				x.New = max(x.New, 1) // another one, while an older one went
			}
		}
		if !x.OnHead {
			continue
		}
		if j, ok := last[key(x)]; !ok || !x.At.Before(s.Scans[j].At) {
			last[key(x)] = i
		}
	}
	for i := range s.Scans {
		x := &s.Scans[i]
		if j, ok := last[key(x)]; ok && x.OnHead {
			x.Latest = i == j || x.Run != "" && x.Run == s.Scans[j].Run
		}
	}
}

// earlier compares scans of the commit before, of which the last one counts; of several at
// once that which found the least.
func earlier(a, b Scan) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(b.High+b.Critical, a.High+a.Critical))
}

// later reports whether one run came after another. Numbers of attempts are those of one run
// alone.
func later(a, b *Run) bool {
	if run(a.Ref) == run(b.Ref) && a.Attempt != b.Attempt {
		return a.Attempt > b.Attempt
	}
	if !a.Started.Equal(b.Started) {
		return a.Started.After(b.Started)
	}
	return a.Attempt >= b.Attempt
}

// run is the name of a run without that of its attempt.
func run(ref string) string {
	if i := strings.LastIndexByte(ref, '/'); i >= 0 {
		return ref[:i]
	}
	return ref
}

func (s *Subject) sessions() {
	at := map[string]int{}
	for i, x := range s.Sessions {
		at[x.Ref] = i
	}
	for i := range s.Commits {
		k := &s.Commits[i]
		k.Told = !slices.ContainsFunc(k.Sessions, func(ref string) bool {
			j, ok := at[ref]
			return !ok || !s.Sessions[j].Stated
		})
	}
	for i := range s.Sessions {
		x := &s.Sessions[i]
		x.Bodies = x.Turns > 0 && x.Kept+x.Erased >= x.Turns
		x.Root, x.Principal, x.Service = "", false, ""
		up, steps := i, 0
		for ; s.Sessions[up].Parent != "" && steps <= len(s.Sessions); steps++ {
			next, ok := at[s.Sessions[up].Parent]
			if !ok {
				break
			}
			up = next
		}
		if root := s.Sessions[up]; root.Parent == "" {
			x.Root = root.Ref
			x.Depth = max(x.Depth, steps)
			x.Principal = slices.ContainsFunc(root.Operators, func(p Person) bool { return p.Human })
			x.Service = s.service(root.Operators)
		}
		for j := range x.Models {
			m := &x.Models[j]
			m.Allowed = m.Fits(s.Settings.Models...) && !m.Fits(s.Settings.DeniedModels...)
		}
		for j := range x.Tools {
			t := &x.Tools[j]
			t.Untrusted = t.Network || Matches(t.Name, s.Settings.Untrusted...)
			t.Allowed = Matches(t.Name, s.Settings.Tools...)
		}
	}
	for i := range s.Advisories {
		a := &s.Advisories[i]
		a.Applies = a.Withdrawn.IsZero() && slices.ContainsFunc(s.Sessions, func(x Session) bool {
			used := x.Started.IsZero() || a.Since.IsZero() || !x.Started.Before(a.Since)
			return used && slices.ContainsFunc(x.Models, func(m Model) bool { return m.Fits(a.Model) })
		})
	}
}

// Fits reports whether one of some patterns names a model, by any of its names: as its tool
// spells it, also without the gateways before it ("*" stops at a slash), or as its provider does.
func (m Model) Fits(patterns ...string) bool {
	return slices.ContainsFunc([]string{m.Name, m.Ref, path.Base(m.Name), path.Base(m.Ref)}, func(name string) bool { return Matches(name, patterns...) })
}

// service is the program that started a session, if all that did may start agents.
func (s *Subject) service(operators []Person) (name string) {
	for _, p := range operators {
		kind, account, _ := strings.Cut(p.Ref, ":")
		if !p.Bot || kind != "bot" || !slices.Contains(s.Settings.Services, account) && !Matches(account, s.Settings.Services...) {
			return ""
		}
		name = p.Ref
	}
	return name
}

func (s *Subject) production() {
	for i := range s.Artifacts {
		a := &s.Artifacts[i]
		for j := range a.Attestations {
			s.level(&a.Attestations[j])
		}
		a.Attested = slices.ContainsFunc(a.Attestations, func(t Attestation) bool { return t.Speaks && t.Provenance })
	}
	for i := range s.Deployments {
		d := &s.Deployments[i]
		d.Production = d.Tier == "production" || d.Tier == "" && (strings.EqualFold(d.Environment, "prod") || strings.EqualFold(d.Environment, "production"))
		d.Succeeded = d.Status == "success" || d.Status == "inactive"
		d.ByMaker = is(s.Change.Makers, d.Actor)
	}
	for i := range s.Incidents {
		s.Incidents[i].CausedHere = slices.Contains(s.Incidents[i].Causes, s.Change.Ref)
	}
}

// level finds out what a builder counts: what it is trusted to, if who signed may speak for
// it. Anybody can write the name of a builder.
func (s *Subject) level(t *Attestation) {
	t.Provenance, t.Speaks, t.Level = strings.HasPrefix(t.Predicate, "https://slsa.dev/provenance/"), false, 0
	if !t.Verified || !t.Trusted || t.Builder == "" {
		return
	}
	for _, of := range s.Settings.Trust {
		t.Speaks = t.Speaks || of.Name == t.Signer && of.SpeaksFor(t.Builder)
	}
	if t.Speaks {
		t.Level = s.Settings.LevelOf(t.Builder)
	}
}

// LevelOf is the level that a builder is trusted to: that of its own name, else the least of
// the patterns that it fits.
func (s Settings) LevelOf(builder string) int {
	if level, ok := s.Builders[builder]; ok {
		return level
	}
	least, found := 0, false
	for pattern, level := range s.Builders {
		if Matches(builder, pattern) && (!found || level < least) {
			least, found = level, true
		}
	}
	return least
}

// SpeaksFor reports whether a signer is trusted to speak for a builder.
func (s Signer) SpeaksFor(builder string) bool { return Matches(builder, s.Builders...) }

// FollowUp is within how long an exception has to be looked at again, and one that was
// taken in an emergency granted afterwards.
const FollowUp = 48 * time.Hour

func (s *Subject) exceptions() {
	for i := range s.Exceptions {
		e := &s.Exceptions[i]
		granted := e.Approver.Ref != "" && e.Approver.one() != e.Owner.one() && e.Approver.Human && !is(s.Change.Makers, e.Approver)
		taken := e.Emergency && e.Approver.Ref == "" && s.Now.Before(e.Opened.Add(FollowUp))
		e.SelfGranted = !granted && !taken
		e.Holds = !e.SelfGranted && e.Reason != "" && !e.Until.IsZero() && s.Now.Before(e.Until) && e.Withdrawn.IsZero() && !s.Now.Before(e.Opened)
		e.Void = !e.Withdrawn.IsZero() && !e.Emergency && !e.Waived && (!granted || e.Approved.After(e.Withdrawn))
		end := e.FollowedUp
		if end.IsZero() {
			end = e.Withdrawn
		}
		if end.IsZero() {
			end = s.Now
		}
		e.Late = !e.Opened.IsZero() && end.Sub(e.Opened) > FollowUp
	}
}
