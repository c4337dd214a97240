"""torchx's scheduler `kubeflow`: an app becomes a PyTorchJob of the Kubeflow Training Operator v1.

An app's id is NAMESPACE:NAME, as torchx's own `kubernetes` scheduler has it. The context of the kubeconfig comes from
`-cfg context=NAME`, else from section [kubeflow] of .torchxconfig, else it is the current one.
"""

from __future__ import annotations

import configparser
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, List, TypeVar  # noqa: UP035 - what torchx compares an option's type with

import yaml
from torchx.runner import config as torchxconfig
from torchx.schedulers.api import DescribeAppResponse, ListAppResponse, Scheduler, Stream, filter_regex
from torchx.specs import AppDef, AppDryRunInfo, Resource, Role, is_terminal, runopts

from korbert.errors import UsageError
from korbert.launch import names, states
from korbert.launch.connection import Cluster, LaunchError
from korbert.launch.follow import Follower
from korbert.launch.manifests import pytorchjob
from korbert.launch.mapping import MANAGED_BY, ROLE_ANNOTATION, training_job

NAME = "kubeflow"
_LETTERS = "bcdfghjklmnpqrstvwxz"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Request:
    """What would be sent, and to which context of the kubeconfig ("": the current one)."""

    manifest: dict[str, Any]
    context: str

    def __str__(self) -> str:
        """The manifest as YAML, which `kubectl apply -f -` takes."""
        return str(yaml.safe_dump(self.manifest, sort_keys=False))


class KubeflowScheduler(Scheduler):  # type: ignore[misc]  # torchx ships no types
    """Life of a PyTorchJob, by torchx 0.7's interface and the one after it."""

    def __init__(self, session_name: str, **_: object) -> None:
        """Connects to nothing: a dry run needs no cluster."""
        super().__init__(NAME, session_name)
        self._context: str | None = None

    def _run_opts(self) -> runopts:
        options = runopts()
        options.add("namespace", type_=str, default="korbert", help="namespace of the job")
        options.add("context", type_=str, default="", help="the kubeconfig's context; default: the current one")
        options.add("name", type_=str, default="", help="the job's name; default: the app's and some letters")
        options.add("max_replicas", type_=int, default=0, help="most pods; default: as many as it begins with")
        options.add("processes", type_=int, default=0, help="worker processes a pod; default: one a GPU, or one")
        options.add("service_account", type_=str, default="korbert-pretrain", help="the pods' service account")
        options.add("secrets", type_=List[str], default=[], help="VARIABLE:SECRET:KEY, several by ';'")  # noqa: UP006
        options.add("node_selector", type_=Dict[str, str], default={}, help="LABEL:VALUE, several by ';'")  # noqa: UP006
        options.add("tolerations", type_=List[str], default=[], help="keys of taints, several by ';'")  # noqa: UP006
        options.add("shared_memory", type_=str, default="1Gi", help="size of /dev/shm, part of the memory")
        options.add("ttl", type_=int, default=0, help="seconds until an ended job is removed; 0: never")
        options.add("deadline", type_=int, default=0, help="seconds the job may take; 0: any")
        options.add("queue", type_=str, default="", help="Kueue's local queue")
        return options

    def _validate(self, app: AppDef, *_: object) -> None:
        """0.7 passes the scheduler's name, later ones the options too; the mapping checks all there is."""

    def _submit_dryrun(self, app: AppDef, cfg: Mapping[str, Any]) -> AppDryRunInfo:
        def build() -> AppDryRunInfo:
            name = cfg["name"] or _unique(app.name)
            return AppDryRunInfo(Request(pytorchjob(training_job(app, name, cfg)), cfg["context"]), str)

        return _in_one_line(build)

    def schedule(self, dryrun_info: AppDryRunInfo) -> str:
        """Creates the job; answers its id."""
        request: Request = dryrun_info.request
        self._context = request.context
        self._cluster().create(request.manifest)
        meta = request.manifest["metadata"]
        return f"{meta['namespace']}:{meta['name']}"

    def describe(self, app_id: str) -> DescribeAppResponse | None:
        """The job's state, and each pod's; None where there is no such job."""
        cluster, (namespace, name) = self._cluster(), _place(app_id)
        job = cluster.job(namespace, name)
        if job is None:
            return None
        pods, role = cluster.pods(namespace, name), _role(job)
        return DescribeAppResponse(
            app_id=app_id,
            state=states.state(job),
            num_restarts=states.restarts(pods),
            msg=states.message(job, pods),
            roles_statuses=[states.statuses(role.name, pods)],
            roles=[role],
        )

    def list(self, cfg: Mapping[str, Any] | None = None) -> List[ListAppResponse]:  # noqa: UP006 - `list` is this
        """The PyTorchJobs of all namespaces that this scheduler has made."""
        if cfg and cfg.get("context"):
            self._context = str(cfg["context"])
        return [
            ListAppResponse(f"{job['metadata']['namespace']}:{job['metadata']['name']}", states.state(job))
            for job in self._cluster().jobs("=".join(MANAGED_BY))
        ]

    def _cancel_existing(self, app_id: str) -> None:
        self._cluster().delete(*_place(app_id))

    def log_iter(
        self,
        app_id: str,
        role_name: str,
        k: int = 0,
        regex: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        should_tail: bool = False,
        streams: Stream | None = None,
    ) -> Iterable[str]:
        """Lines of the pod of index `k`; `should_tail` follows it through restarts until the job has ended.

        Raises:
            ValueError: for one stream alone: Kubernetes mixes standard output and error.
        """
        if streams not in (None, Stream.COMBINED):
            raise ValueError(f"streams {streams}: Kubernetes keeps both in one; leave --streams out")
        cluster, (namespace, name) = self._cluster(), _place(app_id)

        def ended() -> bool:
            job = cluster.job(namespace, name)
            return job is None or is_terminal(states.state(job))

        follower = Follower(lambda follow: cluster.log(namespace, f"{name}-worker-{k}", follow), ended)
        lines = follower.lines(should_tail, since, until)
        return filter_regex(regex, lines) if regex else lines

    def _cluster(self) -> Cluster:
        """Anew each time: torchx reads logs in threads, and a client's pool is no place to share."""
        if self._context is None:
            self._context = _configured()
        return Cluster(self._context)


def create_scheduler(session_name: str, **arguments: object) -> KubeflowScheduler:
    """What torchx calls by the entry point."""
    global _others
    if threading.excepthook is not _told_later:
        _others, threading.excepthook = threading.excepthook, _told_later
    return KubeflowScheduler(session_name, **arguments)


_others = threading.excepthook


def _told_later(failure: threading.ExceptHookArgs) -> None:
    """`torchx log` reads in threads, and raises again in the main one what they raise: here it needs no stack.

    Python passes over a SystemExit in a thread likewise, but not over what is derived from it.
    """
    if not isinstance(failure.exc_value, LaunchError):
        _others(failure)


def _configured() -> str:
    """The context that .torchxconfig names; what asks about a job gets no options from torchx."""
    parser = configparser.ConfigParser()
    # Of the home's and the folder's file torchx heeds the first; this parser the last.
    parser.read(reversed(torchxconfig.find_configs()))
    return parser.get(NAME, "context", fallback="")


def _unique(name: str) -> str:
    return f"{name.replace('_', '-').lower()}-{''.join(secrets.choice(_LETTERS) for _ in range(6))}"


def _place(app_id: str) -> tuple[str, str]:
    """Namespace and name of an app's id."""

    def split() -> tuple[str, str]:
        namespace, _, name = app_id.partition(":")
        return names.checked("namespace", namespace), names.checked("name", name)

    return _in_one_line(split)


def _role(job: dict[str, Any]) -> Role:
    """The role as torchx shows it."""
    worker = job["spec"]["pytorchReplicaSpecs"]["Worker"]
    container = worker["template"]["spec"]["containers"][0]
    command = container.get("command") or ["", ""]
    return Role(
        name=job["metadata"].get("annotations", {}).get(ROLE_ANNOTATION, "worker"),
        image=container["image"],
        entrypoint=command[0],
        args=list(command[1:]),
        env={entry["name"]: entry.get("value", "") for entry in container.get("env") or []},
        num_replicas=worker.get("replicas", 1),
        min_replicas=job["spec"].get("elasticPolicy", {}).get("minReplicas"),
        resource=Resource(cpu=0, gpu=0, memMB=0),
    )


def _in_one_line(work: Callable[[], Result]) -> Result:
    """What torchx would show the stack of."""
    try:
        return work()
    except UsageError as error:
        raise LaunchError(str(error)) from None
