"""Overlay `local` on a real cluster: one apply goes from crawling to a score, through the loss of a worker and of the
database and through a second apply. Takes a quarter of an hour on a quiet node; leaves the namespace as it is.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .real import done, get, holds, kubectl, only_with_a_cluster, overlay, until
from .tree import Object

pytestmark = [only_with_a_cluster, pytest.mark.timeout(0)]


def _uids() -> dict[str, str]:
    kinds = "jobs,pytorchjobs.kubeflow.org,rayjobs.ray.io,statefulsets,deployments"
    found: Object = json.loads(done("get", kinds, "-o", "json"))
    return {f"{one['kind']} {one['metadata']['name']}": one["metadata"]["uid"] for one in found["items"]}


def _steps(worker: int) -> int:
    lines = kubectl("logs", f"korbert-pretrain-worker-{worker}", "-c", "pytorch").stdout
    return max((int(step) for step in re.findall(r"pretrain: (\d+)/", lines)), default=0)


def _as_job(name: str, command: list[str]) -> Object:
    """A Job that runs `command` with the training image on the workspace, in the clothes of korbert-encode."""
    model = get("job", "korbert-encode")
    spec = model["spec"]["template"]["spec"]
    del spec["initContainers"]
    spec["containers"][0]["command"] = command
    labels = {k: v for k, v in model["metadata"]["labels"].items() if k.startswith("app.")}
    return {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": labels},
        "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Object:
    """The object names with their uids before and after the second apply, once all of it has come to its end."""
    folder = overlay(tmp_path_factory.mktemp("local"), "local")
    done("apply", "-k", str(folder))
    until("the corpus is there", lambda: holds("job", "korbert-corpus", "Complete"), 30)
    until("training is at work", lambda: _steps(0) >= 20, 60, poll=1)
    before = _uids()
    done("delete", "pod", "korbert-pretrain-worker-1", "--force", "--grace-period=0")
    done("delete", "pod", "korbert-postgres-0", "--wait=false")
    done("apply", "-k", str(folder))
    after = _uids()
    until("the training succeeded", lambda: holds("pytorchjob", "korbert-pretrain", "Succeeded"), 60)
    until("the score is there", lambda: holds("job", "korbert-finetune", "Complete"), 60)
    until("the sweep is over", lambda: get("rayjob", "korbert-tune")["status"].get("jobStatus") == "SUCCEEDED", 90)
    return {"before": before, "after": after}


def test_a_second_apply_touches_nothing_that_runs_or_is_done(scored: Object) -> None:
    assert scored["before"] == scored["after"]
    assert {"Job korbert-corpus", "PyTorchJob korbert-pretrain", "RayJob korbert-tune"} <= scored["before"].keys()


def test_the_database_came_back_with_its_articles(scored: Object) -> None:
    until("postgres is ready", lambda: get("pod", "korbert-postgres-0")["status"]["phase"] == "Running", 10)
    query = "SELECT count(*) FROM article"
    until(
        "the articles are there",
        lambda: kubectl("exec", "korbert-postgres-0", "--", "psql", "-U", "korbert", "-tAc", query).returncode == 0,
        5,
    )
    assert int(done("exec", "korbert-postgres-0", "--", "psql", "-U", "korbert", "-tAc", query)) > 0


def test_no_sample_was_lost_or_seen_twice(scored: Object) -> None:
    kubectl("delete", "job", "korbert-audited", "--ignore-not-found")
    job = _as_job("korbert-audited", ["korbert", "data", "audit", "/data/run"])
    done("create", "-f", "-", stdin=json.dumps(job))
    until("the audit is clean", lambda: holds("job", "korbert-audited", "Complete"), 15)
    kubectl("delete", "job", "korbert-audited")


def test_the_command_shows_every_stage_as_done(scored: Object, tmp_path: Path) -> None:
    for name in ("ingest", "corpus", "tokenizer", "encode", "export", "finetune"):
        assert holds("job", f"korbert-{name}", "Complete"), name


def test_the_nights_backup_can_be_restored(scored: Object) -> None:
    """Into a database of its own beside the full one; the dump's rows are counted there."""
    kubectl("delete", "job", "korbert-backed-up", "--ignore-not-found")
    done("create", "job", "--from=cronjob/korbert-backup", "korbert-backed-up")
    until("the dump is written and read back", lambda: holds("job", "korbert-backed-up", "Complete"), 15)
    job = get("job", "korbert-backed-up")
    spec = job["spec"]["template"]["spec"]
    every = job["spec"]["template"]["metadata"]["labels"]
    labels = {k: v for k, v in every.items() if k.startswith(("app.", "korbert/"))}
    restore = """
set -eu
file=$(ls /backups/korbert-*.dump | tail -n 1)
psql "$DATABASE_URL" -qc 'DROP DATABASE IF EXISTS restored' -c 'CREATE DATABASE restored'
pg_restore --exit-on-error --no-owner -d "${DATABASE_URL%/*}/restored" "$file"
test "$(psql "${DATABASE_URL%/*}/restored" -tAc 'SELECT count(*) FROM article_body')" = \
     "$(psql "$DATABASE_URL" -tAc 'SELECT count(*) FROM article_body')"
psql "$DATABASE_URL" -qc 'DROP DATABASE restored'
"""
    spec["containers"][0]["command"] = ["sh", "-c", restore]
    again = {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "korbert-restored", "labels": labels},
        "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }  # fmt: skip
    kubectl("delete", "job", "korbert-restored", "--ignore-not-found")
    done("create", "-f", "-", stdin=json.dumps(again))
    until("the dump is restored", lambda: holds("job", "korbert-restored", "Complete"), 15)
    kubectl("delete", "job", "korbert-restored", "korbert-backed-up")
