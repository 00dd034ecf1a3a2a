"""What an installation gives."""

import pytest

import api
import kube


def test_helm_test_passes():
    kube.helm("test", kube.RELEASE, "--timeout", "60s")


def test_explain_reads_well():
    for field in ("sparkjob.spec", "sparkjob.status"):
        text = kube.kubectl("explain", field)
        assert "<no description>" not in text and "DESCRIPTION" in text, text


@pytest.mark.parametrize("kind", ["sparkjobs", "scheduledsparkjobs", "sparkconnectservers"])
def test_explain_has_a_sentence_for_every_field(kind):
    definition = api.ask("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind}.firesteel.dev")
    (version,) = definition["spec"]["versions"]
    fields = dict(fields_of(version["schema"]["openAPIV3Schema"], kind))
    assert len(fields) > 50, fields
    poor = {name: text for name, text in fields.items() if not text.endswith((".", ":", "`")) or len(text) < 8}
    assert not poor, poor


def fields_of(schema: dict, name: str):
    for field, below in schema.get("properties", {}).items():
        if (name.count("."), field) not in ((0, "apiVersion"), (0, "kind"), (0, "metadata")):
            yield f"{name}.{field}", below.get("description", "")
            yield from fields_of(below, f"{name}.{field}")
    if "items" in schema:
        yield from fields_of(schema["items"], f"{name}[]")


def test_the_operator_runs_as_the_restricted_standard_wants():
    (pod,) = kube.items("pods", "app.kubernetes.io/component=operator")
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"]
