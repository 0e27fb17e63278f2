"""The programs that the test cluster is made of, built from their Go modules.

Each is built once, by version, into a cache outside the checkout: the folder
`$RAY_GKE_TEST_CACHE`, else `ray-gke/parts` in `$XDG_CACHE_HOME` or `~/.cache`.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ray_gke import versions

KUBERNETES = "v1.34.4"
_STAGING = KUBERNETES.replace("v1.", "v0.", 1)
"""The version under which Kubernetes publishes the modules of its own tree."""
_LAST_LINES = 15


class PartError(Exception):
    """A part cannot be built; the message says what to do."""


@dataclass(frozen=True)
class Part:
    """A program, and what else of its module the tests need."""

    module: str
    version: str
    package: str = "."
    files: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


def _kubernetes(program: str) -> Part:
    _, minor, _ = KUBERNETES.split(".")
    stamp = "k8s.io/component-base/version"
    stamps = {"gitVersion": KUBERNETES, "gitMajor": "1", "gitMinor": minor}
    return Part(
        "k8s.io/kubernetes",
        KUBERNETES,
        f"cmd/{program}",
        variables=tuple((f"{stamp}.{name}", value) for name, value in stamps.items()),
    )


PARTS: Mapping[str, Part] = {
    "etcd": Part("go.etcd.io/etcd/server/v3", "v3.6.16"),
    "kube-apiserver": _kubernetes("kube-apiserver"),
    "kube-controller-manager": _kubernetes("kube-controller-manager"),
    "kube-scheduler": _kubernetes("kube-scheduler"),
    "kubectl": _kubernetes("kubectl"),
    "kubelet": _kubernetes("kubelet"),
    "kube-proxy": _kubernetes("kube-proxy"),
    "kuberay-operator": Part(
        "github.com/ray-project/kuberay/ray-operator",
        f"v{versions.KUBERAY_VERSIONS[0]}",
        files=("config/crd/bases", "config/rbac"),
    ),
    "kwok": Part("sigs.k8s.io/kwok", "v0.8.0", "cmd/kwok", files=("kustomize/stage",)),
    "coredns": Part("github.com/coredns/coredns", "v1.15.0"),
    "crane": Part("github.com/google/go-containerregistry", "v0.20.7", "cmd/crane"),
    "helm": Part(
        "helm.sh/helm/v3",
        "v3.19.0",
        "cmd/helm",
        variables=(("helm.sh/helm/v3/internal/version.version", "v3.19.0"),),
    ),
    "versitygw": Part("github.com/versity/versitygw", "v1.8.0", "cmd/versitygw"),
}


def cache() -> Path:
    """Return the folder that built parts are kept in."""
    if given := os.environ.get("RAY_GKE_TEST_CACHE"):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ray-gke" / "parts"


def path(name: str) -> Path:
    """Return the program `name`, built first where the cache does not have it."""
    return folder(name) / name


def folder(name: str) -> Path:
    """Return the folder of a part: the program, and `Part.files` as in its module."""
    if name not in PARTS:
        raise PartError(f"no part is called {name!r}; there are: {', '.join(PARTS)}")
    built = cache() / name / PARTS[name].version
    if not built.exists():
        with one_build_at_a_time():
            if not built.exists():
                _build(name, built)
    return built


@contextmanager
def one_build_at_a_time() -> Iterator[None]:
    """Wait for other processes that build: a second build would gain nothing."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(name: str, built: Path) -> None:
    part = PARTS[name]
    sys.stderr.write(f"building {name} {part.version} (once) into {built}\n")
    unfinished = built.with_name(f"{built.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    source = download(part)
    _compile(part, source, unfinished / name)
    for file in part.files:
        _copy(source / file, unfinished / file)
    unfinished.rename(built)


def download(part: Part) -> Path:
    """Return where Go keeps the part's module."""
    told = _go(["mod", "download", "-json", f"{part.module}@{part.version}"], cache())
    return Path(json.loads(told)["Dir"])


def _copy(source: Path, target: Path) -> None:
    """Copy without the permissions: the folders in Go's cache cannot be removed."""
    for file in (f for f in source.rglob("*") if f.is_file()):
        copied = target / file.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(file.read_bytes())


def _compile(part: Part, source: Path, program: Path) -> None:
    """Build from a module of our own: `go install` refuses modules that replace."""
    own = cache() / "modules" / f"{part.module.replace('/', '-')}-{part.version}"
    own.mkdir(parents=True, exist_ok=True)
    requirement = f"module parts\n\ngo 1.24\n\nrequire {part.module} {part.version}\n"
    (own / "go.mod").write_text(requirement + _replacements(source))
    stamps = [f"-X {name}={value}" for name, value in part.variables]
    package = part.module if part.package == "." else f"{part.module}/{part.package}"
    flags = ["-trimpath", "-ldflags", " ".join(["-s -w", *stamps])]
    _go(["build", *flags, "-o", str(program), package], own)


def _replacements(source: Path) -> str:
    """Return where the modules without a version are found, as Kubernetes' own are."""
    written = (source / "go.mod").read_text()
    required = re.findall(r"(?m)^\s+(k8s\.io/\S+) v0\.0\.0(?:\s|$)", written)
    return "".join(f"replace {name} => {name} {_STAGING}\n" for name in required)


def _go(arguments: Sequence[str], cwd: Path) -> str:
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"}
    command = ["go", *arguments]
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, check=False, capture_output=True, text=True
        )
    except FileNotFoundError:
        raise PartError(
            "the test cluster is built with Go, and there is no `go` on PATH: "
            "install Go 1.26 or later"
        ) from None
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).splitlines()[-_LAST_LINES:])
        raise PartError(
            f"`{' '.join(command)}` failed in {cwd}:\n{last}\n"
            "The first build of a part needs a Go module proxy (`go env GOPROXY`)."
        )
    return done.stdout
