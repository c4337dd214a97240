"""A training in a storm: workers, agents and the store killed, frozen and stopped, and in the end no step is lost.

    python tests/chaos/training_storm.py --minutes 10 --seed 1

Several torchrun agents of one worker each share a workspace and a store, as nodes of a cluster would; agents that end
are started again, as a job controller would. After every strike the training must complete steps again. The verdict:
the audit is clean, no step that rank 0 had completed was lost where a survivor could save it, and the losses are those
of one undisturbed process within 1e-4. What strikes when follows from the seed, but processes race: no two storms are
alike.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from korbert.data.audit import audit
from korbert.errors import WorldError
from korbert.processes import dies_with_parent
from korbert.training.agents import environment, torchrun_arguments
from korbert.training.beats import Beat, Beats
from korbert.training.course import course
from korbert.training.device import CpuAccelerator
from korbert.training.journal import BEGUN
from korbert.training.process_group import Group, World
from korbert.training.recovery import RECOVERED
from korbert.training.store import LocalStore, local_store
from korbert.training.trainer import Trainer

PATIENCE = 240.0
"""Seconds for what must happen at all, on a machine that others use too."""
NODES = 3
TAIL = 4096
"""Bytes of the metrics that hold their last lines."""
ROOM = 60_000
"""Bytes: less than a checkpoint's files have."""
SETTINGS = (
    "model.dropout=0.0", "training.workers=1", "training.epochs=9999", "training.max_steps=0",
    "training.max_restarts=1000", "training.schedule=constant", "training.warmup=0", "training.lr=1e-4",
    "training.global_batch=128", "training.checkpoint_every=40", "training.keep_checkpoints=3",
    "training.hang_timeout=15", "training.grace_seconds=12",
)  # fmt: skip
"""A small learning rate: worlds of one, two and three round differently, and a large one would make much of it."""


@dataclass(frozen=True)
class Strike:
    """What has struck, and what came after it."""

    kind: str
    step: int
    """Last step that rank 0 had completed before."""
    resumed: int
    """Step that the training went on from."""
    workers: int
    """After it."""
    seconds: float
    """From the strike to the first completed step after it."""
    cause: str
    """What the journal gives as the cause; empty where nothing was lost."""
    keeps: bool
    """Whether somebody was left to save the last step."""

    @property
    def lost(self) -> int:
        """Completed steps that had to be done again."""
        return max(0, self.step - self.resumed)


class Field:
    """A store, agents and their training, in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.config, self.workspace = _build(folder / "workspace", *SETTINGS)
        self.training = course(self.config, self.workspace)
        self._folder, self._launches, self._serial = folder, 0, 0
        self.agents: list[subprocess.Popen[bytes]] = []
        self._store: LocalStore | None = None

    def launch(self, agents: int) -> None:
        """Starts a store and agents."""
        self._launches += 1
        with (self._folder / f"store-{self._launches}.log").open("w") as log:
            self._store = local_store(log)
        for _ in range(agents):
            self.join()

    def join(self) -> None:
        """Starts one more agent."""
        assert self._store
        self._serial += 1
        logs = self._folder / f"agent-{self._serial}"
        arguments = torchrun_arguments(self.config, self._store.endpoint, f"1:{NODES}", f"run-{self._launches}")
        place = ["--local-addr=127.0.0.1", f"--log-dir={logs}", "--redirects=3"]
        work = ["-m", "korbert.training", "--workspace", str(self.workspace.root)]
        with (self._folder / f"agent-{self._serial}.log").open("w") as log:
            agent = subprocess.Popen(
                [sys.executable, "-m", "torch.distributed.run", *arguments, *place, *work],
                env={**os.environ, "GLOO_SOCKET_IFNAME": "lo", **environment(self.config)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent,
            )
        self.agents.append(agent)

    def kill_store(self) -> None:
        """The store is lost; what its agents leave is started anew."""
        assert self._store
        self._store.end()
        for agent in self.agents:
            agent.wait(PATIENCE)
        count, self.agents = len(self.agents), []
        self.launch(count)

    def kill_agent(self, agent: subprocess.Popen[bytes]) -> None:
        """A node is lost."""
        os.killpg(agent.pid, signal.SIGKILL)
        agent.wait()
        self.agents.remove(agent)

    def end(self, number: signal.Signals) -> None:
        """Every agent at once, and the store after them."""
        for agent in self.agents:
            agent.send_signal(number)
        for agent in self.agents:
            agent.wait(PATIENCE)
        self.agents.clear()
        if self._store:
            self._store.end()

    def beats(self) -> list[Beat]:
        """The workers' last signs of life, by rank."""
        return Beats(self.training.logs / "beats").newest()

    def worker(self, rank: int) -> int:
        """The process id of a worker of the present attempt."""
        found: list[Beat] = []

        def there() -> bool:
            found[:] = self.beats()
            return len(found) == self.events(BEGUN)[-1]["workers"] and all(_alive(beat) for beat in found)

        self.wait(there, "a sign of every worker")
        return found[rank].pid

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The journal's events of a kind."""
        return [event for event in self.training.journal.read() if event["event"] == kind]

    def lines(self) -> list[dict[str, Any]]:
        """The curves so far."""
        return self.training.metrics.windows() if self.training.metrics.path.exists() else []

    def last(self) -> tuple[int, int]:
        """Attempt and step of the last line of metrics."""
        path = self.training.metrics.path
        with path.open("rb") if path.exists() else open(os.devnull, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            for raw in reversed(file.read().splitlines()):
                try:
                    line = json.loads(raw)
                except ValueError:
                    continue
                if "mlm" in line:
                    return line["attempt"], line["step"]
        return -1, 0

    def go_on(self, steps: int = 5, after: int = -1) -> None:
        """Waits until an attempt later than `after` has completed some steps of its own."""
        begun: tuple[int, int] | None = None

        def enough() -> bool:
            nonlocal begun
            attempt, step = self.last()
            if attempt <= after:
                return False
            if begun is None or begun[0] != attempt:
                begun = (attempt, step)
            return step >= begun[1] + steps

        self.wait(enough, f"{steps} steps in an attempt after {after}")

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Waits for what must happen."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise WorldError(f"storm: {what} in {PATIENCE:.0f} s: it has not happened; logs: {self._folder}")
            time.sleep(0.05)


def worker_killed(field: Field) -> None:
    os.kill(field.worker(-1), signal.SIGKILL)


def leader_killed(field: Field) -> None:
    os.kill(field.worker(0), signal.SIGKILL)


def agent_killed(field: Field) -> None:
    field.kill_agent(field.agents[-1])


def agent_joins(field: Field) -> None:
    field.join()


def store_killed(field: Field) -> None:
    field.kill_store()


def worker_stopped(field: Field) -> None:
    os.kill(field.worker(-1), signal.SIGTERM)


def agent_stopped(field: Field) -> None:
    agent = field.agents.pop()
    agent.send_signal(signal.SIGTERM)
    agent.wait(PATIENCE)


def worker_frozen(field: Field) -> None:
    os.kill(field.worker(-1), signal.SIGSTOP)


def stopped_while_a_peer_is_frozen(field: Field) -> None:
    os.kill(field.worker(-1), signal.SIGSTOP)
    count = len(field.agents)
    field.end(signal.SIGTERM)
    field.launch(count)


def disk_full(field: Field) -> None:
    """No file of rank 0's may grow beyond a limit: its next checkpoint fails, or a log does, as on a full disk."""
    pid = field.worker(0)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (ROOM, resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]))


def all_killed_and_the_newest_checkpoint_truncated(field: Field) -> None:
    count = len(field.agents)
    field.wait(lambda: len(_checkpoints(field)) > 1, "two checkpoints")
    field.end(signal.SIGKILL)
    field.wait(lambda: not any(_alive(beat) for beat in field.beats()), "the end of the workers")
    newest = _checkpoints(field)[-1] / "model.safetensors"
    os.truncate(newest, newest.stat().st_size // 2)
    field.launch(count)


KEEPING: tuple[Callable[[Field], None], ...] = (
    worker_killed, leader_killed, agent_killed, agent_joins, store_killed, worker_stopped, agent_stopped,
    worker_frozen, stopped_while_a_peer_is_frozen,
)  # fmt: skip
"""Somebody is left to save the last step, where there are two workers."""
STRIKES = (*KEEPING, disk_full, all_killed_and_the_newest_checkpoint_truncated)


def strike(field: Field, blow: Callable[[Field], None]) -> Strike:
    """Lets one thing happen and waits until the training goes on."""
    workers = field.events(BEGUN)[-1]["workers"]
    attempt, step = field.last()
    started = time.monotonic()
    blow(field)
    field.go_on(1, after=attempt)
    seconds = time.monotonic() - started
    begun = next(event for event in field.events(BEGUN) if event["attempt"] > attempt)
    cause = next((event["cause"] for event in field.events(RECOVERED) if event["attempt"] > attempt), "")
    now = field.events(BEGUN)[-1]["workers"]
    return Strike(blow.__name__, step, begun["step"], now, round(seconds, 1), cause, blow in KEEPING and workers > 1)


def verdict(field: Field, strikes: list[Strike]) -> list[str]:
    """What is wrong in the end: the agents have been stopped."""
    steps = field.events("ended")[-1]["step"]
    report = audit(field.training.audit, field.training.order, len(field.training.samples), steps)
    faults = [
        f"{struck.kind}: {struck.lost} completed steps lost" for struck in strikes if struck.keeps and struck.lost
    ]
    if not report.clean or report.steps != steps:
        faults.append(f"audit: {report.as_dict()}")
    return faults + _curve_faults(field, steps)


def _curve_faults(field: Field, steps: int) -> list[str]:
    found = {line["step"]: (line["mlm"], line["sop"]) for line in field.lines()}
    place = Path(tempfile.mkdtemp(prefix="undisturbed-", dir=field.workspace.root.parent))
    config, workspace = _build(place / "workspace", *SETTINGS)
    alone = Trainer(course(config, workspace), World(), CpuAccelerator(), Group(World(), None), print)
    alone.run(lambda *_: None, lambda: alone.progress.step >= steps)
    wanted = {line["step"]: (line["mlm"], line["sop"]) for line in course(config, workspace).metrics.windows()}
    faults = [f"{len(wanted.keys() ^ found.keys())} steps in one curve only"] if wanted.keys() ^ found.keys() else []
    far = [step for step in wanted.keys() & found.keys() if _apart(wanted[step], found[step]) > 1e-4]
    return faults + ([f"{len(far)} losses differ by more than 1e-4, from step {min(far)} on"] if far else [])


def _apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def rage(field: Field, minutes: float, seed: int) -> list[Strike]:
    """Strikes until the time is over."""
    rng, strikes, deadline = random.Random(seed), list[Strike](), time.monotonic() + minutes * 60
    field.launch(2)
    field.go_on()
    while time.monotonic() < deadline:
        field.go_on(rng.randint(1, 30), after=field.last()[0] - 1)
        choices = [blow for blow in STRIKES if _possible(blow, field)]
        strikes.append(strike(field, rng.choice(choices)))
        print(json.dumps(vars(strikes[-1])), flush=True)
    field.go_on()
    field.end(signal.SIGTERM)
    return strikes


def _possible(blow: Callable[[Field], None], field: Field) -> bool:
    """Whether it can happen to so many agents: the last may not go, and there is room for three."""
    if blow is agent_joins:
        return len(field.agents) < NODES
    return len(field.agents) > 1 or blow not in (agent_killed, agent_stopped, worker_frozen, leader_killed)


def table(strikes: list[Strike]) -> str:
    """A line a strike."""
    head = f"{'strike':48} {'step':>6} {'resumed':>7} {'lost':>4} {'workers':>7} {'seconds':>7} cause"
    rows = (
        f"{s.kind:48} {s.step:6} {s.resumed:7} {s.lost:4} {s.workers:7} {s.seconds:7.1f} {s.cause or '-'}"
        for s in strikes
    )
    return "\n".join((head, *rows))


def _checkpoints(field: Field) -> list[Path]:
    return sorted((field.training.folder / "checkpoints").glob("step-*"))


def _alive(beat: Beat) -> bool:
    try:
        return b"korbert.training" in Path(f"/proc/{beat.pid}/cmdline").read_bytes()
    except OSError:
        return False


def _build(root: Path, *assignments: str) -> tuple[Any, Any]:
    """The small workspace of training's tests."""
    spec = importlib.util.spec_from_file_location("storm_data", Path(__file__).parents[1] / "training" / "conftest.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    built: tuple[Any, Any] = module.build(root, *assignments)
    return built


def main() -> int:
    parser = argparse.ArgumentParser(description="A training under kills, freezes, stops, a full disk and joins.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="training-storm-") as folder:
        field = Field(Path(folder))
        try:
            strikes = rage(field, given.minutes, given.seed)
            faults = verdict(field, strikes)
        finally:
            field.end(signal.SIGKILL)
    print(table(strikes))
    good = "audit clean, no step lost that a survivor could save"
    print(f"{len(strikes)} strikes, seed {given.seed}: " + ("; ".join(faults) or good))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
