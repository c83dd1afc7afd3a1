#!/usr/bin/env bash
# Runs every fuzz target of the module for the given number of inputs. A number
# and not a time: a time that runs out while an input is being tried is
# reported by go test as a failure of the target ("context deadline exceeded").
set -euo pipefail
inputs="${1:-20000x}"

grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
	targets=$(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //' | sort -u)
	go test -c -o /dev/null "$dir"
	for target in $targets; do
		echo "fuzz $dir $target $inputs"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$inputs" -fuzzminimizetime 1000x "$dir"
	done
done
