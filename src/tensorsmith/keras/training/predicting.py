"""The course of `predict`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.keras.callbacks.base import CallbackList
from tensorsmith.keras.callbacks.history import Progress
from tensorsmith.keras.training import batches
from tensorsmith.keras.training.fitting import batch_rows
from tensorsmith.program import execute
from tensorsmith.program.lower import lower
from tensorsmith.structures.columns import has_column, joined
from tensorsmith.tensor.tensor import Tensor

# batches that one compiled call takes when there are that many
BLOCK = 64


def predict(model: Any, x: Any, batch_size: Any, verbose: Any, steps: int | None, callbacks: Any) -> Any:
    """What `Model.predict` does."""
    verbose = 1 if verbose == "auto" else verbose
    size = batch_rows(batch_size)
    if batches.is_iterable_data(x):
        source: Any = (batches.packed((batches.unpack(batch)[0],)) for batch in batches.batches_of(x))
        count = steps if steps is not None else (len(x) if hasattr(x, "__len__") else None)
    else:
        structure = batches.packed((batches.as_arrays(x, "predict: x"),))
        rows = len(nest.flatten(structure)[0])
        if rows <= size and not verbose and not callbacks and rows:
            return nest.map_structure(lambda a: a, _batch(model, structure))
        if rows == 0:
            return _empty(model, structure)
        source = _slices(structure, rows, size)
        count = -(-rows // size)
        if steps is not None:
            count = min(count, steps)
    called = CallbackList(nest.flatten(callbacks) if callbacks else [], model, {"steps": count})
    progress = Progress(count, int(verbose))
    watched = called.wants_batches("predict")
    called.on_predict_begin({})
    parts: list[Any] = []
    if (
        not batches.is_iterable_data(x)
        and not watched
        and not model.run_eagerly
        and steps is None
        and rows >= BLOCK * size
        and not batches.is_irregular(structure)
    ):
        parts, start = _blocks(model, structure, rows, size)
        source = _slices(structure, rows, size, start)
    done = len(parts) * BLOCK
    for batch in source:
        if steps is not None and done >= steps:
            break
        if watched:
            called.on_predict_batch_begin(done, {})
        parts.append(_batch(model, batch))
        if watched:
            called.on_predict_batch_end(done, {"outputs": parts[-1]})
        done += 1
        progress.update(min(done, count or done), {})
    progress.update(count or done, {}, final=True)
    called.on_predict_end({})
    if not parts:
        raise ValueError("predict: the iterable given as x holds no batches.")
    return nest.map_structure(_joined, *parts) if len(parts) > 1 else parts[0]


def _joined(*parts: Any) -> Any:
    """The rows of the outputs for all batches."""
    return joined(list(parts)) if has_column(parts[0]) else np.concatenate(parts)


def _slices(structure: Any, rows: int, size: int, start: int = 0) -> Any:
    for first in range(start, rows, size):
        yield nest.map_structure(lambda a, f=first: a[f : f + size], structure)


def _batch(model: Any, batch: Any) -> Any:
    """The outputs for one batch: arrays, and ragged and sparse tensors where the model gives such."""
    if model.run_eagerly or batches.is_irregular(batch):
        outputs = model.predict_step(batches.as_tensors(batch))
        return nest.map_structure(lambda t: t if has_column(t) else t.numpy(), outputs)
    step = model._program_for("predict", batch)
    outputs, updates = execute.run(step.program, nest.flatten(batch), step.captured())
    if updates:
        step.commit(updates)
    if step.gives_composites:
        packed = step.pack([Tensor(output) for output in outputs])
        return nest.map_structure(lambda t: t if has_column(t) else t.numpy(), packed)
    return step.pack(outputs)


def _blocks(model: Any, structure: Any, rows: int, size: int) -> tuple[list[Any], int]:
    """Outputs of as many whole blocks of batches as there are, each block in one compiled call, and the first row left."""
    step = model._program_for("predict", structure)
    if step.program.updates or step.gives_composites or any(node.op.eager for node in step.program.nodes):
        return [], 0
    jax = execute.jax()
    count = len(nest.flatten(structure))
    captured = step.captured()

    def make() -> Any:
        function = lower(step.program, jax.numpy)

        def block(*arrays: Any) -> list[Any]:
            batch, captures = arrays[:count], list(arrays[count:])
            split = [a.reshape(BLOCK, size, *a.shape[1:]) for a in batch]
            outputs = jax.lax.map(lambda b: function(list(b), captures)[0], split)
            return [o.reshape(-1, *o.shape[2:]) for o in outputs]

        return block

    per_block = BLOCK * size
    parts = []
    for first in range(0, rows - per_block + 1, per_block):
        arrays = [a[first : first + per_block] for a in nest.flatten(structure)]
        call = execute.whole(("predict", size, BLOCK), [step.program.signature()], make, [*arrays, *captured])
        parts.append(step.pack([np.asarray(o) for o in call(*arrays, *captured)]))
    return parts, len(parts) * per_block


def _empty(model: Any, structure: Any) -> Any:
    """What predict gives for no rows: the outputs of one row, cut to none."""
    if batches.is_irregular(structure):
        # of ragged and sparse rows nobody knows how one looks
        return _batch(model, structure)
    one = nest.map_structure(lambda a: np.zeros((1, *a.shape[1:]), a.dtype), structure)
    return nest.map_structure(lambda o: o[:0], _batch(model, one))
