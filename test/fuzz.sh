#!/usr/bin/env bash
# Runs every fuzz target of the repository for the time given (default 30s), one after the other, and says what CPU time
# each has had.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
TIMEFORMAT='%U %S'
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for file in $(grep -rl --include='*_test.go' '^func Fuzz' . | sort); do
	package=$(dirname "$file")
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		failed=
		cpu=$({ time go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel 2 >"$log" 2>&1 || false; } 2>&1) || failed=1
		# The end of the time may catch a worker at work: that is no finding.
		if [ -n "$failed" ] && { grep -qE 'Failing input|panic' "$log" || ! grep -q 'context deadline exceeded' "$log"; }; then
			cat "$log"
			exit 1
		fi
		echo "$package $target $(awk '{ printf "%.0f", $1 + $2 }' <<<"$cpu") CPU seconds"
	done
done
