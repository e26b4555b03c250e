"""GradientTape: records a Program, then lets JAX differentiate the replay, compiled once for all equal recordings."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.program.op import Op
from tensorsmith.program.program import freeze
from tensorsmith.state.replay import Replay
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

    def record(self, op: Op, inputs: list[Any], settings: dict, outputs: Any) -> None:
        self._calls.append((op, inputs, settings, outputs))

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
        self._used = False

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
        unconnected = str(getattr(unconnected_gradients, "value", unconnected_gradients)).lower()
        if unconnected not in ("none", "zero"):
            raise ValueError(f"unconnected_gradients must be 'none' or 'zero', not {unconnected_gradients!r}")
        if self._open and not self.persistent:
            self._close()
        self._used = True
        targets = [self._resolve(target)] if type(target) is Tensor else [self._resolve(t) for t in nest.flatten(target)]
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
        symbols = [t for t in targets if isinstance(t, Symbol)]
        if symbols:
            kept = None if seeds is None else [s for t, s in zip(targets, seeds) if isinstance(t, Symbol)]
            own = [s for s in sources if isinstance(s, Symbol) and s._graph is symbols[0]._graph]
            found = iter(symbols[0]._graph.gradient(symbols, own, kept)) if own else iter(())
            return [
                next(found) if isinstance(s, Symbol) and s._graph is symbols[0]._graph else None for s in sources
            ]
        return self._replay(targets, sources, seeds)

    def _replay(self, targets: list[Tensor], sources: list[Tensor], seeds: list[Tensor] | None) -> list[Any]:
        """The gradients by a compiled replay of the recording; equal recordings share it."""
        numbers: dict[int, int] = {}
        leaves: list[Tensor] = []
        results: list[Tensor] = []
        key: list[Any] = []

        def number(tensor: Tensor) -> int:
            at = numbers.get(id(tensor))
            if at is None:
                at = numbers[id(tensor)] = len(numbers)
                leaves.append(tensor)
            return at

        # a call of the recording is one of thousands a second: the common forms are written out
        for op, inputs, settings, outputs in self._calls:
            ids: list[Any] = []
            for x in inputs:
                at = numbers.get(id(x))
                if at is None:
                    if type(x) is list:
                        at = tuple([number(part) for part in x])
                    elif x is not None:
                        at = number(x)
                ids.append(at)
            made: Any
            if type(outputs) is Tensor:
                numbers[id(outputs)] = made = len(numbers)
                results.append(outputs)
            else:
                made = []
                for output in outputs:
                    made.append(len(numbers))
                    numbers[id(output)] = made[-1]
                made = tuple(made)
                results.extend(outputs)
            frozen = () if settings is op.settings or not settings else freeze(settings)
            key.append((op, tuple(ids), frozen, made))
        wanted = tuple([number(t) for t in targets])
        asked = tuple([number(s) for s in sources])
        watched = tuple([numbers[w] for w in self._watched if w in numbers])
        # the sizes are part of the key: the result is one flat array, cut up by them
        shapes = tuple([(leaf._array.shape, leaf._array.dtype) for leaf in leaves])
        plan_key = (tuple(key), wanted, asked, watched, seeds is not None, shapes)
        plan = _plans.get(plan_key)
        if plan is None:
            if len(_plans) > 2048:
                _plans.clear()
            calls = [(op, ids, settings, made) for (op, ids, _, made), (_, _, settings, _) in zip(key, self._calls)]
            specs = {numbers[id(leaf)]: leaf for leaf in leaves}
            outputs = {numbers[id(o)]: o for c in self._calls for o in (c[3] if isinstance(c[3], (list, tuple)) else [c[3]])}
            plan = _plans[plan_key] = Replay(calls, specs, outputs, wanted, asked, watched, seeds)
        return plan(leaves, results, seeds or [])


class _Silence:
    def __init__(self, tape: GradientTape) -> None:
        self.tape = tape

    def __enter__(self) -> None:
        _local.tapes.remove(self.tape)

    def __exit__(self, *exc: Any) -> None:
        _local.tapes.append(self.tape)


_plans: dict[Any, Replay] = {}
