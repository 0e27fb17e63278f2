"""Ray's processes speak TLS, the autoscaler too, and nothing else gets in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cluster.bed import Bed
from tests.node.command_line import CommandLine

pytestmark = pytest.mark.node

BLUEPRINT = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: private}
spec:
  head: {cpu: 1, memory: 3Gi, num_cpus: 0}
  worker_groups: [{name: workers, min_replicas: 0, max_replicas: 1, memory: 2Gi}]
  tls_options: {secret_name: authority}
  job: {entrypoint: python private.py}
"""
JOB = """\
import os, subprocess, ray

ray.init()

@ray.remote
def where():
    return ray.util.get_node_ip_address()

here = ray.util.get_node_ip_address()
print("answer: another node", ray.get(where.remote()) != here)
plain = {k: v for k, v in os.environ.items() if k != "RAY_USE_TLS"}
for name, env in (("with TLS", dict(os.environ)), ("without", plain)):
    check = ["timeout", "30", "ray", "health-check", "--address", f"{here}:6379"]
    done = subprocess.run(check, env=env, capture_output=True)
    print("answer:", name, done.returncode == 0)
"""


def authority(cluster: Bed, namespace: str, folder: Path) -> None:
    """Put a certificate authority into the Secret that the blueprint names."""
    key, certificate = folder / "ca.key", folder / "ca.crt"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-keyout", key, "-out", certificate, "-days", "2"),
            *("-subj", "/CN=ray"),
        ],
        check=True,
        capture_output=True,
    )
    files = (f"--from-file={key}", f"--from-file={certificate}")
    cluster.kubectl("-n", namespace, "create", "secret", "generic", "authority", *files)


def test_a_cluster_grows_and_works_over_tls(
    here: CommandLine, real_cluster: Bed, tmp_path: Path
) -> None:
    authority(real_cluster, here.namespace, tmp_path)
    place = tmp_path / "private"
    place.mkdir()
    (place / "blueprint.yaml").write_text(BLUEPRINT)
    (place / "private.py").write_text(JOB)
    told = here("up", "./private", cwd=tmp_path).stdout
    # Among what Ray says of its autoscaler.
    answers = [line for line in told.splitlines() if line.startswith("answer: ")]
    assert answers == [
        "answer: another node True",
        "answer: with TLS True",
        "answer: without False",
    ]
