package govern

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/policy/catalogue"
)

// waivable is the control that an exception is asked for, as it is called: one that comes with the
// program, an own one of the policy in force, or one that changes were judged by; or * for all.
// An exception from anything else would be granted, and waive nothing.
func waivable(ctx context.Context, s *program.Store, dir, text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "*" {
		return text, nil
	}
	if strings.Contains(text, "*") {
		return "", stemma.WithHint(fmt.Errorf("exception: %s is a pattern", terminal.OneLine(text)), "name one control, or * for all of them")
	}
	files, unread := inForceHere(ctx, dir)
	known, fault := catalogue.Read(files)
	unread = errors.Join(unread, fault)
	for _, c := range slices.Concat(known.Controls, known.Own) {
		switch {
		case !strings.EqualFold(c.ID, text):
			continue
		case c.Firm:
			return "", stemma.WithHint(fmt.Errorf("exception: nothing waives %s, not even *", c.ID), "%s", strings.TrimSpace(c.Remedy))
		}
		return c.ID, nil
	}
	id, err := judgedBy(ctx, s, strings.ToUpper(text))
	if err != nil || id != "" {
		return id, err
	}
	err = fmt.Errorf("exception: there is no control %s", terminal.OneLine(text))
	if unread != nil {
		err = fmt.Errorf("%w that is known; and the policy in force could not be read: %w", err, unread)
	}
	return "", stemma.WithHint(err, "\"stemma controls list --all\" names them; --policy DIR says where those of your own are")
}

// inForceHere is the directory .stemma that is in force in the clone around, or the one that is
// named; nil where there is none.
func inForceHere(ctx context.Context, dir string) (files fs.FS, err error) {
	if dir != "" {
		files, err := openOwn(dir, true)
		return files, located(dir, err)
	}
	r, err := git.Open(ctx, ".")
	if err != nil {
		return nil, nil // it is asked outside a clone
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	_, tip, err := target(ctx, r, "")
	if err != nil || tip == "" {
		return nil, err
	}
	return committed(ctx, r, tip)
}

// judgedBy is a control of a policy that the store knows, or that it has findings of; nothing if it
// knows none of that name.
func judgedBy(ctx context.Context, s *program.Store, control string) (id string, err error) {
	return id, s.DB.Each(ctx, func(scan func(...any) error) error { return scan(&id) },
		`SELECT c."control" FROM k_policy_control c WHERE c."control" = $1 UNION SELECT f."control" FROM k_assessment_finding f WHERE f."control" = $1`, control)
}
