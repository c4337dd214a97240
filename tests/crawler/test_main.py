"""Wrong input to the commands: one clear line, the right exit code, no stack trace."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.__main__ import main


def line(capsys):
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("crawler: ")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "required"),
        (["sing"], "invalid choice"),
        (["newsroom", "--limit", "-1"], "--limit -1"),
        (["newsroom", "--limit", "many"], "--limit"),
        (["newsroom", "--port", "70000"], "--port 70000"),
        (["newsroom", "--articles", "nowhere.jsonl"], "nowhere.jsonl"),
        (["crawl", "--base-url", "http://h"], "--workspace"),
        (["crawl", "--workspace", "nowhere", "--base-url", "http://h"], "nowhere: is no workspace"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(capsys, monkeypatch, tmp_path, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert complaint in line(capsys)


@pytest.mark.parametrize(
    "lines", ['{"id": 1, "text": "본문"}\n{"id"', '{"id": 1, "text": "본문"}\n{"id": 2}', "\xff", ""]
)
def test_a_malformed_file_is_refused_before_anything_is_served(capsys, tmp_path, lines):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(lines.encode("latin-1", "ignore") if lines == "\xff" else lines.encode())
    assert main(["newsroom", "--articles", str(path), "--port", "0"]) == 2
    assert str(path) in line(capsys)


@pytest.mark.parametrize("url", ["ftp://h", "h:80", "http://", "http://h/path", "http://u:p@h", "http://h:99999", "x"])
def test_a_base_url_that_is_no_site_is_refused(capsys, crawls, url):
    arguments = ["crawl", "--workspace", str(crawls.workspace), "--database-url", crawls.database_url]
    assert main([*arguments, "--base-url", url]) == 2
    assert "--base-url" in line(capsys)


@pytest.mark.parametrize(
    ("url", "code"),
    [("mysql://h/db", 2), ("nonsense", 2), ("postgresql://u:sesame@127.0.0.1:1/none", 1)],
)
def test_a_wrong_database_url_is_named_and_its_password_is_not(capsys, crawls, monkeypatch, url, code):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    arguments = ["crawl", "--workspace", str(crawls.workspace), "--base-url", "http://127.0.0.1:1"]
    assert main([*arguments, "--database-url", url]) == code
    complaint = line(capsys)
    assert "DATABASE_URL" in complaint
    assert "sesame" not in complaint


def test_without_a_url_the_workspaces_own_database_is_used(capsys, crawls, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    # Nobody listens there: the crawl gets as far as robots.txt, with its slices planned in a database of its own.
    assert main(["crawl", "--workspace", str(crawls.workspace), "--base-url", "http://127.0.0.1:1"]) == 1
    assert "robots.txt" in line(capsys)
    assert any(crawls.workspace.glob("postgres*"))


def test_an_unknown_source_is_named_with_those_there_are(capsys, crawls):
    arguments = ["crawl", "--workspace", str(crawls.workspace), "--base-url", "http://127.0.0.1:1", "--source", "x"]
    assert main([*arguments, "--database-url", crawls.database_url]) == 2
    assert "newsroom" in line(capsys)


def test_the_crawler_needs_no_torch():
    code = (
        "import sys, json, crawler.__main__, crawler.crawl, crawler.newsroom.server\n"
        "print(json.dumps(sorted({'torch', 'transformers', 'ray', 'wandb', 'kiwipiepy'} & set(sys.modules))))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=os.environ, capture_output=True, text=True)
    assert json.loads(done.stdout) == [], done.stderr
