//go:build unix

package storagetest

import (
	"os"
	"os/exec"
	"syscall"
)

// drop makes cmd run as an ordinary user who owns dir, and apart from the
// terminal, so that an interrupt typed there reaches the test binary only.
func drop(cmd *exec.Cmd, dir string) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := serverUser()
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(dir, uid, gid)
}
