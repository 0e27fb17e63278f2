"""What may ail a platform, one thing at a time, and what `doctor` says of it.

Each check has three worlds: it passes, it fails, it may not be read. The first is the
same for all; the others are these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ray_gke.targets.gke.doctor.findings import Check, Status
from tests.doctor import world
from tests.doctor.world import Patient

Change = Callable[[Patient], object]
COMPUTE = "*/compute/v1/projects/my-project"
IN_REGION = f"{COMPUTE}/regions/us-central1"
LOCATIONS = "*/v1/projects/my-project/locations"
VIEWER = "--member MEMBER --role roles/compute.viewer"
QUOTAS = "https://console.cloud.google.com/iam-admin/quotas?project=my-project"
REGISTRY = "us-central1-docker.pkg.dev/my-project/demo"
OPERATOR = "kuberay/operator:v1.5.1"
EXISTING = (
    world.ZONES + "  network:\n    existing: {network: shared, subnetwork: nodes, "
    "pods_range_name: pods, services_range_name: services}\n"
)
HOSTED = EXISTING.replace("{network:", "{network_project_id: host-project, network:")
OWN = f"{REGISTRY}-images/team/ray:2.60.0"
WITH_OWN_IMAGE = f"{world.GROUPS}  ray: {{version: 2.60.0, image: '{OWN}'}}\n"
DISK = "projects/my-project/global/images/ray"
WITH_DISK = (
    "    - {name: l4, max_replicas: 1, gpu: {accelerator: nvidia-l4}, "
    f"secondary_boot_disks: ['{DISK}']}}\n"
)


@dataclass(frozen=True)
class Case:
    """A change of the world, and the finding that follows from it.

    `says` are parts of its message, `repair` of what repairs it.
    """

    name: str
    check: Check
    subject: str
    change: Change
    status: Status
    says: tuple[str, ...]
    repair: str


def refused(
    name: str, check: Check, subject: str, change: Change, *says: str, repair: str
) -> Case:
    return Case(name, check, subject, change, "refused", says, repair)


def warned(
    name: str, check: Check, subject: str, change: Change, *says: str, repair: str
) -> Case:
    return Case(name, check, subject, change, "warning", says, repair)


def both(*changes: Change) -> Change:
    def change(one: Patient) -> None:
        for each in changes:
            each(one)

    return change


def denying(*patterns: str) -> Change:
    return lambda one: one.google.deny(*patterns)


def revoking(*permissions: str) -> Change:
    return lambda one: one.google.revoke(*permissions)


def granting(
    metric: str, limit: float, used: float = 0, *, region: str | None = "us-central1"
) -> Change:
    return lambda one: one.google.grant(metric, limit, used, region=region)


def offering(name: str, *zones: str) -> Change:
    return lambda one: one.google.offer(name, zones)


def saying(platform: str) -> Change:
    return lambda one: world.write(one.folder, platform)


def state(one: Patient, **values: object) -> None:
    for name, value in values.items():
        setattr(one.google.state, name, value)


def default_version(version: str, *others: str) -> Change:
    def change(one: Patient) -> None:
        one.google.state.channels["REGULAR"] = {
            "default": version,
            "versions": [version, *others],
        }

    return change


def subnetwork(  # noqa: PLR0913 what a test may want otherwise
    *,
    nodes: str = "10.0.0.0/20",
    pods: str = "10.4.0.0/14",
    services: str = "10.8.0.0/20",
    network: str = "shared",
    access: bool = True,
    project: str | None = None,
) -> Change:
    """Take a network that is there, and put it there, or another."""

    def change(one: Patient) -> None:
        world.write(one.folder, HOSTED if project else EXISTING)
        ranges = {"pods": pods, "services": services}
        one.google.put(
            "subnetworks",
            "us-central1",
            {
                "name": "nodes",
                "network": f"projects/my-project/global/networks/{network}",
                "ipCidrRange": nodes,
                "privateIpGoogleAccess": access,
                "secondaryIpRanges": [
                    {"rangeName": name, "ipCidrRange": block}
                    for name, block in ranges.items()
                    if block
                ],
            },
            project=project,
        )

    return change


def making(kind: str, identity: str) -> Change:
    return lambda one: one.made((kind, identity))


def putting(kind: str, place: str, name: str) -> Change:
    return lambda one: one.google.put(kind, place, {"name": name})


def with_account(one: Patient) -> None:
    email = "demo-nodes@my-project.iam.gserviceaccount.com"
    one.google.put("serviceAccounts", "global", {"name": email, "email": email})


def with_disk(then: Change) -> Change:
    def change(one: Patient) -> None:
        world.write(one.folder, groups=WITH_DISK)
        then(one)

    return change


def cluster_at(version: str, then: Change | None = None) -> Change:
    """Let the platform's cluster be there, of this version."""

    def change(one: Patient) -> None:
        told = {"name": "demo", "currentMasterVersion": version}
        one.google.put("clusters", "us-central1", told)
        (then or making("google_container_cluster", "projects/p/clusters/demo"))(one)

    return change


def counting_against(project: str, *off: str) -> Change:
    """Let it count against another project's quota, where these APIs are off."""
    return lambda one: state(one, caller=project, off_elsewhere=set(off))


def only_folders(one: Patient, *there: str) -> None:
    mirror = one.folder / "mirror"
    for path in there:
        (mirror / "registry.terraform.io" / "hashicorp" / path).mkdir(parents=True)
    (one.folder / "terraform.rc").write_text(
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
    )


def in_another_region(one: Patient) -> None:
    file = one.folder / "ray-gke.yaml"
    world.write(one.folder, "", groups="    - {name: cpu, cpu: 1, memory: 2Gi}\n")
    file.write_text(file.read_text().replace("us-central1", "us-central99"))


def in_another_project(one: Patient) -> None:
    file = one.folder / "ray-gke.yaml"
    file.write_text(file.read_text().replace("my-project", "another-project"))
    one.project = "another-project"


CASES = (
    refused(
        "nobody-is-logged-in",
        "credentials",
        "Application Default Credentials",
        lambda one: setattr(one, "login", world.nobody),
        "there are no credentials for Google Cloud",
        repair="gcloud auth application-default login",
    ),
    refused(
        "google-does-not-accept-the-login",
        "credentials",
        "Application Default Credentials",
        lambda one: setattr(one, "login", world.without_token),
        "Google does not accept the login",
        "cannot be refreshed",
        repair="gcloud auth application-default login",
    ),
    refused(
        "no-such-project",
        "project",
        "another-project",
        in_another_project,
        "there is no project another-project, or not for you",
        "denied",
        repair="gcloud projects list shows those that you may see",
    ),
    refused(
        "a-project-in-which-nothing-is-allowed",
        "project",
        "my-project",
        both(denying("GET /v3/projects/my-project"), revoking("*")),
        "there is no project my-project, or not for you",
        repair="correct project in the platform file",
    ),
    refused(
        "project-is-being-deleted",
        "project",
        "my-project",
        lambda one: state(one, project_state="DELETE_REQUESTED"),
        "is being deleted",
        repair="gcloud projects undelete my-project",
    ),
    warned(
        "project-may-not-be-read",
        "project",
        "my-project",
        denying("GET /v3/projects/my-project"),
        "resourcemanager.projects.get is missing",
        repair="add-iam-policy-binding my-project --member MEMBER --role roles/browser",
    ),
    refused(
        "no-billing-account",
        "billing",
        "my-project",
        lambda one: state(one, billing_enabled=False),
        "no billing account that is open",
        repair="gcloud billing projects link my-project --billing-account ACCOUNT",
    ),
    warned(
        "billing-may-not-be-read",
        "billing",
        "my-project",
        lambda one: one.google.turn_off("cloudbilling.googleapis.com"),
        "cloudbilling.googleapis.com is off",
        repair="gcloud services enable cloudbilling.googleapis.com --project my-",
    ),
    warned(
        "apis-are-off",
        "apis",
        "my-project",
        lambda one: one.google.turn_off("dns.googleapis.com", "iam.googleapis.com"),
        "2 APIs are off: dns.googleapis.com, iam.googleapis.com",
        "ray-gke up turns them on",
        repair="gcloud services enable dns.googleapis.com iam.googleapis.com "
        "--project my-project",
    ),
    refused(
        "apis-are-off-and-stay-so",
        "apis",
        "my-project",
        both(
            lambda one: one.google.turn_off("dns.googleapis.com"),
            revoking("serviceusage.services.enable"),
        ),
        "dns.googleapis.com",
        "the permission serviceusage.services.enable",
        repair="ask an administrator of the project: gcloud services enable "
        "dns.googleapis.com",
    ),
    refused(
        "service-usage-is-off",
        "apis",
        "my-project",
        lambda one: one.google.turn_off("serviceusage.googleapis.com"),
        "serviceusage.googleapis.com, which turns on all others, is off",
        repair="https://console.cloud.google.com/apis/library/"
        "serviceusage.googleapis.com?project=my-project",
    ),
    warned(
        "service-usage-is-off-where-the-quota-is",
        "apis",
        "my-project",
        counting_against("764086051850", "serviceusage.googleapis.com"),
        "serviceusage.googleapis.com is off in the project 764086051850",
        repair="gcloud auth application-default set-quota-project my-project",
    ),
    warned(
        "quota-of-the-project-that-is-named-may-not-be-used",
        "project",
        "my-project",
        lambda one: setattr(one, "login", world.counting_against_teams(one)),
        "you may not use the quota of the project teams-project",
        repair="gcloud auth application-default set-quota-project my-project",
    ),
    warned(
        "service-usage-is-off-where-nobody-knows",
        "apis",
        "my-project",
        both(
            denying("GET /v3/projects/my-project"),
            counting_against("764086051850", "serviceusage.googleapis.com"),
        ),
        "serviceusage.googleapis.com is off in the project 764086051850",
        repair="gcloud services enable serviceusage.googleapis.com --project my-project"
        "; if 764086051850 is not the number of my-project: gcloud auth",
    ),
    warned(
        "apis-may-not-be-read",
        "apis",
        "my-project",
        denying("*services:batchGet"),
        "serviceusage.services.get is missing",
        repair="roles/serviceusage.serviceUsageViewer",
    ),
    refused(
        "clusters-may-not-be-made",
        "permissions",
        "make the cluster and its node pools",
        revoking("container.clusters.create"),
        "you lack container.clusters.create",
        repair="gcloud projects add-iam-policy-binding my-project --member MEMBER "
        "--role roles/container.admin",
    ),
    refused(
        "networks-may-not-be-made",
        "permissions",
        "make the network",
        revoking("compute.*"),
        "compute.networks.create",
        "compute.routers.update",
        repair="roles/compute.networkAdmin",
    ),
    warned(
        "clusters-may-not-be-deleted",
        "permissions",
        "make the cluster and its node pools",
        revoking("container.clusters.delete"),
        "ray-gke down will lack container.clusters.delete",
        repair="roles/container.admin",
    ),
    warned(
        "what-is-there-need-not-be-made",
        "permissions",
        "make the nodes' service account",
        both(
            making("google_service_account", "projects/p/serviceAccounts/x@y"),
            revoking("iam.serviceAccounts.create"),
        ),
        "iam.serviceAccounts.create in the project",
        repair="roles/iam.serviceAccountAdmin",
    ),
    refused(
        "images-may-not-be-copied",
        "permissions",
        "copy images",
        both(
            saying(world.ZONES + "  image_registry: {mode: mirror}\n"),
            revoking("*.uploadArtifacts"),
        ),
        "you lack artifactregistry.repositories.uploadArtifacts",
        repair="roles/artifactregistry.writer",
    ),
    warned(
        "images-may-perhaps-not-be-copied",
        "permissions",
        "copy images",
        both(
            saying(world.ZONES + "  image_registry: {mode: mirror}\n"),
            making("google_artifact_registry_repository", "p/repositories/demo-images"),
            revoking("*.uploadArtifacts"),
        ),
        "artifactregistry.repositories.uploadArtifacts in the project",
        repair="roles/artifactregistry.writer",
    ),
    warned(
        "what-is-left-may-not-be-removed",
        "permissions",
        "remove what a cluster leaves behind",
        revoking("compute.disks.*", "compute.firewalls.delete"),
        "ray-gke down will lack compute.disks.list, compute.disks.delete, compute.fire",
        repair="roles/compute.admin",
    ),
    warned(
        "permissions-may-not-be-read",
        "permissions",
        "my-project",
        lambda one: one.google.turn_off("cloudresourcemanager.googleapis.com"),
        "cloudresourcemanager.googleapis.com is off",
        repair="gcloud services enable cloudresourcemanager.googleapis.com",
    ),
    refused(
        "quota-below-the-minimum",
        "quota",
        "NVIDIA_L4_GPUS us-central1",
        granting("NVIDIA_L4_GPUS", 8, used=8),
        "8 granted in us-central1 and 8 used; 1 needed at minimum, 4 at maximum",
        repair=QUOTAS,
    ),
    warned(
        "quota-below-the-maximum",
        "quota",
        "NVIDIA_L4_GPUS us-central1",
        granting("NVIDIA_L4_GPUS", 8, used=5),
        "8 granted in us-central1 and 5 used",
        repair=QUOTAS,
    ),
    refused(
        "no-gpus-in-a-new-project",
        "quota",
        "GPUS_ALL_REGIONS global",
        granting("GPUS_ALL_REGIONS", 0, region=None),
        "0 granted globally and 0 used",
        "2 more if it counts them",
        repair=QUOTAS,
    ),
    warned(
        "perhaps-spot-counts-too",
        "quota",
        "GPUS_ALL_REGIONS global",
        granting("GPUS_ALL_REGIONS", 13, region=None),
        "13 at maximum, and 2 more if it counts them",
        repair=QUOTAS,
    ),
    refused(
        "no-quota-of-a-family",
        "quota",
        "GPUS-PER-GPU-FAMILY-per-project-region NVIDIA_H100 us-central1",
        lambda one: one.google.grant(
            "", 0, region="us-central1", gpu_family="NVIDIA_H100"
        ),
        "NVIDIA_H100: 0 granted in us-central1; 8 needed",
        repair=QUOTAS,
    ),
    warned(
        "spot-counts-against-the-standard-quota",
        "quota",
        "PREEMPTIBLE_NVIDIA_T4_GPUS us-central1",
        granting("PREEMPTIBLE_NVIDIA_T4_GPUS", 0),
        "Spot nodes have no PREEMPTIBLE_NVIDIA_T4_GPUS and count against NVIDIA_T4",
        repair=QUOTAS,
    ),
    *(
        refused(
            f"no-more-{metric.lower()}",
            "quota",
            f"{metric} global",
            granting(metric, 5, used=5, region=None),
            f"{metric}: 5 granted globally and 5 used; 1 needed",
            repair=QUOTAS,
        )
        for metric in ("NETWORKS", "ROUTERS", "SUBNETWORKS")
    ),
    warned(
        "quotas-may-not-be-read",
        "quota",
        "us-central1",
        denying(f"{IN_REGION}"),
        "compute.regions.get is missing",
        repair=VIEWER,
    ),
    warned(
        "global-quotas-may-not-be-read",
        "quota",
        "global",
        denying(COMPUTE),
        "compute.projects.get is missing",
        repair=VIEWER,
    ),
    warned(
        "quotas-of-families-may-not-be-read",
        "quota",
        "us-central1",
        lambda one: one.google.turn_off("cloudquotas.googleapis.com"),
        "the quotas of newer GPUs may not be read",
        repair="gcloud services enable cloudquotas.googleapis.com",
    ),
    warned(
        "quotas-of-families-are-off-where-the-quota-is",
        "quota",
        "us-central1",
        counting_against("764086051850", "cloudquotas.googleapis.com"),
        "cloudquotas.googleapis.com is off in the project 764086051850",
        repair="gcloud auth application-default set-quota-project my-project",
    ),
    refused(
        "no-such-region",
        "zones",
        "us-central99",
        in_another_region,
        "there is no region us-central99",
        repair="gcloud compute regions list --project my-project",
    ),
    refused(
        "no-such-zone",
        "zones",
        "us-central1",
        saying("  zones: [us-central1-a, us-central1-x]\n"),
        "us-central1 has no zone us-central1-x; it has us-central1-a",
        repair="correct zones in the platform file",
    ),
    refused(
        "gpu-is-elsewhere",
        "zones",
        "nvidia-l4",
        offering("nvidia-l4", "us-central1-c"),
        "nvidia-l4 is not in us-central1-a, us-central1-b; it is in us-central1-c",
        repair="gcloud compute accelerator-types list --project my-project "
        "--filter name=nvidia-l4",
    ),
    refused(
        "machine-type-is-nowhere",
        "zones",
        "n1-standard-4",
        offering("n1-standard-4"),
        "n1-standard-4 is not in us-central1-a, us-central1-b",
        repair="gcloud compute machine-types list --project my-project "
        "--filter name=n1-standard-4",
    ),
    warned(
        "gke-may-choose-a-zone-without-it",
        "zones",
        "e2-standard-4",
        both(
            saying(""),
            offering("e2-standard-4", "us-central1-a", "us-central1-b"),
        ),
        "may choose us-central1-c, us-central1-f",
        repair="name zones in the platform file: us-central1-a, us-central1-b",
    ),
    warned(
        "gpus-may-not-be-read",
        "zones",
        "us-central1",
        denying("*/aggregated/acceleratorTypes"),
        "compute.acceleratorTypes.list is missing",
        repair=VIEWER,
    ),
    refused(
        "version-is-too-old",
        "version",
        "g4-standard-48",
        default_version("1.33.8-gke.1112000", "1.35.3-gke.1389000"),
        "g4-standard-48 needs GKE 1.34.0-gke.1662000; a new cluster gets 1.33.8",
        repair="set cluster.version: '1.35.3-gke.1389000' in the platform file",
    ),
    refused(
        "channel-is-too-old",
        "version",
        "g4-standard-48",
        default_version("1.33.8-gke.1112000"),
        "a new cluster gets 1.33.8-gke.1112000 of REGULAR",
        repair="set cluster.release_channel: EXTENDED and cluster.version: "
        "'1.34.4-gke.1193000' in the platform file",
    ),
    refused(
        "no-such-version",
        "version",
        "us-central1",
        saying(world.ZONES + "  cluster: {version: '1.20'}\n"),
        "REGULAR has no GKE 1.20 in us-central1; it has 1.36.1-gke.1420000",
        repair="correct cluster.version in the platform file",
    ),
    warned(
        "version-of-another-channel",
        "version",
        "us-central1",
        saying(world.ZONES + "  cluster: {version: '1.31'}\n"),
        "REGULAR has no GKE 1.31",
        repair="correct cluster.version in the platform file",
    ),
    warned(
        "cluster-that-is-there-may-be-too-old",
        "version",
        "g4-standard-48",
        both(
            making("google_container_cluster", "projects/p/locations/l/clusters/c"),
            default_version("1.33.8-gke.1112000"),
        ),
        "which the cluster may not have yet",
        repair="gcloud container clusters upgrade demo --master --cluster-version "
        "1.34.4-gke.1193000",
    ),
    refused(
        "cluster-is-too-old",
        "version",
        "g4-standard-48",
        cluster_at("1.31.14-gke.1530000"),
        "needs GKE 1.34.0-gke.1662000; the cluster has 1.31.14-gke.1530000: upgrade it",
        repair="gcloud container clusters upgrade demo --master --cluster-version "
        "1.34.4-gke.1193000 --location us-central1 --project my-project",
    ),
    warned(
        "cluster-that-may-be-ours-is-too-old",
        "version",
        "g4-standard-48",
        cluster_at("1.31.14-gke.1530000", lambda one: one.apply_was_interrupted()),
        "the cluster has 1.31.14-gke.1530000: upgrade it first",
        repair="gcloud container clusters upgrade demo --master",
    ),
    warned(
        "versions-may-not-be-read",
        "version",
        "us-central1",
        denying(f"{LOCATIONS}/us-central1/serverConfig"),
        "container.clusters.list is missing",
        repair="roles/container.viewer",
    ),
    refused(
        "no-such-subnetwork",
        "addresses",
        "nodes",
        saying(EXISTING),
        "us-central1 of my-project has no subnetwork nodes",
        repair="gcloud compute networks subnets list --regions us-central1 "
        "--project my-project",
    ),
    refused(
        "subnetwork-of-another-network",
        "addresses",
        "nodes",
        subnetwork(network="other"),
        "the subnetwork nodes is of the network other, not of shared",
        repair="write network: other in network.existing",
    ),
    refused(
        "no-private-google-access",
        "addresses",
        "nodes",
        subnetwork(access=False),
        "no Private Google Access",
        repair="gcloud compute networks subnets update nodes --region us-central1 "
        "--project my-project --enable-private-ip-google-access",
    ),
    refused(
        "no-secondary-range",
        "addresses",
        "services",
        subnetwork(services=""),
        "no secondary range services for services; it has pods",
        repair="--add-secondary-ranges services=RANGE",
    ),
    refused(
        "range-below-the-minimum",
        "addresses",
        "pods",
        subnetwork(pods="10.4.0.0/24"),
        # Three nodes of the system, one for the head, one each of L4, H100 and G4.
        "10.4.0.0/24 for pods has 256 addresses",
        repair="use a range of /",
    ),
    warned(
        "range-below-the-maximum",
        "addresses",
        "pods",
        subnetwork(pods="10.4.0.0/21"),
        "10.4.0.0/21 for pods has 2048 addresses",
        repair="use a range of /20 or larger",
    ),
    refused(
        "no-private-google-access-in-a-shared-vpc",
        "addresses",
        "nodes",
        subnetwork(access=False, project="host-project"),
        "no Private Google Access",
        repair="--project host-project --enable-private-ip-google-access",
    ),
    warned(
        "subnetworks-may-not-be-read",
        "addresses",
        "nodes",
        both(subnetwork(), denying(f"{IN_REGION}/subnetworks")),
        "compute.subnetworks.list is missing",
        repair=VIEWER,
    ),
    *(
        refused(
            f"{kind}-is-taken",
            "names",
            name,
            putting(kind, place, name),
            f"{name} already, which this platform has not made",
            repair=f"delete it: gcloud {command} delete {name}",
        )
        for kind, place, name, command in (
            ("clusters", "us-central1", "demo", "container clusters"),
            ("networks", "global", "demo", "compute networks"),
            ("subnetworks", "us-central1", "demo", "compute networks subnets"),
            ("routers", "us-central1", "demo", "compute routers"),
            ("repositories", "us-central1", "demo-images", "artifacts repositories"),
        )
    ),
    refused(
        "service-account-is-taken",
        "names",
        "demo-nodes@my-project.iam.gserviceaccount.com",
        with_account,
        "which this platform has not made",
        repair="gcloud iam service-accounts delete demo-nodes@my-project.iam",
    ),
    warned(
        "what-is-taken-may-be-ours",
        "names",
        "demo",
        both(
            putting("networks", "global", "demo"),
            lambda one: one.apply_was_interrupted(),
        ),
        "Terraform's state does not tell",
        repair="gcloud compute networks delete demo --project my-project",
    ),
    *(
        warned(
            f"names-of-{subject}-may-not-be-read",
            "names",
            subject,
            denying(f"*/{path}"),
            f"{permission} is missing",
            repair=f"--role {role}",
        )
        for subject, path, permission, role in (
            (
                "cluster",
                "locations/-/clusters",
                "container.clusters.list",
                "roles/container.viewer",
            ),
            (
                "network",
                "global/networks",
                "compute.networks.list",
                "roles/compute.viewer",
            ),
            (
                "subnetwork",
                "us-central1/subnetworks",
                "compute.subnetworks.list",
                "roles/compute.viewer",
            ),
            (
                "router",
                "us-central1/routers",
                "compute.routers.list",
                "roles/compute.viewer",
            ),
            (
                "repository",
                "us-central1/repositories",
                "artifactregistry.repositories.list",
                "roles/artifactregistry.reader",
            ),
            (
                "service account",
                "serviceAccounts/*",
                "iam.serviceAccounts.get",
                "roles/iam.serviceAccountViewer",
            ),
        )
    ),
    refused(
        "no-terraform",
        "terraform",
        "terraform",
        lambda one: setattr(one, "find", world.no_terraform),
        "there is no Terraform on this machine",
        repair="install it",
    ),
    refused(
        "provider-is-nowhere",
        "terraform",
        "google",
        only_folders,
        "the provider google (>= 7.42, < 8) is for this machine in none of the folders",
        repair="TF_CLI_CONFIG_FILE",
    ),
    refused(
        "provider-is-too-old",
        "terraform",
        "google",
        lambda one: only_folders(one, "google/7.41.9/linux_amd64"),
        "the provider google (>= 7.42, < 8) is for this machine in none of the folders",
        repair="TF_CLI_CONFIG_FILE",
    ),
    warned(
        "kuberays-chart-is-out-of-reach",
        "terraform",
        "kuberay-operator",
        lambda one: one.silent.update({"ray-project.github.io": "timed out"}),
        "ray-project.github.io does not answer (timed out)",
        repair="curl -I https://ray-project.github.io/kuberay-helm/index.yaml",
    ),
    warned(
        "registry-of-providers-does-not-answer",
        "terraform",
        "google",
        lambda one: one.silent.update({"registry.terraform.io": "timed out"}),
        "registry.terraform.io does not answer (timed out)",
        repair="curl -I https://registry.terraform.io",
    ),
    refused(
        "image-is-missing",
        "images",
        f"{REGISTRY}-quay-io/{OPERATOR}",
        lambda one: one.missing.update(
            {f"{REGISTRY}-quay-io/{OPERATOR}", f"quay.io/{OPERATOR}"}
        ),
        f"there is no image quay.io/{OPERATOR}",
        repair="correct its name or tag in the blueprint",
    ),
    warned(
        "image-may-not-be-read",
        "images",
        f"{REGISTRY}-quay-io/{OPERATOR}",
        both(
            lambda one: one.missing.add(f"{REGISTRY}-quay-io/{OPERATOR}"),
            lambda one: one.hidden.add(f"quay.io/{OPERATOR}"),
        ),
        "its registry does not tell",
        repair=f"docker manifest inspect quay.io/{OPERATOR}",
    ),
    warned(
        "own-image-is-to-be-pushed",
        "images",
        OWN,
        both(
            lambda one: world.write(one.folder, groups=WITH_OWN_IMAGE),
            lambda one: one.missing.add(OWN),
        ),
        "is to be in a repository that ray-gke up makes first",
        repair=f"then docker push {OWN}",
    ),
    Case(
        "what-up-copies-is-yet-to-be-copied",
        "images",
        f"{REGISTRY}-images/quay.io/{OPERATOR}",
        both(
            saying(world.ZONES + "  image_registry: {mode: mirror}\n"),
            lambda one: one.missing.add(f"{REGISTRY}-images/quay.io/{OPERATOR}"),
        ),
        "ok",
        ("is there",),
        "",
    ),
    refused(
        "what-up-copies-is-nowhere",
        "images",
        f"{REGISTRY}-images/quay.io/{OPERATOR}",
        both(
            saying(world.ZONES + "  image_registry: {mode: mirror}\n"),
            lambda one: one.missing.update(
                {f"{REGISTRY}-images/quay.io/{OPERATOR}", f"quay.io/{OPERATOR}"}
            ),
        ),
        f"there is no image quay.io/{OPERATOR}",
        repair="correct its name or tag in the blueprint",
    ),
    refused(
        "disk-image-is-missing",
        "images",
        DISK,
        with_disk(lambda _: None),
        f"there is no disk image {DISK}",
        repair="correct secondary_boot_disks",
    ),
    warned(
        "disk-image-may-not-be-read",
        "images",
        DISK,
        with_disk(denying("*/global/images/ray")),
        "compute.images.get is missing",
        repair=VIEWER,
    ),
)
