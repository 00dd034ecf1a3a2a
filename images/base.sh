#!/usr/bin/env bash
# Makes the image that images/build.sh can build on where no registry is reached: Debian with Python, from Debian's
# packages, with buildah and mmdebstrap. Made once; `buildah rmi NAME` has it made again. Needs root.
# usage: images/base.sh NAME
set -euo pipefail

name=$1
if buildah inspect --type image "$name" >/dev/null 2>&1; then exit; fi
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
mmdebstrap --quiet --variant=essential --include=python3,python3-venv,libstdc++6,ca-certificates bookworm "$context/root.tar"
printf 'FROM scratch\nADD root.tar /\n' >"$context/Containerfile"
buildah build --quiet --tag "$name" "$context" >/dev/null
echo "built $name"
