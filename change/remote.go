package change

import (
	"net/url"
	"path"
	"strings"
)

// ParseRemote takes the URL of a remote, or an address of a repository at a forge,
// apart: the host in lower case, the path without .git, and an address to browse
// that carries no credentials. A remote on this machine's disk is no home. Whatever
// reads repositories, or reports about them, finds their names so.
func ParseRemote(remote string) (host, name, web string) {
	if remote == "" || strings.HasPrefix(remote, "/") || strings.HasPrefix(remote, ".") || strings.HasPrefix(remote, "file:") {
		return "", "", ""
	}
	rest, sure := "", false
	if u, err := url.Parse(remote); err == nil && u.Host != "" && strings.Contains(remote, "://") {
		host, rest, sure = u.Hostname(), u.Path, true
	} else if before, after, ok := strings.Cut(remote, ":"); ok && !strings.Contains(before, "/") {
		// The short form of ssh: user@host:path.
		host, rest = before[strings.LastIndexByte(before, '@')+1:], after
	}
	name = strings.TrimSuffix(strings.Trim(path.Clean("/"+rest), "/"), ".git")
	host = strings.ToLower(host)
	// In the short form, a name without a dot may be a drive or a nickname of ssh.
	if host == "" || name == "" || !sure && !strings.Contains(host, ".") && host != "localhost" {
		return "", "", ""
	}
	return strings.ToValidUTF8(host, "\uFFFD"), strings.ToValidUTF8(name, "\uFFFD"), "https://" + host + "/" + name
}
