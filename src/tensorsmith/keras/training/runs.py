"""One pass of steps over data, whatever the data and however a step is run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.keras.training import batches
from tensorsmith.keras.training.batches import ArrayData
from tensorsmith.keras.training.epochs import Loop
from tensorsmith.tensor.tensor import Tensor

# seconds that one compiled call may take: the screen is refreshed, and Ctrl-C answered, after each
CALL_SECONDS = 0.1
# steps of the very first call, which tells how long a step takes
FIRST_CALL = 32


class Pace:
    """How fast steps run: how many fit into one call, learned from the calls before."""

    def __init__(self) -> None:
        self.seconds_a_step: float | None = None

    def steps(self) -> int:
        if self.seconds_a_step is None:
            return FIRST_CALL
        return max(1, int(CALL_SECONDS / max(self.seconds_a_step, 1e-9)))

    def learn(self, steps: int, seconds: float) -> None:
        each = seconds / steps
        # the first call may hold the compile, and one call may be held up by other work on the machine
        self.seconds_a_step = each if self.seconds_a_step is None else min(each, 2 * self.seconds_a_step)


class Run:
    """A pass over data: `begin()` (metrics start again), then `advance(first, last)` -> logs, till its end.

    steps   how many there are, None where it is not known.
    ended   True once the data ran out.
    single  True: steps can only be taken one by one.
    done    the steps of the last pass.
    warned  whether it was told that the loss is not finite.
    """

    steps: int | None = None
    single = False
    ended = False
    done = 0
    warned = False

    def __init__(self) -> None:
        self.pace = Pace()

    def begin(self, rng: np.random.Generator | None) -> None:
        """Starts a pass; `rng` gives the order of the rows."""

    def advance(self, first: int, last: int) -> dict[str, float]:
        raise NotImplementedError

    def warm_up(self) -> None:
        """Starts compiling what the pass will need, on another thread."""


class CompiledRun(Run):
    """Steps over arrays, many in one compiled call."""

    def __init__(self, model: Any, kind: str, data: ArrayData, batch: int, shuffle: bool, steps: int | None) -> None:
        super().__init__()
        self.model, self.kind, self.data = model, kind, data
        self.step = model._step(kind, data.structure)
        self.own = getattr(type(model), f"{kind}_step") is not model._default_steps[kind]
        self.loop = Loop(self.step, data.arrays, batch, shuffle)
        self.shuffle = shuffle
        self.steps = self.loop.steps if steps is None else min(steps, self.loop.steps)
        self._order = np.arange(data.rows, dtype=np.int32)
        # found once: looking through all layers costs as much as a hundred steps
        self.metrics = model.metrics

    def begin(self, rng: np.random.Generator | None) -> None:
        for metric in self.metrics:
            metric.reset_state()
        if self.shuffle and rng is not None:
            self.loop.set_order(rng.permutation(self._order))

    def advance(self, first: int, last: int) -> dict[str, float]:
        outputs = self.loop.run(first, last)
        if self.own:
            return as_logs(self.step.pack(outputs))
        return as_logs(self.model._results_of(self.metrics))

    def warm_up(self) -> None:
        if self.loop.on_numpy:
            return
        threading.Thread(target=_quietly, args=(self.loop, "full")).start()
        if self.loop.rest and not self.loop.masked:
            threading.Thread(target=_quietly, args=(self.loop, "rest")).start()


def _quietly(loop: Loop, which: str) -> None:
    try:
        loop.compile(which)
    except Exception:  # the run itself compiles it again and raises on the user's own thread
        return


class EagerRun(Run):
    """Steps over arrays as plain Python: for `run_eagerly=True`, and where no two batches are of one shape."""

    single = True

    def __init__(self, model: Any, kind: str, data: ArrayData, batch: int, shuffle: bool, steps: int | None) -> None:
        super().__init__()
        self.model, self.kind, self.data, self.batch, self.shuffle = model, kind, data, batch, shuffle
        whole = -(-data.rows // batch)
        self.steps = whole if steps is None else min(steps, whole)
        self._order = np.arange(data.rows)

    def begin(self, rng: np.random.Generator | None) -> None:
        self.model.reset_metrics()
        if self.shuffle and rng is not None:
            self._order = rng.permutation(np.arange(self.data.rows, dtype=np.int32))

    def advance(self, first: int, last: int) -> dict[str, float]:
        logs: dict[str, float] = {}
        for at in range(first, last):
            rows = self._order[at * self.batch : (at + 1) * self.batch]
            logs = eager_step(self.model, self.kind, self.data.take(rows).structure)
        return logs


def over(model: Any, kind: str, data: ArrayData, batch: int, shuffle: bool, steps: int | None) -> Run:
    """A pass over arrays, in the way that suits model and data."""
    run = EagerRun if model.run_eagerly or data.irregular else CompiledRun
    return run(model, kind, data, batch, shuffle, steps)


class IterableRun(Run):
    """Steps over batches that an iterable gives."""

    single = True

    def __init__(self, model: Any, kind: str, source: Any, steps: int | None) -> None:
        super().__init__()
        self.model, self.kind, self.source = model, kind, source
        self.wanted = steps
        self.again = steps is not None and hasattr(source, "__next__")
        length = len(source) if hasattr(source, "__len__") else None
        self.steps = steps if steps is not None else length
        self._batches: Iterator[Any] | None = None
        self._first: list[Any] = []

    def peek(self) -> Any:
        """The first batch, which the first step will get too; None when there is none."""
        if self._batches is None:
            self._batches = batches.batches_of(self.source)
            self._first = [batch for batch in [next(self._batches, None)] if batch is not None]
        return self._first[0] if self._first else None

    def begin(self, rng: np.random.Generator | None) -> None:
        self.model.reset_metrics()
        self.ended = False
        if self._batches is None or not self.again and not self._first:
            self._batches = batches.batches_of(self.source)

    def advance(self, first: int, last: int) -> dict[str, float]:
        assert self._batches is not None
        batch = self._first.pop() if self._first else next(self._batches, None)
        if batch is None:
            self.ended = True
            return {}
        return one_step(self.model, self.kind, batch)


def one_step(model: Any, kind: str, batch: Any) -> dict[str, float]:
    """One step on one batch; its logs.

    A batch with ragged or sparse parts runs as plain Python: compiled, each would be a program of its own.
    """
    if model.run_eagerly or batches.is_irregular(batch):
        return eager_step(model, kind, batch)
    return compiled_step(model, kind, batch)


def compiled_step(model: Any, kind: str, batch: Any) -> dict[str, float]:
    """One compiled step on one batch; its logs."""
    step = model._step(kind, batch)
    arrays = nest.flatten(batch)
    loop = Loop(step, arrays, len(arrays[0]), shuffled=False)
    outputs = loop.run(0, 1)
    if getattr(type(model), f"{kind}_step") is not model._default_steps[kind]:
        return as_logs(step.pack(outputs))
    return as_logs(model.get_metrics_result())


def eager_step(model: Any, kind: str, batch: Any) -> dict[str, float]:
    """One step as plain Python; when it fails, every variable is as it was before."""
    tensors = batches.as_tensors(batch)
    with transaction(model):
        results = getattr(model, f"{kind}_step")(tensors)
    return as_logs(results)


@contextmanager
def transaction(model: Any) -> Iterator[None]:
    """Either the whole block changes the model's variables, or nothing of it."""
    variables = [*model.variables, *(model.optimizer.variables if model.optimizer is not None else [])]
    variables += [v for m in model.metrics for v in m.variables]
    before = [(v, v._tensor) for v in variables]
    try:
        yield
    except BaseException:
        for variable, tensor in before:
            variable._tensor = tensor
        raise


def as_logs(results: Any) -> dict[str, float]:
    """The results of a step as Python numbers by name."""
    if results is None:
        return {}
    if not isinstance(results, dict):
        results = {"loss": results}
    return {name: _as_number(value) for name, value in results.items()}


def _as_number(value: Any) -> Any:
    array = np.asarray(value._array if isinstance(value, Tensor) else value)
    return float(array) if array.ndim == 0 else array
