#!/usr/bin/env bash
# Looks for known vulnerabilities in what the program calls. Without a way to the database (vuln.go.dev, or what GOVULNDB
# names) it says so and is no failure: nothing was checked then.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=$(timeout 300 go tool -modfile=internal/tools/go.mod govulncheck ./... 2>&1)
status=$?
if [ $status -ne 0 ] && [ $status -ne 3 ] && grep -qE 'fetching vulnerabilities|dial tcp|no such host|proxyconnect|Forbidden|timeout' <<<"$out"; then
	echo "NOT CHECKED for known vulnerabilities: the database is not reachable from here ($(tail -1 <<<"$out"))"
	exit 0
fi
echo "$out"
exit $status
