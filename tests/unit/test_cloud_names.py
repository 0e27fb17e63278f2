"""Names as GKE's controllers give them: here of real clusters, or of their tests."""

from __future__ import annotations

from ray_gke.targets.gke import cloud_names

TEKTON = "3312ea4b-41f7-4411-93df-e819fa1f5244"


def test_a_network_endpoint_group() -> None:
    name = "k8s1-4f946e07-store-store-east-1-8080-a8ae9fc8"
    found = cloud_names.neg("4f946e0761c09a3b", "store", "store-east-1", "8080")
    assert found == name
    name = "k8s1-b713ed67-tekton-pipelines-tekton-dashboard-9097-941d933e"
    given = ("b713ed67", "tekton-pipelines", "tekton-dashboard", "9097")
    assert cloud_names.neg(*given) == name


def test_names_that_are_too_long_are_cut_evenly() -> None:
    """ingress-gce: pkg/utils/namer/namer_test.go keeps 63 characters, too."""
    found = cloud_names.neg("0123456789abcdef", "n" * 30, "s" * 30, "8080")
    begin, _, end = found.rpartition("-")
    assert len(begin) == 4 + 1 + 8 + 1 + 38 + 2
    assert len(end) == 8
    parts = begin.removeprefix("k8s1-01234567-").split("-")
    assert [len(part) for part in parts] == [18, 18, 2]


def test_an_ingresss_forwarding_rule() -> None:
    name = "k8s2-fs-cv7jfe6h-tekton-pipelines-tekton-ingress-hoobrnfc"
    rules = cloud_names.ingress_rules(TEKTON, "tekton-pipelines", "tekton-ingress")
    assert name in rules
    assert len(rules) == 2


def test_a_services_load_balancer() -> None:
    service = ("ksuid123", "test-namespace", "test-name")
    name = "axyqjz2d-test-namespace-test-name-yuvhdy7i"
    rules = cloud_names.service_rules(*service)
    assert {f"k8s2-{sort}-{name}" for sort in ("tcp", "udp", "l3")} < rules
    assert f"k8s2-tcp-{name}-ipv6" in rules
    firewalls = cloud_names.service_firewalls(*service)
    assert {f"k8s2-{name}", f"k8s2-{name}-fw", f"k8s2-{name}-ipv6"} < firewalls
    shared = cloud_names.shared_service_firewalls("ksuid123")
    assert "k8s2-axyqjz2d-l4-shared-hc-fw" in shared
    assert cloud_names.service_neg(*service) == f"k8s2-{name}"


def test_a_services_load_balancer_by_the_older_way() -> None:
    uid = "25a8e8e2-99b7-425d-aa92-080dc71f70a1"
    name = "a25a8e8e299b7425daa92080dc71f70a"
    assert cloud_names.load_balancer(uid) == name
    assert f"k8s-fw-{name}" in cloud_names.load_balancer_firewalls(uid)


def test_what_comes_with_a_cluster() -> None:
    given = ("gke-cluster-02-st", "0712d06dfd144b98b0a7162a47a764e4")
    names = cloud_names.cluster_firewalls(*given)
    assert "gke-gke-cluster-02-st-0712d06d-exkubelet" in names
    assert cloud_names.node_tag(*given) == "gke-gke-cluster-02-st-0712d06d-node"
