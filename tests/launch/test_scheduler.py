"""The scheduler `kubeflow`, by torchx's own runner, against a server that speaks the Kubernetes API."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from torchx.runner import Runner
from torchx.schedulers.api import Stream
from torchx.specs import AppDef, AppState, BindMount, Resource, Role, macros

from korbert.launch import components
from korbert.launch.connection import Cluster, LaunchError
from korbert.launch.scheduler import create_scheduler

CONFIG: dict[str, Any] = {"name": "first"}


@pytest.fixture
def runner() -> Iterator[Runner]:
    with Runner("session", {"kubeflow": create_scheduler}) as made:
        yield made


def _training() -> AppDef:
    return components.pretrain(nodes="1:3", cpu=2, memory=512)


def _run(runner: Runner, **options: Any) -> str:
    return str(runner.run(_training(), "kubeflow", cfg={**CONFIG, **options}))


def _said(call: Any) -> str:
    with pytest.raises(LaunchError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.code == f"korbert: {message}"
    return message


def test_a_job_lives_from_submission_to_cancellation(api: Any, runner: Runner) -> None:
    handle = _run(runner)
    assert handle == "kubeflow://session/korbert:first"
    assert runner.status(handle).state == AppState.SUBMITTED
    api.condition("first", "Created")
    assert runner.status(handle).state == AppState.PENDING
    api.condition("first", "Running")
    for index in (1, 0):
        api.pod("first", index, "Running", containerStatuses=[_container(index)])
    status = runner.status(handle)
    assert (status.state, status.num_restarts) == (AppState.RUNNING, 1)
    assert [(r.id, r.state, r.hostname) for r in status.roles[0].replicas] == [
        (0, AppState.RUNNING, "first-worker-0"),
        (1, AppState.RUNNING, "first-worker-1"),
    ]
    assert [(app.app_id, app.state) for app in runner.list("kubeflow")] == [("korbert:first", AppState.RUNNING)]
    api.jobs["korbert", "first"]["metadata"]["deletionTimestamp"] = "2026-11-22T00:00:00Z"
    assert runner.status(handle).msg == "is being cancelled: its pods save what they have and end"
    runner.cancel(handle)
    assert api.jobs == {}
    assert runner.status(handle) is None
    runner.cancel(handle)  # once more is no fault


def _container(restarts: int) -> dict[str, Any]:
    return {"name": "pytorch", "image": "i", "imageID": "", "ready": True, "restartCount": restarts}


def test_what_is_described_is_what_was_submitted(api: Any, runner: Runner) -> None:
    role = runner.describe(_run(runner)).roles[0]
    asked = _training().roles[0]
    assert (role.name, role.image, role.entrypoint, role.args) == ("pretrain", asked.image, "torchrun", asked.args)
    assert (role.min_replicas, role.num_replicas) == (1, 3)


def test_the_job_is_elastic_from_the_fewest_to_the_most(api: Any, runner: Runner) -> None:
    _run(runner, max_replicas=8, secrets=["KEY:vault:key"], queue="q", processes=2)
    job = api.jobs["korbert", "first"]
    policy, worker = job["spec"]["elasticPolicy"], job["spec"]["pytorchReplicaSpecs"]["Worker"]
    assert (policy["minReplicas"], worker["replicas"], policy["maxReplicas"]) == (1, 3, 8)
    assert (policy["maxRestarts"], worker["restartPolicy"], job["spec"]["nprocPerNode"]) == (3, "OnFailure", "2")
    container = worker["template"]["spec"]["containers"][0]
    reference = {"secretKeyRef": {"name": "vault", "key": "key"}}
    assert {"name": "KEY", "valueFrom": reference} in container["env"]
    assert {"name": "TORCHX_JOB_ID", "value": "kubeflow://session/korbert:first"} in container["env"]
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "q"


def test_a_replica_knows_its_number_and_the_first_ones_name(api: Any, runner: Runner) -> None:
    app = _training()
    app.roles[0].args = ["--index", macros.replica_id]
    runner.run(app, "kubeflow", cfg=CONFIG)
    template = api.jobs["korbert", "first"]["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]
    container = template["spec"]["containers"][0]
    assert container["command"] == ["torchrun", "--index", "$(TORCHX_REPLICA_ID)"]
    label = {"fieldRef": {"fieldPath": "metadata.labels['training.kubeflow.org/replica-index']"}}
    # First: Kubernetes fills it into those that follow only.
    assert container["env"][0] == {"name": "TORCHX_REPLICA_ID", "valueFrom": label}
    assert {"name": "TORCHX_RANK0_HOST", "value": "first-worker-0"} in container["env"]


@pytest.mark.parametrize(
    ("app", "component"),
    [(components.crawl(), "crawl"), (components.finetune(model="m", task="nsmc"), "finetune")],
    ids=["crawl", "finetune"],
)
def test_the_pods_are_labelled_as_the_stages_that_network_policies_know(
    api: Any, runner: Runner, app: AppDef, component: str
) -> None:
    runner.run(app, "kubeflow", cfg=CONFIG)
    worker = api.jobs["korbert", "first"]["spec"]["pytorchReplicaSpecs"]["Worker"]
    assert worker["template"]["metadata"]["labels"]["app.kubernetes.io/component"] == component


def test_an_elastic_job_is_scaled_in_place(api: Any, runner: Runner) -> None:
    _run(runner)
    Cluster().scale("korbert", "first", 2)
    worker = api.jobs["korbert", "first"]["spec"]["pytorchReplicaSpecs"]["Worker"]
    assert worker["replicas"] == 2
    assert worker["restartPolicy"] == "OnFailure"


def test_a_dry_run_asks_no_cluster(no_cluster: None, runner: Runner) -> None:
    assert "kind: PyTorchJob" in str(runner.dryrun(_training(), "kubeflow", cfg=CONFIG))


@pytest.mark.parametrize(
    ("condition", "state"),
    [("Restarting", AppState.PENDING), ("Succeeded", AppState.SUCCEEDED), ("Failed", AppState.FAILED)],
    ids=["restarting", "succeeded", "failed"],
)
def test_the_newest_condition_is_the_state(api: Any, runner: Runner, condition: str, state: AppState) -> None:
    handle = _run(runner)
    for kind in ("Created", "Running", condition):
        api.condition("first", kind, f"the job is {kind}")
    status = runner.status(handle)
    assert (status.state, status.msg) == (state, f"the job is {condition}")


def test_an_image_that_cannot_be_pulled_is_told(api: Any, runner: Runner) -> None:
    handle = _run(runner)
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "not\nfound"}}
    api.pod("first", 0, "Pending", containerStatuses=[{**_container(0), "state": waiting}])
    assert runner.status(handle).msg == (
        "pod first-worker-0: image i cannot be pulled (not found); "
        "check its name, and that the service account may pull it"
    )


def test_a_pod_that_no_node_takes_is_told(api: Any, runner: Runner) -> None:
    handle = _run(runner)
    condition = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient nvidia.com/gpu"}
    api.pod("first", 0, "Pending", conditions=[condition])
    assert "no node takes it (0/1 nodes: Insufficient nvidia.com/gpu)" in runner.status(handle).msg


def test_a_log_is_followed_through_a_cut_and_a_restart_with_each_line_once(api: Any, runner: Runner) -> None:
    handle = _run(runner)
    api.condition("first", "Running")
    pod = api.pod("first", 0, "Running")
    api.say(pod, "2026-11-22T10:00:00.000000001Z one", "2026-11-22T10:00:00.000000002Z two")
    got: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(
        target=lambda: [got.put(line) for line in runner.log_lines(handle, "pretrain", 0, should_tail=True)],
        daemon=True,
    )
    reader.start()
    assert [got.get(timeout=60) for _ in range(2)] == ["one\n", "two\n"]
    # The node's clock counts in its own zone, and two lines may have one time.
    api.say(pod, "2026-11-22T19:00:00.000000002+09:00 three")
    assert got.get(timeout=60) == "three\n"
    api.cut(pod)
    api.say(pod, "2026-11-22T10:00:01Z four")
    assert got.get(timeout=60) == "four\n"
    api.logs[pod].lines[:] = []  # a restarted container's log begins anew
    api.cut(pod)
    api.say(pod, "2026-11-22T10:00:09.5Z five")
    assert got.get(timeout=60) == "five\n"
    api.condition("first", "Succeeded")
    api.complete(pod)
    reader.join(timeout=60)
    assert not reader.is_alive()
    assert got.empty()
    assert api.logs[pod].opened >= 3


def test_a_log_is_read_by_pattern(api: Any, runner: Runner) -> None:
    handle = _run(runner)
    pod = api.pod("first", 1, "Running")
    api.say(pod, "2026-11-22T10:00:00Z step 1", "2026-11-22T10:00:01Z note", "2026-11-22T10:00:02Z step 2")
    assert list(runner.log_lines(handle, "pretrain", 1, regex="step")) == ["step 1\n", "step 2\n"]


def test_a_pod_without_a_log_is_told(api: Any, runner: Runner) -> None:
    handle = _run(runner)
    assert "there is none yet" in _said(lambda: list(runner.log_lines(handle, "pretrain", 0)))
    api.pod("first", 0, "Pending")
    assert "is waiting to start" in _said(lambda: list(runner.log_lines(handle, "pretrain", 0)))


def test_one_stream_alone_is_refused(api: Any, runner: Runner) -> None:
    handle = _run(runner)
    with pytest.raises(ValueError, match="Kubernetes keeps both in one"):
        runner.log_lines(handle, "pretrain", 0, streams=Stream.STDERR)


def test_no_cluster_is_one_line(no_cluster: None, runner: Runner) -> None:
    assert "there is no usable kubeconfig" in _said(lambda: _run(runner))


def test_a_server_that_is_gone_is_one_line(deaf_cluster: None, runner: Runner) -> None:
    assert "no API server answers at http://127.0.0.1:9" in _said(lambda: _run(runner))


def test_a_wrong_context_is_one_line(api: Any, runner: Runner) -> None:
    message = _said(lambda: _run(runner, context="there"))
    assert message == "context 'there': the kubeconfig has no such context; there are: here"


def test_the_configured_context_holds_for_what_asks_about_jobs(
    api: Any, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[kubeflow]\ncontext = there\n")
    monkeypatch.setenv("TORCHXCONFIG", str(tmp_path / "config"))
    assert "context 'there'" in _said(lambda: runner.list("kubeflow"))


def test_missing_rights_are_one_line(api: Any, runner: Runner) -> None:
    api.allowed = False
    assert "(HTTP 403); ask for this right" in _said(lambda: _run(runner))


def test_a_missing_operator_is_one_line(api: Any, runner: Runner) -> None:
    api.has_operator = False
    for call in (lambda: _run(runner), lambda: runner.list("kubeflow")):
        assert "knows no PyTorchJob; install the Kubeflow Training Operator first" in _said(call)


def test_a_missing_operator_is_not_a_missing_job(api: Any, runner: Runner) -> None:
    handle = _run(runner)
    api.has_operator = False
    assert "install the Kubeflow Training Operator" in _said(lambda: runner.status(handle))


def test_a_missing_namespace_is_one_line(api: Any, runner: Runner) -> None:
    assert "create the namespace" in _said(lambda: _run(runner, namespace="elsewhere"))


def test_a_name_that_is_taken_is_one_line(api: Any, runner: Runner) -> None:
    _run(runner)
    assert "already exists (HTTP 409); choose another name" in _said(lambda: _run(runner))


@pytest.mark.parametrize(
    ("name", "said"), [("a" * 60, "has 60 characters"), ("No", "must be small")], ids=["long", "letters"]
)
def test_a_bad_name_is_one_line_before_anything_is_sent(api: Any, runner: Runner, name: str, said: str) -> None:
    assert said in _said(lambda: _run(runner, name=name))
    assert api.requests == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mounts": [BindMount("/home", "/data")]}, "mounts a BindMount"),
        ({"resource": Resource(cpu=0, gpu=0, memMB=1)}, "cpu and memory must be above 0"),
        ({"min_replicas": 4}, "elastic 4:1 with 1 workers"),
    ],
    ids=["mount", "resource", "replicas"],
)
def test_a_role_without_a_place_in_a_job_is_one_line(runner: Runner, change: dict[str, Any], said: str) -> None:
    fields: dict[str, Any] = {"resource": Resource(cpu=1, gpu=0, memMB=1), **change}
    app = AppDef("a", [Role(name="r", image="i:1", entrypoint="e", **fields)])
    assert said in _said(lambda: runner.dryrun(app, "kubeflow", cfg=CONFIG))


def test_two_roles_are_one_line(runner: Runner) -> None:
    app = _training()
    app.roles.append(app.roles[0])
    assert "has 2 roles" in _said(lambda: runner.dryrun(app, "kubeflow", cfg=CONFIG))


def test_a_secret_without_its_key_is_one_line(runner: Runner) -> None:
    message = _said(lambda: runner.dryrun(_training(), "kubeflow", cfg={**CONFIG, "secrets": ["A:b"]}))
    assert "must be VARIABLE:SECRET:KEY" in message
