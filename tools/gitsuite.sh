#!/usr/bin/env bash
# Runs git's own test scripts against the installed git twice: as it is, and with
# stemma installed for the whole machine while an agent works, whose hooks look at
# the work tree before every git command. Each single test must end the same way;
# a test that git fails by itself may go on failing. It prints a table and ends
# with 1 if anything differs or a script did not run. Arguments name the scripts,
# by their numbers; without any it runs those about what moves lines.
#
# The scripts and the helper program that they need come from git's source, as a
# Go module with a digest; it is compiled once, into .cache.
#
# Two things that git lets a repository do are not among them, since stemma is seen
# there by design: hooks that have no relay (install/githook), or names that only git
# hook run knows (t1800); and comparing git directories byte by byte (t3426), where
# the spool lies.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v2.39.5+incompatible
digest=h1:J/G2JNxOgoVZ1dNgvNXuvsEJq6ucOBMIlWhV36QWBrA=

scripts=("$@")
if [ ${#scripts[@]} -eq 0 ]; then
	scripts=(
		3301                                         # notes
		3400 3403 3404 3406 3413 3415 3416 3418 3420 3421 3430 # rebase
		3501 3502 3503 3504 3505 3506 3507 3508 3509 3510 # cherry-pick and revert
		3903 3904 3905                               # stash
		5401 5402 5403 5407 5520 5521 5571           # hooks, pull, push
		6402 7600 7601                               # merge
		7500 7501 7502 7503 7504 7505                # commit
	)
fi

source=$PWD/.cache/gitsuite/$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch puts git's source into $source and compiles what its scripts need.
fetch() {
	[ -e "$source/ready" ] && return
	tools/setup.sh gitsuite
	local module
	module=$(tools/module.sh github.com/git/git "$version" "$digest")
	echo "compiling git's test helper, once" >&2
	rm -rf "$source"
	mkdir -p "$(dirname "$source")"
	cp -R "$module" "$source"
	chmod -R u+w "$source"
	grep -rlI '^#!' "$source/t" | xargs -d '\n' chmod +x # which a module does not keep
	make -s -j2 -C "$source" CFLAGS=-O0 NO_CURL=1 NO_EXPAT=1 NO_OPENSSL=1 NO_GETTEXT=1 NO_TCLTK=1 NO_PYTHON=1 \
		t/helper/test-tool GIT-BUILD-OPTIONS >"$work/make" 2>&1 || { cat "$work/make" >&2; exit 1; }
	make -s -C "$source/templates"
	touch "$source/ready"
}

# setup makes two directories with a program git: plain/git is the installed one,
# with/git is it on a machine where stemma is set up and an agent works. The
# scripts want no configuration of the machine; theirs is what stemma wrote.
setup() {
	CGO_ENABLED=0 go build -trimpath -o "$work/bin/stemma" ./cmd/stemma
	PATH=$work/bin:$PATH stemma init --system --root "$work/machine" --agents none >/dev/null
	mkdir "$work/plain" "$work/with"
	ln -s "$(command -v git)" "$work/plain/git"
	cat >"$work/with/git" <<-END
		#!/bin/sh
		unset GIT_CONFIG_NOSYSTEM
		GIT_CONFIG_SYSTEM=$work/machine/etc/gitconfig STEMMA_WAIT=1 STEMMA_DATA=$work/data
		export GIT_CONFIG_SYSTEM STEMMA_WAIT STEMMA_DATA
		look() {
			printf '{"hook_event_name":"%s","session_id":"suite","tool_name":"Bash","tool_use_id":"1","tool_input":{"command":"make"}}' "\$1" |
				"$work/bin/stemma" hook claude-code >&2
		}
		look PostToolUse # of what was done since the last command
		look PreToolUse
		exec "$(command -v git)" "\$@"
	END
	chmod +x "$work/with/git"
}

# prove makes sure that stemma sees what a script does: after a merge in a repository
# that knows nothing of it there is a spool, and a note by its hook.
prove() {
	local dir=$work/proof git=$work/with/git
	mkdir "$dir"
	(
		cd "$dir"
		export HOME=$dir GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com PATH=$work/bin:$PATH
		"$git" init -q -b main
		"$git" commit -q --allow-empty -m first
		"$git" checkout -q -b side
		echo a line >file
		"$git" add file
		"$git" commit -q -m second
		"$git" checkout -q main
		"$git" merge -q side
		test -s .git/stemma/spool && "$git" rev-parse -q --verify refs/notes/ai >/dev/null
	) || {
		echo "gitsuite: git cannot commit and merge any more, or stemma does not see it, so that nothing would be proven" >&2
		exit 1
	}
}

# run runs a script in one of the two states and keeps how each test ended.
run() {
	local state=$1 script=$2
	mkdir -p "$work/$state.out"
	(cd "$source/t" && env PATH="$work/bin:$PATH" GIT_TEST_INSTALLED="$work/$state" TEST_OUTPUT_DIRECTORY="$work/$state.out" \
		sh "$script" </dev/null) >"$work/$script.$state" 2>&1 || true
	grep -aE '^(ok|not ok) [0-9]+|^1\.\.[0-9]' "$work/$script.$state" >"$work/$script.$state.ends" || true
}
export -f run
export source work

# compare prints a row of the table for each script; it fails if one is not the same.
compare() {
	local script failed=0 tests own verdict
	printf '%-55s %6s %7s  %s\n' script tests failing 'with stemma'
	for script; do
		tests=$(grep -cE '^(ok|not ok)' "$work/$script.plain.ends" || true)
		own=$(grep -c '^not ok' "$work/$script.plain.ends" || true)
		verdict=same
		if [ "$tests" = 0 ] || ! grep -q '^1\.\.' "$work/$script.plain.ends"; then
			verdict='did not run' failed=1
			tail -n 3 "$work/$script.plain" >&2
		elif ! diff -u "$work/$script.plain.ends" "$work/$script.with.ends" >"$work/diff"; then
			verdict=DIFFERENT failed=1
			grep -E '^[-+](ok|not ok|1\.\.)' "$work/diff" >&2 || true
		fi
		printf '%-55s %6d %7d  %s\n' "$script" "$tests" "$own" "$verdict"
	done
	return $failed
}

fetch
setup
prove
names=()
for number in "${scripts[@]}"; do
	names+=("$(basename "$source"/t/t"$number"-*.sh)")
done
printf '%s\n' "${names[@]}" | sed 's/.*/with &\nplain &/' | xargs -P 2 -L 1 bash -c 'run "$@"' run
compare "${names[@]}"
