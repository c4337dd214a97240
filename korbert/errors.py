"""The two kinds of failure a user meets, and the exit codes the commands give them.

A message is one line: the field, the value, the rule and the next step. Anything else that is raised is our own
fault and keeps its stack trace.
"""


class UsageError(ValueError):
    """The input is wrong: a field, a file's content, a name. Exit code 2."""


class WorldError(RuntimeError):
    """The input is fine, the world is not: disk, network, database, a lost process. Exit code 1."""
