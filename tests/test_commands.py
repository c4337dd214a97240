"""Failures as exit codes, each with one line."""

import signal
import subprocess
import sys

import pytest

from korbert.commands import Parser, exit_code
from korbert.errors import UsageError, WorldError


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("seed = x: must be a number"), 2, "prog: seed = x: must be a number"),
        (WorldError("disk: is full"), 1, "prog: disk: is full"),
        (PermissionError(13, "Permission denied", "file"), 1, "prog: [Errno 13] Permission denied: 'file'"),
        (ModuleNotFoundError("no", name="torch"), 1, "prog: package torch: is not installed"),
        (KeyboardInterrupt(), 130, "prog: stopped; run the same command again"),
    ],
)
def test_a_failure_is_one_line_and_its_code(error: BaseException, code: int, line: str, capsys) -> None:
    def work() -> int:
        raise error

    assert exit_code("prog", work) == code
    shown = capsys.readouterr().err
    assert shown.startswith(line)
    assert shown.count("\n") == 1


def test_our_own_faults_keep_their_stack_trace() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_code("prog", lambda: 1 // 0)


def test_success_is_the_works_own_code() -> None:
    assert exit_code("prog", lambda: 0) == 0


def test_wrong_arguments_are_a_users_error_with_the_way_to_help() -> None:
    with pytest.raises(UsageError, match="unrecognized arguments: --x; see prog --help"):
        Parser(prog="prog").parse_args(["--x"])


def test_a_reader_who_has_enough_ends_a_command_without_a_word() -> None:
    script = (
        "from korbert.commands import exit_code; import sys; sys.exit(exit_code('p', lambda: print('x' * 10**6) or 0))"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE
