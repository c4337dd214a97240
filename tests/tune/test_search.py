"""Trials share a GPU by fractions: as many at once as fit, on the same one. The GPU here is a number in Ray's books."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import ray
from ray import tune as ray_tune

from korbert.config import TuneConfig
from tune.search import Storage, listed, results_of
from tune.session import ENVIRONMENT, environment


@pytest.fixture(scope="module")
def one_gpu() -> Iterator[None]:
    with environment(ENVIRONMENT | {"RAY_AUTH_MODE": "disabled"}):
        ray.init(address="local", num_cpus=4, num_gpus=1, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


def present(settings: dict[str, Any]) -> None:
    """Waits for the company it should have, and tells how many were there at once and on which GPU."""
    choice = settings["choice"]
    folder, name = Path(choice["folder"]), str(choice["number"])
    for kind in ("come", "here"):
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / name).touch()
    patience = 600
    while len(list((folder / "come").iterdir())) < choice["company"] and patience:
        time.sleep(0.1)
        patience -= 1
    here = len(list((folder / "here").iterdir()))
    (folder / "here" / name).unlink()
    ray_tune.report({"validation": 0.0, "key": name, "here": here, "gpus": ray.get_gpu_ids()})


@pytest.mark.usefixtures("one_gpu")
@pytest.mark.parametrize(("share", "most"), [(0.5, 2), (0.25, 4), (1.0, 1)])
def test_as_many_trials_share_a_gpu_as_fit(share: float, most: int, tmp_path: Path) -> None:
    places = tmp_path / "places"
    places.mkdir()
    config = replace(TuneConfig(), gpus_per_trial=share, concurrent=4)
    choices = [{"folder": str(places), "number": number, "company": most} for number in range(4)]
    make = partial(listed, config, choices)
    found = results_of("gpus", Storage.of("", "group", tmp_path / "ray"), present, make, config, [])
    metrics = [result.metrics for result in found]
    assert all(metric is not None and metric["gpus"] == [0] for metric in metrics)
    assert max(metric["here"] for metric in metrics if metric is not None) == most
