"""Rank and agreement between processes."""

from datetime import timedelta

import torch

from korbert.training.device import CpuAccelerator
from korbert.training.process_group import Group, World, device_of, patience, process_group, world_of


def test_torchruns_environment_says_who_a_worker_is() -> None:
    environment = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "TORCHELASTIC_RESTART_COUNT": "2"}
    assert world_of(environment) == World(rank=3, size=4, local_rank=1, restart=2)
    assert not world_of(environment).leads


def test_a_process_of_its_own_is_a_world_of_one_that_leads() -> None:
    assert world_of({}) == World(0, 1, 0, 0)
    assert world_of({}).leads


def test_cpu_is_always_there() -> None:
    assert device_of("cpu", World()) == torch.device("cpu")


def test_a_world_of_one_agrees_with_itself_and_opens_no_connection() -> None:
    with process_group(World(), CpuAccelerator()) as group:
        assert isinstance(group, Group)
        assert group.any(True)
        assert not group.any(False)
        assert group.from_leader({"step": 3}) == {"step": 3}
        group.barrier()
        assert not torch.distributed.is_initialized()


def test_a_wait_for_others_outlasts_the_watchdog_that_names_them() -> None:
    assert patience(600.0) > timedelta(seconds=600)
    assert patience(3600.0) > timedelta(hours=1)
    assert patience(0.0) == timedelta(minutes=10)
