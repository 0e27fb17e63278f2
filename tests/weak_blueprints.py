"""Specs of blueprints that weaken what is the default, each in one place."""

from __future__ import annotations

from dataclasses import dataclass

CLUSTER = "cluster: {}"
JOB = "job: {entrypoint: python a.py}"
SERVICE = "service: {serve_config: serve.yaml}"
EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
RESTRICTED = 'which Pod Security "restricted" refuses'
CONTEXT = (
    "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"
)
RAY = "name: ray-head, image: rayproject/ray:2.60.0-py311"
FLUENT_BIT = f"{{name: fluent-bit, image: 'fluent/fluent-bit:5.1.1', {CONTEXT}}}"
CONTAINER = "spec.headGroupSpec.template.spec.containers[0]"
FIRST_LINE = 5
"""Of the spec: the lines before it are the fixture's."""


def group(more: str = "") -> str:
    return f"worker_groups: [{{name: w{more}}}]"


def head(pod: str) -> str:
    return f"headGroupSpec: {{template: {{spec: {{{pod}}}}}}}"


def head_metadata(metadata: str) -> str:
    return f"headGroupSpec: {{template: {{metadata: {{{metadata}}}}}}}"


def ray_container(more: str) -> str:
    """A patch that puts another list in the place of the head's containers."""
    return head(f"containers: [{{{RAY}, {more}}}]")


def required(expression: str) -> str:
    term = f"{{matchExpressions: [{expression}]}}"
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    return f"affinity: {{nodeAffinity: {{{key}: {{nodeSelectorTerms: [{term}]}}}}}}"


def patched_head(pod: str) -> str:
    return (
        f"{CLUSTER}\npatches: [{{kind: RayCluster, patch: {{spec: {{{head(pod)}}}}}}}]"
    )


PROVISIONING = "cloud.google.com/gke-provisioning"
ELASTIC = group(", min_replicas: 0, max_replicas: 2")


@dataclass(frozen=True)
class Weak:
    """Lines of a spec, the number of the weak one, and what is told of it."""

    spec: str
    line: int
    key: str
    message: str
    hint: str
    kuberay: str = "1.5.1"


def field(line: str, key: str, message: str, hint: str, **more: str) -> Weak:
    """A field of a cluster's blueprint on one line."""
    return Weak(f"{CLUSTER}\n{line}", 1, f"spec.{key}", message, hint, **more)


def patch(
    patch: str, key: str, message: str, hint: str, *before: str, kind: str = ""
) -> Weak:
    """A patch of the Ray object's spec, or of an object of another kind."""
    lines = before or (CLUSTER,)
    kinds = {CLUSTER: "RayCluster", JOB: "RayJob", SERVICE: "RayService"}
    merged = patch if kind else f"{{spec: {{{patch}}}}}"
    patched = f"patches: [{{kind: {kind or kinds[lines[0]]}, patch: {merged}}}]"
    return Weak(
        "\n".join([*lines, patched]),
        len(lines),
        f"spec.patches[0].patch.{key}",
        message,
        hint,
    )


WEAKNESSES = {
    # Who may use it
    "auth-disabled": field(
        "auth_options: {mode: disabled}",
        "auth_options.mode",
        "runs code without a token",
        "token",
    ),
    "auth-removed": patch(
        "authOptions: null", "spec.authOptions", "without a token", "token"
    ),
    "auth-disabled-by-patch": patch(
        "authOptions: {mode: disabled}",
        "spec.authOptions.mode",
        "RayCluster/demo: spec.authOptions.mode: whoever reaches the dashboard",
        "token",
    ),
    "auth-of-a-job": patch(
        "rayClusterSpec: {authOptions: null}",
        "spec.rayClusterSpec.authOptions",
        "RayJob/demo: spec.rayClusterSpec.authOptions.mode: whoever reaches",
        "token",
        JOB,
    ),
    # Services
    "head-load-balancer": patch(
        "headGroupSpec: {serviceType: LoadBalancer}",
        "spec.headGroupSpec.serviceType",
        "LoadBalancer opens the dashboard and Ray's other ports outside",
        "ClusterIP",
    ),
    "head-service-node-port": patch(
        "headGroupSpec: {headService: {spec: {type: NodePort}}}",
        "spec.headGroupSpec.headService.spec.type",
        "NodePort opens the dashboard",
        "ClusterIP",
    ),
    "head-service-external-ip": patch(
        "headGroupSpec: {headService: {spec: {externalIPs: [203.0.113.9]}}}",
        "spec.headGroupSpec.headService.spec.externalIPs",
        "an external IP opens the dashboard",
        "leave it out",
    ),
    "head-ingress": patch(
        "headGroupSpec: {enableIngress: true}",
        "spec.headGroupSpec.enableIngress",
        "an Ingress opens the dashboard",
        "ray-gke dashboard",
    ),
    "serve-load-balancer": patch(
        "serveService: {spec: {type: LoadBalancer}}",
        "spec.serveService.spec.type",
        "LoadBalancer opens Serve outside of the cluster",
        "ClusterIP",
        SERVICE,
    ),
    # NetworkPolicies
    "network-policy-none": field(
        "network_policy: {mode: none}",
        "network_policy.mode",
        "any pod may reach Ray's ports, and the run's pods reach any address",
        "DenyAll",
    ),
    "network-policy-egress-open": field(
        "network_policy: {mode: DenyAllIngress}",
        "network_policy.mode",
        "the run's pods reach any address",
        "DenyAll",
    ),
    "network-policy-ingress-open": field(
        "network_policy: {mode: DenyAllEgress}",
        "network_policy.mode",
        "any pod may reach Ray's ports",
        "DenyAll",
    ),
    "ingress-rule-from-everybody": field(
        "network_policy: {ingress_rules: [{}]}",
        "network_policy.ingress_rules[0]",
        "everybody may reach every port of Ray's",
        "namespaceSelector",
    ),
    "ingress-rule-from-every-address": field(
        "network_policy: {ingress_rules: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}], "
        "ports: [{port: 8265}]}]}",
        "network_policy.ingress_rules[0]",
        "everybody may reach 8265 of Ray's",
        "namespaceSelector",
    ),
    "ingress-rule-from-every-namespace": field(
        "network_policy: {ingress_rules: [{from: [{namespaceSelector: {}}], "
        "ports: [{port: client}, {port: 6000, endPort: 7000}]}]}",
        "network_policy.ingress_rules[0]",
        "everybody may reach 6379, 10001 of Ray's",
        "namespaceSelector",
    ),
    "ingress-rule-by-patch": patch(
        "{spec: {ingress: [{ports: [{protocol: TCP}]}]}}",
        "spec.ingress",
        "spec.ingress[0]: everybody may reach 6379, 8265, 10001, 52365 of Ray's",
        "namespaceSelector",
        kind="NetworkPolicy, name: demo",
    ),
    "egress-rule-to-everything": field(
        "network_policy: {egress_rules: [{to: [{ipBlock: {cidr: '::/0'}}]}]}",
        "network_policy.egress_rules[0]",
        "the pods may reach every address",
        "name the ports",
    ),
    "egress-rule-by-patch": patch(
        "{spec: {egress: [{}]}}",
        "spec.egress",
        "NetworkPolicy/demo: spec.egress[0]: the pods may reach every address",
        "name the ports",
        kind="NetworkPolicy, name: demo",
    ),
    "policy-without-ingress": patch(
        "{spec: {policyTypes: [Egress]}}",
        "spec.policyTypes",
        "says nothing of Ingress",
        "leave it out",
        kind="NetworkPolicy, name: demo",
    ),
    "policy-of-other-pods": patch(
        "{spec: {podSelector: {matchLabels: {a: b}}}}",
        "spec.podSelector",
        "not for the pods that it was made for",
        "network_policy",
        kind="NetworkPolicy, name: demo",
    ),
    "pod-that-no-policy-selects": patch(
        head_metadata("labels: {ray-gke/run: other}"),
        "spec.headGroupSpec.template.metadata.labels.ray-gke/run",
        "no NetworkPolicy selects the head",
        "keep it",
    ),
    # Pod Security
    "may-be-root": patch(
        head("securityContext: {runAsNonRoot: null}"),
        "spec.headGroupSpec.template.spec.securityContext.runAsNonRoot",
        f"runAsNonRoot is not true, {RESTRICTED}",
        "true",
    ),
    "is-root": patch(
        head("securityContext: {runAsUser: 0}"),
        "spec.headGroupSpec.template.spec.securityContext.runAsUser",
        f"runAsUser is 0, which is root, {RESTRICTED}",
        "1000",
    ),
    "without-seccomp": patch(
        head("securityContext: {seccompProfile: {type: Unconfined}}"),
        "spec.headGroupSpec.template.spec.securityContext.seccompProfile",
        "seccompProfile is not of type RuntimeDefault or Localhost",
        "RuntimeDefault",
    ),
    "container-is-root": patch(
        ray_container(CONTEXT[:-1] + ", runAsUser: 0}"),
        f"{CONTAINER}.securityContext.runAsUser",
        "containers[0].securityContext.runAsUser: runAsUser is 0",
        "1000",
    ),
    "container-may-be-root": patch(
        ray_container(CONTEXT[:-1] + ", runAsNonRoot: false}"),
        f"{CONTAINER}.securityContext.runAsNonRoot",
        "containers[0].securityContext.runAsNonRoot: runAsNonRoot is not true",
        "true",
    ),
    "privileged": patch(
        ray_container(CONTEXT[:-1] + ", privileged: true}"),
        f"{CONTAINER}.securityContext.privileged",
        "the container is privileged",
        "leave it out",
    ),
    "privilege-escalation": patch(
        ray_container("securityContext: {capabilities: {drop: [ALL]}}"),
        f"{CONTAINER}.securityContext",
        "allowPrivilegeEscalation is not false",
        "false",
    ),
    "capabilities-kept": patch(
        ray_container("securityContext: {allowPrivilegeEscalation: false}"),
        f"{CONTAINER}.securityContext",
        "capabilities do not drop ALL",
        "drop: [ALL]",
    ),
    "capabilities-added": patch(
        ray_container(CONTEXT.replace("]", "], add: [NET_ADMIN, NET_BIND_SERVICE]")),
        f"{CONTAINER}.securityContext.capabilities.add",
        "capabilities add NET_ADMIN,",
        "drop: [ALL]",
    ),
    "host-port": patch(
        ray_container(f"ports: [{{containerPort: 8265, hostPort: 8265}}], {CONTEXT}"),
        f"{CONTAINER}.ports[0].hostPort",
        "port 8265 of the node is taken",
        "ray-gke dashboard",
    ),
    "volume-of-the-node": patch(
        head(
            "volumes: [{name: disk, hostPath: {path: /mnt}}], "
            f"containers: [{{{RAY}, {CONTEXT}}}], initContainers: [{FLUENT_BIT}]"
        ),
        "spec.headGroupSpec.template.spec.volumes[0].hostPath",
        "a volume is of kind hostPath",
        "emptyDir",
    ),
    "sysctl": patch(
        head("securityContext: {sysctls: [{name: kernel.msgmax, value: '1'}]}"),
        "spec.headGroupSpec.template.spec.securityContext.sysctls[0].name",
        f"the sysctl kernel.msgmax is not a safe one, {RESTRICTED}",
        "leave it out",
    ),
    "proc-unmasked": patch(
        ray_container(CONTEXT[:-1] + ", procMount: Unmasked}"),
        f"{CONTAINER}.securityContext.procMount",
        'procMount is "Unmasked"',
        "leave it out",
    ),
    "probe-of-another-host": patch(
        ray_container(
            f"{CONTEXT}, livenessProbe: {{httpGet: {{host: a.b, port: 80}}}}"
        ),
        f"{CONTAINER}.livenessProbe.httpGet.host",
        "the kubelet is to ask a.b, not the pod",
        "leave it out",
    ),
    "host-network": patch(
        head("hostNetwork: true"),
        "spec.headGroupSpec.template.spec.hostNetwork",
        "the pod shares the node's network",
        "leave it out",
    ),
    "host-pid": patch(
        head("hostPID: true"),
        "spec.headGroupSpec.template.spec.hostPID",
        "the pod shares the node's processes",
        "leave it out",
    ),
    "host-ipc": patch(
        head("hostIPC: true"),
        "spec.headGroupSpec.template.spec.hostIPC",
        "the pod shares the node's IPC",
        "leave it out",
    ),
    "host-ipc-of-mps": field(
        "worker_groups: [{name: w, gpu: {accelerator: nvidia-l4, "
        "sharing: {strategy: mps, max_shared_clients_per_gpu: 2}}}]",
        "worker_groups[0].gpu",
        f"MPS needs the node's IPC: what runs there may read the memory of the GPU's "
        f"other clients, {RESTRICTED}",
        "partition",
    ),
    "init-container": patch(
        head(f"initContainers: [{{name: a, image: a}}, {FLUENT_BIT}]"),
        "spec.headGroupSpec.template.spec.initContainers[0]",
        "initContainers[0].securityContext.capabilities.drop: capabilities do not",
        "drop: [ALL]",
    ),
    "autoscaler": patch(
        "autoscalerOptions: {securityContext: {capabilities: null}}",
        "spec.autoscalerOptions.securityContext.capabilities",
        "autoscalerOptions.securityContext.capabilities.drop: capabilities do not",
        "drop: [ALL]",
        CLUSTER,
        ELASTIC,
    ),
    "submitter": patch(
        "submitterPodTemplate: {spec: {hostNetwork: true}}",
        "spec.submitterPodTemplate.spec.hostNetwork",
        "the pod shares the node's network",
        "leave it out",
        JOB,
    ),
    "submitter-shares-ipc": patch(
        "submitterPodTemplate: {spec: {hostIPC: true}}",
        "spec.submitterPodTemplate.spec.hostIPC",
        "the pod shares the node's IPC",
        "leave it out",
        JOB,
    ),
    "submitter-of-kuberay": patch(
        "submitterPodTemplate: null",
        "spec.submitterPodTemplate",
        "KubeRay's own submitter has no securityContext",
        "submitterPodTemplate",
        JOB,
    ),
    "submitter-beside-the-head": patch(
        "submissionMode: SidecarMode, submitterConfig: null, "
        "submitterPodTemplate: null",
        "spec.submissionMode",
        "KubeRay's submitter beside the head has no securityContext",
        "K8sJobMode",
        JOB,
    ),
    "balloon": patch(
        "{spec: {template: {spec: {hostPID: true}}}}",
        "spec.template.spec.hostPID",
        "Deployment/demo-w-balloon: spec.template.spec.hostPID: the pod shares",
        "leave it out",
        CLUSTER,
        group(", warm_replicas: 1"),
        kind="Deployment",
    ),
    "history-server": field(
        "history_server_options: {gcs_bucket: team-history}",
        "history_server_options",
        "KubeRay's collector has no securityContext",
        "logs.mode",
        kuberay="1.7.0",
    ),
    # Tokens and service accounts
    "token-of-the-head": patch(
        head("automountServiceAccountToken: true"),
        "spec.headGroupSpec.template.spec.automountServiceAccountToken",
        "the head gets a token of Kubernetes that it has no use for",
        "leave it out",
    ),
    "token-of-the-autoscaler-for-all": patch(
        head("automountServiceAccountToken: true"),
        "spec.headGroupSpec.template.spec.automountServiceAccountToken",
        "the head gets the autoscaler's token in all containers",
        "leave it out",
        CLUSTER,
        ELASTIC,
    ),
    "token-of-the-submitter": patch(
        "submitterPodTemplate: {spec: {automountServiceAccountToken: true}}",
        "spec.submitterPodTemplate.spec.automountServiceAccountToken",
        "the submitter gets a token",
        "leave it out",
        JOB,
    ),
    "token-of-the-balloon": patch(
        "{spec: {template: {spec: {automountServiceAccountToken: null}}}}",
        "spec.template.spec.automountServiceAccountToken",
        "the balloon gets a token",
        "false",
        CLUSTER,
        group(", warm_replicas: 1"),
        kind="Deployment",
    ),
    "token-of-the-account": patch(
        "{automountServiceAccountToken: true}",
        "automountServiceAccountToken",
        "every pod of the run gets a token",
        "false",
        kind="ServiceAccount",
    ),
    "account-of-others": patch(
        head("serviceAccountName: team"),
        "spec.headGroupSpec.template.spec.serviceAccountName",
        "the head runs as the service account team",
        "demo",
    ),
    "account-removed": patch(
        "submitterPodTemplate: {spec: {serviceAccountName: null}}",
        "spec.submitterPodTemplate.spec.serviceAccountName",
        "the submitter runs as the service account default",
        "demo",
        JOB,
    ),
    # Eviction and Spot
    "head-safe-to-evict": patch(
        head_metadata(f"annotations: {{{EVICT}: 'true'}}"),
        f"spec.headGroupSpec.template.metadata.annotations.{EVICT}",
        "the head may be evicted",
        '"false"',
    ),
    "head-without-annotations": patch(
        head_metadata("annotations: null"),
        "spec.headGroupSpec.template.metadata.annotations",
        "the head may be evicted",
        '"false"',
    ),
    "balloon-not-safe-to-evict": patch(
        f"{{spec: {{template: {{metadata: {{annotations: {{{EVICT}: 'false'}}}}}}}}}}",
        f"spec.template.metadata.annotations.{EVICT}",
        "a node with such a balloon is never removed",
        '"true"',
        CLUSTER,
        group(", warm_replicas: 1"),
        kind="Deployment",
    ),
    "balloon-without-annotations": patch(
        "{spec: {template: {metadata: {annotations: null}}}}",
        "spec.template.metadata.annotations",
        "a node with such a balloon is never removed",
        '"true"',
        CLUSTER,
        group(", warm_replicas: 1"),
        kind="Deployment",
    ),
    "head-on-spot": patch(
        head("nodeSelector: {cloud.google.com/gke-spot: 'true'}"),
        "spec.headGroupSpec.template.spec.nodeSelector.cloud.google.com/gke-spot",
        "Google takes such nodes back",
        "on demand",
    ),
    "head-on-flex-start": patch(
        head("nodeSelector: {cloud.google.com/gke-provisioning: flex-start}"),
        "spec.headGroupSpec.template.spec.nodeSelector."
        "cloud.google.com/gke-provisioning",
        "Google takes such nodes back",
        "on demand",
    ),
    "head-tolerates-spot": patch(
        head("tolerations: [{key: cloud.google.com/gke-spot, operator: Exists}]"),
        "spec.headGroupSpec.template.spec.tolerations[0]",
        "the head may run on Spot nodes",
        "on demand",
    ),
    "head-anywhere": patch(
        head("affinity: null"),
        "spec.headGroupSpec.template.spec.affinity",
        "nothing keeps the head off Spot nodes",
        "nodeAffinity",
    ),
    "head-selects-other-nodes": patch(
        head(required("{key: disk, operator: Exists}")),
        "spec.headGroupSpec.template.spec.affinity",
        "nothing keeps the head off Spot nodes",
        "nodeAffinity",
    ),
    "head-selects-spot": patch(
        head(required(f"{{key: {PROVISIONING}, operator: In, values: [spot]}}")),
        "spec.headGroupSpec.template.spec.affinity",
        "nothing keeps the head off Spot nodes",
        "nodeAffinity",
    ),
    "head-not-restarted": patch(
        head("restartPolicy: Never"),
        "spec.headGroupSpec.template.spec.restartPolicy",
        "the log files of the old one are gone",
        "leave it out",
    ),
    # TLS, logs, metrics
    "tls-by-the-key-of-the-authority": field(
        "tls_options: {secret_name: ray-ca}",
        "tls_options.secret_name",
        "the authority's key is in every pod",
        "cert-manager",
    ),
    "logs-stay": field(
        "logs: {mode: none}", "logs.mode", "log files stay in their pods", "sidecar"
    ),
    "logs-stay-by-patch": patch(
        head("initContainers: null"),
        "spec.headGroupSpec.template.spec.initContainers",
        "Fluent Bit does not run in the head",
        "replaces the whole list",
    ),
    "logs-to-stderr": field(
        "env: {RAY_LOG_TO_STDERR: '1'}",
        "env.RAY_LOG_TO_STDERR",
        "Ray writes no log files",
        "leave it out",
    ),
    "logs-to-stderr-by-patch": patch(
        ray_container(f"{CONTEXT}, env: [{{name: RAY_LOG_TO_STDERR, value: '1'}}]"),
        "spec.headGroupSpec.template.spec.containers[0].env[0].value",
        "Ray writes no log files",
        "leave it out",
    ),
    "logs-of-many-backups": Weak(
        f"{CLUSTER}\n{group()}\nenv: {{RAY_ROTATION_BACKUP_COUNT: '50'}}",
        2,
        "spec.env.RAY_ROTATION_BACKUP_COUNT",
        # 128 files 51 times of 20 MiB, and 5 GiB for runtime environments.
        "may take 132.5 GiB, and logs.size_limit is 10Gi",
        "raise logs.size_limit",
    ),
    "logs-of-large-files": field(
        "env: {RAY_ROTATION_MAX_BYTES: '536870912'}",
        "env.RAY_ROTATION_MAX_BYTES",
        # 128 files twice of 512 MiB.
        "may take 133.0 GiB",
        "raise logs.size_limit",
    ),
    "logs-without-backups": field(
        "env: {RAY_ROTATION_BACKUP_COUNT: '0'}",
        "env.RAY_ROTATION_BACKUP_COUNT",
        "grow without end",
        "leave RAY_ROTATION_BACKUP_COUNT out",
    ),
    "runtime-environments-kept": field(
        "env: {RAY_RUNTIME_ENV_PIP_CACHE_SIZE_GB: '10'}",
        "env.RAY_RUNTIME_ENV_PIP_CACHE_SIZE_GB",
        # Half of 10 GiB for logs, and five times a sixth of the other half.
        "may take 19.2 GiB",
        "raise logs.size_limit",
    ),
    "metrics-unread": field(
        "metrics: {mode: none}", "metrics.mode", "nothing reads Ray's", "PodMonitor"
    ),
}

STRONG = {
    "cluster": CLUSTER,
    "job": JOB,
    "service": SERVICE,
    "elastic": f"{CLUSTER}\n{ELASTIC}",
    "warm": f"{CLUSTER}\n{group(', warm_replicas: 1')}",
    "spot-workers": f"{CLUSTER}\n{group(', provisioning: spot')}",
    "shared-by-time": (
        f"{CLUSTER}\nworker_groups: [{{name: w, gpu: {{accelerator: nvidia-l4, "
        "sharing: {strategy: time-sharing, max_shared_clients_per_gpu: 2}}}]"
    ),
    "logs-by-gke": f"{CLUSTER}\nlogs: {{mode: gke}}",
    "logs-of-smaller-files": (
        f"{CLUSTER}\nenv: {{RAY_ROTATION_MAX_BYTES: '1000000', "
        "RAY_ROTATION_BACKUP_COUNT: '5', RAY_LOG_TO_STDERR: '0'}"
    ),
    "logs-with-room-for-more": (
        f"{CLUSTER}\nlogs: {{size_limit: 20Gi}}\nenv: "
        "{RAY_ROTATION_MAX_BYTES: '20971520', RAY_ROTATION_BACKUP_COUNT: '2'}"
    ),
    # Ray does not start with it.
    "logs-of-no-size": f"{CLUSTER}\nenv: {{RAY_ROTATION_MAX_BYTES: 10MB}}",
    "metrics-by-choice": f"{CLUSTER}\nmetrics: {{mode: PodMonitoring}}",
    "gateway-may-reach-serve": (
        f"{SERVICE}\nnetwork_policy: {{ingress_rules: [{{ports: [{{port: 8000}}]}}]}}"
    ),
    "udp-is-not-rays": (
        f"{CLUSTER}\nnetwork_policy: "
        "{ingress_rules: [{ports: [{port: 8265, protocol: UDP}]}]}"
    ),
    "one-namespace-may-reach-the-dashboard": (
        f"{CLUSTER}\nnetwork_policy: {{ingress_rules: [{{from: [{{namespaceSelector: "
        "{matchLabels: {team: a}}}], ports: [{port: 8265}]}]}"
    ),
    "pods-reach-one-port-anywhere": (
        f"{CLUSTER}\nnetwork_policy: {{egress_rules: [{{ports: [{{port: 5432}}]}}]}}"
    ),
    "head-on-standard-nodes": patched_head(
        required(f"{{key: {PROVISIONING}, operator: In, values: [standard]}}")
    ),
    "head-off-spot-in-other-words": patched_head(
        required("{key: cloud.google.com/gke-spot, operator: DoesNotExist}")
    ),
    "cluster-ip-by-patch": (
        f"{SERVICE}\npatches: [{{kind: RayService, patch: {{spec: {{serveService: "
        "{spec: {type: ClusterIP}}}}}]"
    ),
    "labels-by-patch": (
        f"{CLUSTER}\npatches: [{{kind: RayCluster, patch: {{spec: {{"
        f"{head_metadata('labels: {team: a}')}}}}}}}]"
    ),
    "other-nodes-by-patch": patched_head(
        "nodeSelector: {disk: fast}, tolerations: [{key: disk}]"
    ),
}
