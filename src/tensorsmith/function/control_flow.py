"""cond, switch_case, case, while_loop, map_fn: Python while values are known, nodes that hold sub-programs in a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.function import control_kernels as kernels
from tensorsmith.function.carrying import Carried
from tensorsmith.function.composites import is_composite, split
from tensorsmith.function.merging import RETURNED, Branches, fill
from tensorsmith.program.program import Program
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local
# a body is traced again while the shapes that it carries change: each time one gets wider, so few rounds settle them
ROUNDS = 16


def is_open(value: Any) -> bool:
    """True for a value that decides about a branch or a loop only when the program runs."""
    if hasattr(type(value), "_read"):
        value = value._read()
    return isinstance(value, Symbol)


# ---- sub-programs


def _closed(programs: list[Program], carried: list[Any] = ()) -> list[Any]:  # type: ignore[assignment]
    """Turns what sub-programs capture into arguments that all of them take; gives what they captured.

    carried  variables that stand among the arguments already.
    """
    sources: dict[int, Any] = {}
    for program in programs:
        for source, _ in program.captures:
            sources.setdefault(id(source), source)
    for variable in carried:
        sources.pop(id(variable), None)
    for program in programs:
        own = {id(source): number for source, number in program.captures}
        for source in [*carried, *sources.values()]:
            number = own.get(id(source))
            if number is None:
                number = program.value(tuple(source.shape), source.dtype.numpy_dtype)
            program.inputs.append(number)
        program.captures = []
    return list(sources.values())


def _written(programs: list[Program]) -> list[Any]:
    """The variables that some of the programs assign to, each once."""
    found = {id(variable): variable for program in programs for variable, _ in program.updates}
    return list(found.values())


def _give_written(program: Program, variables: list[Any]) -> None:
    """The values of the variables behind a program become results."""
    last = {id(variable): number for variable, number in program.updates}
    read = {id(source): number for source, number in program.captures}
    for variable in variables:
        number = last.get(id(variable), read.get(id(variable)))
        if number is None:
            number = program.capture(variable, tuple(variable.shape), variable.dtype.numpy_dtype)
        program.outputs.append(number)
    program.updates = []


def _operands(sources: list[Any]) -> list[Tensor]:
    """What the sub-programs captured, as values of the graph around them."""
    return [source if isinstance(source, Symbol) else source._read() for source in sources]


def _node(graph: Graph, op: Any, arguments: list[Any], settings: dict, specs: list[Any]) -> list[Any]:
    numbers: list[int] = []
    groups: list[int | None] = []
    for argument in arguments:
        if isinstance(argument, list):
            numbers.extend(graph.number(part) for part in argument)
            groups.append(len(argument))
        else:
            numbers.append(graph.number(argument))
            groups.append(None)
    return graph.add(op, numbers, tuple(groups), settings, specs, list)


def _commit(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values):
        variable._write(value)


# ---- branches


def branch(predicate: Any, then: Callable[[], Any], otherwise: Callable[[], Any], names: Any = None) -> Any:
    """The value of `then()` or of `otherwise()`, as the predicate, a symbol, will say.

    names  what the parts of the value are called in messages; the value is a sequence then.
    """
    outer = _local.graph
    graphs, values = [], []
    for body in (then, otherwise):
        graph = Graph(outer, "branch")
        with context.tracing(graph):
            values.append(body())
        graphs.append(graph)
    merged = Branches()
    with context.tracing(outer):
        if names is None:
            form = merged.merge(values[0], values[1], RETURNED)
        else:
            form = tuple(merged.merge(a, b, name) for a, b, name in zip(values[0], values[1], names))
    programs = []
    for graph, tensors in zip(graphs, (merged.first, merged.second)):
        with context.tracing(graph):
            programs.append(graph.finish(tensors))
    specs = []
    for a, b in zip(merged.first, merged.second):
        same = len(a.shape) == len(b.shape)
        shape = tuple(x if x == y else None for x, y in zip(a.shape, b.shape)) if same else _settled_shape(a, b)
        specs.append((shape, a.dtype.numpy_dtype))
    variables = _written(programs)
    for program in programs:
        _give_written(program, variables)
    sources = _closed(programs)
    specs += [(tuple(v.shape), v.dtype.numpy_dtype) for v in variables]
    settings = {"then": programs[0], "otherwise": programs[1], "late": tuple(merged.late)}
    results = _node(outer, kernels.COND, [_scalar(predicate, "cond"), _operands(sources)], settings, specs)
    _commit(variables, results[len(merged.first) :])
    return fill(form, results[: len(merged.first)])


def _settled_shape(a: Tensor, b: Tensor) -> tuple[int | None, ...]:
    # one of them is a stand-in, which has no elements
    return tuple(b.shape if 0 in tuple(a.shape) else a.shape)


def _scalar(predicate: Any, who: str) -> Tensor:
    value = convert(predicate)
    if value.shape.num_elements() not in (1, None):
        raise ValueError(
            explain(
                who,
                "the condition must be a single value",
                {"condition": describe(value)},
                way_out="Use tf.reduce_any or tf.reduce_all, or tf.where for each element.",
            )
        )
    if not value.dtype.is_bool:
        value = functions["not_equal"](value, 0)
    return value


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """`true_fn()` where `pred` is true, else `false_fn()`.

    In a traced function both are traced and one is run; they must give the same form and dtypes.
    Raises TypeError where a function is missing or the results differ.

    >>> import tensorsmith as tf
    >>> tf.cond(tf.constant(2) > 1, lambda: "more", lambda: "less")
    'more'
    """
    for function, label in ((true_fn, "true_fn"), (false_fn, "false_fn")):
        if not callable(function):
            raise TypeError(explain("cond", f"{label} must be callable", {label: describe(function)}))
    assert true_fn is not None and false_fn is not None
    if is_open(pred):
        return branch(pred, true_fn, false_fn)
    return true_fn() if bool(convert(pred)) else false_fn()


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str | None = None,
) -> Any:
    """The function of the first true predicate; `default` where none is.

    Raises InvalidArgumentError where none is true and there is no default, or, with `exclusive`, more than one is.
    """
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    pairs = [(p.deref() if hasattr(p, "deref") else p, function) for p, function in pairs]
    if not pairs:
        raise ValueError(explain("case", "there is no predicate"))
    if exclusive and not any(is_open(p) for p, _ in pairs) and sum(bool(convert(p)) for p, _ in pairs) > 1:
        raise InvalidArgumentError(
            explain("case", "more than one predicate is true", way_out="exclusive=False takes the first.")
        )
    if not is_open(pairs[0][0]) and bool(convert(pairs[0][0])):
        return pairs[0][1]()
    rest = pairs[1:]
    if not rest and default is None:
        if is_open(pairs[0][0]):
            return pairs[0][1]()  # nothing else can be meant
        raise InvalidArgumentError(explain("case", "no predicate is true and there is no default"))
    following = default if not rest else (lambda: case(rest, default))
    return cond(pairs[0][0], pairs[0][1], following)


def switch_case(
    branch_index: Any, branch_fns: Any, default: Callable[[], Any] | None = None, name: str = "switch_case"
) -> Any:
    """The function whose number is `branch_index`; `default`, or the last, where there is none of that number.

    >>> import tensorsmith as tf
    >>> tf.switch_case(tf.constant(1), [lambda: 10, lambda: 20])
    20
    """
    fns = branch_fns
    if isinstance(fns, dict):
        fns = sorted(fns.items())
    elif fns and not callable(fns[0]):
        fns = sorted((int(key), function) for key, function in fns)
    else:
        fns = list(enumerate(fns))
    if not fns:
        raise ValueError(explain("switch_case", "there is no branch"))
    last = default if default is not None else fns[-1][1]
    if not is_open(branch_index):
        return dict(fns).get(int(convert(branch_index)), last)()
    index = convert(branch_index)
    pairs = [(functions["equal"](index, key), function) for key, function in (fns if default is not None else fns[:-1])]
    return case(pairs, last) if pairs else last()


# ---- loops


def loop(
    test: Callable[..., Any] | None,
    body: Callable[..., Any],
    values: list[Any],
    names: list[str],
    count: Any = None,
    shapes: Any = None,
) -> list[Any]:
    """The values after rounds of `body(*values)`, as a node of the graph being traced.

    test   says from the values whether there is another round; None with a count alone.
    count  the number of rounds at most: the body takes the number of the round in front then.
    """
    outer = _local.graph
    carried = Carried(values, names, shapes)
    for _ in range(ROUNDS):
        graph = Graph(outer, "loop")
        with context.tracing(graph):
            number = [] if count is None else [graph.input((), "int32")]
            inputs = [graph.input(shape, dtype) for shape, dtype in carried.specs()]
            outputs = carried.settle(list(body(*number, *carried.pack(inputs))))
        if outputs is not None:
            break
    else:
        raise TypeError(explain("loop", "what it carries does not settle", {"variables": names}))
    with context.tracing(graph):
        programs = [graph.finish(outputs)]
    if test is not None:
        graph = Graph(outer, "test")
        with context.tracing(graph):
            inputs = [graph.input(shape, dtype) for shape, dtype in carried.specs()]
            programs.append(graph.finish([_scalar(test(*carried.pack(inputs)), "while_loop")]))
    variables = _written(programs)
    if any(program.updates for program in programs[1:]):
        raise ValueError(
            explain("while_loop", "the condition assigns to a variable", {"variables": [v.name for v in variables]})
        )
    _give_written(programs[0], variables)
    fixed = _closed(programs, variables)
    first = [carry.first for carry in carried.carries] + [variable._read() for variable in variables]
    specs = [(shape, dtype.numpy_dtype) for shape, dtype in carried.specs()]
    specs += [(tuple(v.shape), v.dtype.numpy_dtype) for v in variables]
    settings = {"test": programs[1] if test is not None else None, "body": programs[0], "late": carried.late()}
    arguments: list[Any] = [first, _operands(fixed)]
    if count is not None:
        results = _node(outer, kernels.FOR, [convert(count), *arguments], settings, specs)
    else:
        results = _node(outer, kernels.WHILE, arguments, settings, specs)
    _commit(variables, results[len(carried.carries) :])
    return carried.pack(results[: len(carried.carries)])


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """`loop_vars` after rounds of `body(*loop_vars)` as long as `cond(*loop_vars)`.

    maximum_iterations  how many rounds at most.

    >>> import tensorsmith as tf
    >>> tf.while_loop(lambda i: i < 10, lambda i: [i * 2], [tf.constant(1)])[0].numpy().item()
    16
    """
    if not callable(cond) or not callable(body):
        raise TypeError(
            explain("while_loop", "cond and body must be callable", {"cond": describe(cond), "body": describe(body)})
        )
    if not loop_vars:
        raise ValueError(explain("while_loop", "there are no loop variables"))
    single = not isinstance(loop_vars, (list, tuple))
    values = [loop_vars] if single else list(loop_vars)

    def step(*state: Any) -> list[Any]:
        result = body(*state)
        if isinstance(result, (list, tuple)) and not (
            len(values) == 1 and not isinstance(result, list) and nest.is_nested(values[0])
        ):
            return list(result)
        return [result]

    if context.executing_eagerly() and not any(is_open(v) for v in nest.flatten(values)):
        rounds = 0
        limit = None if maximum_iterations is None else int(convert(maximum_iterations))
        while (limit is None or rounds < limit) and bool(convert(cond(*values))):
            values, rounds = step(*values), rounds + 1
        values = [v if is_composite(v) else nest.map_structure(_as_tensor, v) for v in values]
    else:
        names = [f"loop_vars[{at}]" for at in range(len(values))]
        shapes = None if shape_invariants is None else [getattr(s, "shape", s) for s in nest.flatten(shape_invariants)]
        if maximum_iterations is None:
            values = loop(cond, step, values, names, shapes=shapes)
        else:
            values = loop(cond, lambda number, *state: step(*state), values, names, maximum_iterations, shapes)
    return values[0] if single else type(loop_vars)(values) if isinstance(loop_vars, (list, tuple)) else values


def _as_tensor(value: Any) -> Any:
    return value if is_composite(value) else convert(value)


# ---- rows


def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """`fn` of each row of `elems` (nested tensors with as many rows each), its results stacked.

    Raises ValueError where the numbers of rows differ.

    >>> import tensorsmith as tf
    >>> tf.map_fn(lambda row: row * row, tf.constant([1, 2, 3])).numpy()
    array([1, 4, 9], dtype=int32)
    """
    rows = [convert(leaf) for leaf in nest.flatten(elems)]
    sizes = {row.shape[0] for row in rows if row.shape}
    if not rows or any(not row.shape for row in rows) or len(sizes - {None}) > 1:
        raise ValueError(
            explain("map_fn", "elems must be tensors with the same number of rows", {"elems": describe(elems)})
        )

    def call(parts: list[Tensor]) -> Any:
        return fn(nest.pack_sequence_as(elems, parts) if nest.is_nested(elems) else parts[0])

    if any(isinstance(row, Symbol) for row in rows):
        return _mapped(call, rows)
    if not rows[0].shape[0]:
        specs = fn_output_signature if fn_output_signature is not None else dtype
        return nest.map_structure(lambda s: _empty(s, rows[0]), specs if specs is not None else rows[0].dtype)
    results = [nest.map_structure(_as_tensor, call([row[at] for row in rows])) for at in range(rows[0].shape[0])]
    return nest.map_structure(lambda *parts: functions["stack"](list(parts)), *results)


def _empty(spec: Any, like: Tensor) -> Tensor:
    known = isinstance(spec, TensorSpec)
    shape = tuple(spec.shape) if known else tuple(like.shape)[1:]
    dtype = TensorSpec(shape, spec.dtype if known else spec).dtype
    return Tensor(np.zeros((0, *(size or 0 for size in shape)), dtype.numpy_dtype))


def _mapped(call: Callable[[list[Tensor]], Any], rows: list[Tensor]) -> Any:
    outer = _local.graph
    graph = Graph(outer, "map_fn")
    with context.tracing(graph):
        result = call([graph.input(tuple(row.shape)[1:], row.dtype) for row in rows])
        tensors, form = split(nest.map_structure(_as_tensor, result))
        program = graph.finish(tensors)
    if program.updates:
        raise ValueError(
            explain(
                "map_fn",
                "the function assigns to a variable",
                {"variables": [v.name for v, _ in program.updates]},
                way_out="Use a loop: for i in tf.range(n).",
            )
        )
    fixed = _closed([program])
    size = next((row.shape[0] for row in rows if row.shape[0] is not None), None)
    specs = [((size, *t.shape), t.dtype.numpy_dtype) for t in tensors]
    return form.pack(_node(outer, kernels.MAP, [rows, _operands(fixed)], {"body": program}, specs))
