#!/usr/bin/env bash
# What the README's first command promises: a server that answers, from a fresh clone, without a configuration.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
go build -o "$dir/zkd" ./cmd/zkd
if (exec 3<>/dev/tcp/127.0.0.1/2181) 2>/dev/null; then
	echo "quickstart: port 2181 is taken, not tried"
	pid=$$
	trap 'rm -rf "$dir"' EXIT
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
wait "$pid"
echo "quickstart: $(cat "$dir/out" | head -1)"
