#!/usr/bin/env bash
# Fetches a Go module, whatever is in it, and prints the directory where it lies. It has
# to have the digest that it had when it was chosen: module.sh MODULE VERSION DIGEST
set -euo pipefail

# field prints one member of the JSON that go mod download writes.
field() { sed -n "s/^\t\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p"; }

about=$(go mod download -json "$1@$2")
if [ "$(field Sum <<<"$about")" != "$3" ]; then
	echo "$1 $2 has the digest $(field Sum <<<"$about"), not $3" >&2
	exit 1
fi
field Dir <<<"$about"
