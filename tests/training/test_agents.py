"""torchrun's options, and the agent of this machine."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from torch.distributed.run import config_from_args, get_args_parser

from korbert.chain import Workspace
from korbert.config import Config
from korbert.training.agents import command, environment, next_logs, torchrun_arguments


def test_torchrun_understands_the_options_as_they_are_meant(
    make_workspace: Callable[..., tuple[Config, Workspace]],
) -> None:
    config, workspace = make_workspace("training.workers=4", "training.max_restarts=7")
    arguments = torchrun_arguments(config, "store:29400", "1:4", "a-run")
    given = get_args_parser().parse_args([*arguments, "-m", "korbert.training", "--workspace", str(workspace.root)])
    launch, program, words = config_from_args(given)
    assert (launch.min_nodes, launch.max_nodes, launch.nproc_per_node, launch.max_restarts) == (1, 4, 4, 7)
    assert (launch.rdzv_backend, launch.rdzv_endpoint, launch.run_id) == ("c10d", "store:29400", "a-run")
    assert launch.rdzv_configs["is_host"] == "0"
    assert program == sys.executable
    assert words[-4:] == ["-m", "korbert.training", "--workspace", str(workspace.root)]


def test_the_grace_is_torchruns_too(make_workspace: Callable[..., tuple[Config, Workspace]],
                                    monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    config, workspace = make_workspace("training.grace_seconds=44.5")
    for name, value in environment(config).items():
        monkeypatch.setenv(name, value)
    arguments = command(config, workspace, "127.0.0.1:1", workspace.root)[3:]
    launch, _, _ = config_from_args(get_args_parser().parse_args(arguments))
    assert launch.shutdown_timeout == 45


def test_the_logs_of_two_launches_are_kept_apart(tmp_path: Path) -> None:
    assert next_logs(tmp_path).name == "launch-1"
    for number in (1, 2, 10):
        (tmp_path / f"launch-{number}").mkdir()
    assert next_logs(tmp_path).name == "launch-11"
