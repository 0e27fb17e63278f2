"""One mistake, one error: with file, line, key, and a hint what to do."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ray_gke.catalog.load import load
from ray_gke.errors import InvalidError

FAULTS = Path(__file__).parent / "faults"
LONG = "name-too-long-for-a"


@dataclass(frozen=True)
class Fault:
    """Which folder, and what a user must be told about it."""

    folder: str
    line: int
    key: str | None
    message: str
    hint: str
    file: str = "blueprint.yaml"


GROUP = "spec.worker_groups[0]"
CASES = [
    # Keys
    Fault("unknown-key-at-top", 4, "sepc", "unknown key 'sepc'", "'spec'"),
    Fault("misspelt-spec", 4, "specs", "unknown key", "mean 'spec'"),
    Fault("misspelt-metadata-key", 5, "metadata.sumary", "unknown key", "'summary'"),
    Fault("misspelt-parameter-key", 7, "parameters.count.defualt", "unk", "'default'"),
    Fault("misspelt-spec-key", 5, "spec.worker_group", "unk", "'worker_groups'"),
    Fault("misspelt-group-key", 7, f"{GROUP}.min_replica", "unk", "'min_replicas'"),
    Fault("misspelt-gpu-key", 8, f"{GROUP}.gpu.acelerator", "unk", "'accelerator'"),
    Fault(
        "misspelt-sharing-key",
        9,
        f"{GROUP}.gpu.sharing.max_shared_clients",
        "unknown key 'max_shared_clients'",
        "'max_shared_clients_per_gpu'",
    ),
    Fault(
        "misspelt-toleration-key",
        8,
        "spec.head.tolerations[0].operatr",
        "unknown key",
        "'operator'",
    ),
    Fault("misspelt-job-key", 6, "spec.job.entry_point", "unk", "'entrypoint'"),
    Fault(
        "misspelt-autoscaler-key",
        6,
        "spec.autoscaler_options.idle_timeout",
        "unknown key",
        "'idle_timeout_seconds'",
    ),
    Fault("camel-case-key", 7, f"{GROUP}.minReplicas", "unk", "'min_replicas'"),
    Fault("patch-without-patch", 7, "spec.patches[0].patch", "missing", "merge patch"),
    Fault("wrong-api-version", 1, "apiVersion", "'ray-gke/v2'", "ray-gke/v1"),
    Fault("wrong-kind", 2, "kind", "'Bluprint'", "'Blueprint'"),
    Fault("no-spec", 1, "spec", "'spec' is missing", "What should run"),
    Fault("no-name", 3, "metadata.name", "'name' is missing", "folder's"),
    # Types
    Fault("text-for-number", 7, f"{GROUP}.min_replicas", "'two' is not a whole", ""),
    Fault("quoted-number", 7, f"{GROUP}.min_replicas", "'2' is not", "the quotes"),
    Fault("fraction-for-whole-number", 7, f"{GROUP}.max_replicas", "1.5 is not", ""),
    Fault("boolean-for-number", 7, f"{GROUP}.warm_replicas", "true is not", "whole"),
    Fault("number-for-text", 6, "spec.env.LOG_LEVEL", "10 is not text", "in quotes"),
    Fault("mapping-for-list", 5, "spec.worker_groups", "is not a list", "list"),
    Fault("list-for-mapping", 5, "spec.head", "is not a mapping", "mapping"),
    Fault("empty-value", 5, "spec.head", "an empty value", "remove the key"),
    # Quantities and names
    Fault("memory-without-unit", 5, "spec.head.memory", "less than 1Mi", "8Gi"),
    Fault("memory-too-little-for-ray", 5, "spec.head.memory", "'255Mi'", "256Mi or"),
    Fault("memory-with-wrong-unit", 5, "spec.head.memory", "'8GB'", "512Mi"),
    Fault("memory-beyond-any-machine", 5, "spec.head.memory", "'8Ei'", "8Gi"),
    Fault("cpu-zero", 5, "spec.head.cpu", "not more than 0", "500m"),
    Fault("cpu-negative", 5, "spec.head.cpu", "'-1'", "500m"),
    Fault("cpu-too-fine", 5, "spec.head.cpu", "finer than 1m", "500m"),
    Fault("cpu-not-a-quantity", 5, "spec.head.cpu", "'two'", "500m"),
    Fault("group-called-head", 6, f"{GROUP}.name", "the head's own", "another name"),
    Fault("group-name-not-dns", 6, f"{GROUP}.name", "'GPU_Workers'", "small letters"),
    Fault(f"{LONG}-job-{LONG}-job-x", 3, "metadata.name", "49 characters, and 47", ""),
    Fault(f"{LONG}-service-{LONG}a", 3, "metadata.name", "48 characters, and 47", ""),
    Fault(f"{LONG}-cluster-{LONG}-cluster", 3, "metadata.name", "and 53 are", ""),
    Fault("name-is-not-the-folders", 4, "metadata.name", "'another-name'", "like"),
    Fault("ray-too-old", 5, "spec.ray.version", "token authentication", "2.52.0"),
    Fault("ray-version-two-parts", 5, "spec.ray.version", "'2.60'", "2.60.0"),
    Fault("image-with-space", 5, "spec.ray.image", "does not fit", "an image"),
    Fault("image-in-capitals", 5, "spec.ray.image", "does not fit", "an image"),
    Fault("label-value-with-space", 6, "spec.head.labels.team", "fit", "letters"),
    Fault("resource-not-whole", 6, "spec.head.resources.fast_disk", "0.5", "whole"),
    Fault("env-name-with-dash", 5, "spec.env.LOG-LEVEL", "does not fit", "LOG_LEVEL"),
    # Rules
    Fault("min-more-than-max", 7, f"{GROUP}.min_replicas", "5 is more than", "5 or"),
    Fault("min-zero-without-max", 7, f"{GROUP}.min_replicas", "max_replicas", "4"),
    Fault("warm-more-than-max", 8, f"{GROUP}.warm_replicas", "3 is more", "at most"),
    Fault("negative-replicas", 7, f"{GROUP}.min_replicas", "-1 is less", "at least 0"),
    Fault("duplicate-groups", 8, "spec.worker_groups[2].name", "'workers'", "its own"),
    Fault("two-workloads", 6, "spec.job", "cluster and job", "exactly one"),
    Fault("no-workload", 4, "spec", "none of cluster, job, service", "cluster: {}"),
    Fault("empty-entrypoint", 6, "spec.job.entrypoint", "empty", "Shell command"),
    Fault("token-in-env", 6, "spec.env.RAY_AUTH_TOKEN", "a secret", "remove it"),
    Fault("own-variable-in-env", 5, "spec.env.RAY_ADDRESS", "set by ray", "remove"),
    Fault("accelerator-not-nvidia", 6, "spec.head.gpu.accelerator", "'A100'", "l4"),
    Fault("partition-not-mig", 8, "spec.head.gpu.partition", "'5gb'", "1g.5gb"),
    Fault(
        "sharing-with-one",
        8,
        "spec.head.gpu.sharing.max_shared_clients_per_gpu",
        "1 is less than 2",
        "at least 2",
    ),
    Fault(
        "sharing-strategy-misspelt",
        8,
        "spec.head.gpu.sharing.strategy",
        "'timesharing'",
        "mean 'time-sharing'",
    ),
    Fault(
        "provisioning-unknown", 7, f"{GROUP}.provisioning", "'preem", "standard, spot"
    ),
    # Files
    Fault("missing-script", 6, "spec.job.entrypoint", "'sqares.py'", "'squares.py'"),
    Fault("missing-serve-config", 6, "spec.service.serve_config", "no", "'serve.yaml'"),
    Fault("file-outside", 6, "spec.service.serve_config", "outside", "into the folder"),
    Fault("file-absolute", 6, "spec.service.serve_config", "outside", "into the fol"),
    Fault("script-outside", 6, "spec.job.entrypoint", "outside", "into the folder"),
    # Parameters
    Fault("parameter-type-unknown", 5, "parameters.count.type", "'int'", "'integer'"),
    Fault(
        "parameter-min-more-than-max",
        8,
        "parameters.count.minimum",
        "minimum 9 is more than maximum 1",
        "exchange",
    ),
    Fault(
        "parameter-default-out-of-range",
        7,
        "parameters.count.default",
        "30 is more than the maximum 10",
        "at most 10",
    ),
    Fault(
        "parameter-default-of-wrong-type",
        7,
        "parameters.count.default",
        "'3' is not a whole number",
        "whole number",
    ),
    Fault(
        "parameter-default-not-in-enum",
        7,
        "parameters.size.default",
        "'huge' is not one of small, large",
        "small or large",
    ),
    Fault("parameter-pattern-broken", 8, "parameters.size.pattern", "'(a'", "groups"),
    Fault(
        "parameter-pattern-look-around",
        8,
        "parameters.size.pattern",
        "'(?!b)a'",
        "no look-around",
    ),
    Fault(
        "parameter-minimum-of-text",
        8,
        "parameters.size.minimum",
        "does not go with type string",
        "integer and number",
    ),
    Fault("parameter-name-in-capitals", 5, "parameters.Count", "'Count'", "small"),
    Fault("parameter-called-like-a-keyword", 5, "parameters.not", "'not'", "another"),
    Fault("parameter-list-as-default", 5, "parameters.size.default", "a list", "text"),
    # Expressions
    Fault(
        "expression-undefined",
        9,
        f"{GROUP}.max_replicas",
        "no parameter 'max_worker'",
        "'max_workers'",
    ),
    Fault("expression-of-wrong-type", 9, f"{GROUP}.max_replicas", "'large'", "whole"),
    Fault("expression-syntax", 6, "spec.job.entrypoint", "not an expression", "{{"),
    Fault("expression-not-closed", 6, "spec.job.entrypoint", "not closed", "{{ '{{'"),
    Fault("expression-statement", 6, "spec.job.entrypoint", "statements", "{{ '{%'"),
    Fault("expression-comment", 6, "spec.job.entrypoint", "comments", "{{ '{#'"),
    Fault("expression-endless-power", 6, "spec.head.num_cpus", "too large", "sizes"),
    Fault("expression-endless-range", 6, "spec.job.entrypoint", "be called", "filter"),
    Fault("expression-huge-text", 6, "spec.job.entrypoint", "larger than", "sizes"),
    Fault("expression-huge-format", 6, "spec.job.entrypoint", "numbers", "types"),
    Fault("expression-huge-center", 6, "spec.job.entrypoint", "'center'", "replace"),
    Fault(
        "expression-escape-by-attribute", 6, "spec.job.entrypoint", ".__mro__", "filter"
    ),
    Fault("expression-escape-by-item", 6, "spec.job.entrypoint", "indices", "types"),
    Fault(
        "expression-escape-by-global", 6, "spec.job.entrypoint", "attribute", "filter"
    ),
    Fault("expression-escape-by-filter", 6, "spec.job.entrypoint", "'attr'", "known"),
    Fault("expression-division-by-zero", 6, "spec.head.num_cpus", "by zero", "types"),
    Fault("expression-nested-deeply", 6, "spec.head.num_cpus", "nested", "shorten"),
    Fault("expression-not-in-quotes", 9, f"{GROUP}.max_replicas", "key", "in quotes"),
    # Serve config
    Fault(
        "serve-unknown-key",
        6,
        "applications[0].deployments[0].num_replica",
        "unknown key",
        "'num_replicas'",
        "serve.yaml",
    ),
    Fault(
        "serve-http-options",
        1,
        "http_options",
        "the target",
        "remove http",
        "serve.yaml",
    ),
    Fault(
        "serve-grpc-options",
        1,
        "grpc_options",
        "the target",
        "remove grpc_options",
        "serve.yaml",
    ),
    Fault(
        "serve-without-applications", 1, "applications", "empty", "one", "serve.yaml"
    ),
    Fault(
        "serve-without-import-path",
        2,
        "applications[0].import_path",
        "'import_path' is missing",
        "app:deployment",
        "serve.yaml",
    ),
    Fault(
        "serve-two-routes",
        3,
        "applications[1].route_prefix",
        "route_prefix '/'",
        "its own",
        "serve.yaml",
    ),
    Fault(
        "serve-expression-undefined",
        5,
        "applications[0].deployments[0].num_replicas",
        "no parameter 'replica'",
        "'replicas'",
        "serve.yaml",
    ),
    # YAML
    Fault("tab", 5, None, "a tab", "spaces"),
    Fault("duplicate-key", 7, "spec.head.cpu", "'cpu' is given twice", "line 6"),
    Fault("alias-bomb", 5, "e[8]", "too many values", "alias"),
    Fault("alias-of-itself", 7, "spec.head.labels", "inside its own value", "out"),
    Fault("alias-unknown", 5, "spec.head", "*size has no anchor", "&size"),
    Fault("merge-key", 6, "spec.head", "merge keys", "write the keys out"),
    Fault("python-tag", 6, "spec.head.cpu", "!!python/object", "remove it"),
    Fault("two-documents", 6, None, "a second document", "one document"),
    Fault("empty-file", 1, None, "empty", "apiVersion"),
    Fault("list-file", 1, None, "not a mapping", "apiVersion"),
    Fault("number-as-key", 5, "spec.env", "the key 1 is not text", '"1"'),
    Fault("not-a-number", 5, "spec.head.num_cpus", "not a finite number", "quotes"),
    Fault("bracket-not-closed", 5, None, "a bracket is not closed", "close it"),
    Fault("quote-not-closed", 6, None, "a quote is not closed", "close the quote"),
    Fault("wrong-indentation", 5, None, "':'", "indentation"),
    Fault("control-character", 2, None, "U+0007", "remove"),
    Fault("control-in-summary", 5, "metadata.summary", "U+001B", "remove"),
    Fault("control-in-tag", 5, "metadata.tags[1]", "U+009B", "remove"),
    Fault("control-in-description", 5, "parameters.size.description", "7F", "remove"),
    Fault("latin-1", 5, None, "0xf6 is not UTF-8", "UTF-8"),
    Fault("utf-16", 1, None, "UTF-16", "UTF-8"),
]


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.folder)
def test_fault(fault: Fault) -> None:
    started = time.monotonic()
    with pytest.raises(InvalidError) as caught:
        load(FAULTS / fault.folder, {}, display=fault.folder)
    assert time.monotonic() - started < 10
    (problem,) = caught.value.problems
    assert problem.place is not None
    assert problem.hint is not None
    assert problem.place.file == f"{fault.folder}/{fault.file}"
    assert (problem.place.line, problem.place.key) == (fault.line, fault.key)
    assert problem.place.column is not None
    assert fault.message in problem.message
    assert fault.hint in problem.hint


def test_every_folder_is_a_case() -> None:
    folders = {folder.name for folder in FAULTS.iterdir()}
    assert folders == {fault.folder for fault in CASES}
