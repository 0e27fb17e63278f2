"""What stands in a Ray cluster beside its groups: security and recovery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render

Planned = Callable[..., Plan]
Object = dict[str, Any]

REDIS = """
gcs_fault_tolerance_options:
  redis_address: rediss://redis.ml.svc:6380
  redis_username: {secret_name: redis, key: user}
  redis_password: {secret_name: redis}
"""
WORKERS = "worker_groups: [{name: a, min_replicas: 0, max_replicas: 2}]\n"


def cluster(plan: Plan, kuberay: str = "1.5.1") -> Object:
    objects = render(plan, kuberay_version=kuberay)
    (found,) = (one for one in objects if one["apiVersion"] == "ray.io/v1")
    spec: Object = found["spec"]
    inner: Object = spec.get("rayClusterConfig", spec)
    return inner


def pods(spec: Object) -> list[Object]:
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def test_the_state_of_the_head_is_in_redis(planned: Planned) -> None:
    spec = cluster(planned(f"{REDIS}cluster: {{}}"))
    assert spec["gcsFaultToleranceOptions"] == {
        "redisAddress": "rediss://redis.ml.svc:6380",
        "redisUsername": {
            "valueFrom": {"secretKeyRef": {"name": "redis", "key": "user"}}
        },
        "redisPassword": {
            "valueFrom": {"secretKeyRef": {"name": "redis", "key": "password"}}
        },
    }
    assert "gcsFaultToleranceOptions" not in cluster(planned("cluster: {}"))


def test_what_younger_operators_do_themselves(planned: Planned) -> None:
    plan = planned(
        """
        auth_options: {secret_name: ours}
        tls_options: {enabled: true}
        history_server_options: {gcs_bucket: team-history}
        cluster: {}
        """
    )
    spec = cluster(plan, "1.7.0")
    assert spec["authOptions"] == {"mode": "token", "secretName": "ours"}
    assert spec["tlsOptions"] == {"enabled": True}
    collector = spec["historyServerOptions"]["collectorOptions"]
    assert collector["image"] == "quay.io/kuberay/collector:v1.7.0"
    assert {"name": "GCS_BUCKET", "value": "team-history"} in collector["env"]
    assert "RAY_USE_TLS" not in str(spec)


def test_only_who_signs_sees_the_key_of_the_authority(planned: Planned) -> None:
    spec = cluster(
        planned(f"{WORKERS}tls_options: {{secret_name: authority}}\ncluster: {{}}")
    )
    assert "tlsOptions" not in spec
    for pod in pods(spec):
        (signer,) = (c for c in pod["initContainers"] if c["name"] == "tls-certificate")
        (secret,) = (v for v in pod["volumes"] if "secret" in v)
        assert secret["secret"]["secretName"] == "authority"
        mounts = {c["name"]: str(c.get("volumeMounts")) for c in pod["containers"]}
        assert secret["name"] in str(signer["volumeMounts"])
        assert all(secret["name"] not in mount for mount in mounts.values())
        env = {e["name"]: e["value"] for e in pod["containers"][0]["env"]}
        assert env["RAY_USE_TLS"] == "1"
        assert env["RAY_TLS_SERVER_KEY"] == "/etc/ray/tls/tls.key"
    scaler = spec["autoscalerOptions"]
    assert {"name": "RAY_USE_TLS", "value": "1"} in scaler["env"]
    assert "/etc/ray/tls" in [m["mountPath"] for m in scaler["volumeMounts"]]


def test_only_the_autoscaler_may_ask_kubernetes(planned: Planned) -> None:
    spec = cluster(planned(f"{WORKERS}cluster: {{}}"))
    head, worker = pods(spec)
    (volume,) = (v for v in head["volumes"] if "projected" in v)
    sources = volume["projected"]["sources"]
    assert [list(source) for source in sources] == [
        ["serviceAccountToken"],
        ["configMap"],
        ["downwardAPI"],
    ]
    mount = {
        "name": volume["name"],
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        "readOnly": True,
    }
    assert mount in spec["autoscalerOptions"]["volumeMounts"]
    for pod in (head, worker):
        assert "automountServiceAccountToken" not in pod
        others = [*pod["initContainers"], *pod["containers"]]
        assert volume["name"] not in str([one.get("volumeMounts") for one in others])
    assert volume["name"] not in str(worker)
    assert "projected" not in str(cluster(planned("cluster: {}")))


def test_no_tls_where_it_is_switched_off(planned: Planned) -> None:
    spec = cluster(planned("tls_options: {enabled: false}\ncluster: {}"))
    assert "tls" not in str(spec).lower()


def test_a_highly_available_service_is_spread_and_off_the_head(
    planned: Planned,
) -> None:
    plan = planned(
        f"{REDIS}worker_groups: [{{name: a}}]\n"
        "service: {serve_config: serve.yaml, highly_available: true}",
        files={"serve.yaml": b"applications: [{import_path: 'app:app'}]\n"},
    )
    objects = render(plan, kuberay_version="1.5.1")
    (service,) = (one for one in objects if one["kind"] == "RayService")
    assert service["spec"]["excludeHeadPodFromServeSvc"] is True
    head, worker = pods(service["spec"]["rayClusterConfig"])
    for pod in (head, worker):
        (apart,) = pod["affinity"]["podAntiAffinity"][
            "preferredDuringSchedulingIgnoredDuringExecution"
        ]
        assert apart["podAffinityTerm"]["labelSelector"] == {
            "matchLabels": {"ray-gke/run": "demo"}
        }
    keys = [s["topologyKey"] for s in worker["topologySpreadConstraints"]]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    probe = worker["containers"][0]["readinessProbe"]
    assert (probe["httpGet"]["path"], probe["periodSeconds"]) == ("/-/healthz", 1)
    assert "readinessProbe" not in head["containers"][0]
    start = service["spec"]["rayClusterConfig"]["headGroupSpec"]["rayStartParams"]
    assert start["num-cpus"] == "0"
