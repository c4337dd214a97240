"""Addresses of the original files, pinned to one commit of their owner's repository.

The sha256 sums and sizes are of originals that were read; a file of which none was at hand has git's own SHA-1 of it in
the owner's commit instead, which says as much about its content.
"""

from __future__ import annotations

from korbert.tasks import Download

KLUE = ("KLUE-benchmark/KLUE", "3efd98708a40ff49251fddde35453f8fbb11f536")
KAKAOBRAIN = ("kakaobrain/kor-nlu-datasets", "0df0fe7d496eb61b092e022e238c2230b29f1cbc")
KMOU = ("kmounlp/NER", "1e557de738b8e6215c7cacac116e735518c0f680")
NSMC = ("e9t/nsmc", "master")


def github(
    place: tuple[str, str], path: str, *, sha256: str = "", size: int = 0, git_blob: str = "", name: str = ""
) -> Download:
    """A file of a GitHub repository (owner/name, commit); it is kept under its own name, or under `name`."""
    repository, commit = place
    url = f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"
    return Download(name or path.rpartition("/")[2], url, sha256, size, git_blob)
