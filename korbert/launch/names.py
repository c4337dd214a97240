"""What Kubernetes allows as a name, checked before anything is sent: its own refusals come late or not at all."""

from __future__ import annotations

import re

from korbert.errors import UsageError

LONGEST = 63
"""Characters of a DNS-1035 label (RFC 1035, section 2.3.4): the most for a pod's host name and for a service."""
LONGEST_RAYJOB = 47
"""KubeRay appends suffixes of up to 16 characters to the names of what it makes of a RayJob."""

_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def checked(field: str, name: str, longest: int = LONGEST) -> str:
    """The name itself, where it is a DNS-1035 label of at most `longest` characters.

    Raises:
        UsageError: where it is not.
    """
    if not _LABEL.fullmatch(name):
        raise UsageError(
            f"{field} {name!r}: must be small letters, digits and '-', begin with a letter and not end with '-'; "
            "choose such a name"
        )
    if len(name) > longest:
        raise UsageError(f"{field} {name!r}: has {len(name)} characters, may have {longest}; choose a shorter name")
    return name


def longest_training(workers: int) -> int:
    """How long a PyTorchJob's name may be: its last worker's pod and service are called NAME-worker-INDEX."""
    return LONGEST - len(f"-worker-{max(0, workers - 1)}")
