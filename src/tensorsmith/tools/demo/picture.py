"""The demo's picture: how the errors fell, and how near the predictions are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tensorsmith.tools.demo.table import Table

if TYPE_CHECKING:
    from tensorsmith.tools.demo.story import Course

INK, GREY, COLOURS = "#22303c", "#8795a1", ("#2a78b5", "#d9622b")


def draw(path: Path, courses: list[Course], table: Table, prices: np.ndarray, mean_error: float) -> Path | None:
    """Write the picture as PNG; returns where, or None where matplotlib is not installed."""
    try:
        # Not pyplot: that would choose a backend and keep the figure for the whole process.
        from matplotlib.figure import Figure
        from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
    except ModuleNotFoundError:
        return None
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    curves, scatter = figure.subplots(1, 2, width_ratios=[1.25, 1])
    for course, colour in zip(courses, COLOURS, strict=True):
        epochs = range(1, len(course.seconds) + 1)
        dots = {"marker": "."} if len(epochs) == 1 else {}  # one point makes no line
        in_dollars = {name: np.array(course.curves[name]) * table.dollars for name in ("mae", "val_mae")}
        curves.plot(
            epochs, in_dollars["mae"], color=colour, linewidth=1, alpha=0.6, **dots, label=f"{course.name}, training"
        )
        curves.plot(
            epochs, in_dollars["val_mae"], color=colour, linewidth=2.2, **dots, label=f"{course.name}, validation"
        )
    curves.axhline(mean_error * table.dollars, color=GREY, linestyle="--", linewidth=1.2, label="always the mean")
    # From 4,000 down to 400 is one power of ten: named steps between them say more than 10^3 alone.
    curves.set_yscale("log")
    curves.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 4, 5, 7)))
    curves.xaxis.set_major_locator(MaxNLocator(integer=True))
    curves.yaxis.set_minor_formatter(NullFormatter())
    curves.set_title(f"{table.title}: mean error of the price", loc="left", color=INK)
    curves.set_xlabel("epoch")
    curves.grid(axis="y", color=GREY, alpha=0.2)
    curves.legend(frameon=False, fontsize=9)

    best = min(courses, key=lambda course: course.test["mae"])
    true, said = prices[:, 0] * table.dollars, best.predictions[:, 0] * table.dollars
    limit = float(true.max()) * 1.05
    scatter.plot([0, limit], [0, limit], color=GREY, linewidth=1)
    scatter.scatter(true, said, s=4, color=COLOURS[courses.index(best)], alpha=0.25, linewidths=0)
    scatter.set(xlim=(0, limit), ylim=(0, limit), xlabel="true price", aspect="equal")
    scatter.set_title(f"{best.name}: predicted price, test rows", loc="left", color=INK)
    for axis in (scatter.xaxis, scatter.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    for axis in (curves.yaxis, scatter.xaxis, scatter.yaxis):
        axis.set_major_formatter(StrMethodFormatter("${x:,.0f}"))
    for axes in (curves, scatter):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK, labelsize=9)
    figure.savefig(path, dpi=130)
    return path
