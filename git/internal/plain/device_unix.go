//go:build unix

package plain

import (
	"os"
	"syscall"
)

// deviceOf tells on which device a directory is, in a form to be compared: git
// does not look beyond.
func deviceOf(dir string) (device any, ok bool) {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return nil, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, false
	}
	return stat.Dev, true
}
