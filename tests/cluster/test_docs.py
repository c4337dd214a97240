"""docs/cluster.md names commands, stages and objects that exist."""

import re
from pathlib import Path

from korbert.__main__ import _parser

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/cluster.md").read_text()
SNAPSHOT = (ROOT / "tests/k8s/snapshots/gpu.yaml").read_text()
# Made by the page's own command, by the operator or by Kubernetes from the objects.
DERIVED = {"korbert-backup-now", "korbert-pretrain-worker-0", "korbert-postgres-0", "korbert-DATE"}


def test_every_cluster_command_of_the_page_is_understood() -> None:
    commands = re.findall(r"^\$ korbert (.+?)(?:\s+#.*)?$", PAGE, re.MULTILINE)
    assert len(commands) >= 3
    for words in commands:
        assert callable(_parser().parse_args(words.split()).command)


def test_every_object_of_the_page_is_in_the_overlay_or_a_component() -> None:
    named = set(re.findall(r"korbert-[\w-]+", PAGE)) - DERIVED
    assert {"korbert-pretrain", "korbert-data", "korbert-backups"} <= named
    components = "".join(file.read_text() for file in sorted((ROOT / "k8s/components").glob("*/*.yaml")))
    for name in named:
        assert re.search(rf"name: {name}[,}}\n]", SNAPSHOT + components), name


def test_every_folder_that_the_page_applies_exists() -> None:
    for folder in re.findall(r"-k (k8s/\S+?)[\s`]", PAGE):
        assert (ROOT / folder / "kustomization.yaml").is_file()
    for page in re.findall(r"\]\((\.\./[^)]+)\)", PAGE):
        assert (ROOT / "docs" / page).exists()
