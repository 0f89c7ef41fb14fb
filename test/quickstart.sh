#!/usr/bin/env bash
# What the README promises: a server that answers, from a fresh clone, without a configuration; and three of them.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
go build -o "$dir/zkd" ./cmd/zkd
if (exec 3<>/dev/tcp/127.0.0.1/2181) 2>/dev/null; then
	echo "quickstart: port 2181 is taken, not tried"
	exit 0
fi
(cd "$dir" && exec ./zkd) >"$dir/out" 2>&1 &
pid=$!
n=0
until grep -q 'serves ZooKeeper clients' "$dir/out"; do
	n=$((n + 1))
	[ $n -lt 100 ] && kill -0 "$pid" 2>/dev/null || { cat "$dir/out"; exit 1; }
	sleep 0.1
done
answer=$(bash -c 'exec 3<>/dev/tcp/127.0.0.1/2181; printf ruok >&3; cat <&3')
[ "$answer" = imok ] || { echo "quickstart: ruok was answered by '$answer'"; exit 1; }
kill "$pid"
wait "$pid" # its exit code, which is 0 for one that was told to stop
pid=
echo "quickstart: $(grep -m1 serves "$dir/out")"

# The README's three servers, word by word.
three=$(sed -n '/^Three servers/,/^To keep/{/^```sh$/,/^```$/{/^```/d;p}}' README.md)
stop=$(sed -n '/^```sh stop$/,/^```$/{/^```/d;p}' README.md)
[ -n "$three" ] && [ -n "$stop" ] || { echo 'quickstart: the README has no three servers any more'; exit 1; }
(
	cd "$dir"
	trap 'kill $(jobs -p) $(cat zk?/pid) 2>/dev/null || true; wait' EXIT
	mkdir bin
	mv zkd bin/zkd
	eval "$three" >three 2>&1 &
	starts=$!
	( sleep 60; kill $starts ) 2>/dev/null &
	wait $starts || { cat three; exit 1; }
	grep '^healthy: 3 of 3 voters' three
	if grep -E 'level=(WARN|ERROR)' three; then
		echo 'quickstart: a faultless start of three warns'
		exit 1
	fi
	pids=$(cat zk?/pid)
	eval "$stop"
	n=0
	for pid in $pids; do
		while kill -0 "$pid" 2>/dev/null; do
			n=$((n + 1))
			[ $n -lt 100 ] || { echo "quickstart: a server does not stop"; exit 1; }
			sleep 0.1
		done
	done
)
