"""What every way of training offers the figures."""

from __future__ import annotations

from typing import Protocol


class Trainer(Protocol):
    """A model with its optimizer and data, ready to be trained further."""

    def train(self, epochs: int) -> dict[str, float]:
        """Trains and validates so many epochs more; the last one's loss, val_loss and, where the
        problem has a metric, metric and val_metric, as Python numbers: so the work is done."""
        ...
