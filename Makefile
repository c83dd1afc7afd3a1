# make run    build stemma, scan this repository (and REPOS="…"), serve the dashboard, and beside it a story
# make test   everything that must hold before a commit
# make check  the slower checks: linters, race detector, short fuzzing, git's own test scripts
# make test-forge  a real Gitea, worked at by people, told by its webhooks and fetched
# make bench  the measured promises of docs/benchmarks.md, as ratios

SHELL := bash
GO    ?= go
BIN   := bin/stemma
ADDR  ?= 127.0.0.1:7171
STORY ?= 127.0.0.1:7172
REPOS ?=
# How many inputs each fuzz target tries in `make check`.
FUZZ ?= 5000x

.PHONY: build run test check lint fuzz race gitsuite test-forge bench setup clean help

help:
	@sed -n 's/^# //p' Makefile | head -5

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/stemma

run: build
	$(BIN) scan . $(REPOS)
	GO=$(GO) tools/run.sh $(BIN) $(ADDR) $(STORY)

test: setup
	$(GO) vet ./...
	$(GO) test -timeout 40m ./...

check: lint race fuzz gitsuite

lint:
	$(GO) mod tidy -diff
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

# SQLite is C that was translated to Go: nothing here shares its memory with it, and watched
# by the detector it takes most of the time.
race: setup
	$(GO) test -race -gcflags='modernc.org/sqlite/lib=-race=false' -gcflags='modernc.org/libc/...=-race=false' -short -timeout 40m ./...

fuzz:
	tools/fuzz.sh $(FUZZ)

gitsuite:
	tools/gitsuite.sh

test-forge: setup
	tools/forge.sh

bench: build
	tools/bench.sh

setup:
	@tools/setup.sh

clean:
	rm -rf bin .cache
