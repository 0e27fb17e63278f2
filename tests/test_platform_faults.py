"""One mistake in a platform file, one error: with line, key, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jsonschema_rs
import pytest

from ray_gke import selection
from ray_gke.catalog import schema
from ray_gke.catalog.yaml_file import parse
from ray_gke.errors import InvalidError

FAULTS = Path(__file__).parent / "faults_platform"
# What takes more than one value, another file, or arithmetic is the loader's to find.
ONLY_THE_LOADER = (
    "bucket-",
    "cluster-zonal-",
    "deletion-protection-without-",
    "existing-network-with-",
    "existing-network-without-gke",
    "gke-without-",
    "image-registry-without-gke",
    "label-key-of-",
    "labels-",
    "logs-of-gke-",
    "nodes-range-",
    "platform-name-",
    "pods-range-",
    "quota-half-",
    "quota-memory-",
    "quota-misspelt",
    "quota-of-",
    "quota-twice-",
    "quota-without-",
    "range-is-not-one",
    "range-loopback-",
    "range-public-",
    "range-with-host-bits",
    "ranges-overlap",
    "ray-operator-",
    "region-misspelt",
    "region-of-",
    "run-sets-",
    "services-range-",
    "state-without-gke",
    "team-sets-",
    "team-unknown",
    "team-without-teams",
    "two-runs-",
    "zone-of-another-region",
    "zones-without-region",
)


@dataclass(frozen=True)
class Fault:
    """Which folder, and what a user must be told about it."""

    folder: str
    line: int
    key: str
    message: str
    hint: str


CASES = [
    Fault("logs-mode-misspelt", 5, "spec.logs.mode", "'sidekick'", "'sidecar'"),
    Fault("logs-key-misspelt", 5, "spec.logs.size_limt", "unknown key", "'size_limit'"),
    Fault("metrics-mode-misspelt", 5, "spec.metrics.mode", "'PodMonitors'", "PodMonit"),
    Fault(
        "metrics-namespaces-is-no-list",
        5,
        "spec.metrics.namespaces",
        "is not a list",
        "list",
    ),
    Fault(
        "kuberay-namespace-in-capitals",
        5,
        "spec.kuberay.namespace",
        "'KubeRay'",
        "small letters",
    ),
    Fault(
        "platform-name-too-long-for-a-cluster",
        3,
        "metadata.name",
        "longer than 40 characters",
        "spec.cluster.name",
    ),
    Fault("target-misspelt", 5, "spec.target", "'gkee' is not allowed", "mean 'gke'"),
    Fault(
        "gke-without-project", 4, "spec.project", "gke needs project", "my-project-1"
    ),
    Fault("gke-without-region", 4, "spec.region", "gke needs region", "europe-west4"),
    Fault("project-in-capitals", 5, "spec.project", "'My-Project'", "small letters"),
    Fault("project-too-short", 5, "spec.project", "'mine'", "6 to 30"),
    Fault(
        "project-is-a-number",
        5,
        "spec.project",
        "the number of a project",
        "my-project-1",
    ),
    Fault(
        "project-ends-with-hyphen", 5, "spec.project", "'my-project-'", "my-project-1"
    ),
    Fault("region-is-a-zone", 5, "spec.region", "'europe-west4-a'", "a region"),
    Fault("zones-without-region", 4, "spec.region", "zones need region", "add it"),
    Fault("zone-is-a-region", 6, "spec.zones[0]", "'europe-west4'", "a zone"),
    Fault(
        "zone-of-another-region",
        6,
        "spec.zones[1]",
        "us-central1-a is not in",
        "europe-west4-a",
    ),
    Fault("zone-twice", 6, "spec.zones[1]", "given twice", "once"),
    Fault("zones-empty", 6, "spec.zones", "empty", "at least one"),
    Fault(
        "cluster-key-misspelt", 5, "spec.cluster.locatoin", "unknown key", "'location'"
    ),
    Fault(
        "cluster-location-unknown", 5, "spec.cluster.location", "'zone'", "mean 'zonal'"
    ),
    Fault("cluster-name-too-long", 5, "spec.cluster.name", "longer than 40", "shorten"),
    Fault(
        "cluster-zonal-without-zone",
        5,
        "spec.cluster.location",
        "one zone, not 0",
        "regional",
    ),
    Fault(
        "cluster-zonal-with-two-zones",
        7,
        "spec.cluster.location",
        "one zone, not 2",
        "regional",
    ),
    Fault(
        "release-channel-in-small-letters",
        5,
        "spec.cluster.release_channel",
        "'regular'",
        "REGULAR",
    ),
    Fault(
        "cluster-version-without-one",
        5,
        "spec.cluster.version",
        "'v1.34'",
        "1.34.1-gke.1000",
    ),
    Fault(
        "cluster-version-is-a-number", 5, "spec.cluster.version", "not text", "quotes"
    ),
    Fault("network-key-misspelt", 5, "spec.network.pod", "unknown key", "'pods'"),
    Fault("range-is-not-one", 5, "spec.network.nodes", "not a range", "10.0.0.0/20"),
    Fault("range-is-ipv6", 5, "spec.network.pods", "IPv4", "10.0.0.0/20"),
    Fault("range-without-length", 5, "spec.network.nodes", "no length", "10.0.0.0/20"),
    Fault("range-with-mask", 5, "spec.network.nodes", "no length", "10.0.0.0/20"),
    Fault(
        "range-with-host-bits", 5, "spec.network.nodes", "bits behind", "10.0.0.0/20"
    ),
    Fault(
        "range-public-for-nodes",
        5,
        "spec.network.nodes",
        "not private",
        "100.64.0.0/10",
    ),
    Fault(
        "range-loopback-for-pods",
        5,
        "spec.network.pods",
        "does not allow",
        "10.0.0.0/20",
    ),
    Fault("nodes-range-too-small", 5, "spec.network.nodes", "/29", "/29 or larger"),
    Fault("services-range-too-large", 5, "spec.network.services", "size", "/16 to /28"),
    Fault("services-range-too-small", 5, "spec.network.services", "size", "/16 to /28"),
    Fault(
        "pods-range-holds-no-node",
        5,
        "spec.network.pods",
        "one node, /24",
        "larger range",
    ),
    Fault(
        "pods-range-over-the-default-of-nodes",
        5,
        "spec.network.pods",
        "10.0.0.0/14 overlaps the default range of the nodes, 10.0.0.0/20",
        "its own range",
    ),
    Fault(
        "nodes-range-in-the-default-of-pods",
        5,
        "spec.network.nodes",
        "10.5.0.0/20 overlaps the default range of the pods, 10.4.0.0/14",
        "its own range",
    ),
    Fault(
        "ranges-overlap",
        7,
        "spec.network.pods",
        "overlaps the range of the nodes",
        "its own",
    ),
    Fault(
        "max-pods-too-many",
        5,
        "spec.network.max_pods_per_node",
        "300 is more",
        "at most 256",
    ),
    Fault(
        "max-pods-too-few",
        5,
        "spec.network.max_pods_per_node",
        "4 is less",
        "at least 8",
    ),
    Fault("prices-empty", 5, "spec.prices", "empty", "Price file"),
    Fault("namespace-in-capitals", 5, "spec.namespace", "'Team'", "small letters"),
    Fault(
        "team-name-with-underscore",
        5,
        "spec.teams.vision_team",
        "'vision_team'",
        "small letters",
    ),
    Fault(
        "team-key-misspelt",
        5,
        "spec.teams.vision.namespce",
        "unknown key",
        "'namespace'",
    ),
    Fault(
        "team-namespace-with-dot",
        5,
        "spec.teams.vision.namespace",
        "'a.b'",
        "small letters",
    ),
    Fault("team-set-list", 5, "spec.teams.vision.set.count", "a list is not", "text"),
    Fault("team-unknown", 6, "spec.blueprints[0].team", "no team 'vison'", "'vision'"),
    Fault(
        "team-without-teams",
        5,
        "spec.blueprints[0].team",
        "no team 'vision'",
        "add teams",
    ),
    Fault(
        "run-namespace-too-long",
        5,
        "spec.blueprints[0].namespace",
        "longer than 63",
        "shorten",
    ),
    Fault(
        "team-sets-what-nobody-declares",
        5,
        "spec.teams.vision.set.cuont",
        "no blueprint of this team",
        "'count'",
    ),
    Fault(
        "team-sets-a-wrong-type",
        5,
        "spec.teams.vision.set.count",
        "'many' is not a whole",
        "whole number",
    ),
    Fault(
        "run-sets-what-it-does-not-declare",
        5,
        "spec.blueprints[0].set.cuont",
        "no parameter 'cuont'",
        "'count'",
    ),
    Fault(
        "project-number-in-quotes",
        5,
        "spec.project",
        "is the number of a project",
        "describe 123456789012",
    ),
    Fault(
        "region-misspelt",
        5,
        "spec.region",
        "'europe-wset4' is not a region",
        "'europe-west4'",
    ),
    Fault(
        "region-of-another-cloud",
        5,
        "spec.region",
        "'eu-west1' is not a region",
        "regions list",
    ),
    Fault(
        "state-without-gke",
        6,
        "spec.state",
        "no use with target kubernetes",
        "leave it out",
    ),
    Fault(
        "state-without-bucket",
        8,
        "spec.state.bucket",
        "'bucket' is missing",
        "Cloud Storage bucket",
    ),
    Fault("state-key-misspelt", 8, "spec.state.prefx", "unknown key", "'prefix'"),
    Fault(
        "state-bucket-in-capitals",
        8,
        "spec.state.bucket",
        "'Our-Terraform'",
        "name of a bucket",
    ),
    Fault(
        "state-bucket-is-a-url", 8, "spec.state.bucket", "a URL", "our-terraform, and"
    ),
    Fault(
        "state-bucket-ends-with-hyphen",
        8,
        "spec.state.bucket",
        "'our-terraform-'",
        "name of a bucket",
    ),
    Fault(
        "bucket-too-short", 8, "spec.state.bucket", "3 to 63", "my-project-1-terraform"
    ),
    Fault(
        "bucket-too-long", 8, "spec.state.bucket", "3 to 63", "my-project-1-terraform"
    ),
    Fault(
        "bucket-is-an-address",
        8,
        "spec.state.bucket",
        "an IP address",
        "my-project-1-terraform",
    ),
    Fault(
        "bucket-of-google",
        8,
        "spec.state.bucket",
        "Google keeps",
        "my-project-1-terraform",
    ),
    Fault(
        "bucket-with-two-dots",
        8,
        "spec.state.bucket",
        "is empty",
        "my-project-1-terraform",
    ),
    Fault(
        "state-prefix-begins-with-slash",
        8,
        "spec.state.prefix",
        "'/ray'",
        "none at the ends",
    ),
    Fault(
        "state-prefix-ends-with-slash",
        8,
        "spec.state.prefix",
        "'ray/'",
        "none at the ends",
    ),
    Fault(
        "state-prefix-leads-up", 8, "spec.state.prefix", "'ray/../other'", "ray/prod"
    ),
    Fault(
        "deletion-protection-is-text",
        8,
        "spec.cluster.deletion_protection",
        "is not true or false",
        "one that comes and goes",
    ),
    Fault(
        "deletion-protection-without-gke",
        5,
        "spec.cluster.deletion_protection",
        "no use with target local",
        "target gke",
    ),
    Fault(
        "ray-operator-without-gke",
        6,
        "spec.cluster.ray_operator",
        "no use with target kubernetes",
        "target gke",
    ),
    Fault(
        "ray-operator-with-a-version",
        9,
        "spec.kuberay.version",
        "is GKE's with cluster.ray_operator",
        "leave one out",
    ),
    Fault(
        "ray-operator-with-a-namespace",
        9,
        "spec.kuberay.namespace",
        "is GKE's with cluster.ray_operator",
        "leave one out",
    ),
    Fault(
        "logs-of-gke-without-its-operator",
        8,
        "spec.logs.mode",
        "Ray operator add-on",
        "ray_operator: true",
    ),
    Fault(
        "labels-without-gke", 5, "spec.labels", "no use with target local", "target gke"
    ),
    Fault(
        "label-key-in-capitals",
        8,
        "spec.labels.CostCenter",
        "'CostCenter'",
        "cost-center",
    ),
    Fault(
        "label-key-too-long", 8, f"spec.labels.{'a' * 64}", "longer than 63", "shorten"
    ),
    Fault(
        "label-key-of-google",
        8,
        "spec.labels.goog-owner",
        "begins with goog",
        "another key",
    ),
    Fault("label-key-of-ours", 8, "spec.labels.managed-by", "is ours", "owner"),
    Fault(
        "label-value-with-space",
        8,
        "spec.labels.owner",
        "'team vision'",
        "small letters",
    ),
    Fault("label-value-too-long", 8, "spec.labels.owner", "longer than 63", "shorten"),
    Fault(
        "label-value-is-a-number", 8, "spec.labels.cost-center", "not text", "quotes"
    ),
    Fault("labels-too-many", 8, "spec.labels", "64 labels", "at most 63"),
    Fault(
        "quota-without-gke",
        6,
        "spec.teams.vision.quota",
        "no use with target kubernetes",
        "target gke",
    ),
    Fault(
        "quota-of-gpus-misnamed",
        8,
        "spec.teams.vision.quota.nvidia.com/gpu",
        "GPUs is called",
        "requests.nvidia.com/gpu",
    ),
    Fault(
        "quota-of-gpu-limits",
        8,
        "spec.teams.vision.quota.limits.nvidia.com/gpu",
        "GPUs is called",
        "requests.nvidia.com/gpu",
    ),
    Fault(
        "quota-of-partitions",
        8,
        "spec.teams.vision.quota.requests.nvidia.com/mig-1g.5gb",
        "GPUs is called",
        "requests.nvidia.com/gpu",
    ),
    Fault(
        "quota-of-an-extended-resource",
        8,
        "spec.teams.vision.quota.google.com/tpu",
        "extended resource",
        "requests.google.com/tpu",
    ),
    Fault(
        "quota-misspelt",
        8,
        "spec.teams.vision.quota.request.cpu",
        "nothing that a quota",
        "'requests.cpu'",
    ),
    Fault(
        "quota-amount-is-none",
        8,
        "spec.teams.vision.quota.pods",
        "'many' is not a quantity",
        "64Gi",
    ),
    Fault(
        "quota-amount-below-zero",
        8,
        "spec.teams.vision.quota.pods",
        "'-1' is not a quantity",
        "64Gi",
    ),
    Fault(
        "quota-memory-without-unit",
        8,
        "spec.teams.vision.quota.limits.memory",
        "unit missing",
        "64Gi",
    ),
    Fault(
        "quota-half-a-gpu",
        8,
        "spec.teams.vision.quota.requests.nvidia.com/gpu",
        "not a whole number",
        "8",
    ),
    Fault(
        "quota-of-kubernetes-own-namespace",
        8,
        "spec.teams.vision.quota",
        "Kubernetes' own",
        "own namespace",
    ),
    Fault(
        "quota-twice-for-a-namespace",
        10,
        "spec.teams.text.quota",
        "quota of team vision",
        "one quota",
    ),
    Fault(
        "existing-network-without-gke",
        5,
        "spec.network.existing",
        "no use with target local",
        "target gke",
    ),
    Fault(
        "existing-network-with-a-range",
        9,
        "spec.network.pods",
        "does not go with existing",
        "leave one",
    ),
    Fault(
        "existing-network-without-range-name",
        9,
        "spec.network.existing.services_range_name",
        "is missing",
        "secondary range",
    ),
    Fault(
        "existing-network-with-one-range",
        9,
        "spec.network.existing.services_range_name",
        "the pods already",
        "another",
    ),
    Fault(
        "existing-network-is-a-path",
        10,
        "spec.network.existing.network",
        "does not fit",
        "its name alone",
    ),
    Fault(
        "existing-network-of-a-project-number",
        10,
        "spec.network.existing.network_project_id",
        "is the number of a project",
        "my-project-1",
    ),
    Fault(
        "image-registry-mode-misspelt",
        8,
        "spec.image_registry.mode",
        "'miror'",
        "mean 'mirror'",
    ),
    Fault(
        "image-registry-key-misspelt",
        8,
        "spec.image_registry.preloads",
        "unknown key",
        "'preload'",
    ),
    Fault(
        "image-registry-without-gke",
        5,
        "spec.image_registry",
        "image_registry has no use with target local",
        "use target gke",
    ),
    Fault(
        "two-runs-of-one-name-and-namespace",
        7,
        "spec.blueprints[1].blueprint",
        "two runs are called 'squares'",
        "its own name",
    ),
    Fault(
        "two-runs-of-one-name",
        7,
        "spec.blueprints[1].name",
        "two runs are called 'squares'",
        "its own name",
    ),
]


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.folder)
def test_fault(fault: Fault) -> None:
    file = FAULTS / fault.folder / "ray-gke.yaml"
    with pytest.raises(InvalidError) as caught:
        selection.select(selection.choose(file), None)
    (problem,) = caught.value.problems
    assert problem.place is not None
    assert problem.hint is not None
    assert problem.place.file == str(file)
    assert (problem.place.line, problem.place.key) == (fault.line, fault.key)
    assert problem.place.column is not None
    assert fault.message in problem.message
    assert fault.hint in problem.hint


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.folder)
def test_verdict_of_the_schema(fault: Fault) -> None:
    validator = jsonschema_rs.Draft202012Validator(schema.platform())
    data = (FAULTS / fault.folder / "ray-gke.yaml").read_bytes()
    accepted = fault.folder.startswith(ONLY_THE_LOADER)
    assert validator.is_valid(parse(data, fault.folder).data) is accepted


def test_every_folder_is_a_case() -> None:
    folders = {folder.name for folder in FAULTS.iterdir()}
    assert folders == {fault.folder for fault in CASES}
