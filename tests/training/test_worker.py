"""A worker process on its own: exit codes and what it leaves."""

import signal
from collections.abc import Callable, Iterator

import pytest

from korbert.chain import Workspace
from korbert.config import Config
from korbert.storage import resumable
from korbert.training.course import Course, course
from korbert.training.worker import PROGRESS_VARIABLE, STOPPED, failures, work

MakeWorkspace = Callable[..., tuple[Config, Workspace]]


@pytest.fixture(autouse=True)
def _signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker takes over the signals of its process, which is ours here."""
    monkeypatch.delenv(PROGRESS_VARIABLE, raising=False)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _begun(config: Config, workspace: Workspace) -> Course:
    """A training whose folder an interrupted attempt has left."""
    training = course(config, workspace)
    with pytest.raises(InterruptedError), resumable(training.plan):
        raise InterruptedError
    training.logs.mkdir()
    return training


def test_without_torchrun_one_worker_trains_to_the_end(
    make_workspace: MakeWorkspace, capfd: pytest.CaptureFixture[str]
) -> None:
    config, workspace = make_workspace("training.max_steps=4")
    training = _begun(config, workspace)
    assert work(workspace.root) == 0
    assert training.weights.exists()
    assert [line["step"] for line in training.metrics.read()] == [1, 2, 3, 4]


def test_a_signal_ends_the_step_saves_and_exits_143(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, workspace = make_workspace("training.max_steps=20")
    training = _begun(config, workspace)
    progress = training.logs / "progress.json"
    monkeypatch.setenv(PROGRESS_VARIABLE, str(progress))
    original = Course.loader

    def signalled(self: Course, world: object) -> object:
        signal.raise_signal(signal.SIGTERM)
        return original(self, world)  # type: ignore[arg-type]

    monkeypatch.setattr(Course, "loader", signalled)
    assert work(workspace.root) == STOPPED == 143
    found = training.checkpoints.newest(pytest.fail)
    assert found is not None
    assert found.progress.step == 1
    assert progress.exists()
    assert not training.weights.exists()


def test_another_trainings_checkpoint_is_exit_2_and_one_line(
    make_workspace: MakeWorkspace, capfd: pytest.CaptureFixture[str]
) -> None:
    other_config, other = make_workspace("training.max_steps=2")
    _begun(other_config, other)
    assert work(other.root) == 0
    config, workspace = make_workspace("training.max_steps=2", "model.dropout=0.0")
    training = _begun(config, workspace)
    (training.folder / "checkpoints").symlink_to(other.path("pretrain") / "checkpoints")
    capfd.readouterr()
    assert work(workspace.root) == 2
    told = capfd.readouterr().err.strip()
    assert told.startswith("model.dropout = 0.0: ")
    assert "\n" not in told
    cause = failures(workspace).cause(0.0)
    assert cause is not None
    assert (cause.kind, cause.message) == ("usage", told)


def test_a_diverging_training_is_exit_1_with_advice(
    make_workspace: MakeWorkspace, capfd: pytest.CaptureFixture[str]
) -> None:
    config, workspace = make_workspace("training.lr=1e30", "training.warmup=0", "training.clip=0")
    _begun(config, workspace)
    assert work(workspace.root) == 1
    assert "training has diverged; lower training.lr" in capfd.readouterr().err


def test_a_fault_of_ours_keeps_its_stack_trace(
    make_workspace: MakeWorkspace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config, workspace = make_workspace()
    _begun(config, workspace)
    monkeypatch.setattr(Course, "loader", None)
    assert work(workspace.root) == 1
    assert "Traceback" in capfd.readouterr().err
    cause = failures(workspace).cause(0.0)
    assert cause is not None
    assert cause.kind == "fault"
