//go:build !unix

package clone

import "os/exec"

// detach leaves a command as it is: it outlives the process that starts it.
func detach(*exec.Cmd) {}
