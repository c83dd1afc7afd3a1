#!/usr/bin/env bash
# Tries stemma on a real forge: starts a Gitea on the loopback interface, works at it as
# people do, with its webhooks pointed at "stemma serve", and compares that with what
# "stemma sync" fetches from it.
#
# Gitea comes as a Go module with a digest; it is built once, into .cache.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v1.24.6
digest=h1:BrHATK2cfr/hkJc8cc2W/1lWTVhyCxa1NQMHvEVeLWM=

program=$PWD/.cache/forge/$version/gitea

tools/setup.sh forge
module=$(tools/module.sh code.gitea.io/gitea "$version" "$digest")
if [ ! -e "$program" ]; then
	echo "building Gitea, once: this takes some minutes" >&2
	mkdir -p "$(dirname "$program")"
	CGO_ENABLED=1 go build -C "$module" -trimpath -tags 'sqlite sqlite_unlock_notify' -o "$program.new" .
	mv "$program.new" "$program"
fi
FORGE_GITEA=$program FORGE_MODULE=$module go test -tags forge -count=1 -v -timeout 20m -run "${FORGE_RUN:-^TestForge}" ./cmd/stemma
