"""Registers the scheduler `kubeflow` with torchx releases after 0.7; 0.7 finds it by its entry point."""

from __future__ import annotations

import os

from torchx.plugins import PluginSource, register

from korbert.launch.scheduler import KubeflowScheduler


def kubeflow(session_name: str, **arguments: object) -> KubeflowScheduler:
    """What torchx calls."""
    return KubeflowScheduler(session_name, **arguments)


def _by_entry_point() -> bool:
    """Whether this torchx reads entry points too: it would warn of two registrations at every command."""
    channel = getattr(PluginSource, "ENTRYPOINT", None)
    both = str(sum(source.value for source in PluginSource))
    return channel is not None and channel in PluginSource(int(os.environ.get("TORCHX_PLUGINS_SOURCE", both)))


if not _by_entry_point():
    kubeflow = register.scheduler()(kubeflow)
