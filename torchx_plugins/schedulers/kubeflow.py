"""Registers the scheduler `kubeflow` with torchx releases after 0.7; 0.7 finds it by its entry point."""

from __future__ import annotations

from torchx.plugins import register

from korbert.launch.scheduler import KubeflowScheduler


@register.scheduler()
def kubeflow(session_name: str, **arguments: object) -> KubeflowScheduler:
    """What torchx calls."""
    return KubeflowScheduler(session_name, **arguments)
