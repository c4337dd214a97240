"""What the commands of all packages share: wrong arguments in one line, and failures as exit codes.

0 done; 2 the input is wrong; 1 the world is (disk, network, database, a package that is not installed); 130 and 143
stopped by Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from korbert.errors import UsageError, WorldError


class Parser(argparse.ArgumentParser):
    """argparse with errors of one line, like all others."""

    def error(self, message: str) -> NoReturn:
        """Raises UsageError instead of printing the usage and exiting."""
        raise UsageError(f"{message}; see {self.prog} --help")


def exit_code(program: str, work: Callable[[], int]) -> int:
    """Runs a command and answers its exit code; a failure is one line on standard error that starts with `program`.

    What is neither the user's fault nor the world's is ours, and keeps its stack trace.
    """
    try:
        return work()
    except UsageError as error:
        return complain(program, error, 2)
    except BrokenPipeError:
        # Whoever read our output has enough of it (`korbert status | head`): end like a program that SIGPIPE ended.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (WorldError, OSError) as error:
        return complain(program, error, 1)
    except ModuleNotFoundError as error:
        hint = "is not installed; install the extra that has it, like korbert[all]"
        return complain(program, f"package {error.name}: {hint}", 1)
    except KeyboardInterrupt:
        return complain(program, "stopped; run the same command again to go on", 130)


def complain(program: str, message: object, code: int) -> int:
    """Prints the line and answers the code."""
    print(f"{program}: {message}", file=sys.stderr)
    return code
