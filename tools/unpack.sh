#!/bin/sh
# Unpacks the packages of tools/packages/unpacked into the folder that is named: other people's servers for the laboratory that
# cannot be installed beside each other. Nothing of them is configured, and none is started.
set -eu
target=$1
list=$(sed 's/#.*//' "$(dirname "$0")/packages/unpacked")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
(cd "$work" && apt-get download -q $list >/dev/null)
mkdir "$work/tree"
for package in "$work"/*.deb; do
  dpkg -x "$package" "$work/tree"
done
mkdir -p "$(dirname "$target")"
cp -a "$work/tree" "$target"
touch "$target"
