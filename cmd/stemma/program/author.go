package program

import (
	"context"
	"errors"
	"os/exec"
	"strings"

	"github.com/stemma-dev/stemma/git"
)

var errAuthor = errors.New(`nobody is named: give --by "Name <mail>", or tell git user.name and user.email`)

// Author is the person of "Name <mail>", or whom git would name as the author here.
func Author(ctx context.Context, by string) (name, mail string, err error) {
	who, ok := identOf(by)
	if by == "" {
		who = GitUser(ctx, "")
		ok = who != git.Ident{}
	}
	if !ok {
		return "", "", errAuthor
	}
	return who.Name, who.Mail, nil
}

// GitUser is whom git would name as the author of a commit made in a directory; nobody
// if it knows none.
func GitUser(ctx context.Context, dir string) git.Ident {
	c := exec.CommandContext(ctx, "git", "var", "GIT_AUTHOR_IDENT")
	c.Dir = dir
	out, err := c.Output()
	if err != nil {
		return git.Ident{}
	}
	who, _ := identOf(string(out))
	return who
}

// identOf reads "Name <mail>" and what may stand behind it.
func identOf(text string) (git.Ident, bool) {
	name, rest, ok := strings.Cut(text, "<")
	mail, _, end := strings.Cut(rest, ">")
	if !ok || !end || !strings.Contains(mail, "@") {
		return git.Ident{}, false
	}
	return git.Ident{Name: strings.TrimSpace(name), Mail: strings.TrimSpace(mail)}, true
}
