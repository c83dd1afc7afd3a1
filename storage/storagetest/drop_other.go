//go:build !unix

package storagetest

import (
	"errors"
	"os/exec"
)

func drop(*exec.Cmd, string) error {
	return errors.New("the tests on PostgreSQL run on Unix systems only")
}
