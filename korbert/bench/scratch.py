"""A folder and a Postgres for one measurement, both gone afterwards; no database of the user's is touched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from korbert.db.embedded import database

_OURS = ("DATABASE_URL", "KORBERT_PG_DATA")


@contextmanager
def scratch(prefix: str = "korbert-bench-") -> Iterator[tuple[Path, str]]:
    """An empty folder, and the URL of an empty database on a server of its own whose data lie below that folder.

    Meanwhile the environment names that place: whoever enters `database(folder / "home")` finds the same server.

    Raises:
        WorldError: when no Postgres can be started.
    """
    before = {name: os.environ.pop(name, None) for name in _OURS}
    with tempfile.TemporaryDirectory(prefix=prefix) as name:
        folder = Path(name)
        # The account that runs the server for root has to pass through.
        folder.chmod(0o755)
        os.environ["KORBERT_PG_DATA"] = str(folder / "server")
        try:
            with database(folder / "home") as url:
                yield folder, url
        finally:
            del os.environ["KORBERT_PG_DATA"]
            os.environ.update({name: value for name, value in before.items() if value is not None})
