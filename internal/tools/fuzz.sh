#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time each, several at once: four times as many as there are processors,
# each with one worker, since many targets wait for disks and sockets. What each said is in bin/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."
time=${1:-10s}
logs=$PWD/bin/fuzz
cache=$(go env GOCACHE)/fuzz
rm -rf "$logs"
mkdir -p "$logs"

# One test program for each package, with the instrumentation that guides the fuzzing.
list=$logs/targets
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do
	name=$(echo "${dir#./}" | tr / -)
	go test -c -fuzz . -o "$logs/$name.test" "$dir" || exit 1
	grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed "s|^func |$name ${dir#./} |"
done >"$list"

# Where the time ends in the middle of a slow input, Go's fuzzer says "context deadline exceeded" and fails, with no input that
# failed: that is no finding.
only_late() {
	grep -qx ' *context deadline exceeded' "$1" && ! grep -qE 'Failing input|panic|_test\.go:[0-9]+:' "$1"
}

run() {
	log=$3/$1.$4.log
	cd "$2"
	if ! "$3/$1.test" -test.run '^$' -test.fuzz "^$4\$" -test.fuzztime "$time" -test.fuzzcachedir "$5/outrider/$2" -test.parallel 1 >"$log" 2>&1 &&
		! only_late "$log"; then
		echo "FAIL $2 $4: $log"
		cat "$log"
		exit 1
	fi
	echo "ok   $2 $4: $(grep -oE 'execs: [0-9]+' "$log" | tail -1)"
}
export -f run only_late
export time
while read -r name dir target; do
	printf '%s\0%s\0%s\0%s\0%s\0' "$name" "$dir" "$logs" "$target" "$cache"
done <"$list" | xargs -0 -n5 -P "$((4 * $(nproc)))" bash -c 'run "$@"' fuzz
rm -f "$logs"/*.test
echo "$(wc -l <"$list") fuzz targets, $time each; logs in bin/fuzz"
