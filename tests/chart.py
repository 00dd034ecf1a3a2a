#!/usr/bin/env python3
"""Checks the Helm chart: `helm lint`, and what it renders with each kind of values.

Every object that is rendered must parse; every pod must keep to Pod Security "restricted"; a role must name what it
allows; values that make no sense must be refused. HELM names the program.
"""

import os
import subprocess
import sys
from pathlib import Path

import yaml

CHART = Path(__file__).resolve().parent.parent / "charts" / "firesteel"
KUBERNETES = "1.34.0"
HELM = os.environ.get("HELM", "helm")
VALUES = {
    "default": [],
    "namespaced": ["namespaces={a,b}"],
    "replicated": ["operator.replicas=2", "metrics.serviceMonitor=true"],
    "quick start": ["quickStart.enabled=true"],
    "connections": ["jobs.defaultConnections[0].name=lake", "operator.selector=team=a"],
}
REFUSED = [["operator.replicas=-1"], ["image.pullPolicy=Sometimes"], ["oprator.replicas=1"], ["namespaces={a,a}"]]


def helm(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)


def settings(values: list[str]) -> list[str]:
    return [part for value in values for part in ("--set", value)]


def pods(objects: list[dict]):
    for item in objects:
        if item["kind"] == "Pod":
            yield item["metadata"]["name"], item["spec"]
        elif "template" in item.get("spec", {}):
            yield item["metadata"]["name"], item["spec"]["template"]["spec"]


def check_pod(name: str, spec: dict):
    security = spec.get("securityContext", {})
    if not security.get("runAsNonRoot") or security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield f"{name}: the pod may run as root or without seccomp"
    if spec.get("enableServiceLinks") is not False:
        yield f"{name}: service links are on"
    for container in spec["containers"] + spec.get("initContainers", []):
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False or not own.get("readOnlyRootFilesystem"):
            yield f"{name}/{container['name']}: not restricted"
        if own.get("capabilities", {}).get("drop") != ["ALL"]:
            yield f"{name}/{container['name']}: has capabilities"


def check_roles(objects: list[dict], has_cluster_roles: bool):
    for item in objects:
        kind, name = item["kind"], item["metadata"]["name"]
        if kind.startswith("ClusterRole") and not has_cluster_roles:
            yield f"{kind} {name} in an installation for namespaces"
        for rule in item.get("rules") or []:
            if "*" in rule["verbs"] + rule.get("resources", []) + rule.get("apiGroups", []):
                yield f"{kind} {name} allows everything of something"
            if "secrets" in rule.get("resources", []) and set(rule["verbs"]) != {"create"}:
                yield f"{kind} {name} reads secrets"


def main() -> int:
    problems = []
    lint = helm("lint", "--strict", str(CHART))
    if lint.returncode:
        problems.append(lint.stdout + lint.stderr)
    count = 0
    for title, values in VALUES.items():
        rendered = helm("template", "firesteel", str(CHART), "--include-crds", "--kube-version", KUBERNETES, *settings(values))
        if rendered.returncode:
            problems.append(f"{title}: {rendered.stderr}")
            continue
        objects = [item for item in yaml.safe_load_all(rendered.stdout) if item]
        count += len(objects)
        for name, spec in pods(objects):
            problems += [f"{title}: {problem}" for problem in check_pod(name, spec)]
        problems += [f"{title}: {problem}" for problem in check_roles(objects, title != "namespaced")]
        if not any(item["kind"] == "CustomResourceDefinition" for item in objects):
            problems.append(f"{title}: there are no definitions")
    for values in REFUSED:
        if helm("template", "firesteel", str(CHART), "--kube-version", KUBERNETES, *settings(values)).returncode == 0:
            problems.append(f"{values} should be refused")
    print("\n".join(problems) or f"chart: {count} objects with {len(VALUES)} kinds of values")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
