"""The Terraform modules and stacks: formatted, valid, tested, documented, and safe.

`terraform/**/tests` say what each check refuses; here Terraform runs them. The
goldens in `goldens_terraform/` are all that is planned of a node pool, each with what
it is about.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ray_gke.gke.accelerators import ACCELERATORS
from tests import terraform_docs
from tests.cluster import parts
from tests.cluster.bed import Bed
from tests.terraform import program
from tests.terraform.cloud import Cloud

TERRAFORM = terraform_docs.ROOT
GOLDENS = Path(__file__).parent / "goldens_terraform"
FOLDERS = [str(path.relative_to(TERRAFORM)) for path in terraform_docs.folders()]
POOL = "modules/gpu-node-pool"
_BLOCK = re.compile(r'^(\w+)((?: "\w+")*) \{\n(.*?)^\}$', re.DOTALL | re.MULTILINE)
_PREFIXES = {"variable": "var", "resource": ""}


REGISTRY = "https://registry.terraform.io/.well-known/terraform.json"


class Copy:
    """A copy of `terraform/`, in which each folder is initialised when it is used."""

    def __init__(self, folder: Path, cloud: Cloud) -> None:
        self.cloud = cloud
        self.folder = folder
        shutil.copytree(
            TERRAFORM,
            folder / "terraform",
            ignore=shutil.ignore_patterns(".terraform*", "terraform.tfstate*"),
        )

    def run(
        self, where: str, *arguments: str, init: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        root = self.folder / where
        if not (root / ".terraform").exists():
            done = self.cloud.terraform(root, "init", "-no-color", *init)
            assert done.returncode == 0, done.stdout + done.stderr
        return self.cloud.terraform(root, arguments[0], "-no-color", *arguments[1:])

    def succeeds(self, where: str, *arguments: str) -> str:
        done = self.run(where, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    try:
        program.terraform()
        folder = tmp_path_factory.mktemp("terraform")
        return Copy(folder, Cloud(folder / "cloud"))
    except program.MissingProgram as missing:
        pytest.skip(str(missing))


class RealProviders(Cloud):
    """No cloud: the providers that the public registry has."""

    def env(self) -> dict[str, str]:
        # Each is loaded once, not once for each folder.
        plugins = self.folder / "plugins"
        plugins.mkdir(exist_ok=True)
        env = super().env() | {"TF_PLUGIN_CACHE_DIR": str(plugins)}
        del env["TF_CLI_CONFIG_FILE"]
        return env


@pytest.fixture(scope="module")
def real_copy(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    try:
        urllib.request.urlopen(REGISTRY, timeout=5).close()
    except OSError as error:
        pytest.skip(f"the registry of Terraform's providers does not answer: {error}")
    folder = tmp_path_factory.mktemp("real")
    return Copy(folder, RealProviders(folder / "cloud"))


def test_format(copy: Copy) -> None:
    assert copy.succeeds(".", "fmt", "-check", "-recursive", "terraform") == ""


@pytest.mark.parametrize("name", FOLDERS)
def test_valid_and_tested(copy: Copy, name: str) -> None:
    _valid_and_tested(copy, name)


@pytest.mark.parametrize("name", FOLDERS)
def test_valid_and_tested_with_the_real_providers(real_copy: Copy, name: str) -> None:
    _valid_and_tested(real_copy, name)


def _valid_and_tested(copy: Copy, name: str) -> None:
    copy.succeeds(f"terraform/{name}", "validate")
    said = copy.succeeds(f"terraform/{name}", "test")
    (passed,) = re.findall(r"Success! (\d+) passed, 0 failed", said)
    runs = [
        run
        for file in (TERRAFORM / name / "tests").glob("*.tftest.hcl")
        for run in re.findall(r'^run "(\w+)"', file.read_text(), re.MULTILINE)
    ]
    assert int(passed) == len(runs) > 0


@pytest.mark.parametrize("name", FOLDERS)
def test_every_check_is_tripped(name: str) -> None:
    """Of each variable and resource as many runs must fail as it has checks."""
    checks, trips = Counter[str](), Counter[str]()
    for file in (TERRAFORM / name).glob("*.tf"):
        for kind, labels, body in _BLOCK.findall(file.read_text()):
            address = ".".join([_PREFIXES.get(kind, kind), *re.findall(r"\w+", labels)])
            checks[address.strip(".")] += body.count(" error_message ")
    for file in (TERRAFORM / name / "tests").glob("*.tftest.hcl"):
        trips.update(re.findall(r"expect_failures = \[(.+)\]", file.read_text()))
    assert checks - trips == Counter()


@pytest.mark.parametrize("name", FOLDERS)
def test_providers(name: str) -> None:
    """Google alone makes the cloud, and no module brings a provider of its own."""
    text = "".join(file.read_text() for file in (TERRAFORM / name).glob("*.tf"))
    in_cluster = name in ("addons", "modules/balloon-pods")
    declared = set(re.findall(r'source += "(hashicorp/[\w-]+)"', text))
    if in_cluster:
        assert declared <= {"hashicorp/kubernetes", "hashicorp/helm"}
    else:
        assert declared == {"hashicorp/google"}
        assert 'version = ">= 7.42, < 8"' in text
    assert ("\nprovider " in text) == (name in ("addons", "platform"))
    sources = re.findall(r'^  source += "(.*)"$', text, re.MULTILINE)
    assert all(source.startswith("../modules/") for source in sources)


@pytest.mark.parametrize("name", FOLDERS)
def test_readme(name: str) -> None:
    text = (TERRAFORM / name / "README.md").read_text()
    assert text == terraform_docs.written(TERRAFORM / name), (
        "run python tools/write_terraform_docs.py"
    )
    assert all(f"**{word}**" in text for word in ("Needs", "Costs"))
    described = terraform_docs.blocks(TERRAFORM / name / "variables.tf", "variable")
    assert all(one.description for one in described)


def test_the_writer_of_readmes_notices(tmp_path: Path) -> None:
    shutil.copytree(TERRAFORM / "modules/network", tmp_path / "network")
    readme = tmp_path / "network/README.md"
    readme.write_text(readme.read_text().replace("| `region` |", "| `regions` |"))
    assert "| `region` | `string` | required |" in terraform_docs.written(
        tmp_path / "network"
    )


def _blocks(name: str, kind: str) -> list[str]:
    text = (TERRAFORM / name / "README.md").read_text()
    return re.findall(rf"^```hcl {kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", [name for name in FOLDERS if "/" in name])
def test_examples_of_modules(copy: Copy, name: str) -> None:
    """What a README tells to write is formatted, and Terraform can plan it."""
    examples = _blocks(name, "example")
    assert examples
    for number, example in enumerate(examples):
        where = f"example-{Path(name).name}-{number}"
        root = copy.folder / where
        root.mkdir()
        (root / "main.tf").write_text(example.replace("./terraform/", "../terraform/"))
        copy.succeeds(where, "validate")
        _put_shared_network(copy.cloud)
        copy.succeeds(where, "plan")
    formatted = copy.folder / f"examples-{Path(name).name}"
    formatted.mkdir()
    (formatted / "all.tf").write_text("\n".join(examples))
    done = copy.cloud.terraform(formatted, "fmt", "-check")
    assert done.returncode == 0, done.stdout + done.stderr


def _put_shared_network(cloud: Cloud) -> None:
    """The subnetwork that the README of `network` takes for there."""
    cloud.put(
        "google_compute_subnetwork",
        "projects/host-project/regions/europe-west4/subnetworks/shared-europe-west4",
        {
            "name": "shared-europe-west4",
            "project": "host-project",
            "region": "europe-west4",
            "private_ip_google_access": True,
            "secondary_ip_range": [
                {"range_name": "gke-pods", "ip_cidr_range": "10.4.0.0/14"},
                {"range_name": "gke-services", "ip_cidr_range": "10.8.0.0/20"},
            ],
        },
    )


def test_the_platform_of_the_readme(copy: Copy) -> None:
    (values,) = _blocks("platform", "tfvars")
    (copy.folder / "readme.tfvars").write_text(values)
    copy.succeeds(".", "fmt", "-check", "readme.tfvars")
    where, plan = "terraform/platform", copy.folder / "platform.plan"
    copy.succeeds(
        where, "plan", f"-out={plan}", f"-var-file={copy.folder / 'readme.tfvars'}"
    )
    pools = {
        one["values"]["name"]
        for one in _planned(copy, where, plan)
        if one["type"] == "google_container_node_pool"
    }
    assert pools == {"system", "head", "a100-1g-5gb-spot"}


def test_a_platform_comes_up_whole_and_goes(copy: Copy, tmp_path: Path) -> None:
    """A second apply has nothing to do, and nothing is left after destroy."""
    (values,) = _blocks("platform", "tfvars")
    given = tmp_path / "unprotected.tfvars"
    given.write_text(re.sub(r"(deletion_protection += )true", r"\1false", values))
    where, cloud = "terraform/platform", copy.cloud
    words = ("-auto-approve", f"-var-file={given}")
    copy.succeeds(where, "apply", *words)
    (cluster,) = cloud.objects("google_container_cluster")
    assert cluster.values["deletion_protection"] is False
    again = copy.run(where, "plan", "-detailed-exitcode", f"-var-file={given}")
    assert again.returncode == 0, again.stdout + again.stderr
    outputs = json.loads(copy.succeeds(where, "output", "-json"))
    assert outputs["cluster"]["value"]["host"].startswith("https://")
    assert outputs["node_service_account"]["value"].startswith("ray-nodes@")
    assert not any(one["sensitive"] for one in outputs.values())
    # GKE taints GPU nodes only where another pool was there before.
    pools = [call.name for call in cloud.calls("create", "google_container_node_pool")]
    assert pools[0] == "system"
    copy.succeeds(where, "destroy", *words)
    shared = {"google_project_service", "google_compute_subnetwork"}
    assert {one.type for one in cloud.objects()} <= shared


def test_state_in_a_bucket_by_an_override(copy: Copy) -> None:
    (override,) = _blocks("platform", "override")
    shutil.copytree(
        copy.folder / "terraform",
        copy.folder / "with-bucket",
        ignore=shutil.ignore_patterns(".terraform*"),
    )
    root = copy.folder / "with-bucket/platform"
    (root / "backend_override.tf").write_text(override)
    done = copy.run(
        "with-bucket/platform", "validate", init=("-backend=false", "-input=false")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    copy.cloud.terraform(root, "fmt", "-check", "backend_override.tf")


def _planned(copy: Copy, where: str, plan: Path) -> list[dict[str, Any]]:
    shown = json.loads(copy.succeeds(where, "show", "-json", str(plan)))
    found: list[dict[str, Any]] = []
    modules = [shown["planned_values"]["root_module"]]
    while modules:
        module = modules.pop()
        found += module.get("resources", [])
        modules += module.get("child_modules", [])
    return found


def _said(value: Any) -> Any:
    """Leave out what is not said: null, and blocks that are not there."""
    if isinstance(value, dict):
        kept = {key: _said(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, [], {})}
    return [_said(each) for each in value] if isinstance(value, list) else value


def _taints(node: Mapping[str, Any]) -> set[str]:
    return {f"{one['key']}={one['value']}:{one['effect']}" for one in node["taint"]}


def _one_partition_size(size: str) -> Callable[[dict[str, Any]], bool]:
    """Every GPU is divided the same way, and not shared besides."""

    def intent(pool: dict[str, Any]) -> bool:
        (gpu,) = pool["node_config"][0]["guest_accelerator"]
        divided = gpu["gpu_partition_size"] == size and gpu["count"] == 1
        return divided and "gpu_sharing_config" not in gpu

    return intent


def _eight_pods_share_a_t4(pool: dict[str, Any]) -> bool:
    (gpu,) = pool["node_config"][0]["guest_accelerator"]
    return bool(
        gpu["gpu_sharing_config"]
        == [{"gpu_sharing_strategy": "TIME_SHARING", "max_shared_clients_per_gpu": 8}]
        and pool["node_config"][0]["machine_type"] == "n1-standard-16"
    )


def _newest_driver_on_a_fast_disk(pool: dict[str, Any]) -> bool:
    node = pool["node_config"][0]
    driver = node["guest_accelerator"][0]["gpu_driver_installation_config"]
    latest: bool = driver == [{"gpu_driver_version": "LATEST"}]
    return latest and node["disk_type"] == "pd-ssd"


def _spot_is_tainted_and_takes_no_reservation(pool: dict[str, Any]) -> bool:
    node = pool["node_config"][0]
    return bool(
        node["spot"]
        and "cloud.google.com/gke-spot=true:NO_SCHEDULE" in _taints(node)
        and node["reservation_affinity"]
        == [{"consume_reservation_type": "NO_RESERVATION"}]
        and pool["autoscaling"][0]["location_policy"] == "ANY"
    )


def _partitions_are_shared(pool: dict[str, Any]) -> bool:
    (gpu,) = pool["node_config"][0]["guest_accelerator"]
    (sharing,) = gpu["gpu_sharing_config"]
    return (gpu["gpu_partition_size"], sharing["gpu_sharing_strategy"]) == (
        "3g.20gb",
        "MPS",
    )


def _flex_start_is_not_repaired(pool: dict[str, Any]) -> bool:
    node = pool["node_config"][0]
    return bool(
        node["flex_start"]
        and node["max_run_duration"] == "86400s"
        and not pool["management"][0]["auto_repair"]
        and "upgrade_settings" not in pool
    )


def _queued_has_its_label(pool: dict[str, Any]) -> bool:
    return bool(
        pool["queued_provisioning"] == [{"enabled": True}]
        and pool["node_config"][0]["labels"]["cloud.google.com/gke-queued"] == "true"
    )


def _reserved_side_by_side(pool: dict[str, Any]) -> bool:
    node = pool["node_config"][0]
    return bool(
        node["reservation_affinity"][0]["values"] == ["training"]
        and pool["placement_policy"] == [{"type": "COMPACT"}]
        and node["secondary_boot_disks"][0]["mode"] == "CONTAINER_IMAGE_CACHE"
        and pool["autoscaling"][0]["location_policy"] == "BALANCED"
    )


def _anything_may_run_there(pool: dict[str, Any]) -> bool:
    node = pool["node_config"][0]
    return "taint" not in node and "guest_accelerator" not in node


INTENTS: Mapping[str, Callable[[dict[str, Any]], bool]] = {
    "a100-mig-1g-5gb": _one_partition_size("1g.5gb"),
    "a100-mig-2g-10gb": _one_partition_size("2g.10gb"),
    "a100-mig-3g-20gb": _one_partition_size("3g.20gb"),
    "t4-time-shared": _eight_pods_share_a_t4,
    "l4": _newest_driver_on_a_fast_disk,
    "a100-spot": _spot_is_tainted_and_takes_no_reservation,
    "h100-spot": _spot_is_tainted_and_takes_no_reservation,
    "a100-mig-mps": _partitions_are_shared,
    "l4-flex-start": _flex_start_is_not_repaired,
    "h100-queued": _queued_has_its_label,
    "a100-reserved-compact": _reserved_side_by_side,
    "without-gpus": _anything_may_run_there,
}


def test_every_golden_has_an_intent() -> None:
    there = {path.stem for path in GOLDENS.iterdir()}
    assert there == set(INTENTS)


@pytest.mark.parametrize("kind", INTENTS)
def test_golden_node_pool(
    copy: Copy, kind: str, request: pytest.FixtureRequest
) -> None:
    where, plan = f"terraform/{POOL}", copy.folder / f"{kind}.plan"
    copy.succeeds(where, "plan", f"-out={plan}", f"-var-file={GOLDENS / kind}.tfvars")
    (pool,) = _planned(copy, where, plan)
    planned = _said(pool["values"])
    assert INTENTS[kind](planned)
    text = json.dumps(planned, indent=2, sort_keys=True) + "\n"
    golden = GOLDENS / f"{kind}.json"
    if request.config.getoption("--update-goldens"):
        golden.write_text(text)
    assert text == golden.read_text(), "if this is meant: make goldens"


@pytest.mark.parametrize("kind", INTENTS)
def test_what_every_pool_has(kind: str) -> None:
    pool = json.loads((GOLDENS / f"{kind}.json").read_text())
    (node,) = pool["node_config"]
    if "guest_accelerator" in node:
        assert "nvidia.com/gpu=present:NO_SCHEDULE" in _taints(node)
    assert pool["initial_node_count"] == 0
    assert set(pool["autoscaling"][0]) == {
        "location_policy",
        "total_max_node_count",
        "total_min_node_count",
    }
    assert "node_count" not in pool
    assert node["gcfs_config"] == node["gvnic"] == [{"enabled": True}]
    assert node["workload_metadata_config"] == [{"mode": "GKE_METADATA"}]
    port = node["kubelet_config"][0]["insecure_kubelet_readonly_port_enabled"]
    assert port == "FALSE"
    assert all(node["shielded_instance_config"][0].values())


def test_the_module_knows_the_accelerators_of_the_plan(copy: Copy) -> None:
    """What `ray-gke plan` accepts the module accepts, and the other way round."""
    where = f"terraform/{POOL}"
    copy.succeeds(where, "validate")
    done = subprocess.run(
        [str(program.terraform()), "console", f"-var-file={GOLDENS / 'l4.tfvars'}"],
        input="jsonencode([local._accelerators, local._provisioning_modes])\n",
        cwd=copy.folder / where,
        env=copy.cloud.env(),
        capture_output=True,
        text=True,
        check=True,
    )
    offers, modes = json.loads(json.loads(done.stdout))
    known = ACCELERATORS.values()
    assert offers == {one.name: _offer(one) for one in known}
    assert {name: set(provided) for name, provided in modes.items()} == {
        machine.name: set(machine.provisioning)
        for one in known
        for machine in one.built_in
        if machine.provisioning
    }


def _offer(accelerator: Any) -> dict[str, Any]:
    if accelerator.n1_vcpus:
        counts = {str(n): vcpus for n, vcpus in accelerator.n1_vcpus.items()}
        return {"attach_to_n1": counts}
    sizes = {name: size.per_gpu for name, size in accelerator.partitions.items()}
    machines = {machine.name: machine.gpus for machine in accelerator.built_in}
    return {"machine_types": machines, "partition_sizes": sizes}


def _widgets(*short_names: str) -> dict[str, Any]:
    """A custom resource definition of the test's own, as the stack gives it."""
    names = {"plural": "widgets", "kind": "Widget", "shortNames": list(short_names)}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object"}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "widgets.example.com",
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": [version],
        },
    }


@pytest.mark.cluster
def test_the_chart_of_definitions_adopts_upgrades_and_keeps(
    cluster: Bed, namespace: str, tmp_path: Path
) -> None:
    """With Helm itself: what lies in a chart's crds/ it would never upgrade."""
    chart = TERRAFORM / "addons/charts/kuberay-crds"
    helm = [str(parts.path("helm")), "--kubeconfig", str(cluster.kubeconfig)]
    values = tmp_path / "values.json"
    asked = ("get", "crd", "widgets.example.com", "-o", "jsonpath={.spec.names}")
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(_widgets("old")))
    try:
        for name in ("wd", "wdg"):
            values.write_text(json.dumps({"crds": [json.dumps(_widgets(name))]}))
            upgrade = ["upgrade", "--install", "crds", str(chart), "--take-ownership"]
            given = ["--namespace", namespace, "--values", str(values)]
            subprocess.run([*helm, *upgrade, *given], check=True, capture_output=True)
            assert json.loads(cluster.kubectl(*asked))["shortNames"] == [name]
        gone = [*helm, "uninstall", "crds", "--namespace", namespace]
        subprocess.run(gone, check=True, capture_output=True)
        assert json.loads(cluster.kubectl(*asked))["shortNames"] == ["wdg"]
    finally:
        cluster.kubectl("delete", "crd", "widgets.example.com")


CHECKOV = "3.3.30"


@pytest.fixture(scope="module")
def checkov() -> Path:
    """Checkov in an environment of its own: its dependencies are not ours."""
    folder = parts.cache() / "checkov" / CHECKOV
    with parts.one_build_at_a_time():
        if not (folder / "done").exists():
            _install_checkov(folder)
    return folder / "bin" / "checkov"


def _install_checkov(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet"]
    done = subprocess.run([*pip, f"checkov=={CHECKOV}"], check=False)
    if done.returncode:
        pytest.skip("checkov cannot be installed here")
    (folder / "done").touch()


def test_checkov(checkov: Path, tmp_path: Path) -> None:
    """Its policies hold; the exceptions stand in the modules, each with a reason."""
    env = os.environ | {"ANSI_COLORS_DISABLED": "1"}
    command = [str(checkov), "--directory", str(TERRAFORM), "--framework", "terraform"]
    done = subprocess.run(
        [*command, "--compact", "--quiet", "--output", "json", "--skip-download"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    failed = [
        f"{one['check_id']} {one['resource']}: {one['check_name']}"
        for one in report["results"]["failed_checks"]
    ]
    assert failed == []
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 40


def test_every_exception_has_a_reason() -> None:
    skips = [
        line.strip()
        for file in TERRAFORM.rglob("*.tf")
        for line in file.read_text().splitlines()
        if "checkov:skip" in line
    ]
    assert skips
    assert all(re.fullmatch(r"#checkov:skip=\w+:.{20,}", line) for line in skips)
