"""One step of training, testing or predicting, as a Program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.dtypes import of_array
from tensorsmith.core.specs import TensorSpec
from tensorsmith.function.autograph import in_trace
from tensorsmith.function.composites import is_composite
from tensorsmith.function.trace import symbols_like, trace
from tensorsmith.program import execute
from tensorsmith.program.checks import STATUS
from tensorsmith.program.program import Program
from tensorsmith.structures.columns import Column
from tensorsmith.tensor.tensor import OnDevice, Tensor

Spec = tuple[tuple[int | None, ...], Any]


class Step:
    """A step traced for batches of one form.

    program    its Program: inputs are the arrays of a batch; captures the variables read; updates those written.
    variables  every variable that it reads or writes, written ones first.
    written    how many of them it writes.
    status     where among them it tells of a failed check (None: it has no checks).
    pack       makes what the step returned from its outputs.
    gives_composites  whether ragged or sparse tensors are among that.
    """

    def __init__(self, function: Callable[[Any], Any], batch: Any) -> None:
        specs = nest.map_structure(spec_of, batch)
        self.traced = trace(lambda graph: in_trace(function)(symbols_like(graph, specs)))
        self.program: Program = self.traced.program
        updated = {id(variable): number for variable, number in self.program.updates}
        captured = {id(variable): variable for variable, _ in self.program.captures}
        self.variables: list[Any] = [variable for variable, _ in self.program.updates]
        self.written = len(self.variables)
        self.variables += [v for v in captured.values() if id(v) not in updated]
        places = {id(variable): at for at, variable in enumerate(self.variables)}
        # where in `variables` each capture of the program stands
        self.reads = [places[id(variable)] for variable, _ in self.program.captures]
        self.status = next((at for at, variable in enumerate(self.variables) if variable is STATUS), None)
        self.pack = self.traced.pack
        self.gives_composites = any(map(is_composite, self.traced.form.leaves))

    def values(self) -> list[Any]:
        """What the variables hold now: arrays on the device where a program left them, NumPy arrays else."""
        return [_held(variable._tensor) for variable in self.variables]

    def captured(self) -> list[Any]:
        """The arrays of the variables that the program reads, in its own order."""
        return [variable._tensor._array for variable, _ in self.program.captures]

    def commit(self, arrays: list[Any]) -> None:
        """Gives the written variables their new values, which are on the device.

        Only this changes a model: a step that failed leaves it as it was.
        """
        for variable, array in zip(self.variables, arrays):
            variable._tensor = OnDevice(array)


# scalars that metrics and counters start from, on the device: sending one there costs as much as sending a batch
_scalars: dict[Any, Any] = {}


def _held(tensor: Tensor) -> Any:
    if type(tensor) is OnDevice:
        return tensor.device_array
    array = tensor._array
    if array.ndim or array.dtype.kind not in "fi":
        return array
    key = array.dtype, array.item()
    found = _scalars.get(key)
    if found is None:
        if len(_scalars) > 1000:
            _scalars.clear()
        with execute.guard():
            found = _scalars[key] = execute.jax().device_put(np.asarray(array))
    return found


def spec_of(leaf: Any) -> Any:
    """The spec of batches of any number of rows like this array, or column; None for None."""
    if leaf is None:
        return None
    if isinstance(leaf, Column):
        return leaf.spec
    array = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
    return TensorSpec((None, *array.shape[1:]), of_array(array))


def form_of(batch: Any) -> Any:
    """A hashable that is equal for batches that one Step serves."""
    if batch is None:
        return None
    if isinstance(batch, dict):
        return tuple(sorted((key, form_of(part)) for key, part in batch.items()))
    if isinstance(batch, (list, tuple)):
        return tuple(form_of(part) for part in batch)
    return batch.shape[1:], batch.dtype.str
