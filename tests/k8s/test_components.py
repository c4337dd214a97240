"""What components bring beyond their shape: metrics that are answered, settings that the workspace takes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from crawler.items import Tally
from crawler.metrics import TallyCollector
from korbert.chain import Workspace

from .tree import K8S, OVERLAYS, combined, containers, kustomize, named, objects, pods

ROOT = K8S.parent
DASHBOARD = K8S / "components" / "monitoring" / "dashboard.json"


def test_the_dashboard_asks_for_all_that_a_crawl_answers_and_for_nothing_else() -> None:
    tally = Tally(
        slices=Counter(done=1), ledger={"done": 1}, calls_left=1, requests=Counter({"200": 1}), skipped={"a": "short"}
    )
    tally.seconds["fetch"] = 1.0
    answered = {sample.name for metric in TallyCollector("news", tally).collect() for sample in metric.samples}
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = " ".join(target["expr"] for panel in panels for target in panel["targets"])
    assert set(re.findall(r"korbert_\w+", asked)) == answered


@pytest.mark.parametrize(("overlay", "store"), [("gpu", "s3"), ("local", "s3"), ("tpu", "gcs")])
def test_the_workspace_s_config_names_the_object_store(overlay: str, store: str, tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    found = combined(folder, overlay, (store,))
    values = named(found, "ConfigMap", "korbert-settings")["data"]
    ingest = named(found, "Job", "korbert-ingest")["spec"]["template"]
    (box,) = (box for box in containers(ingest) if box["name"] == "workspace")
    words = [re.sub(r"\$\((\w+)\)", lambda name: values[name[1]], word) for word in box["command"]]
    command = [word.replace("/data/run", str(tmp_path / "run")) for word in words]
    assert command[0] == "korbert"
    subprocess.run([sys.executable, "-m", *command], check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    config = Workspace(tmp_path / "run").load()
    scheme = {"s3": "s3", "gcs": "gs"}[store]
    assert config.training.checkpoint_url == f"{scheme}://korbert/checkpoints"
    assert config.tune.storage == f"{scheme}://korbert/sweeps"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_whoever_reads_or_writes_the_object_store_has_its_keys_and_may_leave_the_cluster(
    overlay: str, tmp_path: Path
) -> None:
    found = combined(tmp_path, overlay, ("s3",))
    keys = {"secretRef": {"name": "korbert-s3", "optional": True}}
    with_keys = {
        owner
        for owner, template in pods(found)
        if template["metadata"]["labels"].get("korbert/internet") == "client"
        and any(keys in box.get("envFrom", []) for box in containers(template))
    }
    assert with_keys == {"PyTorchJob korbert-pretrain", "Job korbert-export", "RayJob korbert-tune"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_with_an_operator_s_database_there_is_one_postgres_behind_the_name_in_the_url(
    overlay: str, tmp_path: Path
) -> None:
    found = combined(tmp_path, overlay, ("cloudnative-pg",))
    cluster = named(found, "Cluster", "korbert-postgres")
    assert not [one for one in found if one["kind"] == "StatefulSet"]
    selector = named(found, "Service", "korbert-postgres")["spec"]["selector"]
    assert selector == {"cnpg.io/cluster": cluster["metadata"]["name"], "cnpg.io/instanceRole": "primary"}
    labels = cluster["spec"]["inheritedMetadata"]["labels"]
    clients = named(found, "NetworkPolicy", "korbert-postgres-clients")["spec"]["egress"][0]["to"][0]["podSelector"]
    assert clients["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_with_a_vault_nothing_else_makes_the_password(overlay: str, tmp_path: Path) -> None:
    found = combined(tmp_path, overlay, ("external-secret",))
    assert not [one for one in found if one["metadata"]["name"] == "korbert-credentials"]
    made = named(found, "ExternalSecret", "korbert-postgres")["spec"]["target"]["template"]["data"]
    wanted = {
        entry["valueFrom"]["secretKeyRef"]["key"]
        for one in found if one["kind"] != "ExternalSecret"
        for _, template in pods([one])
        for box in containers(template)
        for entry in box.get("env", ())
        if entry.get("valueFrom", {}).get("secretKeyRef", {}).get("name") == "korbert-postgres"
    }  # fmt: skip
    assert wanted <= made.keys()
    assert {"username", "password"} <= made.keys()


def test_changed_code_goes_where_the_pods_of_profile_dev_look_first() -> None:
    profiles = {
        profile["name"]: profile for profile in yaml.safe_load((ROOT / "skaffold.yaml").read_text())["profiles"]
    }
    artifacts = profiles["dev"]["build"]["artifacts"]
    synced = {artifact["image"]: artifact["sync"]["manual"] for artifact in artifacts if "sync" in artifact}
    looked_at = {
        box["image"].partition(":")[0]: entry["value"]
        for _, template in pods(objects(kustomize(K8S / "overlays" / "dev")))
        for box in template["spec"]["containers"]
        for entry in box.get("env", ())
        if entry["name"] == "PYTHONPATH"
    }
    assert {image: {rule["dest"] for rule in rules} for image, rules in synced.items()} == {
        image: {path} for image, path in looked_at.items()
    }
    assert looked_at.keys() == {"korbert-crawler", "korbert-train-gpu"}
    assert all(list(ROOT.glob(rule["src"])) for rules in synced.values() for rule in rules)
