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
    "cluster-zonal-",
    "gke-without-",
    "nodes-range-",
    "platform-name-",
    "pods-range-",
    "range-is-not-one",
    "range-loopback-",
    "range-public-",
    "range-with-host-bits",
    "ranges-overlap",
    "run-sets-",
    "services-range-",
    "team-sets-",
    "team-unknown",
    "team-without-teams",
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
    Fault("project-is-a-number", 5, "spec.project", "not text", "quotes"),
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
