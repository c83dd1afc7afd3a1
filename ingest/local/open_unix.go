//go:build unix

package local

import "syscall"

// flags keep the opening of a pipe from waiting for its other end, and links
// from being followed.
const flags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW
