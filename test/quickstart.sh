#!/usr/bin/env bash
# What the README's first command promises: a server that answers, from a fresh clone, without a configuration.
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
echo "quickstart: $(head -1 "$dir/out")"
