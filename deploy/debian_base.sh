#!/bin/sh
# A base for the image (`make image BASE=localhost/onroll-base`) where no registry can be reached: Debian's packages with its security
# updates of the day, which debootstrap and apt verify by Debian's keys. Needs root, debootstrap, and podman or docker.
set -eu
engine=${1:-podman}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,libgomp1 bookworm "$place/base"
cd "$place/base"
# Security updates lie beside the archive that debootstrap took.
sed -n 's|^deb \(.*\)/debian bookworm main.*|deb \1/debian-security bookworm-security main|p' etc/apt/sources.list > etc/apt/sources.list.d/security.list
test -s etc/apt/sources.list.d/security.list || { echo "Name an archive whose address ends in /debian." >&2; exit 1; }
chroot . apt-get update
DEBIAN_FRONTEND=noninteractive chroot . apt-get upgrade --yes
rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* usr/share/man/* usr/share/locale/* usr/share/info/*
find usr/share/doc -type f ! -name copyright -delete
: > etc/resolv.conf
tar --create --file "$place/base.tar" .
"$engine" import "$place/base.tar" localhost/onroll-base
