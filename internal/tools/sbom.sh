#!/usr/bin/env bash
# Writes a bill of materials (CycloneDX, JSON) for each program, read off the program itself, and one for the console that is
# built into it:
#
#   internal/tools/sbom.sh VERSION DIRECTORY PROGRAM...
set -euo pipefail
version=${1:?version}
mkdir -p "${2:?directory}"
out=$(cd "$2" && pwd)
shift 2
for program; do
	set -- "$(realpath "$program")"
	(cd "$(dirname "$0")/../.." && go tool -modfile=internal/packaging/go.mod cyclonedx-gomod bin -json -licenses -std -noserial -notimestamp \
		-version "$version" -output "$out/$(basename "$1").cdx.json" "$1" 2>"$out/sbom.log") || { cat "$out/sbom.log"; exit 1; }
	rm -f "$out/sbom.log"
done
cd "$(dirname "$0")/../../console/ui"
if command -v npm >/dev/null; then
	[ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error
	npm sbom --sbom-format cyclonedx --omit dev | node -e '
		const bom = JSON.parse(require("fs").readFileSync(0))
		delete bom.serialNumber; delete bom.metadata.timestamp // the same source, the same bill
		console.log(JSON.stringify(bom, null, 2))' >"$out/console.cdx.json"
else
	echo "no Node here: there is no bill of the console's packages"
fi
