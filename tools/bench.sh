#!/usr/bin/env bash
# Prints the measured promises of docs/benchmarks.md as ratios against a
# yardstick in the same run. STEMMA_BENCH_REPO names a real repository for scan
# and blame, STEMMA_BENCH_BIG=1 adds the graph of ten million nodes.
set -euo pipefail
cd "$(dirname "$0")/.."

bench() { go test -run '^$' -timeout 60m "$@" | grep -E '^(Benchmark|cpu|---|FAIL|panic)' || exit 1; }

echo "# scan and blame against git"
bench -bench 'Scan$|ScanGrows$|Blame$' -benchtime 1x ./cmd/stemma
echo "# capture: a commit and a hook, what a rebase and one more commit owe, a transcript replayed"
bench -bench 'Commit$|Hook$' -benchtime 1x ./cmd/stemma
bench -bench 'Rebase$|OneMore$|Replay$|Models$' -benchtime 1x ./ingest/settle
echo "# notes: 100,000 of them read, against git cat-file --batch over the same"
bench -bench 'Notes$' -benchtime 1x ./ingest/records
echo "# the log: durable facts a second, against bare rows in the same number of transactions"
bench -bench 'Append$' ./ledger
echo "# webhooks: accepted a second, and how long the slowest hundredth waits while the dashboard is read, against 2,000 a second"
bench -bench 'Hooks$' -benchtime 1x ./server
echo "# the overview of 200,000 changes against 41 controls, which has to take less than 50 ms"
bench -bench 'GovernanceOverview$' -benchtime 200x ./dashboard
echo "# look-ups in a graph of one million nodes, against one of a hundred thousand"
bench -bench 'LookUps$' -benchtime 200x ./query
echo "# the lineage of a change in production over HTTP, 200,000 changes, against 20,000"
bench -bench 'LineageOverHTTP$' -benchtime 200x ./query
echo "# the population between two deployments, 1,000 commits of 200,000, against 20,000"
bench -bench 'Population$' -benchtime 20x ./query/population
echo "# one change gathered and judged, of 200,000, against 20,000; and 10,000 of them"
bench -bench 'Judge$' -benchtime 300x ./policy/gather
echo "# the graph derived from the log"
bench -bench 'Apply$' ./graph
echo "# secrets cut from a body, against gzip of it"
bench -bench 'Body$' ./redact
