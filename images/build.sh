#!/usr/bin/env bash
# Builds the two images from programs that are built already, with buildah or docker, whichever is there.
# usage: images/build.sh FOLDER-WITH-PROGRAMS [TAG]
#   BASE=IMAGE     builds on another Debian with Python than python:3.11-slim-bookworm
#   ARCHIVE=FOLDER also writes each image as an archive there
#   CERTIFICATES=FILE  lets pip trust these while it builds
set -euo pipefail

programs=$(cd "$1" && pwd)
tag=${2:-0.1}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT

for program in firesteel firesteel-operator; do
  # Symbols are a large part of a program and of no use in an image.
  strip -o "$context/$program" "$programs/$program"
done
cp "$here/requirements.txt" "$context/"
mkdir "$context/python"
cp -r "$here/../python/pyspark" "$here/../python/pyproject.toml" "$here/../python/README.md" "$context/python/"
if [ -n "${CERTIFICATES:-}" ]; then cp "$CERTIFICATES" "$context/certificates.pem"; else : >"$context/certificates.pem"; fi
# Layers are found again by what they are made of, times of files included.
find "$context" -exec touch --date=2020-01-01 {} +

if command -v buildah >/dev/null; then
  build() { buildah build --quiet --layers "$@"; }
  save() { rm -f "$2"; buildah push --quiet "$1" "docker-archive:$2:$1"; }
else
  build() { docker build --quiet "$@"; }
  save() { docker save --output "$2" "$1"; }
fi

for image in operator driver; do
  name=firesteel$([ $image = operator ] && echo -operator || true)
  base=${BASE:+--build-arg BASE=$BASE}
  # shellcheck disable=SC2086
  build $base --tag "$name:$tag" --file "$here/$image/Containerfile" "$context" >/dev/null
  echo "built $name:$tag"
  if [ -n "${ARCHIVE:-}" ]; then
    mkdir -p "$ARCHIVE"
    save "$name:$tag" "$ARCHIVE/$name.tar"
    echo "wrote $ARCHIVE/$name.tar"
  fi
done
