#!/usr/bin/env bash
# A cluster in docker with the operator, and the sample job on it: the steps of docs/kubernetes.md.
# Needs docker, kind, kubectl, helm, and programs that are built.
# usage: tests/e2e/kind.sh FOLDER-WITH-PROGRAMS [demo | up]
#   demo  installs the chart with its quick-start store and runs manifests/sales.yaml
#   up    only makes the cluster and loads the images, for make e2e
# KIND_CLUSTER names the cluster; it stays until: kind delete cluster --name NAME
set -euo pipefail

programs=$1
goal=${2:-demo}
name=${KIND_CLUSTER:-firesteel}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
images=(firesteel:0.1 firesteel-operator:0.1)

for tool in docker kind kubectl helm; do
  command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 1; }
done

if ! kind get clusters 2>/dev/null | grep --quiet --line-regexp "$name"; then
  # Two nodes that run pods, so that executors spread over them.
  kind create cluster --name "$name" --wait 120s --config - <<CONFIG
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
  - role: control-plane
  - role: worker
  - role: worker
CONFIG
fi
kubectl config use-context "kind-$name"

"$root/images/build.sh" "$programs"
# What buildah has built, docker does not know.
if command -v buildah >/dev/null; then
  for image in "${images[@]}"; do buildah push --quiet "$image" "docker-daemon:$image"; done
fi
kind load docker-image --name "$name" "${images[@]}"
[ "$goal" = demo ] || exit 0

kubectl apply --server-side -f "$root/crds/"
helm upgrade --install firesteel "$root/charts/firesteel" --skip-crds --set quickStart.enabled=true --wait --timeout 180s
kubectl delete sparkjob sales --ignore-not-found
kubectl apply -f "$root/manifests/sales.yaml"
# Either end is an end; what is asked for is the good one.
for _ in $(seq 150); do
  phase=$(kubectl get sparkjob sales --output 'jsonpath={.status.phase}')
  case $phase in Succeeded | Failed) break ;; esac
  sleep 2
done
kubectl get sparkjob sales
kubectl get sparkjob sales --output 'jsonpath={.status.logTail}'
[ "$phase" = Succeeded ] || { kubectl describe sparkjob sales; exit 1; }
echo "The cluster stays. Next: docs/kubernetes.md; or kind delete cluster --name $name"
