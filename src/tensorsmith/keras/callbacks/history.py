"""History and the progress bar."""

from __future__ import annotations

import sys
import time
from typing import Any

from tensorsmith.keras.callbacks.base import Callback


class History(Callback):
    """What `fit` returns: `history[name]` is the list of one value an epoch; `epoch` the numbers of the epochs."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch, self.history = [], {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        last = ", ".join(f"{name}: {values[-1]:.4g}" for name, values in self.history.items() if values)
        return f"<History of {len(self.epoch)} epochs; {last}>"


WIDTH = 20


class Progress:
    """One line on the screen that grows with the steps; verbose=2 writes one line an epoch, 0 none.

    total  the number of steps, None when it is not known.
    """

    def __init__(self, total: int | None, verbose: int, stream: Any = None) -> None:
        self.total, self.verbose = total, verbose
        self.stream = stream or sys.stdout
        self.began = time.perf_counter()
        self.terminal = bool(getattr(self.stream, "isatty", lambda: False)())

    def update(self, done: int, logs: dict[str, float], final: bool = False) -> None:
        """Shows that `done` steps are done; without a terminal only the last state of a line is written."""
        if self.verbose == 0 or (not final and (self.verbose == 2 or not self.terminal)):
            return
        seconds = time.perf_counter() - self.began
        values = " - ".join(f"{name}: {number(value)}" for name, value in logs.items())
        if self.verbose == 2:
            self.stream.write(f"{done}/{done} - {seconds:.0f}s - {_each(seconds / max(done, 1))}/step - {values}\n")
        else:
            total = self.total or (done if final else None)
            share = f"{done}/{total}" if total else f"{done}/?"
            bar = (
                "━" * WIDTH
                if not total
                else ("━" * int(WIDTH * done / total)).ljust(WIDTH, "─" if self.terminal else " ")
            )
            line = f"{share} {bar} {_each(seconds)} {_each(seconds / max(done, 1))}/step" + (
                f" - {values}" if values else ""
            )
            self.stream.write(("\r\x1b[K" if self.terminal else "") + line + ("\n" if final else ""))
        self.stream.flush()


def number(value: Any) -> str:
    """A value of a metric for the eye: four decimals, or as many digits in e-notation where it is small."""
    try:
        value = float(value)
    except (TypeError, ValueError):
        return str(value)
    return f"{value:.4e}" if value != 0 and abs(value) < 1e-3 else f"{value:.4f}"


def _each(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"
