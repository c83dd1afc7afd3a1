#!/usr/bin/env bash
# Sees to what the tests need besides Go, git and make: PostgreSQL's server
# programs, Chromium, git filter-repo, and npm, by which published webhooks are
# fetched. With the argument gitsuite, to what git's own test scripts need: a C
# compiler, the headers of zlib, and perl; with forge, to what Gitea is built with. On
# Debian, as root, it installs them; elsewhere it says exactly what to type and stops.
set -euo pipefail

missing=()
if [ "${1-}" = gitsuite ]; then
	command -v cc >/dev/null || missing+=(gcc libc6-dev)
	[ -e /usr/include/zlib.h ] || echo '#include <zlib.h>' | cc -E - >/dev/null 2>&1 || missing+=(zlib1g-dev)
	command -v perl >/dev/null || missing+=(perl)
elif [ "${1-}" = forge ]; then
	command -v cc >/dev/null || missing+=(gcc libc6-dev)
else
	if ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
		missing+=(postgresql)
	fi
	if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then
		missing+=(chromium)
	fi
	command -v git-filter-repo >/dev/null || missing+=(git-filter-repo)
	command -v npm >/dev/null || missing+=(npm)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "installing ${missing[*]}" >&2
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
	echo "the tests need ${missing[*]}; on Debian: sudo apt-get install ${missing[*]}" >&2
	exit 1
fi
