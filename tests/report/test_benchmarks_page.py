"""The page in a real browser: its tables sort, it fits a phone, and the browser has nothing to complain about."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from korbert.benchmarks.scored import read_scores
from korbert.report import benchmarks
from korbert.report.benchmarks import Report

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

_PROBE = """<!DOCTYPE html><body><p id="out">waiting</p><script>
const frame = document.createElement("iframe");
frame.width = 400; frame.height = 900; frame.src = "report/index.html";
frame.onload = () => {
  const page = frame.contentDocument, root = page.documentElement, body = page.querySelector("tbody");
  const top = () => body.rows[0].cells[0].firstChild.textContent;
  const [, button, , , other] = page.querySelectorAll("thead button");
  const seen = [`over ${root.scrollWidth - root.clientWidth}`, top()];
  button.click(); seen.push(top());
  button.click(); seen.push(top());
  other.click(); seen.push(top(), body.rows[33].cells[4].textContent);
  document.getElementById("out").textContent = seen.join("; ");
};
document.body.append(frame);
</script>"""


def test_the_tables_sort_and_the_page_fits_a_phone(make_scores: Callable[..., Path], tmp_path: Path) -> None:
    assert BROWSER is not None
    scores = read_scores([str(make_scores("nsmc", "accuracy", [0.81, 0.83], 50_000))])
    benchmarks.write(Report.of(scores, 0, "test"), tmp_path / "report")
    (tmp_path / "probe.html").write_text(_PROBE)
    flags = (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--allow-file-access-from-files",
        "--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom",
        f"--user-data-dir={tmp_path / 'profile'}",
    )  # fmt: skip
    page = (tmp_path / "probe.html").as_uri()
    seen = subprocess.run([BROWSER, *flags, page], capture_output=True, text=True, timeout=240, check=True)
    assert "CONSOLE" not in seen.stderr
    found = re.search(r'id="out">([^<]*)<', seen.stdout)
    assert found is not None
    # As published; NSMC downwards, upwards; KorNLI downwards, where what has no figure comes last.
    assert found[1] == "over 0; DistilKoBERT; KcELECTRA-base-v2022; ours; electra-kor-base (LMkor); –"
