"""Failures as exit codes, each with one line."""

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
