"""What an installation gives."""

import kube


def test_helm_test_passes():
    kube.helm("test", kube.RELEASE, "--timeout", "60s")


def test_explain_reads_well():
    for field in ("sparkjob.spec", "sparkjob.spec.executor", "sparkjob.status", "ssj.spec", "scs.spec"):
        text = kube.kubectl("explain", field)
        assert "<no description>" not in text and "DESCRIPTION" in text, text


def test_the_operator_runs_as_the_restricted_standard_wants():
    (pod,) = kube.items("pods", "app.kubernetes.io/component=operator")
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"]
