"""GradientTape: records a Program, then lets JAX differentiate the replay, compiled once for all equal recordings."""

from __future__ import annotations

from itertools import chain, count
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.program.op import Op
from tensorsmith.program.program import freeze
from tensorsmith.state.replay import Form
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local


class GradientTape:
    """Notes the operations inside its `with` block, to differentiate them.

    persistent               False: `gradient` can be asked once.
    watch_accessed_variables True: trainable variables that are read are watched by themselves.

    Raises RuntimeError when a non-persistent tape is asked twice, with the remedy.

    >>> import tensorsmith as tf
    >>> w = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = w * w
    >>> tape.gradient(y, w).numpy().item()
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent, self.watching = persistent, watch_accessed_variables
        self._calls: list[tuple[Op, list[Any], dict, Any]] = []
        # what operations call with (operation, inputs, settings, outputs): the list's own method, as it is called most
        self.record = self._calls.append
        self._watched: dict[int, Any] = {}
        # {id of a variable: (the variable, the tensors it was read as)}
        self._reads: dict[int, tuple[Any, list[Tensor]]] = {}
        self._aliases: dict[int, tuple[Tensor, Tensor]] = {}
        self._open = self._used = False
        self._graph: Any = None

    # ---- listening

    def __enter__(self) -> GradientTape:
        if self._open:
            raise ValueError("This tape is already recording.")
        self._open = True
        self._graph = _local.graph
        _local.tapes.append(self)
        context.busy.append(self)
        return self

    def __exit__(self, *exc: Any) -> None:
        if self._open:
            self._close()

    def _close(self) -> None:
        self._open = False
        if self in _local.tapes:
            _local.tapes.remove(self)
        context.busy.remove(self)

    def note_read(self, variable: Any, value: Tensor) -> None:
        found = self._reads.get(id(variable))
        if found is None:
            self._reads[id(variable)] = variable, [value]
            if self.watching and variable.trainable:
                self._watched[id(value)] = value
        elif found[1][-1] is not value:
            found[1].append(value)
            if self.watching and variable.trainable:
                self._watched[id(value)] = value

    def alias(self, original: Tensor, other: Tensor) -> None:
        """From here on `other` stands for `original`."""
        self._aliases[id(other)] = original, other

    def watch(self, tensor: Any) -> None:
        """Watches tensors that are no trainable variables (nested lists and dicts are taken)."""
        for leaf in nest.flatten(tensor):
            if isinstance(leaf, Variable):
                self._watched[id(leaf._tensor)] = leaf._tensor
                continue
            if not isinstance(leaf, Tensor):
                raise ValueError(f"tape.watch takes tensors and variables, not {type(leaf).__name__}: {leaf!r}")
            self._watched[id(leaf)] = leaf

    def watched_variables(self) -> tuple[Any, ...]:
        """The trainable variables read so far."""
        return tuple(v for v, _ in self._reads.values() if v.trainable and self.watching)

    def reset(self) -> None:
        """Forgets all that was recorded."""
        self._calls, self._watched, self._reads, self._aliases = [], {}, {}, {}
        self._used, self.record = False, self._calls.append

    def stop_recording(self) -> Any:
        """A context in which the tape does not listen."""
        return _Silence(self)

    # ---- asking

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = "none"
    ) -> Any:
        """The derivative of the sum of `target` by each source, in the structure of `sources`.

        target, sources         tensors or variables, or nested lists and dicts of them.
        output_gradients        what flows into each target; ones by default.
        unconnected_gradients   "none": None for a source that the target does not depend on; "zero": zeros.

        Raises RuntimeError when the tape was used up, ValueError for an unknown `unconnected_gradients`.
        """
        if self._used and not self.persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians). "
                "Open it as tf.GradientTape(persistent=True) to ask more than once."
            )
        unconnected = unconnected_gradients
        if type(unconnected) is not str:
            unconnected = str(getattr(unconnected, "value", unconnected)).lower()
        if unconnected not in ("none", "zero"):
            raise ValueError(f"unconnected_gradients must be 'none' or 'zero', not {unconnected_gradients!r}")
        if self._open and not self.persistent:
            self._close()
        self._used = True
        if type(sources) is list and type(target) is Tensor and output_gradients is None and unconnected == "none":
            # a list of variables, each read once: what a training loop asks
            values: list[Tensor] = []
            for source in sources:
                row = self._reads.get(id(source))
                if row is None or len(row[1]) != 1 or type(row[1][0]) is not Tensor:
                    break
                values.append(row[1][0])
            else:
                return self._replay([self._resolve(target)], values, None)
        targets = (
            [self._resolve(target)] if type(target) is Tensor else [self._resolve(t) for t in nest.flatten(target)]
        )
        flat = nest.flatten(sources)
        reads = [self._values_of(source) for source in flat]
        values = [value for row in reads for value in row]
        seeds = None
        if output_gradients is not None:
            seeds = [convert(g) for g in nest.flatten(output_gradients)]
        found = iter(self._gradients(targets, values, seeds))
        results = []
        for source, row in zip(flat, reads):
            parts = [g for g in (next(found) for _ in row) if g is not None]
            total = None
            for part in parts:
                total = part if total is None else total + part
            if total is None and unconnected == "zero":
                total = Tensor(np.zeros(source.shape, source.dtype.numpy_dtype))
            results.append(total)
        return nest.pack_sequence_as(sources, results) if nest.is_nested(sources) else results[0]

    def _resolve(self, value: Any) -> Tensor:
        if isinstance(value, Variable):
            return self._values_of(value)[-1]
        value = value if isinstance(value, Tensor) else convert(value)
        found = self._aliases.get(id(value))
        return value if found is None else found[0]

    def _values_of(self, source: Any) -> list[Tensor]:
        if isinstance(source, Variable):
            found = self._reads.get(id(source))
            return found[1] if found is not None else [source._tensor]
        return [self._resolve(source)]

    def _gradients(self, targets: list[Tensor], sources: list[Tensor], seeds: list[Tensor] | None) -> list[Any]:
        symbols = [t for t in targets if type(t) is not Tensor and isinstance(t, Symbol)]
        if symbols:
            kept = None if seeds is None else [s for t, s in zip(targets, seeds) if isinstance(t, Symbol)]
            own = [s for s in sources if isinstance(s, Symbol) and s._graph is symbols[0]._graph]
            found = iter(symbols[0]._graph.gradient(symbols, own, kept)) if own else iter(())
            return [next(found) if isinstance(s, Symbol) and s._graph is symbols[0]._graph else None for s in sources]
        return self._replay(targets, sources, seeds)

    def _replay(self, targets: list[Tensor], sources: list[Tensor], seeds: list[Tensor] | None) -> list[Any]:
        """The gradients by a replay of the recording; recordings of one form share it.

        The form is the operations and which tensor stands where. It is asked for at every step of a training loop,
        so the tensors are numbered by dictionaries and maps that run in C.
        """
        if not self._calls:
            return [None] * len(sources)
        ops, inputs, settings, outputs = zip(*self._calls)
        shape: Any = ops
        defaults = _defaults.get(ops)
        if defaults is None:
            defaults = _defaults[ops] = _plain_settings(self._calls)
        if settings == defaults:
            flat = [*chain.from_iterable(inputs), *outputs, *targets, *sources]
        else:
            flat = []
            shape = [*ops, *map(freeze, settings)]
            for given in inputs:
                shape.append(tuple([len(x) if type(x) is list else None for x in given]))
                for x in given:
                    flat.extend(x) if type(x) is list else flat.append(x)
            for made in outputs:
                shape.append(None if type(made) is Tensor else len(made))
                flat.append(made) if type(made) is Tensor else flat.extend(made)
            flat += targets
            flat += sources
            shape = tuple(shape)
        ids = list(map(id, flat))
        distinct = dict.fromkeys(ids)
        numbers = dict(zip(distinct, count()))
        pattern = tuple(map(numbers.__getitem__, ids))
        watched = tuple([numbers[w] for w in self._watched if w in numbers])
        key = shape, pattern, watched, len(targets), seeds is not None
        form = _forms.get(key)
        if form is None:
            if len(_forms) > 2048:
                _forms.clear()
            form = _forms[key] = Form(self._calls, pattern, len(targets), len(sources), watched)
        return form.replay(flat, seeds)


class _Silence:
    def __init__(self, tape: GradientTape) -> None:
        self.tape = tape

    def __enter__(self) -> None:
        _local.tapes.remove(self.tape)

    def __exit__(self, *exc: Any) -> None:
        _local.tapes.append(self.tape)


_forms: dict[Any, Form] = {}
# {operations of a recording: their default settings}, where each takes single arrays and gives one
_defaults: dict[Any, tuple[Any, ...] | bool] = {}


def _plain_settings(calls: list[Any]) -> tuple[Any, ...] | bool:
    """The default settings of all operations; False where some takes a list of arrays or gives several results."""
    if any(op.lists or type(outputs) is not Tensor for op, _, _, outputs in calls):
        return False
    return tuple([op.settings for op, _, _, _ in calls])
