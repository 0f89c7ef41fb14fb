#!/bin/sh
# Fetches the real ZooKeepers that the compatibility suite and the benchmarks compare zkd with:
# Debian's 3.8 as a package, 3.9 as jars into test/.cache. Safe to run again; what is there already is left alone.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's:.*<zookeeper.version>\(.*\)</zookeeper.version>.*:\1:p' "$here/pom.xml")
target="$here/../.cache/zookeeper-$version"
status=0

missing() {
	echo "realzk: $1" >&2
	status=1
}

if [ -e /usr/share/java/zookeeper.jar ]; then
	echo "realzk: distribution package is installed"
elif ! command -v apt-get >/dev/null 2>&1; then
	missing "no apt-get here: ZooKeeper 3.8 is skipped (Debian package: zookeeper)"
else
	sudo=""
	[ "$(id -u)" -eq 0 ] || sudo="sudo"
	$sudo apt-get install -y --no-upgrade zookeeper || missing "could not install the package zookeeper (try apt-get update first)"
fi

if [ -e "$target/zookeeper-$version.jar" ]; then
	echo "realzk: ZooKeeper $version is in $target"
elif ! command -v mvn >/dev/null 2>&1; then
	missing "no mvn here: ZooKeeper $version is skipped (Debian package: maven)"
else
	# A half-filled folder must never look complete, so the jars arrive under another name first.
	rm -rf "$target.part"
	mkdir -p "$target.part"
	if mvn -B -q -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory="$target.part"; then
		rm -rf "$target"
		mv "$target.part" "$target"
		echo "realzk: ZooKeeper $version is in $target"
	else
		rm -rf "$target.part"
		missing "mvn could not fetch ZooKeeper $version"
	fi
fi

command -v java >/dev/null 2>&1 || missing "no java here (Debian package: openjdk-17-jre-headless)"
exit $status
