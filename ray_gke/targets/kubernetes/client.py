"""The Kubernetes client: where a context leads, and requests with its credentials.

The only module that imports `kubernetes`. Answers are HTTP responses; `api` knows what
they mean.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ray_gke import __version__
from ray_gke.errors import Place, RefusedError
from ray_gke.targets.kubernetes import exec_plugins

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_USER_AGENT = f"ray-gke/{__version__}"
_DEFAULT_KUBECONFIG = "~/.kube/config"
_IN_CLUSTER = "in-cluster"
_FORWARD_PROTOCOL = "v4.channel.k8s.io"
_CONNECT_SECONDS = 15.0
_NOT_AS_EXPECTED = (OSError, AttributeError, KeyError, TypeError, ValueError)
"""What the client raises for a file of another form than it takes for granted."""
_NAMESPACE_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"


@dataclass(frozen=True)
class Client:
    """One context of a kubeconfig, or the service account of the pod we run in.

    `namespace` is the context's own, `context` its name.
    """

    context: str
    namespace: str
    _api_client: Any

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return str(self._api_client.configuration.host)

    def request(  # noqa: PLR0913 as HTTP has it
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: tuple[float, float],
    ) -> BaseHTTPResponse:
        """Return the response, whose body is not read yet.

        `timeout` is that of the connection and that between two bytes, in seconds.
        Raises urllib3's HTTPError when there is no response.
        """
        from urllib.parse import urlencode

        from urllib3 import Timeout

        all_headers = {"User-Agent": _USER_AGENT, **(headers or {})}
        self._api_client.update_params_for_auth(
            all_headers, [], ["BearerToken"], path, method, body
        )
        url = self.server + path + (f"?{urlencode(query)}" if query else "")
        response = self._api_client.rest_client.pool_manager.request(
            method,
            url,
            body=body,
            headers=all_headers,
            timeout=Timeout(connect=timeout[0], read=timeout[1]),
            retries=False,
            preload_content=False,
        )
        return cast("BaseHTTPResponse", response)

    def forwarded(self, namespace: str, pod: str, port: int) -> socket.socket:
        """Return a connection to a port of a pod, as `tunnel` understands it.

        Raises OSError when the API server does not make it.
        """
        import websocket

        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
        url = f"ws{self.server.removeprefix('http')}{path}?ports={port}"
        headers: dict[str, str] = {"User-Agent": _USER_AGENT}
        self._api_client.update_params_for_auth(
            headers, [], ["BearerToken"], path, "GET", None
        )
        options = {
            "header": headers,
            "subprotocols": [_FORWARD_PROTOCOL],
            "timeout": _CONNECT_SECONDS,
        }
        connection = websocket.WebSocket(sslopt=self._tls())
        try:
            connection.connect(  # type: ignore[no-untyped-call]
                url, **self._proxied(options, url, headers)
            )
        except websocket.WebSocketException as error:
            said = _one_line(error).partition(" -+-+- ")[0]
            raise ConnectionError(f"pod {pod}, port {port}: {said}") from None
        return cast("socket.socket", connection.sock)

    def _tls(self) -> dict[str, Any]:
        """Return how a websocket is encrypted, as other requests of this context."""
        import ssl

        configuration = self._api_client.configuration
        if not configuration.verify_ssl:
            options: dict[str, Any] = {"cert_reqs": ssl.CERT_NONE}
        else:
            import certifi

            options = {"ca_certs": configuration.ssl_ca_cert or certifi.where()}
            if configuration.assert_hostname is not None:
                options["check_hostname"] = configuration.assert_hostname
        options |= {
            "certfile": configuration.cert_file,
            "keyfile": configuration.key_file,
            "server_hostname": configuration.tls_server_name,
        }
        return {key: value for key, value in options.items() if value is not None}

    def _proxied(
        self, options: dict[str, Any], url: str, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return the options of a websocket, through the context's proxy if any."""
        from kubernetes.stream import ws_client

        configuration = self._api_client.configuration
        if not (configuration.proxy or configuration.proxy_headers):
            return options
        proxied: dict[str, Any] = ws_client.websocket_proxycare(
            options, configuration, url, headers
        )
        return proxied


def connect(context: str | None) -> Client:
    """Return the client of a context of the kubeconfig, the current one without a name.

    Where there is no kubeconfig, in a pod, its service account. Raises RefusedError.
    """
    from kubernetes import config
    from yaml import YAMLError

    files = os.environ.get("KUBECONFIG") or _DEFAULT_KUBECONFIG
    if context is None and not _is_there(files) and _in_pod():
        return _in_cluster()
    try:
        contexts, current = config.list_kube_config_contexts(config_file=files)
        names = [entry["name"] for entry in contexts]
        chosen = next(
            (c for c in contexts if c["name"] == context), None if context else current
        )
        if chosen is None:
            raise _no_context(context, names)
        client = _logged_in(files, chosen)
    except YAMLError as error:
        raise _no_yaml(error) from None
    except (config.ConfigException, *_NOT_AS_EXPECTED) as error:
        raise RefusedError(
            f"the kubeconfig cannot be used: {_one_line(error)}",
            place=Place(files),
            hint="kubectl config get-contexts shows what is there; "
            "$KUBECONFIG names the file",
        ) from None
    namespace = chosen.get("context", {}).get("namespace") or "default"
    return Client(chosen["name"], namespace, client)


def _logged_in(files: str, chosen: Mapping[str, Any]) -> Any:
    """Return a client that says what a plugin says which gives no credentials."""
    from kubernetes import config

    def check(said: list[str]) -> None:
        plugin = _plugin(files, chosen["context"]["user"]) if said else None
        if plugin:
            raise exec_plugins.failed(chosen["name"], plugin, said)

    with exec_plugins.listening() as said:
        client = config.new_client_from_config(files, chosen["name"])
    configuration = client.configuration
    if not (configuration.api_key or configuration.cert_file):
        check(said)
    renew = configuration.refresh_api_key_hook

    def refresh(configuration: Any) -> None:
        with exec_plugins.listening() as said:
            renew(configuration)
        # It has put itself there again.
        configuration.refresh_api_key_hook = refresh
        check(said)

    configuration.refresh_api_key_hook = renew and refresh
    return client


def _plugin(files: str, user: str) -> Mapping[str, Any] | None:
    from kubernetes.config.kube_config import KubeConfigMerger

    users = KubeConfigMerger(files).config["users"]
    found: Mapping[str, Any] | None = users.get_with_name(user)["user"].value.get(
        "exec"
    )
    return found


def _no_yaml(error: Exception) -> RefusedError:
    """Return that a kubeconfig is no YAML, and where; PyYAML knows it by its path."""
    mark = getattr(error, "problem_mark", None)
    place = Place(mark.name, mark.line + 1, mark.column + 1) if mark else None
    why = getattr(error, "problem", None) or error
    return RefusedError(
        f"the kubeconfig is not YAML: {_one_line(why)}",
        place=place,
        hint="correct the file, or name another in $KUBECONFIG",
    )


def connect_to(host: str, name: str, token: Callable[[], str]) -> Client:
    """Return the client of the API server `host`, asked with the token of each moment.

    Its certificate is one that this machine trusts, as that of a DNS endpoint of GKE.
    """
    import certifi
    from kubernetes.client import ApiClient, Configuration

    def refresh(configuration: Any) -> None:
        configuration.api_key["authorization"] = f"Bearer {token()}"

    configuration = Configuration(host=host)
    # As curl and Terraform's providers take an authority of one's own.
    configuration.ssl_ca_cert = os.environ.get("SSL_CERT_FILE") or certifi.where()
    configuration.refresh_api_key_hook = refresh
    refresh(configuration)
    return Client(name, "default", ApiClient(configuration))


def _no_context(context: str | None, names: Sequence[str]) -> RefusedError:
    from ray_gke.catalog.nearest import suggestion

    if context is None:
        message = "the kubeconfig has no current context"
        return RefusedError(message, hint=f"name one of them: {', '.join(names)}")
    message = f"the kubeconfig has no context {context!r}"
    return RefusedError(message, hint=suggestion(context, names))


def _is_there(files: str) -> bool:
    from pathlib import Path

    found = files.split(os.pathsep)
    return any(Path(file).expanduser().is_file() for file in found if file)


def _in_pod() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ


def _in_cluster() -> Client:
    from pathlib import Path

    from kubernetes import config
    from kubernetes.client import ApiClient, Configuration

    configuration = Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
        namespace = Path(_NAMESPACE_FILE).read_text("utf-8").strip()
    except (config.ConfigException, OSError) as error:
        raise RefusedError(
            f"the pod's service account cannot be used: {_one_line(error)}",
            hint="give the pod a service account with automountServiceAccountToken",
        ) from None
    return Client(_IN_CLUSTER, namespace, ApiClient(configuration))


def _one_line(error: object) -> str:
    return " ".join(str(error).split()) or type(error).__name__
