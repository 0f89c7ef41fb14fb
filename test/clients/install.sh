#!/bin/sh
# Fetches the stock clients that the suites beside this script run: Debian packages, jars and a Python environment
# in test/.cache, Go modules. Safe to run again; what is there already is left alone.
#
#   install.sh [client …]          all of them, or those named
#   install.sh --check client …    changes nothing; one line for each that is missing, exit 1 if any is
#
# A client is a pair of functions: have_X says whether it is there, and get_X fetches it. One line of "clients" names it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$here/../.cache
clients="zkcli-3.8 zkcli-3.9 gozk kazoo tooz c java-clients node node-native rust"

zookeeper=$(sed -n 's:.*<zookeeper.version>\(.*\)</zookeeper.version>.*:\1:p' "$here/../realzk/pom.xml")
kazoo=$(sed -n 's/^kazoo==//p' "$here/kazoo/requirements.txt")

have_java() { [ -n "${ZK_JAVA:-}" ] || command -v java >/dev/null 2>&1; }

# zkCli of 3.8 is Debian's.
have_zkcli_3_8() { have_java && [ -e /usr/share/java/zookeeper.jar ] && [ -e /usr/share/java/commons-cli.jar ]; }
get_zkcli_3_8() { debian zookeeper; }

# zkCli of 3.9 is the jars that test/realzk fetches for the server, and what only the client needs.
have_zkcli_3_9() {
	have_java && [ -e "$cache/zookeeper-$zookeeper/zookeeper-$zookeeper.jar" ] && [ -e "$cache/zkcli/done" ]
}
get_zkcli_3_9() {
	sh "$here/../realzk/install.sh" || return 1
	command -v mvn >/dev/null 2>&1 || debian maven || return 1
	fresh zkcli &&
		mvn -B -q -f "$here/zkcli/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
			-DincludeScope=runtime -DoutputDirectory="$cache/zkcli" && touch "$cache/zkcli/done"
}

have_gozk() { (cd "$here/gozk/scripts" && [ -d "$(go list -m -f '{{.Dir}}' github.com/go-zookeeper/zk 2>/dev/null)" ]); }
get_gozk() { (cd "$here/gozk/scripts" && go mod download); }

have_kazoo() { [ -e "$cache/kazoo/done-$kazoo" ]; }
get_kazoo() { get_pip kazoo && touch "$cache/kazoo/done-$kazoo"; }

have_tooz() { cmp -s "$here/tooz/requirements.txt" "$cache/tooz/done"; }
get_tooz() { get_pip tooz && cp "$here/tooz/requirements.txt" "$cache/tooz/done"; }

# get_pip X: a Python environment in the cache with what X/requirements.txt names.
get_pip() {
	fresh "$1" && { python3 -m venv "$cache/$1" 2>/dev/null || { debian python3-venv && python3 -m venv "$cache/$1"; }; } &&
		"$cache/$1/bin/pip" install -q --disable-pip-version-check -r "$here/$1/requirements.txt"
}

have_c() {
	command -v cc >/dev/null 2>&1 && [ -x /usr/lib/zookeeper/bin/cli_mt ] && [ -e /usr/include/zookeeper/zookeeper.h ]
}
get_c() {
	command -v cc >/dev/null 2>&1 || debian gcc || return 1
	debian libzookeeper-mt-dev && debian zookeeper-bin
}

# The Java clients live in Maven's own cache. Surefire fetches parts of its own only when it runs a test, so one is run.
java_done=$cache/java/done-$(cat "$here/java/pom.xml" "$here/java/own/pom.xml" | cksum | cut -d' ' -f1)
have_java_clients() { have_java && command -v mvn >/dev/null 2>&1 && [ -e "$java_done" ]; }
get_java_clients() {
	command -v mvn >/dev/null 2>&1 || debian maven || return 1
	for pom in java/pom.xml java/own/pom.xml; do
		mvn -B -q -f "$here/$pom" test -Dtest=InstallTest -Dzk.address=none || return 1
	done
	fresh java && touch "$java_done"
}

have_node() { have_npm node pure; }
get_node() { get_npm node pure; }

# The native client is compiled on the spot: that takes a C++ compiler, make and Node's headers.
have_node_native() { have_npm node-native native; }
get_node_native() { get_npm node-native native; }

have_rust() { command -v cargo >/dev/null 2>&1 && cmp -s "$here/rust/Cargo.lock" "$cache/rust/done"; }
get_rust() {
	command -v cargo >/dev/null 2>&1 || { echo "clients: no cargo here (Debian package: cargo)" >&2; return 1; }
	mkdir -p "$cache/rust" && CARGO_TARGET_DIR="$cache/rust" cargo build -q --locked --manifest-path "$here/rust/Cargo.toml" &&
		cp "$here/rust/Cargo.lock" "$cache/rust/done"
}

# have_npm and get_npm X folder: the packages that node/folder locks, in the cache as X.
have_npm() {
	command -v node >/dev/null 2>&1 && cmp -s "$here/node/$2/package-lock.json" "$cache/$1/done"
}
get_npm() {
	command -v npm >/dev/null 2>&1 || { echo "clients: no npm here (Debian package: npm)" >&2; return 1; }
	fresh "$1" && cp "$here/node/$2/package.json" "$here/node/$2/package-lock.json" "$cache/$1" &&
		npm ci --prefix "$cache/$1" --no-audit --no-fund --loglevel=error >&2 &&
		cp "$here/node/$2/package-lock.json" "$cache/$1/done"
}

# debian installs a package, unless it is there.
debian() {
	command -v apt-get >/dev/null 2>&1 || { echo "clients: no apt-get here for the package $1" >&2; return 1; }
	sudo=""
	[ "$(id -u)" -eq 0 ] || sudo="sudo"
	$sudo apt-get install -y -q --no-upgrade "$1" >&2
}

# fresh empties a folder of the cache: a half-filled one of an earlier try must not look complete.
fresh() { rm -rf "${cache:?}/$1" && mkdir -p "$cache/$1"; }

function_of() { echo "$1" | tr '.-' '__'; }

check=""
if [ "${1:-}" = "--check" ]; then
	check=yes
	shift
fi
[ $# -gt 0 ] || set -- $clients

status=0
for client in "$@"; do
	case " $clients " in
	*" $client "*) ;;
	*)
		echo "clients: there is no $client; there are: $clients" >&2
		exit 2
		;;
	esac
	name=$(function_of "$client")
	if "have_$name"; then
		[ -n "$check" ] || echo "clients: $client is installed"
	elif [ -n "$check" ]; then
		echo "clients: $client is not installed (run test/clients/install.sh $client)" >&2
		status=1
	elif "get_$name" && "have_$name"; then
		echo "clients: $client is installed now"
	else
		echo "clients: could not install $client; its suite is skipped" >&2
		status=1
	fi
done
exit $status
