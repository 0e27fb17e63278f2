"""What is told of a failed Terraform command: the cause once, and what to do next."""

from __future__ import annotations

import pytest

from ray_gke.errors import Problem
from ray_gke.targets.terraform.failures import cause, problems, retry_once
from ray_gke.targets.terraform.messages import Diagnostic
from tests.terraform import failures as said

GOES_ON = "; then run ray-gke up: it goes on from where it stopped"
CLUSTER = "module.cluster.google_container_cluster.this"
POOL = 'module.node_pool["t4-x"].google_container_node_pool.this'
NETWORK = "module.network.google_compute_network.this[0]"
NEG = "projects/p-1/zones/us-east1-b/networkEndpointGroups/k8s1-ddb447c6"
ACCOUNT = "me@p-1.iam.gserviceaccount.com"

LOCK = """Error message: {error}
Lock Info:
  ID:        {lock}
  Path:      {path}
  Operation: OperationTypeApply
  Who:       ada@laptop
  Version:   1.11.4
  Created:   2026-11-26 10:58:31.973967737 +0000 UTC
  Info:


Terraform acquires a state lock to protect the state from being written
by multiple users at the same time. Please resolve the issue above and try
again. For most commands, you can disable locking with the "-lock=false"
flag, but this is not recommended."""
LOCKED_FILE = LOCK.format(
    error="resource temporarily unavailable",
    lock="e5d839a9-43d2-5e52-fe32-92b412116fca",
    path="../../state/platform.tfstate",
)
LOCKED_BUCKET = LOCK.format(
    error='writing "gs://our-state/ray/default.tflock" failed: googleapi: Error 412: '
    "At least one of the pre-conditions you specified did not hold., conditionNotMet",
    lock="1764154711000123",
    path="gs://our-state/ray/default.tflock",
)
NO_LIST = (
    "Error: Failed to get existing workspaces: querying Cloud Storage failed: "
    f"googleapi: Error 403: {ACCOUNT} does not have storage.objects.list access to "
)
NO_BUCKET = "querying Cloud Storage failed: storage: bucket doesn't exist"
NO_PROVIDER = (
    "Could not retrieve the list of available versions for provider {}: could not "
    "connect to registry.terraform.io: failed to request discovery document: Get "
    '"https://registry.terraform.io/.well-known/terraform.json": dial tcp: lookup '
    "registry.terraform.io: no such host"
)


def error(summary: str, address: str = "", detail: str = "") -> Diagnostic:
    return Diagnostic("error", summary, detail, address)


def only(*diagnostics: Diagnostic) -> Problem:
    found = problems(diagnostics, again="ray-gke up")
    assert len(found) == 1
    return found[0]


def in_use(user: str) -> str:
    return (
        "Error waiting for Deleting Network: The network resource 'projects/p-1/global/"
        f"networks/ray' is already being used by '{user}'"
    )


@pytest.mark.parametrize(
    ("diagnostic", "name", "message", "hint"),
    [
        pytest.param(
            error(said.quota("NVIDIA_T4_GPUS"), POOL),
            "quota",
            "the quota is too small: NVIDIA_T4_GPUS (72 needed, 24 of 24 free), at "
            + POOL,
            "ask for more at https://console.cloud.google.com/iam-admin/quotas?project="
            "some-project, ",
        ),
        pytest.param(
            error(said.global_gpu_quota(), POOL),
            "global_gpu_quota",
            "the project may have no more GPUs: the quota GPUS_ALL_REGIONS (limit 0 "
            f"globally), at {POOL}",
            "ask for more GPUS_ALL_REGIONS, of location global, at https://console.",
        ),
        pytest.param(
            error(said.stock_out("us-central1-b"), POOL),
            "stock_out",
            f"Google has no such machines left in us-central1-b, at {POOL}",
            "other zones (zones: in the platform file)",
        ),
        pytest.param(
            error(said.api_disabled(), CLUSTER),
            "api_disabled",
            "an API is off, or on only since a moment ago: container.googleapis.com, "
            f"at {CLUSTER}",
            "gcloud services enable container.googleapis.com --project 123456789012, ",
        ),
        pytest.param(
            error(said.permission("compute.networks.create"), NETWORK),
            "permission",
            f"the account lacks compute.networks.create, at {NETWORK}",
            "gcloud projects add-iam-policy-binding some-project --member MEMBER "
            "--role roles/compute.networkAdmin",
        ),
        pytest.param(
            error(said.operation_in_progress(), POOL),
            "operation_in_progress",
            "the cluster still does something else: operation-1756199704413-2f9a1c3e-"
            f"7b8d-4c0e-9a56-0d1e2f3a4b5c, at {POOL}",
            "gcloud container operations list --project PROJECT",
        ),
        pytest.param(
            error(said.network_lost("compute.googleapis.com"), NETWORK),
            "network_lost",
            f"the connection to compute.googleapis.com was lost, at {NETWORK}",
            "curl -I https://compute.googleapis.com",
        ),
        pytest.param(
            error(said.token_expired(), CLUSTER),
            "credentials",
            f"the login has expired, or is not accepted, at {CLUSTER}",
            "gcloud auth application-default login",
        ),
        pytest.param(
            error(
                "Cannot destroy cluster because deletion_protection is set to true. "
                "Set it to false to proceed with cluster deletion.",
                CLUSTER,
            ),
            "deletion_protection",
            f"the cluster is protected from deletion, at {CLUSTER}",
            "give ray-gke down --yes-delete-cluster, or set "
            "cluster.deletion_protection: false in the platform file",
        ),
        pytest.param(
            error(in_use(NEG), NETWORK),
            "in_use",
            f"projects/p-1/global/networks/ray is still used by load balancers: {NEG}"
            f", at {NETWORK}",
            "gcloud compute network-endpoint-groups delete k8s1-ddb447c6 --zone "
            "us-east1-b --project p-1 ",
        ),
        pytest.param(
            error(in_use("projects/p-1/global/firewalls/k8s-fw-a1b2"), NETWORK),
            "in_use",
            "projects/p-1/global/networks/ray is still used by firewall rules: "
            f"projects/p-1/global/firewalls/k8s-fw-a1b2, at {NETWORK}",
            "gcloud compute firewall-rules delete k8s-fw-a1b2 --project p-1 ",
        ),
        pytest.param(
            error(in_use("projects/p-1/global/networkInstances/v12"), NETWORK),
            "in_use",
            "projects/p-1/global/networks/ray is still used by "
            f"projects/p-1/global/networkInstances/v12, at {NETWORK}",
            "delete what uses it",
        ),
        pytest.param(
            error(
                "googleapi: Error 409: Already exists: projects/p-1/locations/"
                "us-central1/clusters/ray., alreadyExists",
                CLUSTER,
            ),
            "already_exists",
            "it exists already, and was not made from here: projects/p-1/locations/"
            f"us-central1/clusters/ray, at {CLUSTER}",
            f"terraform import '{CLUSTER}' "
            "projects/p-1/locations/us-central1/clusters/ray in .ray-gke/",
        ),
        pytest.param(
            error(
                "Error creating Network: googleapi: Error 409: The resource 'projects/"
                "p-1/global/networks/ray' already exists, alreadyExists",
                NETWORK,
            ),
            "already_exists",
            "it exists already, and was not made from here: projects/p-1/global/"
            f"networks/ray, at {NETWORK}",
            f"terraform import '{NETWORK}' projects/p-1/global/networks/ray in ",
        ),
        pytest.param(
            error('namespaces "ml" already exists', "kubernetes_namespace_v1.this"),
            "already_exists",
            'it exists already, and was not made from here: namespaces "ml", at '
            "kubernetes_namespace_v1.this",
            "terraform import 'kubernetes_namespace_v1.this' ml in ",
        ),
        pytest.param(
            error("Error acquiring the state lock", detail=LOCKED_BUCKET),
            "state_locked",
            "Terraform's state is locked by ada@laptop since 2026-11-26 10:58:31 UTC "
            "for Apply",
            "only if it is gone for sure, run terraform force-unlock 1764154711000123 ",
        ),
        pytest.param(
            error("Error loading state", detail=LOCKED_BUCKET),
            "state_locked",
            "Terraform's state is locked by ada@laptop since 2026-11-26 10:58:31 UTC "
            "for Apply",
            "only if it is gone for sure, run terraform force-unlock 1764154711000123 ",
        ),
        pytest.param(
            error("Error acquiring the state lock", detail=LOCKED_FILE),
            "state_locked",
            "Terraform's state is locked by ada@laptop since 2026-11-26 10:58:31 UTC "
            "for Apply",
            "wait until that run is done, or end it: a lock on a file ends with its",
        ),
        pytest.param(
            error(f"Error: Failed to get existing workspaces: {NO_BUCKET}"),
            "bucket_missing",
            "the bucket of the state does not exist",
            "gcloud storage buckets create gs://BUCKET --project PROJECT ",
        ),
        pytest.param(
            error(
                "Failed to open state file at gs://our-state/ray/default.tfstate: "
                "googleapi: Error 404: The specified bucket does not exist., notFound"
            ),
            "bucket_missing",
            "the bucket our-state of the state does not exist",
            "gcloud storage buckets create gs://our-state ",
        ),
        pytest.param(
            error(
                "Failed to get existing workspaces: querying Cloud Storage failed: "
                "googleapi: Error 400: Invalid bucket name: 'Our State', invalid"
            ),
            "bucket_missing",
            "the bucket of the state cannot be read: Failed to get existing "
            "workspaces: querying Cloud Storage failed: googleapi: Error 400: Invalid "
            "bucket name: 'Our State', invalid",
            "gcloud storage buckets describe gs://BUCKET",
        ),
        pytest.param(
            error(f"{NO_LIST}our-state., forbidden"),
            "bucket_permission",
            "the account lacks storage.objects.list on our-state, the bucket of the "
            "state",
            "gcloud storage buckets add-iam-policy-binding gs://our-state --member ",
        ),
        pytest.param(
            error(
                f"{NO_LIST}the Google Cloud Storage bucket. Permission "
                "'storage.objects.list' denied on resource (or it may not exist)., "
                "forbidden"
            ),
            "bucket_permission",
            "the account lacks storage.objects.list on the bucket of the state",
            "gcloud storage buckets add-iam-policy-binding gs://BUCKET --member ",
        ),
        pytest.param(
            error(
                "Unsupported Terraform Core version",
                detail="This configuration does not support Terraform version 1.5.7. "
                "To proceed, either choose another supported Terraform version or "
                "update this version constraint.",
            ),
            "version",
            "Terraform version 1.5.7 does not fit these stacks",
            "RAY_GKE_TERRAFORM, or pip install 'ray-gke[terraform]'",
        ),
        pytest.param(
            error(
                "Failed to query available provider packages",
                detail=NO_PROVIDER.format("hashicorp/google"),
            ),
            "provider_download",
            "Terraform cannot download hashicorp/google: could not connect to "
            "registry.terraform.io: failed to request discovery document",
            "https://registry.terraform.io",
        ),
        pytest.param(
            error(
                "Failed to install provider",
                detail="Error while installing hashicorp/google v7.45.0: read tcp "
                "10.0.0.2:5310->18.66.1.1:443: read: connection reset by peer",
            ),
            "provider_download",
            "Terraform cannot download hashicorp/google v7.45.0: read tcp "
            "10.0.0.2:5310->18.66.1.1:443: read: connection reset by peer",
            "HTTPS_PROXY",
        ),
        pytest.param(
            error(
                "Error enabling service: googleapi: Error 400: Billing account for "
                "project '123456789012' is not found. Billing must be enabled for "
                "activation of service(s) 'compute.googleapis.com' to proceed."
            ),
            "billing",
            "project 123456789012 has no billing account",
            "gcloud billing projects link 123456789012 --billing-account ACCOUNT",
        ),
    ],
)
def test_a_cause_is_told_with_what_to_do_next(
    diagnostic: Diagnostic, name: str, message: str, hint: str
) -> None:
    assert cause(diagnostic) == name
    told = only(diagnostic)
    assert told.message == message
    assert told.hint is not None
    assert hint in told.hint
    assert told.hint.endswith(GOES_ON)


def test_what_nobody_knows_is_told_in_terraforms_words_and_in_one_line() -> None:
    unknown = error("Invalid value", POOL, "A size\n  must be\n\npositive.")
    told = only(unknown)
    assert told.message == f"Invalid value: A size must be positive, at {POOL}"
    assert told.hint == f"put right what it says{GOES_ON}"


def test_what_nobody_knows_is_cut() -> None:
    told = only(error("x" * 501))
    assert told.message == "x" * 499 + "…"


def test_one_cause_is_told_once_for_all_resources() -> None:
    told = only(
        error(said.network_lost(), CLUSTER),
        error(said.network_lost("compute.googleapis.com"), NETWORK),
        error(said.network_lost(), CLUSTER),
        error(said.network_lost("iam.googleapis.com"), "google_service_account.nodes"),
    )
    assert told.message == (
        "the connection to container.googleapis.com, compute.googleapis.com, "
        f"iam.googleapis.com was lost, at {CLUSTER} and 2 others"
    )


def test_one_other_resource_is_one_other() -> None:
    told = only(error(said.token_expired(), POOL), error(said.token_expired(), CLUSTER))
    assert told.message.endswith(f", at {POOL} and 1 other")


def test_apis_that_are_off_are_enabled_by_one_command() -> None:
    told = only(
        error(said.api_disabled()), error(said.api_disabled("dns.googleapis.com"))
    )
    assert told.hint is not None
    assert (
        "gcloud services enable container.googleapis.com dns.googleapis.com --project "
        "123456789012" in told.hint
    )


def test_of_many_names_three_are_told() -> None:
    told = only(*(error(said.quota(f"C{n}_CPUS")) for n in range(1, 6)))
    assert told.message == (
        "the quota is too small: C1_CPUS (72 needed, 24 of 24 free), C2_CPUS (72 "
        "needed, 24 of 24 free), C3_CPUS (72 needed, 24 of 24 free) and 2 more"
    )


def test_several_causes_are_told_in_their_order() -> None:
    found = problems(
        [
            error(said.stock_out(), POOL),
            error("Odd", CLUSTER),
            error(said.token_expired(), NETWORK),
            error("Odd", POOL),
        ],
        again="ray-gke down",
    )
    assert [one.message for one in found] == [
        f"Google has no such machines left in us-central1-a, at {POOL}",
        f"Odd, at {CLUSTER} and 1 other",
        f"the login has expired, or is not accepted, at {NETWORK}",
    ]
    assert all(
        one.hint
        and one.hint.endswith("run ray-gke down: it goes on from where it stopped")
        for one in found
    )


def test_warnings_are_no_problems() -> None:
    assert problems([Diagnostic("warning", said.quota())], again="ray-gke up") == ()


def test_a_refusal_that_names_no_permission_is_told_in_its_words() -> None:
    told = only(
        error("googleapi: Error 403: The caller does not have permission", POOL)
    )
    assert told.message == (
        "the account may not do that: googleapi: Error 403: The caller does not have "
        f"permission, at {POOL}"
    )
    assert told.hint is not None
    assert "binding PROJECT --member MEMBER --role ROLE" in told.hint


def test_who_may_not_act_as_the_nodes_is_given_that_role() -> None:
    told = only(error(said.permission("iam.serviceAccounts.actAs"), CLUSTER))
    assert told.hint is not None
    assert "--role roles/iam.serviceAccountUser" in told.hint


def test_braces_in_terraforms_words_stay() -> None:
    told = only(error('googleapi: Error 403: {"a": {0}, "b": {project}}'))
    assert told.message.endswith('{"a": {0}, "b": {project}}')


@pytest.mark.parametrize(
    ("diagnostics", "retry"),
    [
        ([error(said.api_disabled())], True),
        pytest.param(
            [
                error(said.api_disabled()),
                error(said.api_disabled("dns.googleapis.com")),
                Diagnostic("warning", "Deprecated"),
            ],
            True,
        ),
        ([error(said.api_disabled()), error(said.quota())], False),
        ([error(said.api_disabled()), error("Odd")], False),
        ([Diagnostic("warning", said.api_disabled())], False),
        ([], False),
    ],
)
def test_only_apis_that_are_off_are_worth_another_try(
    diagnostics: list[Diagnostic], *, retry: bool
) -> None:
    assert retry_once(diagnostics) is retry
