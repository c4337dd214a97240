"""Registers the scheduler `kubeflow` with torchx releases after 0.7; 0.7 finds it by its entry point."""

from __future__ import annotations

import os

from torchx.plugins import _registry, register

from korbert.launch.scheduler import KubeflowScheduler

_ENTRY_POINTS = 2
"""The bit of TORCHX_PLUGINS_SOURCE that has torchx read entry points; unset is 3, which is both channels."""


def kubeflow(session_name: str, **arguments: object) -> KubeflowScheduler:
    """What torchx calls."""
    return KubeflowScheduler(session_name, **arguments)


def _by_entry_point() -> bool:
    """Whether this torchx reads entry points too: it would warn of two registrations at every command.

    They are deprecated: a release without that channel is to find the scheduler here.
    """
    has_channel = hasattr(getattr(_registry, "PluginSource", None), "ENTRYPOINT")
    return has_channel and bool(int(os.environ.get("TORCHX_PLUGINS_SOURCE", "3")) & _ENTRY_POINTS)


if not _by_entry_point():
    kubeflow = register.scheduler()(kubeflow)
