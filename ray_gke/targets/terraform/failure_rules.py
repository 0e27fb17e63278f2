"""The causes of failed Terraform commands: by which words, and what to do next.

Sources of the texts: issues and sources of the google provider, the Kubernetes API
and its client, and of Terraform internal/command (init, clistate), internal/configs
and internal/backend/remote-state/gcs. The codes around them differ from one version
to the next, so that a pattern looks for the words that stay.
"""

from __future__ import annotations

from dataclasses import dataclass

_FOLDER = ".ray-gke/{platform}/terraform/{stack}"
_QUOTAS = "https://console.cloud.google.com/iam-admin/quotas?project={project}"
_LOGIN = "gcloud auth application-default login"


@dataclass(frozen=True)
class Rule:
    """A cause by its text: `messages` from the one that knows most to the one that
    knows least, and `hint`, in which an unknown fact is its name in capitals.
    """

    cause: str
    pattern: str
    messages: tuple[str, ...]
    hint: str


# The first that matches counts: what wraps another error stands before that error,
# and what is in many errors, such as code 403, stands last.
RULES = (
    Rule(
        "state_locked",
        # The second while there is no state yet: its first reading needs the lock.
        r"(error acquiring the state lock|\.tflock\" failed).*\bID: .*\bPath: gs://",
        ("Terraform's state is locked by {who} since {since} UTC for {operation}",),
        "wait until that run is done, or, only if it is gone for sure, run terraform "
        "force-unlock {lock} in " + _FOLDER,
    ),
    Rule(
        # "Local state cannot be unlocked by another process", says force-unlock.
        "state_locked",
        r"error acquiring the state lock.*\bID: ",
        ("Terraform's state is locked by {who} since {since} UTC for {operation}",),
        "wait until that run is done, or end it: a lock on a file ends with its "
        "process (terraform force-unlock {lock} is for a state in a bucket)",
    ),
    Rule(
        "stale_plan",
        r"saved plan is stale",
        ("something else has changed the state since this was planned",),
        "ray-gke plan shows what is to be done now",
    ),
    Rule(
        "version",
        r"unsupported (terraform|opentofu) core version",
        ("{version} does not fit these stacks", "{said}"),
        "install a newer Terraform and name it in RAY_GKE_TERRAFORM, or pip install "
        "'ray-gke[terraform]'",
    ),
    Rule(
        "provider_download",
        r"failed to (query available provider packages|install provider)",
        ("Terraform cannot download {provider}: {reason}", "{said}"),
        "check that https://registry.terraform.io and https://releases.hashicorp.com "
        "can be reached from here, through HTTPS_PROXY where there is a proxy, or name "
        "a mirror as provider_installation in the file of TF_CLI_CONFIG_FILE",
    ),
    Rule(
        "provider_died",
        r"plugin did not respond|request was cancelled|plugin crashed"
        r"|unrecognized remote plugin message",
        ("a program that Terraform works with, a provider, has ended in the middle",),
        "see that this machine has memory left: a provider needs some 500 MB",
    ),
    Rule(
        "network_lost",
        r"dial tcp|no such host|name resolution|connection (refused|reset|timed out)"
        r"|i/o timeout|handshake timeout|network is unreachable|no route to host"
        r"|client\.timeout|client connection lost|proxyconnect"
        r'|": ((unexpected )?EOF|context deadline exceeded)',
        ("the connection to {host} was lost", "the network was lost"),
        "check the network, for example with curl -I https://{host}",
    ),
    Rule(
        "billing",
        r"billing (is |has been )?disabled|billing (must|to) be enabled|accountDisabled"
        r"|billing account.* is disabled|BILLING_DISABLED|PROJECT_BILLING_NOT_FOUND"
        r"|absent billing account",
        ("project {project} has no billing account", "billing is off"),
        "gcloud billing accounts list tells the accounts, gcloud billing projects link "
        "{project} --billing-account ACCOUNT gives the project one",
    ),
    Rule(
        "credentials",
        r"requires a quota project|authenticated using end user credentials",
        ("the login does not say which project its requests count for",),
        "gcloud auth application-default set-quota-project {project}",
    ),
    Rule(
        "api_disabled",
        r"access ?not ?configured|SERVICE_DISABLED|API has not been used in project"
        r"|API is not enabled",
        ("an API is off, or on only since a moment ago: {service}", "{said}"),
        "gcloud services enable {service} --project {project}, and wait some minutes "
        "until it is known everywhere",
    ),
    Rule(
        "credentials",
        r"could not find default credentials|no credentials loaded"
        r"|default credentials were not found",
        ("there is no login: no Application Default Credentials are found",),
        _LOGIN,
    ),
    Rule(
        "credentials",
        r"invalid_grant|invalid_rapt|oauth2: |error 401|UNAUTHENTICATED"
        r"|invalid authentication credentials|asked for the client to provide cred"
        r"|(^|: )unauthorized\W*$",
        ("the login has expired, or is not accepted",),
        _LOGIN + ", or another key in GOOGLE_APPLICATION_CREDENTIALS",
    ),
    Rule(
        "deletion_protection",
        r"because deletion_(protection|policy) is set",
        ("the cluster is protected from deletion",),
        "if it is to go, give ray-gke down --yes-delete-cluster, or set "
        "cluster.deletion_protection: false in the platform file",
    ),
    Rule(
        "in_use",
        r"being used by '[^']*/networkEndpointGroups/",
        ("{used} is still used by load balancers: {user}",),
        "their Services, Ingresses and Gateways should have gone first; gcloud compute "
        "network-endpoint-groups list --project {project} shows what is left, and "
        "gcloud compute network-endpoint-groups delete {group} --project {project} "
        "deletes it",
    ),
    Rule(
        "in_use",
        r"being used by '[^']*/firewalls/",
        ("{used} is still used by firewall rules: {user}",),
        "gcloud compute firewall-rules list --project {project} shows what is left, "
        "and gcloud compute firewall-rules delete {firewall} --project {project} "
        "deletes it",
    ),
    Rule(
        "in_use",
        r"already being used by|resourceInUseByAnotherResource",
        ("{used} is still used by {user}", "{said}"),
        "delete what uses it",
    ),
    Rule(
        "operation_in_progress",
        r"incompatible operation|is currently \w+ing |please wait and try again once"
        r"|is currently being (created|deleted|updated|repaired)",
        ("the cluster still does something else: {running}", "the cluster is busy"),
        "it cannot be cancelled, so wait until gcloud container operations list "
        "--project {project} --filter status=RUNNING shows nothing",
    ),
    Rule(
        "global_gpu_quota",
        r"GPUS_ALL_REGIONS",
        ("the project may have no more GPUs: the quota {quota}", "{said}"),
        "a new project has none: ask for more GPUS_ALL_REGIONS, of location global, at "
        + _QUOTAS,
    ),
    Rule(
        "quota",
        r"insufficient (\w+ )?quota|quota '[^']+' exceeded|quota_?exceeded"
        r"|\[\w*QUOTA\w*\]",
        ("the quota is too small: {quota}", "a quota of the project is too small"),
        "ask for more at " + _QUOTAS + ", or ask for less in the blueprints",
    ),
    Rule(
        "quota",
        r"error 429|rateLimitExceeded|RATE_LIMIT_EXCEEDED",
        ("too many requests a minute: {metric}", "too many requests a minute"),
        "wait a minute",
    ),
    Rule(
        "stock_out",
        r"STOCK_?OUT|RESOURCE_POOL_EXHAUSTED|INSUFFICIENT_CAPACITY"
        r"|not have enough resources available|currently unavailable in the \S+ zone",
        ("Google has no such machines left in {zone}", "Google has no such machines"),
        "wait, or name other zones (zones: in the platform file), or another "
        "accelerator or provisioning in the blueprint",
    ),
    Rule(
        "already_exists",
        r"already ?exists|ALREADY_EXISTS|cannot re-use a name"
        r"|error 409(?!.*(concurrent|aborted))",
        ("it exists already, and was not made from here: {there}", "{said}"),
        "give another name in the platform file, delete it, or take it over with "
        "terraform import '{address}' {id} in " + _FOLDER,
    ),
    Rule(
        "bucket_permission",
        r"403.*\bstorage\.(objects|buckets)\.",
        (
            "the account lacks {permission} on {bucket}, the bucket of the state",
            "the account lacks {permission} on the bucket of the state",
            "{said}",
        ),
        "see that the bucket is yours, since all of Google share their names, and "
        "gcloud storage buckets add-iam-policy-binding gs://{bucket} --member MEMBER "
        "--role roles/storage.objectUser",
    ),
    Rule(
        "permission",
        r'is forbidden: user "',
        ("in the cluster, {subject}",),
        "ask an administrator of the project: gcloud projects add-iam-policy-binding "
        "{project} --member MEMBER --role roles/container.admin",
    ),
    Rule(
        "permission",
        r"error 403|PERMISSION_DENIED|permission '\S+' denied"
        r"|have access to service account",
        ("the account lacks {permission}", "the account may not do that: {said}"),
        "ask an administrator of the project: gcloud projects add-iam-policy-binding "
        "{project} --member MEMBER --role {role}",
    ),
    Rule(
        "bucket_missing",
        r"bucket doesn't exist|bucket does not exist",
        (
            "the bucket {bucket} of the state does not exist",
            "the bucket of the state does not exist",
        ),
        "gcloud storage buckets create gs://{bucket} --project {project} --location "
        "REGION --uniform-bucket-level-access, or correct its name in the platform "
        "file",
    ),
    Rule(
        "bucket_missing",
        r"querying cloud storage failed",
        ("the bucket of the state cannot be read: {said}",),
        "gcloud storage buckets describe gs://{bucket} tells whether it is there",
    ),
)
