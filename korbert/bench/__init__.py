"""Speed claims, each measured beside a peer in the same process, alternating, medians of several rounds.

A benchmark measures; nothing here passes or fails.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from korbert.bench.measure import Measurement
from korbert.config import Config
from korbert.errors import UsageError

PEERS = {"pretrain": ("transformers",)}


def run(name: str, config: Config, *, against: str, tokens: Path | None, rounds: int) -> Measurement:
    """Measures benchmark `name` of a recipe's shape against a peer.

    Args:
        name: which benchmark.
        config: model, data and batch shape.
        against: the peer.
        tokens: a tokens artefact with the text to use; None: the newest under runs/.
        rounds: counted rounds, after one of warm-up.

    Raises:
        UsageError: for an unknown name or peer, fewer than 3 rounds, or no encoded text.
    """
    if name not in PEERS:
        raise UsageError(f"bench {name!r}: there is no such benchmark; there are: {', '.join(PEERS)}")
    if against not in PEERS[name]:
        raise UsageError(f"--against {against!r}: must be one of: {', '.join(PEERS[name])}")
    if rounds < 3:
        raise UsageError(f"--rounds {rounds}: must be at least 3, or there is no median to speak of")
    from korbert.bench import pretrain

    benchmarks: dict[str, Callable[[Config, Path, int], Measurement]] = {"pretrain": pretrain.measure}
    return benchmarks[name](config, tokens or _newest_tokens(), rounds)


def _newest_tokens() -> Path:
    manifests = sorted(Path("runs").glob("*/tokens/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not manifests:
        raise UsageError("--tokens: there is no encoded text under runs/; make some with: korbert run demo --to tokens")
    return manifests[-1].parent
