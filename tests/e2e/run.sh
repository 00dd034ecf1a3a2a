#!/usr/bin/env bash
# Runs tests/e2e on a cluster of its own, from nothing: images of programs that are built already, two nodes, the tests;
# then the cluster goes away. CLUSTER is a program with the commands up, load, run, node-stop, node-start and down.
# usage: tests/e2e/run.sh CLUSTER FOLDER-WITH-PROGRAMS COMMAND...
# What takes long to make, a base image and the layer with Python's packages, stays in FIRESTEEL_CACHE.
set -euo pipefail

cluster=$(realpath "$1") programs=$(realpath "$2")
shift 2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${FIRESTEEL_CACHE:-$HOME/.cache/firesteel}/images
timings=()

timed() {
  local name=$1 started=$SECONDS
  shift
  "$@"
  timings+=("$((SECONDS - started)) s  $name")
}

tools() {
  local missing=() tool
  for tool in buildah mmdebstrap; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  [ ${#missing[@]} = 0 ] && return
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

images() {
  mkdir -p "$cache"
  printf '[storage]\ndriver = "overlay"\nrunroot = "%s/run"\ngraphroot = "%s/storage"\n' "$cache" "$cache" >"$cache/storage.conf"
  export CONTAINERS_STORAGE_CONF=$cache/storage.conf BUILDAH_ISOLATION=chroot
  local trusted=/etc/ssl/certs/ca-certificates.crt
  "$root/images/base.sh" localhost/firesteel-base:bookworm
  BASE=localhost/firesteel-base:bookworm ARCHIVE=$cache CERTIFICATES=$([ -e $trusted ] && echo $trusted) \
    "$root/images/build.sh" "$programs"
  # Of images that were built before only what is used again stays.
  buildah rmi --prune >/dev/null
}

start() {
  "$cluster" up 2
  "$cluster" load "$cache/firesteel.tar" "$cache/firesteel-operator.tar"
  rm "$cache/firesteel.tar" "$cache/firesteel-operator.tar"
  "$cluster" run kubectl apply --filename "$root/tests/e2e/keep-images.yaml"
  "$cluster" run kubectl rollout status --namespace kube-system daemonset/keep-images --timeout 90s
}

timed "tools" tools
timed "images" images
trap '"$cluster" down' EXIT
timed "cluster" start
# Tests that cut a node's power and bring it back do so with this.
timed "tests" env E2E_NODE_POWER="$cluster" E2E_PATIENCE="${E2E_PATIENCE:-3}" "$cluster" run "$@"
printf '%s\n' "${timings[@]}"
