"""Section `tracking`."""

from __future__ import annotations

from dataclasses import dataclass

from korbert.config.rules import require


@dataclass(frozen=True)
class TrackingConfig:
    """Weights & Biases."""

    mode: str = "auto"
    """auto (online with WANDB_API_KEY set, else offline), online, offline or disabled."""
    project: str = "korbert"
    """wandb project."""

    def __post_init__(self) -> None:
        modes = ("auto", "online", "offline", "disabled")
        require(self.mode in modes, "tracking.mode", self.mode, f"must be one of: {', '.join(modes)}")
        require(bool(self.project), "tracking.project", self.project, "must not be empty")
