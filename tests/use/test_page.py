"""The page in a real browser: what is typed and what is answered are shown as text, whatever they look like."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from korbert.use.asking import Asker
from korbert.use.server import Service

from .conftest import Tuned

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ATTACK = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"> 영화"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def address(tuned: Tuned) -> Iterator[str]:
    """A server with a model of labels and one of answers."""
    service = Service(("127.0.0.1", 0), {name: Asker(tuned.model(name)) for name in ("sentence", "span")})
    thread = threading.Thread(target=service.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{service.server_address[1]}/"
    service.stop()
    thread.join()


def seen(address: str, home: Path, **fields: str) -> str:
    """The page's document once the model has answered."""
    assert BROWSER is not None
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={home}",
        "--virtual-time-budget=60000", "--dump-dom", f"{address}#{urlencode(fields)}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    return done.stdout


def test_a_label_is_shown_with_its_bars(address: str, tmp_path: Path) -> None:
    page = seen(address, tmp_path, model="sentence", first="영화 최고")
    assert page.count("<progress") == 2
    assert '<p class="big">좋음</p>' in page


def test_markup_in_a_passage_is_text(address: str, tmp_path: Path) -> None:
    page = seen(address, tmp_path, model="span", first="정말 영화", second=f"😀 {ATTACK} 최고 결말")
    assert "<title>korbert</title>" in page
    assert "<img" not in page
    assert page.count("<script") == 1
    assert "<mark" in page
    assert "&lt;script&gt;" in page
