"""The cluster's API as the scheduler needs it: PyTorchJobs, their pods and logs; every failure is one clear line."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import urllib3
from kubernetes import client, config

from korbert.errors import WorldError

_GROUP, _VERSION, _PLURAL = "kubeflow.org", "v1", "pytorchjobs"
JOB_LABEL = "training.kubeflow.org/job-name"
INDEX_LABEL = "training.kubeflow.org/replica-index"
_SECONDS = 30
"""How long an answer may take; what logs are followed has no such limit."""

Answer = TypeVar("Answer")


class LaunchError(WorldError, SystemExit):
    """What a user reads when a launch fails.

    torchx shows the stack of any exception; Python prints of a SystemExit that nobody catches its line alone, and ends
    with exit code 1.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = f"korbert: {message}"


class Missing(LaunchError):
    """There is no object of this name."""


class NotStarted(LaunchError):
    """The pod's container has no log yet."""


class Cluster:
    """One context of the kubeconfig, or the cluster that this process is a pod of."""

    def __init__(self, context: str = "") -> None:
        """Reads the configuration; asks nothing yet.

        Raises:
            LaunchError: where there is none, or none of this name.
        """
        settings = client.Configuration()
        _load(context, settings)
        # urllib3's own three attempts only make an unreachable server seem slow, and warn in lines of their own.
        settings.retries = False
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
        self.host: str = settings.host
        api = client.ApiClient(settings)
        self._custom, self._core = client.CustomObjectsApi(api), client.CoreV1Api(api)

    def create(self, manifest: dict[str, Any]) -> None:
        """Creates a PyTorchJob."""
        meta = manifest["metadata"]
        what = f"create PyTorchJob {meta['name']} in namespace {meta['namespace']}"
        self._asked(
            what,
            lambda: self._custom.create_namespaced_custom_object(
                _GROUP, _VERSION, meta["namespace"], _PLURAL, manifest, _request_timeout=_SECONDS
            ),
        )

    def job(self, namespace: str, name: str) -> dict[str, Any] | None:
        """The PyTorchJob, or None where there is none of this name."""
        try:
            found: dict[str, Any] = self._asked(
                f"read PyTorchJob {name} in namespace {namespace}",
                lambda: self._custom.get_namespaced_custom_object(
                    _GROUP, _VERSION, namespace, _PLURAL, name, _request_timeout=_SECONDS
                ),
            )
        except Missing:
            return None
        return found

    def jobs(self, selector: str) -> list[dict[str, Any]]:
        """The PyTorchJobs of all namespaces that the label selector names."""
        answer = self._asked(
            "list PyTorchJobs of all namespaces",
            lambda: self._custom.list_cluster_custom_object(
                _GROUP, _VERSION, _PLURAL, label_selector=selector, _request_timeout=_SECONDS
            ),
        )
        return list(answer["items"])

    def delete(self, namespace: str, name: str) -> None:
        """Deletes a PyTorchJob and its pods; one that is gone already is fine."""
        try:
            self._asked(
                f"delete PyTorchJob {name} in namespace {namespace}",
                lambda: self._custom.delete_namespaced_custom_object(
                    _GROUP, _VERSION, namespace, _PLURAL, name,
                    body=client.V1DeleteOptions(propagation_policy="Foreground"), _request_timeout=_SECONDS,
                ),
            )  # fmt: skip
        except Missing:
            return

    def scale(self, namespace: str, name: str, workers: int) -> None:
        """Sets how many pods an elastic PyTorchJob should have, as `kubectl scale` does."""
        patch = {"spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": workers}}}}
        self._asked(
            f"scale PyTorchJob {name} in namespace {namespace}",
            lambda: self._custom.patch_namespaced_custom_object(
                _GROUP, _VERSION, namespace, _PLURAL, name, patch, _request_timeout=_SECONDS
            ),
        )

    def pods(self, namespace: str, name: str) -> list[Any]:
        """The job's pods, by their index."""
        answer = self._asked(
            f"list pods of PyTorchJob {name} in namespace {namespace}",
            lambda: self._core.list_namespaced_pod(
                namespace, label_selector=f"{JOB_LABEL}={name}", _request_timeout=_SECONDS
            ),
        )
        return sorted(answer.items, key=lambda pod: int(pod.metadata.labels[INDEX_LABEL]))

    def log(self, namespace: str, pod: str, follow: bool) -> Iterator[str]:
        """The log's lines without their ends, each preceded by its time (RFC 3339) and a space.

        Raises:
            NotStarted: where the pod is not there yet or its container has not started.
        """
        try:
            stream = self._asked(
                f"read the log of pod {pod} in namespace {namespace}",
                lambda: self._core.read_namespaced_pod_log(
                    pod, namespace, follow=follow, timestamps=True, _preload_content=False,
                    _request_timeout=(_SECONDS, None),
                ),
            )  # fmt: skip
        except Missing as error:
            raise NotStarted(f"pod {pod} in namespace {namespace}: there is none yet; try again later") from error
        try:
            yield from _lines(stream)
        finally:
            stream.release_conn()

    def _asked(self, what: str, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except client.ApiException as error:
            raise _refusal(what, self.host, error) from None
        except urllib3.exceptions.HTTPError as error:
            raise LaunchError(
                f"{what}: no API server answers at {self.host} ({_reason(error)}); see `kubectl cluster-info`"
            ) from None


def _load(context: str, settings: client.Configuration) -> None:
    try:
        config.load_kube_config(context=context or None, client_configuration=settings)
    except config.ConfigException as error:
        if not context and _inside(settings):
            return
        raise LaunchError(_unusable(context, error)) from None


def _inside(settings: client.Configuration) -> bool:
    try:
        config.load_incluster_config(client_configuration=settings)
    except config.ConfigException:
        return False
    return True


def _unusable(context: str, error: config.ConfigException) -> str:
    try:
        known = [entry["name"] for entry in config.list_kube_config_contexts()[0]]
    except config.ConfigException:
        return "no cluster: there is no usable kubeconfig; set KUBECONFIG, or make one as your cluster's manual says"
    if context and context not in known:
        return f"context {context!r}: the kubeconfig has no such context; there are: {', '.join(known)}"
    return f"kubeconfig: {_line(str(error))}; mend it, see `kubectl config view`"


def _refusal(what: str, host: str, error: client.ApiException) -> LaunchError:
    status = _status(error.body)
    said = _line(status.get("message") or str(error.reason or error.body or ""))
    if error.status == 404 and not status:
        return LaunchError(
            f"{what}: the cluster at {host} knows no PyTorchJob; install the Kubeflow Training Operator first"
        )
    if error.status == 404:
        if status.get("details", {}).get("kind") == "namespaces":
            return LaunchError(f"{what}: {said}; create the namespace, or name another with -cfg namespace=NAME")
        return Missing(f"{what}: {said}; see `torchx list -s kubeflow`")
    if error.status == 400 and "log" in what:
        return NotStarted(f"{what}: {said}; try again later")
    advice = {
        401: "log in to the cluster again",
        403: "ask for this right, or choose another context with -cfg context=NAME",
        409: "choose another name with -cfg name=NAME, or cancel the old job",
        422: "change what it names",
    }
    return LaunchError(f"{what}: {said} (HTTP {error.status}); {advice.get(error.status, 'try again later')}")


def _status(body: object) -> dict[str, Any]:
    """The Status object of the API's answer; empty where the answer is none, as for a path the server does not know."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _reason(error: BaseException) -> str:
    return _line(str(error.__cause__ or error.__context__ or error))


def _line(text: str) -> str:
    return " ".join(text.split())


def _lines(stream: Any) -> Iterator[str]:
    """Whole lines of a response that comes in pieces."""
    rest = b""
    for piece in stream.stream(amt=None, decode_content=False):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")
