//go:build unix

package clone

import (
	"os/exec"
	"syscall"
)

// detach lets a command outlive the terminal and the process that starts it.
func detach(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
