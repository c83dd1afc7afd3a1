#!/usr/bin/env bash
# Serves the store at one address, and the story of docs/story.md, a space of its own, at
# another. A process serves one space, so there are two; when one ends, so does the other.
#
#   tools/run.sh BIN ADDR STORY_ADDR
set -eu
bin=$1 addr=$2 story=$3
space=.cache/story/space
"${GO:-go}" run ./cmd/story --stemma "$bin" --dir .cache/story

"$bin" serve --addr "$addr" &
servers=$!
env -u STEMMA_DB -u STEMMA_BODIES STEMMA_DATA=$space STEMMA_LOG_ORIGIN=story.example/stemma "$bin" serve --addr "$story" &
servers="$servers $!"
trap 'kill $servers 2>/dev/null || :' EXIT
trap 'exit 0' INT TERM
echo "the story of docs/story.md: http://$story"
wait -n
