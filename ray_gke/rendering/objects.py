"""The objects of a plan, before patches, in the order in which they are applied."""

from __future__ import annotations

from collections.abc import Iterator

from ray_gke import versions
from ray_gke.planning.plan import Group, Plan
from ray_gke.planning.pods import AUTOSCALER, quantities
from ray_gke.planning.recovery_rules import fewest_serving
from ray_gke.rendering import (
    autoscaler_token,
    blueprint_files,
    cluster_options,
    documents,
    entrypoints,
    log_collection,
    monitoring,
    network_policies,
    pods,
    serve_spread,
    tls,
)
from ray_gke.rendering.labels import BALLOON, RUN, labels, of_whole_cluster
from ray_gke.rendering.security_contexts import (
    CONTAINER_SECURITY_CONTEXT,
    POD_SECURITY_CONTEXT,
)
from ray_gke.rendering.templates import Manifest, Templates

_AUTOSCALER_RESOURCES = quantities(AUTOSCALER)


def objects(
    plan: Plan, templates: Templates, namespace: str | None
) -> Iterator[Manifest]:
    """Yield everything that is applied, each after what it needs."""
    one = _Objects(plan, templates, namespace)
    yield one.service_account()
    yield from network_policies.objects(plan, templates, one.metadata)
    if plan.day_two.highly_available:
        yield one.disruption_budget()
    if fluent_bit := log_collection.config_map(plan, templates, one.metadata):
        yield fluent_bit
    warm = [group for group in plan.worker_groups if group.warm_replicas]
    if warm:
        yield one.priority_class()
    if blueprint_files.shipped(plan):
        yield one.files()
    yield one.workload()
    yield from map(one.balloons, warm)
    yield from monitoring.objects(plan, templates, one.metadata)


class _Objects:
    def __init__(self, plan: Plan, templates: Templates, namespace: str | None) -> None:
        self._plan = plan
        self._render = templates.render
        self._templates = templates
        self._namespace = namespace

    def service_account(self) -> Manifest:
        return self._render("service-account", metadata=self.metadata(self._plan.name))

    def files(self) -> Manifest:
        return self._render(
            "files-config-map",
            metadata=self.metadata(blueprint_files.name(self._plan)),
            data=blueprint_files.texts(self._plan),
            binary_data=blueprint_files.binaries(self._plan),
        )

    def workload(self) -> Manifest:
        match self._plan.kind:
            case "cluster":
                return self._render(
                    "ray-cluster",
                    metadata=self.metadata(self._plan.name),
                    cluster_spec=self._cluster_spec(),
                )
            case "job":
                return self._job()
            case "service":
                return self._service()

    def priority_class(self) -> Manifest:
        return self._render(
            "balloon-priority-class",
            metadata=of_whole_cluster(self.metadata(self._balloon_class)),
        )

    def disruption_budget(self) -> Manifest:
        plan = self._plan
        serving = fewest_serving(plan.serve_config, plan.worker_groups)
        return self._render(
            "pod-disruption-budget",
            metadata=self.metadata(plan.name),
            min_available=max(1, serving - 1),
            selector={RUN: plan.name, "ray.io/node-type": "worker"},
        )

    def balloons(self, group: Group) -> Manifest:
        selector = {RUN: self._plan.name, BALLOON: group.name}
        return self._render(
            "balloon-pods",
            metadata=self.metadata(f"{self._plan.name}-{group.name}-balloon"),
            group=group,
            selector=selector,
            labels={**labels(self._plan), **selector},
            annotations={pods.SAFE_TO_EVICT: "true"},
            priority_class=self._balloon_class,
            node_selector=group.node_selector or None,
            affinity=pods.affinity(group),
            tolerations=group.tolerations or None,
            pod_security_context=POD_SECURITY_CONTEXT,
            container_security_context=CONTAINER_SECURITY_CONTEXT,
            image=versions.PAUSE_IMAGE,
            resources=pods.all_of_a_pod(group),
        )

    @property
    def _balloon_class(self) -> str:
        # Of the whole cluster: runs of one name may stand in several namespaces.
        within = f"{self._namespace}-" if self._namespace else ""
        return f"{within}{self._plan.name}-balloon"

    def metadata(self, name: str) -> Manifest:
        namespace = {"namespace": self._namespace} if self._namespace else {}
        return {"name": name, **namespace, "labels": labels(self._plan)}

    def _cluster_spec(self) -> Manifest:
        plan = self._plan
        return self._render(
            "ray-cluster-spec",
            plan=plan,
            autoscaler_options=self._autoscaler() if plan.autoscaling else None,
            auth_options=cluster_options.auth(plan),
            gcs_fault_tolerance_options=cluster_options.fault_tolerance(plan),
            tls_options=cluster_options.tls(plan),
            history_server_options=cluster_options.history_server(plan),
            head_start_params=self._head_start_params(),
            head_template=pods.template(self._templates, plan, plan.head, "head"),
            worker_groups=[self._worker_group(group) for group in plan.worker_groups],
        )

    def _head_start_params(self) -> dict[str, str]:
        params = pods.start_params(self._plan, self._plan.head)
        # KubeRay starts an autoscaler as a container of its own. Where there is none,
        # Ray's monitor would tell jobs again and again that nothing can be scaled up.
        return params if self._plan.autoscaling else {**params, "no-monitor": "true"}

    def _worker_group(self, group: Group) -> Manifest:
        return self._render(
            "worker-group",
            group=group,
            replicas=_replicas(group),
            ray_start_params=pods.start_params(self._plan, group),
            template=pods.template(self._templates, self._plan, group, "worker"),
        )

    def _autoscaler(self) -> Manifest:
        return {
            "version": "v2",
            "idleTimeoutSeconds": self._plan.idle_timeout_seconds,
            "upscalingMode": self._plan.upscaling_mode,
            "resources": {
                "requests": _AUTOSCALER_RESOURCES,
                "limits": _AUTOSCALER_RESOURCES,
            },
            "securityContext": CONTAINER_SECURITY_CONTEXT,
            "env": self._autoscaler_env() or None,
            "volumeMounts": [*tls.mounts(self._plan), *autoscaler_token.mounts()],
        }

    def _autoscaler_env(self) -> list[Manifest]:
        """Return its environment: KubeRay gives it nothing of the head's."""
        env = {
            **log_collection.env(self._plan, self._plan.head),
            **tls.environment(self._plan),
        }
        return [{"name": name, "value": value} for name, value in env.items()]

    def _job(self) -> Manifest:
        job = self._plan.workload
        runtime_env = entrypoints.for_double_quotes(job.runtime_env)
        return self._render(
            "ray-job",
            metadata=self.metadata(self._plan.name),
            job=job,
            entrypoint=entrypoints.entrypoint(job.entrypoint),
            runtime_env=documents.text(runtime_env) if runtime_env else None,
            entrypoint_num_cpus=job.entrypoint_num_cpus or None,
            entrypoint_num_gpus=job.entrypoint_num_gpus or None,
            job_metadata=entrypoints.for_double_quotes(job.metadata) or None,
            submitter_template=self._submitter(),
            cluster_spec=self._cluster_spec(),
        )

    def _submitter(self) -> Manifest:
        held = entrypoints.BASH_CHARACTERS
        env = [{"name": name, "value": character} for character, name in held.items()]
        job, group = self._plan.workload, self._plan.submitter
        assert group
        needed = entrypoints.for_double_quotes([job.runtime_env, job.metadata]) != [
            job.runtime_env,
            job.metadata,
        ]
        return self._render(
            "submitter-pod",
            plan=self._plan,
            labels=labels(self._plan),
            env=env if needed else None,
            node_selector=group.node_selector or None,
            affinity=pods.affinity(group),
            tolerations=group.tolerations or None,
            resources=pods.resources(group),
            pod_security_context=POD_SECURITY_CONTEXT,
            container_security_context=CONTAINER_SECURITY_CONTEXT,
        )

    def _service(self) -> Manifest:
        plan = self._plan
        return self._render(
            "ray-service",
            metadata=self.metadata(plan.name),
            serve_config=documents.text(serve_spread.serve_config(plan)),
            exclude_head=plan.day_two.highly_available,
            cluster_spec=self._cluster_spec(),
        )


def _replicas(group: Group) -> int | None:
    # The autoscaler writes the number of an elastic group, and KubeRay raises it to
    # the minimum; ours would take workers away with every apply.
    elastic = group.min_replicas != group.max_replicas
    return None if elastic else group.min_replicas
