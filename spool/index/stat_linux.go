package index

import (
	"errors"
	"syscall"
)

// Exact is whether the file system tells enough of a file to know that it is clean.
const Exact = true

// Look asks the file system for a file; false if there is none. It follows no
// symbolic link at the end of the path.
func Look(file string) (s Stat, there bool, err error) {
	var st syscall.Stat_t
	for {
		err = syscall.Lstat(file, &st)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENOTDIR) {
		return s, false, nil
	}
	if err != nil {
		return s, false, err
	}
	return Stat{
		Changed: Stamp{uint32(st.Ctim.Sec), uint32(st.Ctim.Nsec)}, Modified: Stamp{uint32(st.Mtim.Sec), uint32(st.Mtim.Nsec)},
		Inode: uint32(st.Ino), Mode: st.Mode, Size: uint32(st.Size),
	}, true, nil
}
