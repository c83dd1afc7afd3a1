package change

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// The methods of a landing.
const (
	MethodMerge  = "merge"  // a merge commit
	MethodSquash = "squash" // one commit made of several
	MethodRebase = "rebase" // the commits themselves, put on top
	MethodDirect = "direct" // nothing says that there was a merge request
)

// The platforms whose conventions are known.
const (
	GitHub          = "github"
	GitLab          = "gitlab"
	Gitea           = "gitea" // and Forgejo
	BitbucketCloud  = "bitbucket-cloud"
	BitbucketServer = "bitbucket-server"
	AzureDevOps     = "azure-devops"
	Gerrit          = "gerrit"
	Bors            = "bors" // and homu: queues that merge on GitHub
)

// A Landing is how a commit says it came onto its branch.
type Landing struct {
	Platform string // whose convention the message follows; empty if nobody's
	Method   string // merge, squash, rebase or direct
	Numbers  []int  // of the merge requests; several for a batch
	Branch   string // where it was made, with the owner's name where the message has it
	Target   string // where it went, if the message says so
	Title    string // of the merge request, if the message says so
	URL      string // of the merge request, if the message says so
	Sure     bool   // only the platform writes this; a "(#17)" may be anybody's
	Why      string // the words that told; empty if none did
}

// A convention is one form of the first line of a message. The names of its
// groups are those of the fields that they fill.
type convention struct {
	platform string
	form     func() *regexp.Regexp
}

// pattern is compiled when it is first asked for: most runs of the program ask
// for none.
func pattern(form string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(form) })
}

// conventions in the order in which they are tried.
var conventions = []convention{
	{Gitea, pattern(`^Merge pull request '(?P<title>.*)' \(#(?P<number>\d{1,9})\) from (?P<branch>\S+) into (?P<target>\S+)$`)},
	{BitbucketServer, pattern(`^Merge pull request #(?P<number>\d{1,9}) in \S+ from (?P<branch>\S+) to (?P<target>\S+)$`)},
	{GitHub, pattern(`^Merge pull request #?(?P<number>\d{1,9}) from (?P<branch>\S+)`)},
	{BitbucketServer, pattern(`^Pull request #(?P<number>\d{1,9}): (?P<title>.+)$`)},
	{BitbucketCloud, pattern(`^Merged in (?P<branch>\S+) \(pull request #(?P<number>\d{1,9})\)$`)},
	{AzureDevOps, pattern(`^Merged PR (?P<number>\d{1,9}): (?P<title>.+)$`)},
	{Bors, pattern(`^(?:Auto|Rollup) merge of #(?P<number>\d{1,9}) - [^:\s]+:(?P<branch>[^\s,]+), r=\S+`)},
	{Bors, pattern(`^Merge (?P<number>#\d{1,9}(?: #\d{1,9})*)$`)},
}

var (
	plainMerge   = pattern(`^Merge (?:remote-tracking )?(?:branch|branches|commit|tag|tags) '(?P<branch>[^']+)'(?:[^']*?(?: into '?(?P<target>[^' ]+)'?)?)?$`)
	squashTitle  = pattern(`^(?P<title>.*\S)\s+\(#(?P<number>\d{1,9})\)$`)
	seeRequest   = pattern(`^See merge request (?:(?P<url>https?://\S+/-?/?merge_requests/(?P<number>\d{1,9}))|[^\s!]*!(?P<short>\d{1,9}))$`)
	mergeIn      = pattern(`^Merge in \S+ from (?P<branch>\S+) to (?P<target>\S+)$`)
	borsLine     = pattern(`^(?P<number>\d{1,9}): (?P<title>.+?) r=\S+ a=\S+$`)
	giteaURL     = pattern(`^https?://\S+/pulls/(?P<number>\d{1,9})$`)
	gerritURL    = pattern(`^https?://\S+?/(?P<number>\d{1,9})/?$`)
	gerritChange = pattern(`^I[0-9a-f]{40}$`)
)

// ReadLanding reads from a commit's message how it came onto its branch.
// parents is how many the commit has. forge says that the committer is the
// platform itself, as the room identity recognises it; that makes a squash's "(#17)"
// sure.
func ReadLanding(message string, parents int, forge bool) Landing {
	all := lines(message)
	title, body := splitTitle(all)
	trailers := trailersOf(all)
	l, found := fromTitle(title, body)
	if !found {
		l, found = fromBody(title, body, trailers)
	}
	if !found {
		if m := groups(squashTitle, title); m != nil && !strings.HasPrefix(title, "Merge branch ") {
			l = Landing{Platform: GitHub, Numbers: numbers(m["number"]), Title: m["title"], Sure: forge, Why: "(#" + m["number"] + ")"}
			found = true
		}
	}
	switch {
	case parents > 1:
		l.Method = MethodMerge
	case found && l.Platform == Gerrit:
		l.Method = MethodRebase
	case found && l.Platform != "":
		l.Method = MethodSquash
	case strings.HasPrefix(title, "Squashed commit of the following:"):
		l.Method, l.Why = MethodSquash, title
	default:
		l.Method = MethodDirect
	}
	return l
}

// splitTitle returns the first line that is not blank and the lines after it.
func splitTitle(all []string) (title string, body []string) {
	for i, l := range all {
		if !blank(l) {
			return strings.TrimSpace(l), all[i+1:]
		}
	}
	return "", nil
}

// fromTitle tries the conventions that show in the first line.
func fromTitle(title string, body []string) (Landing, bool) {
	for _, c := range conventions {
		m := groups(c.form, title)
		if m == nil {
			continue
		}
		l := Landing{
			Platform: c.platform, Numbers: numbers(m["number"]), Branch: m["branch"], Target: m["target"],
			Title: m["title"], Sure: true, Why: title,
		}
		switch {
		case c.platform == Bors:
			l.Title = borsTitle(body, l.Numbers)
		case c.platform == BitbucketServer && l.Branch == "":
			l.Sure = false
			for _, b := range body {
				if in := groups(mergeIn, strings.TrimSpace(b)); in != nil {
					l.Branch, l.Target, l.Sure = in["branch"], in["target"], true
					break
				}
			}
		case c.platform == GitHub || c.platform == BitbucketCloud:
			l.Title, _ = splitTitle(body)
		}
		return l, true
	}
	return Landing{}, false
}

// borsTitle is the title of a batch of one, which the body repeats.
func borsTitle(body []string, in []int) string {
	if len(in) != 1 {
		return ""
	}
	first, _ := splitTitle(body)
	if m := groups(borsLine, first); m != nil {
		return m["title"]
	}
	return first
}

// fromBody tries the conventions that show below the first line.
func fromBody(title string, body []string, trailers []MessageTrailer) (Landing, bool) {
	var l Landing
	plain := groups(plainMerge, title)
	if plain != nil {
		l.Branch, l.Target, l.Why = plain["branch"], plain["target"], title
	}
	for i := len(body) - 1; i >= 0; i-- {
		m := groups(seeRequest, strings.TrimSpace(body[i]))
		if m == nil {
			continue
		}
		l.Platform, l.Sure, l.URL, l.Why = GitLab, true, m["url"], strings.TrimSpace(body[i])
		l.Numbers = numbers(m["number"] + m["short"])
		if l.Title = title; plain != nil {
			l.Title, _ = splitTitle(body[:i])
		}
		return l, true
	}
	if g, ok := reviewedOn(title, trailers); ok {
		g.Branch, g.Target = l.Branch, l.Target
		return g, true
	}
	return l, plain != nil
}

// reviewedOn reads the trailers of Gitea and Gerrit.
func reviewedOn(title string, trailers []MessageTrailer) (Landing, bool) {
	changeID := ""
	for _, t := range trailers {
		if t.Is("Change-Id") && gerritChange().MatchString(t.Value) {
			changeID = t.Value
		}
	}
	for _, t := range trailers {
		if !t.Is("Reviewed-on") {
			continue
		}
		why := t.Key + ": " + t.Value
		if m := groups(giteaURL, t.Value); m != nil {
			l := Landing{Platform: Gitea, Numbers: numbers(m["number"]), Title: title, URL: t.Value, Sure: true, Why: why}
			if s := groups(squashTitle, title); s != nil && s["number"] == m["number"] {
				l.Title = s["title"]
			}
			return l, true
		}
		if m := groups(gerritURL, t.Value); m != nil {
			return Landing{Platform: Gerrit, Numbers: numbers(m["number"]), Title: title, URL: t.Value, Sure: changeID != "", Why: why}, true
		}
	}
	if changeID != "" {
		return Landing{Platform: Gerrit, Title: title, Why: "Change-Id: " + changeID}, true
	}
	return Landing{}, false
}

// groups returns the named groups of a match, or nil.
func groups(form func() *regexp.Regexp, s string) map[string]string {
	re := form()
	m := re.FindStringSubmatch(s)
	if m == nil {
		return nil
	}
	named := map[string]string{}
	for i, name := range re.SubexpNames() {
		if name != "" {
			named[name] += m[i]
		}
	}
	return named
}

// numbers reads "17" or "#17 #18". Zero is nobody's number.
func numbers(s string) []int {
	var list []int
	for f := range strings.FieldsSeq(s) {
		if n, err := strconv.Atoi(strings.TrimPrefix(f, "#")); err == nil && n > 0 {
			list = append(list, n)
		}
	}
	return list
}
