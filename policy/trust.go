package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/stemma-dev/stemma/attest"
	"github.com/stemma-dev/stemma/policy/subject"
)

// maxTrust is how many signers one list may have.
const maxTrust = 100

// trust reads the files that a list of signers names, in place, and checks all of them: a
// signature must not fail to count, or count, for a mistake in writing.
func (p *Policy) trust(path string, list []subject.Signer) error {
	if len(list) > maxTrust {
		return p.fault(path, "there are more than %d signers", maxTrust)
	}
	var faults []error
	names := map[string]bool{}
	for i := range list {
		t := &list[i]
		at := fmt.Sprintf("%s.%d", path, i)
		if names[t.Name] {
			faults = append(faults, p.fault(at+".name", "the signer %.100q is there twice", t.Name))
		}
		names[t.Name] = true
		err := errors.Join(p.file(at+".key", &t.Key, "-----BEGIN"), p.file(at+".root", &t.Root, "{"))
		if err == nil {
			terms := attest.Terms{Name: t.Name, Key: t.Key, KeyID: t.KeyID, Issuer: t.Issuer, Identity: t.Identity, Root: t.Root}
			if _, wrong := terms.Signer(); wrong != nil {
				err = p.fault(at, "the signer %.100q cannot be trusted so: %v", t.Name, wrong)
			}
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// file puts what a file holds in the place of its name. What is written out begins otherwise.
func (p *Policy) file(path string, value *string, begins string) error {
	name := strings.TrimSpace(*value)
	if name == "" || strings.HasPrefix(name, begins) {
		return nil
	}
	if p.beside == nil {
		return p.fault(path, "%.100q names a file, and there are none here: write it out", name)
	}
	body, err := p.beside(name)
	var fault *Fault
	switch {
	case errors.As(err, &fault):
		return p.fault(path, "%s: %s", name, fault.Why)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid):
		return p.fault(path, "there is no file %.100q beside the policy", name)
	case err != nil:
		return p.fault(path, "the file %.100q cannot be read", name)
	}
	*value = string(body)
	return nil
}
