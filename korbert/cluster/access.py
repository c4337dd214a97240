"""The Kubernetes API as plain dicts, through the official client, and what is said when it cannot be used."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from korbert.errors import UsageError, WorldError

TIMEOUT = (10, 30)
"""Seconds to connect, and to wait for an answer."""


class Denied(Exception):
    """The API server refuses this account what was asked; some questions have a second way."""


@dataclass(frozen=True)
class Api:
    """One API server, with one account's rights."""

    client: Any
    """A `kubernetes.client.ApiClient`."""
    host: str

    def get(self, path: str, **query: str) -> dict[str, Any] | None:
        """The object or list at `path`; None where there is none (404).

        Raises:
            Denied: when the account may not look there.
            WorldError: when the server cannot be reached, or does not take the credentials.
        """
        return self._call("GET", path, query, None)

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """The items of the list at `path`; none where the kind is unknown. Raises what `get` raises."""
        return list((self.get(path, **query) or {}).get("items") or [])

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Creates an object and answers what the server made of it. Raises what `get` raises."""
        return self._call("POST", path, {}, body) or {}

    def _call(self, verb: str, path: str, query: dict[str, str], body: dict[str, Any] | None) -> dict[str, Any] | None:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        try:
            answer: dict[str, Any] = self.client.call_api(
                path, verb, query_params=list(query.items()), header_params=headers, body=body,
                response_type="object", auth_settings=["BearerToken"], _return_http_data_only=True,
                _request_timeout=TIMEOUT,
            )  # fmt: skip
        except ApiException as error:
            self._refuse(path, error)
            return None
        except HTTPError as error:
            reason = " ".join(str(getattr(error, "reason", None) or error).split())
            raise WorldError(
                f"cluster {self.host}: cannot be reached ({reason}); see that it runs and that --context names it"
            ) from error
        return answer

    def _refuse(self, path: str, error: Any) -> None:
        if error.status == 404:
            return
        if error.status == 403:
            raise Denied(path) from error
        if error.status == 401:
            raise WorldError(f"cluster {self.host}: does not take these credentials; log in again") from error
        raise WorldError(f"cluster {self.host}: {path} answered {error.status} {error.reason}; try again") from error


def open_api(context: str = "") -> Api:
    """The API of the kubeconfig's context (empty: its current one), or of the cluster that this pod runs in.

    Raises:
        UsageError: when there is no kubeconfig, or no such context in it.
        WorldError: when the package `kubernetes` is not installed.
    """
    try:
        from kubernetes import client, config
    except ModuleNotFoundError as error:
        raise WorldError("package kubernetes: is not installed; install korbert[cluster]") from error
    settings = client.Configuration()
    in_pod = "KUBERNETES_SERVICE_HOST" in os.environ and not context and "KUBECONFIG" not in os.environ
    try:
        if in_pod:
            config.load_incluster_config(client_configuration=settings)
        else:
            # Named, because the client reads KUBECONFIG only once, when it is imported.
            file = os.environ.get("KUBECONFIG") or "~/.kube/config"
            config.load_kube_config(config_file=file, context=context or None, client_configuration=settings)
    except (config.ConfigException, OSError) as error:
        wanted = f"--context {context}" if context else "KUBECONFIG"
        reason = " ".join(str(error).split())
        raise UsageError(f"{wanted}: {reason}; see: kubectl config get-contexts") from error
    settings.retries = False
    return Api(client.ApiClient(settings), settings.host)
