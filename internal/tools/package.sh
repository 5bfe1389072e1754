#!/usr/bin/env bash
# Builds what is released for Linux into a directory: for each architecture an archive and a Debian package.
#
#   internal/tools/package.sh v1.2.3 DIRECTORY [amd64 arm64]
#
# The same source gives the same files, bit by bit: no path, build id, time or user of the machine is in them.
set -euo pipefail
version=${1:?version, such as v1.2.3}
mkdir -p "${2:?directory}"
out=$(cd "$2" && pwd)
shift 2
[ $# -gt 0 ] || set -- amd64 arm64
cd "$(dirname "$0")/../.."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build ARCH DIRECTORY COMMAND...
build() {
	local arch=$1 dir=$2
	shift 2
	CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -buildvcs=false -tags timetzdata \
		-ldflags "-s -w -buildid= -X main.version=$version" -o "$dir/" "${@/#/./cmd/}"
}

for arch; do
	build "$arch" "$work/$arch" gateway simulator
done

# What the program says of itself is the same on every architecture.
host=$(go env GOHOSTARCH)
[ -x "$work/$host/gateway" ] || build "$host" "$work/$host" gateway
"$work/$host/gateway" man --dir="$work/man"
mkdir "$work/completion"
"$work/$host/gateway" completion bash >"$work/completion/gateway"
"$work/$host/gateway" completion zsh >"$work/completion/_gateway"
"$work/$host/gateway" completion fish >"$work/completion/gateway.fish"

# archive ARCH
archive() {
	local dir="outrider_${version#v}_linux_$1"
	mkdir -p "$work/$dir"
	cp -r "$work/$1/gateway" "$work/$1/simulator" "$work/man" "$work/completion" CHANGELOG.md deployments/THIRD_PARTY_LICENCES \
		deployments/gateway.yaml deployments/systemd "$work/$dir/"
	tar -C "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' -cf - "$dir" |
		gzip -n9 >"$out/$dir.tar.gz"
}

# deb ARCH
deb() {
	local stage=$work/deb-$1
	mkdir -p "$stage"
	cp -r "$work/$1/gateway" "$work/man" "$work/completion" "$stage/"
	find "$stage/man" -type f -exec gzip -n9 {} +
	gzip -n9c CHANGELOG.md >"$stage/changelog.gz"
	gzip -n9c deployments/THIRD_PARTY_LICENCES >"$stage/licences.gz"
	sed 's,/usr/local/bin/,/usr/bin/,g' deployments/systemd/outrider.service >"$stage/outrider.service"
	find "$stage" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
	# A version of Debian begins with a digit and sorts 1.2.0~rc1 before 1.2.0.
	local number=${version#v}
	[[ $number == [0-9]* ]] || number="0~$number"
	STAGE=$stage ARCH=$1 PKGVERSION=${number//-/\~} go tool -modfile=internal/packaging/go.mod nfpm package \
		--config deployments/deb/nfpm.yaml --packager deb --target "$out/" >"$work/nfpm.log" || { cat "$work/nfpm.log"; exit 1; }
}

for arch; do
	archive "$arch"
	deb "$arch"
done
