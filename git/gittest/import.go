package gittest

import (
	"bytes"
	"fmt"
	"strings"
)

// An Import builds a history with one git fast-import. Nothing is checked out.
type Import struct {
	r    *Repo
	buf  bytes.Buffer
	mark int
}

// An ImportCommit is a commit to be made. Names and messages may hold any bytes
// that fast-import takes.
type ImportCommit struct {
	Ref     string // "refs/heads/main"
	Message string
	Author  string // "Name <mail>"; "" for the usual one
	Parents []int  // marks; none for the tip of Ref so far
	Files   []ImportFile
}

// An ImportFile is a file that a commit sets or, without Mode, deletes.
type ImportFile struct {
	Path    string
	Mode    string // "100644", "100755", "120000", "160000"; "" deletes
	Content string // for a submodule the id of a commit
}

// Import begins one.
func (r *Repo) Import() *Import { return &Import{r: r} }

// Set is a plain file for [ImportCommit.Files].
func Set(path, content string) ImportFile { return ImportFile{path, "100644", content} }

// Commit adds a commit and returns its mark.
func (im *Import) Commit(c ImportCommit) int {
	im.mark++
	im.r.now += 60
	who := c.Author
	if who == "" {
		who = "Ada Author <ada@example.com>"
	}
	fmt.Fprintf(&im.buf, "commit %s\nmark :%d\nauthor %s %d +0100\ncommitter Cy Committer <cy@example.com> %d +0100\n",
		c.Ref, im.mark, who, im.r.now, im.r.now)
	im.data(c.Message)
	for i, p := range c.Parents {
		fmt.Fprintf(&im.buf, "%s :%d\n", [2]string{"from", "merge"}[min(i, 1)], p)
	}
	for _, f := range c.Files {
		switch f.Mode {
		case "":
			fmt.Fprintf(&im.buf, "D %s\n", quote(f.Path))
		case "160000":
			fmt.Fprintf(&im.buf, "M 160000 %s %s\n", f.Content, quote(f.Path))
		default:
			fmt.Fprintf(&im.buf, "M %s inline %s\n", f.Mode, quote(f.Path))
			im.data(f.Content)
		}
	}
	im.buf.WriteByte('\n')
	return im.mark
}

func (im *Import) data(s string) { fmt.Fprintf(&im.buf, "data %d\n%s\n", len(s), s) }

// Close runs fast-import.
func (im *Import) Close() {
	im.r.T.Helper()
	im.r.GitWith(im.buf.Bytes(), "fast-import", "--quiet", "--force")
}

func quote(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}
