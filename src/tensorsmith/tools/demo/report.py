"""What the demo prints: progress, the epochs, the results, the reloads."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from tensorsmith.tools.demo.parts import CUSTOM_OBJECTS
from tensorsmith.tools.demo.table import Table

if TYPE_CHECKING:
    from tensorsmith.tools.demo.story import Course

Logs = dict[str, float]


def opening(console: Console, table: Table, sizes: list[int]) -> None:
    """What is learnt from what, and with which parts."""
    train, valid, test = sizes
    console.print(
        Panel(
            f"[bold]{table.title}[/bold] and their prices: {train:,} train, {valid:,} validate, {test:,} test.\n"
            f"Known of each: {', '.join(table.names)}.\n"
            f"Custom parts: {', '.join(CUSTOM_OBJECTS)}.",
            title="Tensorsmith demo",
            title_align="left",
            box=box.ROUNDED,
            width=min(console.width, 84),
        )
    )


@contextmanager
def progress(console: Console, name: str, epochs: int, table: Table) -> Iterator[Callable[[Logs | None], None]]:
    """A bar that grows by an epoch each time the function given is called with the epoch's logs."""
    columns = [
        TextColumn("[bold]{task.description:<15}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("epochs"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[error]}"),
    ]
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(name, total=epochs, error="compiling")

        def shown(logs: Logs | None) -> None:
            bar.update(task, advance=1, error=f"validation MAE {_dollars((logs or {})['val_mae'], table)}")

        yield shown


def epochs(console: Console, course: Course, table: Table) -> None:
    """How the errors fell, epoch by epoch; of many epochs a dozen are shown, closer together at the start."""
    grid = Grid(title=f"{course.name}: epoch by epoch", title_justify="left", box=box.SIMPLE_HEAD)
    grid.add_column("epoch", justify="right")
    for heading in ("train loss", "train MAE", "valid. loss", "valid. MAE", "seconds"):
        grid.add_column(heading, justify="right")
    curves = course.curves
    for epoch in _some(len(course.seconds)):
        grid.add_row(
            str(epoch + 1),
            f"{curves['loss'][epoch]:.4f}",
            _dollars(curves["mae"][epoch], table),
            f"{curves['val_loss'][epoch]:.4f}",
            _dollars(curves["val_mae"][epoch], table),
            f"{course.seconds[epoch]:.3f}" + ("*" if epoch == 0 else " "),
        )
    grid.caption, grid.caption_justify = "  * with compiling", "left"
    console.print(grid)


def results(console: Console, courses: list[Course], table: Table, mean_error: float, train_rows: int) -> None:
    """Both models against always saying the mean price."""
    grid = Grid(title="On the test rows, which no model has seen", title_justify="left", box=box.SIMPLE_HEAD)
    grid.add_column("", no_wrap=True)
    for heading in ("weights", "Huber", "MAE", "of mean's", "epoch", "rows/s"):
        grid.add_column(heading, justify="right", no_wrap=True)
    grid.add_row("Always the mean", "1", "", _dollars(mean_error, table), "100 %", "", "")
    best = min(course.test["mae"] for course in courses)
    for course in courses:
        usual = statistics.median(course.seconds[1:] or course.seconds)
        grid.add_row(
            course.name,
            f"{course.model.count_params():,}",
            f"{course.test['huber']:.4f}",
            _dollars(course.test["mae"], table),
            f"{course.test['mae'] / mean_error:.0%}".replace("%", " %"),
            f"{usual * 1e3:.1f} ms",
            f"{train_rows / usual / 1000:,.0f} k",
            style="bold green" if course.test["mae"] == best else "",
        )
    console.print(grid)


def reloads(console: Console, courses: list[Course]) -> None:
    """Whether each file gives back the model that went into it."""
    grid = Grid(title="Saved, loaded again, asked for the same prices", title_justify="left", box=box.SIMPLE_HEAD)
    grid.add_column("file")
    for heading in ("size", "save and load", "largest difference", ""):
        grid.add_column(heading, justify="right")
    for reload in (reload for course in courses for reload in course.reloads):
        grid.add_row(
            reload.path.name,
            f"{reload.size_bytes / 1000:.0f} kB",
            f"{reload.seconds * 1e3:.0f} ms",
            f"{reload.difference:.1e}" if reload.difference else "none",
            "[green]agrees[/green]" if reload.agrees else "[bold red]DIFFERS[/bold red]",
        )
    console.print(grid)


def closing(console: Console, picture: Path | None, folder: Path) -> None:
    """Where to look next."""
    if picture is None:
        console.print('No picture drawn: matplotlib is missing, pip install "tensorsmith\\[plot]"')
    else:
        console.print(f"Learning curves: {picture}", soft_wrap=True)
    console.print(f"Models: {folder}{'' if str(folder).endswith('/') else '/'}", soft_wrap=True)


def _some(epochs: int) -> list[int]:
    """The epochs to show: 1, 2, 3, 5, 10, 15 ... and the last.

    >>> _some(12)
    [0, 1, 2, 4, 9, 11]
    """
    step = 5 if epochs <= 50 else max(10, epochs // 100 * 10)
    return [epoch for epoch in range(epochs) if epoch < 3 or (epoch + 1) % step == 0 or epoch == epochs - 1]


def _dollars(error: float, table: Table) -> str:
    return f"${error * table.dollars:,.0f}"
