"""The page in a real browser: it fits a phone, and the browser has nothing to complain about."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from korbert import report

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

# A page that frames the report at a phone's and a desk's width and writes what it measures into its own text.
_PROBE = """<!DOCTYPE html><body><p id="out">waiting</p><script>
const widths = [420, 1280]; const seen = [];
for (const width of widths) {
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 900; frame.src = "report/index.html";
  frame.onload = () => {
    const page = frame.contentDocument;
    const charts = [...page.querySelectorAll("svg")].filter(e => e.getBoundingClientRect().width > 0);
    const first = page.querySelector(".step-charts"), second = page.querySelector(".tokens-charts");
    const before = [first.offsetHeight > 0, second.offsetHeight > 0];
    page.getElementById("by-tokens").checked = true;
    const after = [first.offsetHeight > 0, second.offsetHeight > 0];
    const root = page.documentElement, over = root.scrollWidth - root.clientWidth;
    seen.push(`${width}: over ${over} charts ${charts.length} switch ${before} ${after}`);
    if (seen.length === widths.length) document.getElementById("out").textContent = seen.sort().join("; ");
  };
  document.body.append(frame);
}
</script>"""


def browse(page: Path, profile: Path) -> subprocess.CompletedProcess[str]:
    assert BROWSER is not None
    flags = (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--allow-file-access-from-files",
        "--enable-logging=stderr", "--virtual-time-budget=10000", f"--user-data-dir={profile}", "--dump-dom",
    )  # fmt: skip
    return subprocess.run([BROWSER, *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)


def test_the_page_fits_a_phone_switches_its_charts_and_logs_no_error(make_run: Any, tmp_path: Path) -> None:
    report.write(
        [make_run("demo", restart_at=300), make_run("a-much-longer-name-of-a-run", floor=4.0)], tmp_path / "report"
    )
    (tmp_path / "probe.html").write_text(_PROBE)
    seen = browse(tmp_path / "probe.html", tmp_path / "profile")
    assert "CONSOLE" not in seen.stderr
    measured = dict(re.findall(r"(\d+): over (\d+)", seen.stdout))
    assert measured == {"420": "0", "1280": "0"}, seen.stdout[-400:]
    assert seen.stdout.count("switch true,false false,true") == 2
    assert "charts 36" in seen.stdout
