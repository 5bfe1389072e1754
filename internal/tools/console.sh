#!/usr/bin/env bash
# Checks the web console: types, lint, unit tests, and that the committed build is what the source makes.
set -euo pipefail
cd "$(dirname "$0")/../../console/ui"

if ! command -v npm >/dev/null; then
	echo "skipped: no Node here, so the console's source was not compared with what is built of it"
	exit 0
fi
log=$(mktemp)
built=$(mktemp -d)
trap 'rm -rf "$log" "$built"' EXIT
npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1 || { cat "$log"; exit 1; }
npm run --silent check >"$log" 2>&1 || { cat "$log"; exit 1; }
npx vite build --logLevel error --outDir "$built" --emptyOutDir >"$log" 2>&1 || { cat "$log"; exit 1; }
if ! diff -rq "$built" dist; then
	echo "console/ui/dist is not what console/ui/src builds: run make ui and commit the result"
	exit 1
fi
