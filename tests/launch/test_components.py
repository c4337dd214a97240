"""Components: their arguments become the commands that exist."""

import pytest

from korbert import recipes
from korbert.launch import components
from korbert.launch.connection import LaunchError


def _words(app: components.AppDef) -> str:
    return " ".join([app.roles[0].entrypoint, *app.roles[0].args])


def test_a_crawl_without_a_source_is_of_the_runs_own_newsroom() -> None:
    app = components.crawl(recipe="demo", limit="9", since="2016-01", settings="crawl.delay=0.5")
    assert _words(app) == (
        "python -m korbert run demo --to crawl --workspace runs/demo --limit 9 "
        "--set crawl.delay=0.5 --set crawl.since=2016-01"
    )


def test_a_crawl_of_a_source_is_the_crawlers_own_command() -> None:
    app = components.crawl(workspace="/data/run", source="newsroom", since="2016-01", until="2016-02")
    said = "crawler crawl --workspace /data/run --source newsroom --since 2016-01 --until 2016-02"
    assert _words(app) == f"python -m {said}"


def test_pretraining_on_one_node_makes_what_comes_before() -> None:
    role = components.pretrain(corpus="a.jsonl,b.jsonl", settings="training.epochs=2,training.lr=1e-3").roles[0]
    assert role.args[1:] == [
        "korbert", "run", "tiny", "--to", "pretrain", "--workspace", "runs/tiny", "--corpus", "a.jsonl",
        "--corpus", "b.jsonl", "--set", "training.epochs=2", "--set", "training.lr=1e-3",
    ]  # fmt: skip
    assert (role.num_replicas, role.min_replicas) == (1, None)


@pytest.mark.parametrize(("nodes", "replicas"), [("4", (4, 4)), ("1:8", (1, 8))], ids=["fixed", "elastic"])
def test_pretraining_on_several_nodes_leaves_the_rendezvous_to_the_scheduler(
    nodes: str, replicas: tuple[int, int]
) -> None:
    app = components.pretrain(nodes=nodes)
    assert _words(app) == "torchrun -m korbert.training --workspace /data/run"
    assert (app.roles[0].min_replicas, app.roles[0].num_replicas) == replicas


def test_fine_tuning_and_a_sweep_are_the_commands_of_a_shell() -> None:
    finetune = components.finetune(model="m", task="nsmc", data="d", settings="finetune.epochs=1")
    assert _words(finetune) == "python -m korbert finetune m nsmc --data d --set finetune.epochs=1"
    sweep = components.tune(tasks="nsmc,klue-nli", model="m,n", data="klue-nli=d", trials="3")
    said = "tune nsmc klue-nli --trials 3 --model m --model n --data klue-nli=d"
    assert _words(sweep) == f"python -m {said}"


def test_the_volume_is_mounted_unless_there_is_none() -> None:
    mount = components.pretrain().roles[0].mounts[0]
    assert (mount.src, mount.dst_path) == ("korbert-data", "/data")
    assert components.pretrain(claim="").roles[0].mounts == []


@pytest.mark.parametrize("nodes", ["0", "2:1", "a", "1:", ":2", "-1", "1:2:3"])
def test_nodes_that_are_no_range_are_refused(nodes: str) -> None:
    with pytest.raises(LaunchError, match="must be a number like 4 or a range like 1:8"):
        components.pretrain(nodes=nodes)


@pytest.mark.parametrize("recipe", list(recipes.RECIPES))
def test_every_recipe_can_be_launched(recipe: str) -> None:
    assert f"run {recipe} --to pretrain --workspace runs/{recipe}" in _words(components.pretrain(recipe=recipe))
