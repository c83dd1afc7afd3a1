#!/bin/sh
# Judges what a pipeline stands on: the commits between its target and what is checked out.
# Every system calls this, or the line in it. Further arguments go to "stemma check".
#
#   STEMMA_TARGET  branch that the merge request goes to
#   STEMMA_BEFORE  commit before a push, where there is no merge request
set -eu

if ! git fetch -q origin '+refs/notes/*:refs/notes/*'; then
	echo 'stemma: warning: the notes of the lines could not be fetched' >&2
fi
if [ -n "${STEMMA_TARGET:-}" ]; then
	git fetch -q origin "+refs/heads/$STEMMA_TARGET:refs/remotes/origin/$STEMMA_TARGET"
	exec stemma check "origin/$STEMMA_TARGET..HEAD" --target "$STEMMA_TARGET" "$@"
fi
case "${STEMMA_BEFORE:-}" in
*[1-9a-f]*)
	if git cat-file -e "$STEMMA_BEFORE^{commit}" 2>/dev/null; then
		exec stemma check "$STEMMA_BEFORE..HEAD" "$@"
	fi
	;;
esac
exec stemma check HEAD "$@"
