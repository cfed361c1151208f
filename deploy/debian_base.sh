#!/bin/sh
# A base for the image (`make image BASE=localhost/onroll-base`) where no registry can be reached: Debian's packages, which debootstrap
# verifies by Debian's keys. Needs root, debootstrap, and podman or docker.
set -eu
engine=${1:-podman}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,libgomp1 bookworm "$place/base"
cd "$place/base"
rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* usr/share/man/* usr/share/locale/* usr/share/info/*
find usr/share/doc -type f ! -name copyright -delete
tar --create --file "$place/base.tar" .
"$engine" import "$place/base.tar" onroll-base
