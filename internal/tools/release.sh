#!/usr/bin/env bash
# Builds everything that a release consists of into a directory: archives, Debian packages, the chart, bills of materials,
# licences, and the sums of all.
#
#   internal/tools/release.sh v1.2.3 DIRECTORY
set -euo pipefail
version=${1:?version, such as v1.2.3}
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "VERSION=$version: expected one such as v1.2.3 or v1.2.3-rc1"; exit 2; }
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "${2:?directory}"
out=$(cd "$2" && pwd)
[ -z "$(ls -A "$out")" ] || { echo "$out is not empty"; exit 2; }
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

"$top/internal/tools/package.sh" "$version" "$out"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for arch in amd64 arm64; do
	name=outrider_${version#v}_linux_$arch
	tar -C "$work" -xzf "$out/$name.tar.gz"
	"$top/internal/tools/sbom.sh" "$version" "$work/sbom-$arch" "$work/$name/gateway"
	mv "$work/sbom-$arch/gateway.cdx.json" "$out/$name.cdx.json"
done
[ ! -e "$work/sbom-amd64/console.cdx.json" ] || mv "$work/sbom-amd64/console.cdx.json" "$out/outrider_${version#v}_console.cdx.json"

# The chart's version is the program's.
cp -r "$top/deployments/helm/outrider" "$work/outrider"
sed -i "s/^version: .*/version: ${version#v}/; s/^appVersion: .*/appVersion: $version/" "$work/outrider/Chart.yaml"
tar -C "$work" --exclude=ci --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' -cf - outrider |
	gzip -n9 >"$out/outrider-chart-${version#v}.tgz"

cp "$top/deployments/THIRD_PARTY_LICENCES" "$out/"
(cd "$out" && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
ls -l "$out"
