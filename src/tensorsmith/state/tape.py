"""GradientTape: records a Program, then lets JAX differentiate the replay, compiled once for all equal recordings."""

from __future__ import annotations

import enum
from itertools import count
from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.core.errors import InvalidArgumentError, explain, warn
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Op
from tensorsmith.program.program import freeze
from tensorsmith.state.replay import Form
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local


class UnconnectedGradients(enum.Enum):
    """What is given for a source that the target does not depend on.

    NONE  None.
    ZERO  zeros of the source's shape.
    """

    NONE = "none"
    ZERO = "zero"


class GradientTape:
    """Notes the operations inside its `with` block, to differentiate them.

    persistent               False: one derivative can be asked for, and asking inside the block ends the recording.
    watch_accessed_variables True: trainable variables that are read are watched by themselves.

    Tapes may be nested: what an inner one gives is recorded by the outer one, so a derivative has a derivative.
    Inside a `tf.function` a tape works the same way.

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
        # the ids of what the calls gave, as far as somebody asked
        self._made: set[int] = set()
        self._looked = 0
        self._open = self._used = False
        # in a trace: the graph, and from which of its nodes to which the tape listened
        self._graph: Any = None
        self._spans: list[list[int]] = []

    # ---- listening

    def __enter__(self) -> GradientTape:
        if self._open:
            raise ValueError("This tape is already recording; a `with` block of it cannot stand inside another.")
        self._open = True
        if _local.graph is not self._graph:
            self._graph, self._spans = _local.graph, []
        self._listen()
        context.busy.append(self)
        return self

    def __exit__(self, *exc: Any) -> None:
        if self._open:
            self._close()

    def _close(self) -> None:
        self._open = False
        self._pause()
        context.busy.remove(self)

    def _listen(self) -> None:
        _local.tapes.append(self)
        if self._graph is not None:
            self._spans.append([len(self._graph.program.nodes), -1])

    def _pause(self) -> None:
        if self in _local.tapes:
            _local.tapes.remove(self)
        if self._spans and self._spans[-1][1] < 0:
            self._spans[-1][1] = len(self._graph.program.nodes)

    def knows(self, tensor: Tensor) -> bool:
        """Whether it watches a tensor, or heard how it was made."""
        if id(tensor) in self._watched:
            return True
        for _, _, _, results in self._calls[self._looked :]:
            self._made.update(map(id, results if isinstance(results, (list, tuple)) else [results]))
        self._looked = len(self._calls)
        return id(tensor) in self._made

    def note_read(self, variable: Any, value: Tensor) -> None:
        found = self._reads.get(id(variable))
        if found is None:
            self._reads[id(variable)] = variable, [value]
            if self.watching and variable.trainable:
                self._watched[id(value)] = value
        elif found[1][-1] is not value and not isinstance(value, Symbol):
            # in a program, a value that was assigned moves with the one that was read first
            found[1].append(value)
            if self.watching and variable.trainable:
                self._watched[id(value)] = value

    def watch(self, tensor: Any) -> None:
        """Watches tensors that are no trainable variables (nested lists and dicts are taken).

        A tensor of integers, booleans or strings has no derivative: it is watched in vain, and a warning says so.
        Raises ValueError for what is neither a tensor nor a variable.
        """
        for leaf in nest.flatten(tensor):
            parts = [leaf._read_quietly()] if isinstance(leaf, Variable) else _dense_parts(leaf)
            if parts is None:
                raise ValueError(
                    explain(
                        "tape.watch", f"it takes tensors and variables, not {type(leaf).__name__}", {"given": leaf},
                        way_out="Make it a tensor first, and compute with that tensor: x = tf.constant(...).",
                    )
                )  # fmt: skip
            for part in parts:
                if part.dtype.numpy_dtype.kind not in "fcV":
                    warn(f"tape.watch: the watched tensor must be floating (e.g. tf.float32), not {part.dtype.name}.")
                self._watched[id(part)] = part
            if isinstance(leaf, Variable):
                self.note_read(leaf.handle, parts[0])

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables that are watched, in the order in which they were first read or given to `watch`."""
        return tuple(v for v, read in self._reads.values() if any(id(value) in self._watched for value in read))

    def reset(self) -> None:
        """Forgets all that was recorded."""
        self._calls, self._watched, self._reads = [], {}, {}
        self._used, self.record = False, self._calls.append
        self._spans = []
        if self._open and self._graph is not None:
            self._spans.append([len(self._graph.program.nodes), -1])

    def stop_recording(self) -> Any:
        """A context in which the tape does not listen: what is computed there is a constant to it.

        Raises RuntimeError when the tape is not recording.
        """
        return _Silence(self)

    # ---- asking

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = "none"
    ) -> Any:
        """The derivative of the sum of `target` by each source, in the structure of `sources`.

        target, sources         tensors or variables, or nested lists and dicts of them.
        output_gradients        what flows into each target, in the structure of `target`; None: ones.
        unconnected_gradients   "none" (or tf.UnconnectedGradients.NONE): None for a source that the target does not
                                depend on; "zero": zeros.

        A gradient is a dense tensor, also of rows that `tf.gather` or an embedding took from a large table, where
        TensorFlow gives tf.IndexedSlices; that of a ragged tensor is ragged like it. Of complex values it is the
        conjugate of the derivative, as in TensorFlow: the direction in which a real target grows fastest. A source of
        integers has none.

        Raises RuntimeError when the tape was used up, ValueError for an unknown `unconnected_gradients` or
        `output_gradients` of another structure, InvalidArgumentError where they have another shape than the target.
        """
        unconnected = unconnected_gradients
        if unconnected_gradients != "none":
            unconnected = unconnected_choice(unconnected_gradients)
        self._use()
        if type(sources) is list and type(target) is Tensor and output_gradients is None and unconnected == "none":
            # a list of variables, each read once: what a training loop asks
            values: list[Tensor] = []
            for source in sources:
                row = self._reads.get(id(source))
                if row is None or len(row[1]) != 1 or type(row[1][0]) is not Tensor:
                    break
                values.append(row[1][0])
            else:
                return self._replay([target], values, [], "gradient")
        targets: list[Tensor] = []
        seeds: list[Tensor] = []
        given = None if output_gradients is None else _flows(target, output_gradients)
        for at, leaf in enumerate(nest.flatten(target)):
            for part in self._resolved(leaf, "gradient", "target"):
                targets.append(part)
                if given is not None:
                    seeds.append(_flow(part, given[at]))
        return self._asked(targets, sources, seeds, unconnected, "gradient")

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The derivative of every element of `target` by every element of each source, in the structure of `sources`.

        target   one tensor of shape T; a source of shape S gives T + S.
        unconnected_gradients  as for `gradient`.
        parallel_iterations, experimental_use_pfor  taken, but of no effect: all rows are computed at once.

        Raises as `gradient` does, and ValueError where the target is a list.

        >>> import tensorsmith as tf
        >>> x = tf.Variable([1.0, 2.0])
        >>> with tf.GradientTape() as tape:
        ...     y = x * x
        >>> tape.jacobian(y, x).numpy()
        array([[2., 0.],
               [0., 4.]], dtype=float32)
        """
        unconnected = unconnected_choice(unconnected_gradients)
        self._use()
        part = self._one(target, "jacobian", "target")
        return self._asked([part], sources, [], unconnected, "jacobian")

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The jacobian row by row, where no row of `target` [B, ...] depends on another row of `source` [B, ...].

        A target of shape [B] + T and a source of shape [B] + S give [B] + T + S. A source that the target does not
        depend on gives zeros, as in TensorFlow.

        Raises as `gradient` does, and ValueError where target and source are not one tensor each with as many rows.

        >>> import tensorsmith as tf
        >>> x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = tf.reduce_sum(x * x, axis=1, keepdims=True)
        >>> tape.batch_jacobian(y, x).numpy()
        array([[[2., 4.]],
        <BLANKLINE>
               [[6., 8.]]], dtype=float32)
        """
        unconnected_choice(unconnected_gradients)
        self._use()
        part, own = self._one(target, "batch_jacobian", "target"), self._one(source, "batch_jacobian", "source")
        rows, others = (list(t.shape[:1]) for t in (part, own))
        if not rows or not others or (rows != others and None not in (*rows, *others)):
            raise ValueError(
                explain(
                    "tape.batch_jacobian", "target and source have not as many rows",
                    {"target": part.shape, "source": own.shape}, "the first size of both must be equal",
                    "Use tape.jacobian for the whole derivative.",
                )
            )  # fmt: skip
        found = self._asked([part], source, [], "none", "batch_jacobian")
        if found is None:
            return _zero_rows(part, own)
        return found

    def _use(self) -> None:
        """One asking: a tape that is not persistent is used up by it."""
        if not self.persistent:
            if self._used:
                raise RuntimeError(
                    "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians). "
                    "Open it as tf.GradientTape(persistent=True) to ask more than once."
                )
            if self._open:
                self._close()
        self._used = True

    def _asked(self, targets: list[Tensor], sources: Any, seeds: list[Tensor], unconnected: str, mode: str) -> Any:
        """The derivatives in the structure of the sources; those by all tensors that a variable was read as are summed."""
        flat = nest.flatten(sources)
        reads = [self._values_of(source, mode) for source in flat]
        values = [value for row in reads for value in row]
        found = iter(self._derivatives(targets, values, seeds, mode))
        results = []
        for source, row in zip(flat, reads):
            parts = [next(found) for _ in row]
            total = None
            for part in parts:
                total = part if total is None or part is None else total + part
            ragged = hasattr(source, "with_flat_values")
            if total is None and unconnected == "zero":
                total = _zeros(source.flat_values if ragged else source, targets[0] if mode == "jacobian" else None)
            if ragged and total is not None and mode == "gradient":
                total = source.with_flat_values(total)
            results.append(total)
        return nest.pack_sequence_as(sources, results) if nest.is_nested(sources) else results[0]

    def _one(self, value: Any, who: str, name: str) -> Tensor:
        """The one tensor that must be given."""
        if nest.is_nested(value):
            raise ValueError(
                explain(
                    f"tape.{who}", f"the {name} must be one tensor, not a {type(value).__name__}",
                    way_out="Ask for each by itself, with a persistent tape, or join them: tf.concat, tf.stack.",
                )
            )  # fmt: skip
        return self._resolved(value, who, name)[0]

    def _resolved(self, value: Any, who: str, name: str) -> list[Tensor]:
        if isinstance(value, Variable):
            return self._values_of(value, who)[-1:]
        parts = _dense_parts(value)
        if parts is None:
            raise ValueError(
                explain(
                    f"tape.{who}", f"a {name} must be a tensor or a variable, not {type(value).__name__}",
                    {"given": value}, way_out="Only what was computed with tensors inside the tape has a derivative.",
                )
            )  # fmt: skip
        return parts

    def _values_of(self, source: Any, who: str = "gradient") -> list[Tensor]:
        if isinstance(source, Variable):
            found = self._reads.get(id(source.handle))
            return found[1] if found is not None else [source._read_quietly()]
        return self._resolved(source, who, "source")

    def _derivatives(self, targets: list[Tensor], sources: list[Tensor], seeds: list[Tensor], mode: str) -> list[Any]:
        symbols = [t for t in targets if type(t) is not Tensor and isinstance(t, Symbol)]
        if not symbols:
            # a known tensor does not depend on what is not known yet
            known = [s for s in sources if not isinstance(s, Symbol)]
            found = iter(self._replay(targets, known, seeds, mode) if known else ())
            return [None if isinstance(s, Symbol) else next(found) for s in sources]
        graph = symbols[0]._graph
        kept = [s for t, s in zip(targets, seeds) if isinstance(t, Symbol)]
        stops, live = self._in_graph(graph)
        own = [graph.symbol_of(s) for s in sources]
        own = [s if s is not None and s._id in live else None for s in own]
        asked = [s for s in own if s is not None]
        found = iter(graph.derivative(symbols, asked, kept, stops, mode) if asked else ())
        results = [None if s is None else next(found) for s in own]
        if mode != "gradient" or not self._calls:
            return results
        # what was computed from known values was computed at once, and went into the program as a constant
        made = {id(o) for _, _, _, outputs in self._calls for o in _tensors(outputs)}
        links = [tensor for tensor, number in graph._constants.values() if number in live and id(tensor) in made]
        flows = graph.derivative(symbols, [graph.symbol_of(link) for link in links], kept, stops) if links else []
        ends = [(link, flow) for link, flow in zip(links, flows) if flow is not None]
        if not ends:
            return results
        before = self._replay([link for link, _ in ends], sources, [flow for _, flow in ends], mode)
        return [a if b is None else b if a is None else a + b for a, b in zip(results, before)]

    def _tangents(self, targets: list[Any], moving: list[tuple[Any, Tensor]]) -> list[Any]:
        """How fast each target moves when the sources move: pairs of a source and its speed."""
        reached = [self._resolved(target, "jvp", "primal")[0] for target in targets]
        sources: list[Tensor] = []
        speeds: list[Tensor] = []
        for source, speed in moving:
            for value in self._values_of(source, "jvp"):
                if not any(value is s for s in sources):
                    sources.append(value)
                    speeds.append(speed)
        graph = next((t._graph for t in reached if isinstance(t, Symbol)), None)
        if graph is None:
            return self._replay(reached, sources, speeds, "tangent") if sources else [None] * len(reached)
        own = [at for at, s in enumerate(sources) if isinstance(s, Symbol) and s._graph is graph]
        asked = [t for t in reached if isinstance(t, Symbol) and t._graph is graph]
        if not own:
            return [None] * len(reached)
        stops = self._in_graph(graph)[0]
        made = graph.tangent(asked, [sources[at] for at in own], [speeds[at] for at in own], stops)
        found = {id(t): m for t, m in zip(asked, made)}
        return [found.get(id(t)) for t in reached]

    def _in_graph(self, graph: Any) -> tuple[list[int], set[int]]:
        """Of a program being traced: the values that are constants to this tape, and those that it watches."""
        nodes = graph.program.nodes
        spans = [(a, len(nodes) if b < 0 else b) for a, b in self._spans] if graph is self._graph else [(0, len(nodes))]
        live = {w._id for w in self._watched.values() if isinstance(w, Symbol) and w._graph is graph}
        # constants of the trace, watched or made from such
        reached = set(self._watched)
        for _, inputs, _, outputs in self._calls:
            if any(id(t) in reached for x in inputs for t in _tensors(x)):
                reached.update(map(id, _tensors(outputs)))
        live.update(number for key, (_, number) in graph._constants.items() if key in reached)
        heard = {at for a, b in spans for at in range(a, b)}
        stops = []
        for at, node in enumerate(nodes):
            if not live.isdisjoint(node.inputs):
                if at in heard:
                    live.update(node.outputs)
                else:
                    stops.extend([o for o in node.outputs if o not in live])
        return stops, live

    def _replay(self, targets: list[Tensor], sources: list[Tensor], seeds: list[Tensor], mode: str) -> list[Any]:
        """The derivatives by a replay of the recording; recordings of one form share it.

        The form is the operations and which tensor stands where. It is asked for at every step of a training loop,
        so the tensors are numbered by dictionaries and maps that run in C.
        """
        shape: list[Any] = []
        flat: list[Any] = []
        results: list[Any] = []
        for op, inputs, settings, outputs in self._calls:
            shape.append(op)
            if op.plain:
                flat += inputs
            else:
                for given in inputs:
                    if type(given) is list:
                        shape.append(len(given))
                        flat += given
                    else:
                        shape.append(None)
                        flat.append(given)
            # a call by the operation's own defaults tells so by their identity
            if settings is not op.settings:
                shape.append(_settled(settings))
            if type(outputs) is Tensor:
                results.append(outputs)
            else:
                shape.append(len(outputs))
                results += outputs
        flat += results
        flat += targets
        flat += sources
        ids = list(map(id, flat))
        distinct = dict.fromkeys(ids)
        numbers = dict(zip(distinct, count()))
        pattern = tuple(map(numbers.__getitem__, ids))
        watched = tuple([numbers[w] for w in self._watched if w in numbers])
        key = tuple(shape), pattern, watched, len(targets), len(seeds), mode
        form = _forms.get(key)
        if form is None:
            if len(_forms) > 2048:
                _forms.clear()
            form = _forms[key] = Form(self._calls, pattern, len(targets), len(sources), watched, mode)
        return form.replay(flat, seeds)


class _Silence:
    def __init__(self, tape: GradientTape) -> None:
        self.tape = tape

    def __enter__(self) -> None:
        if not self.tape._open:
            raise RuntimeError(
                "tape.stop_recording: the tape is not recording. Call it inside the tape's own `with` block."
            )
        self.tape._pause()

    def __exit__(self, *exc: Any) -> None:
        if self.tape._open:
            self.tape._listen()


def unconnected_choice(choice: Any) -> str:
    """The choice as a word; ValueError for an unknown one."""
    word = choice.value if isinstance(choice, UnconnectedGradients) else choice
    if word not in ("none", "zero"):
        raise ValueError(
            explain(
                "tape", "unknown value for unconnected_gradients", {"given": repr(choice)},
                "it must be 'none' or 'zero' (tf.UnconnectedGradients.NONE or ZERO)",
            )
        )  # fmt: skip
    return word


def _tensors(values: Any) -> Any:
    """One argument, or the results, of a recorded call as a sequence of tensors."""
    return (values,) if values is None or isinstance(values, Tensor) else values


def _dense_parts(value: Any) -> list[Tensor] | None:
    """The dense tensors of a tensor, or of a ragged or sparse one; None for anything else."""
    if isinstance(value, Tensor):
        return [value]
    parts = getattr(value, "_parts", None)
    return None if parts is None else [p for p in parts() if p.dtype.is_floating or p.dtype.is_complex]


def _flows(target: Any, given: Any) -> list[Any]:
    """What flows into each target, in order; ValueError where the structures differ."""
    wanted, found = nest.flatten(target), nest.flatten(given)
    if not nest.is_nested(target) and nest.is_nested(given) and any(isinstance(g, (int, float)) for g in found):
        # an array written as a list
        return [given]
    if len(wanted) != len(found):
        raise ValueError(
            explain(
                "tape.gradient", "output_gradients have another structure than the target",
                {"targets": len(wanted), "output_gradients": len(found)},
                "there must be one for each target, in the same structure",
            )
        )  # fmt: skip
    return found


def _flow(target: Tensor, given: Any) -> Tensor:
    if given is None:
        return functions["ones_like"](target)
    seed = convert(given, None, target.dtype.numpy_dtype)
    if seed.dtype is not target.dtype or not seed.shape.is_compatible_with(target.shape):
        raise InvalidArgumentError(
            explain(
                "tape.gradient", "output_gradients do not fit the target",
                {"target": describe(target), "output_gradients": describe(seed)},
                "dtype and shape must be those of the target",
            )
        )  # fmt: skip
    return seed


def _zeros(source: Any, target: Tensor | None) -> Tensor:
    """Zeros for a source that a target does not depend on; with a target, of the shape of its jacobian."""
    zeros = functions["zeros_like"](convert(source))
    if target is None:
        return zeros
    return functions["tensordot"](functions["cast"](functions["zeros_like"](target), zeros.dtype), zeros, 0)


def _zero_rows(target: Tensor, source: Tensor) -> Tensor:
    """Zeros of the shape of a batch jacobian."""
    rows = functions["cast"](functions["zeros_like"](target), source.dtype)
    inner = functions["reshape"](functions["zeros_like"](source), (-1, *source.shape[1:]))[0]
    return functions["tensordot"](rows, inner, 0)


_forms: dict[Any, Form] = {}
# types of settings of which equal values are the same setting; 0.0 and -0.0 are equal, and are not
_SETTLED = frozenset({bool, int, str, type(None)})


def _settled(settings: dict[str, Any]) -> Any:
    """A hashable that stands for settings that are not an operation's defaults."""
    types = tuple(map(type, settings.values()))
    return (types, *settings.items()) if _SETTLED.issuperset(types) else freeze(settings)
