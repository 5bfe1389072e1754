#!/usr/bin/env bash
# Compares deployments/THIRD_PARTY_LICENCES with what the programs are made of; with --write, writes it.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ ! -d console/ui/node_modules ]; then
	command -v npm >/dev/null || { echo "skipped: no Node here, so the licences of the console's packages could not be read"; exit 0; }
	(cd console/ui && npm ci --no-audit --no-fund --loglevel=error)
fi
new=$(mktemp)
trap 'rm -f "$new"' EXIT
(cd internal/packaging && go run ./licences) >"$new"
if [ "${1-}" = --write ]; then
	cp "$new" deployments/THIRD_PARTY_LICENCES
elif ! cmp -s "$new" deployments/THIRD_PARTY_LICENCES; then
	diff "$new" deployments/THIRD_PARTY_LICENCES | head -20
	echo "deployments/THIRD_PARTY_LICENCES is not what the programs are made of: run make licences WRITE=--write and commit the result"
	exit 1
fi
