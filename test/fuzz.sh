#!/bin/sh
# Runs every fuzz target of the repository for the time given (default 30s), one after the other.
set -eu
cd "$(dirname "$0")/.."
time=${1:-30s}
for file in $(grep -rl --include='*_test.go' '^func Fuzz' .); do
	package=$(dirname "$file")
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		echo "$package $target"
		if ! out=$(go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel 2 2>&1); then
			# The end of the time may catch a worker at work: that is no finding.
			case $out in
			*'Failing input'* | *panic*) ;;
			*'context deadline exceeded'*) continue ;;
			esac
			printf '%s\n' "$out"
			exit 1
		fi
	done
done
