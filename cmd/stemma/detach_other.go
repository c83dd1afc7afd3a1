//go:build !unix

package main

import "os/exec"

// detach leaves a command as it is: it outlives the process that starts it.
func detach(*exec.Cmd) {}
