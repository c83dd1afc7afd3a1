#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time, 5s by default.
set -euo pipefail
for_each="${1:-5s}"

grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
	targets=$(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //' | sort -u)
	go test -c -o /dev/null "$dir"
	for target in $targets; do
		echo "fuzz $dir $target $for_each"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$for_each" "$dir"
	done
done
