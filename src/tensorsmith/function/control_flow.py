"""cond, case, switch_case, while_loop: Python while values are known, nodes that hold sub-programs in a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function import control_kernels as kernels
from tensorsmith.function.carrying import Carried
from tensorsmith.function.composites import held, is_composite
from tensorsmith.function.merging import PLAIN, RETURNED, Branches, fill
from tensorsmith.function.subprograms import closed, commit, give_written, node, operands, written
from tensorsmith.ops.debugging import assert_less, assert_positive
from tensorsmith.ops.guards import note_span
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local
# a body is traced again while the shapes that it carries change: each time one gets wider, so few rounds settle them
ROUNDS = 16


def is_open(value: Any) -> bool:
    """True for a value that decides about a branch or a loop only when the program runs."""
    return isinstance(held(value), Symbol)


# ---- branches


def branch(predicate: Any, then: Callable[[], Any], otherwise: Callable[[], Any], names: Any = None) -> Any:
    """The value of `then()` or of `otherwise()`, as the predicate, a symbol, will say.

    names  what the parts of the value are called in messages; the value is a sequence then.
    """
    return _branches(scalar(predicate, "cond"), [then, otherwise], ["if", "else"], names)


def _branches(deciding: Tensor, bodies: list[Callable[[], Any]], labels: list[str], names: Any = None) -> Any:
    """The value of one of several bodies: a boolean takes the first where it is true, a number the one of its place."""
    outer = _local.graph
    graphs, values = [], []
    for body in bodies:
        graph = Graph(outer, "branch")
        with context.tracing(graph):
            values.append(body())
        graphs.append(graph)
    merged = Branches(labels)
    with context.tracing(outer):
        if names is None:
            form = merged.merge(values, RETURNED)
        else:
            form = tuple(merged.merge(list(parts), name) for *parts, name in zip(*values, names))
    programs = []
    for graph, tensors in zip(graphs, merged.sides):
        with context.tracing(graph):
            programs.append(graph.finish(tensors))
    variables = written(programs)
    for program in programs:
        give_written(program, variables)
    sources = closed(programs)
    specs = merged.specs() + [(tuple(v.shape), v.dtype.numpy_dtype) for v in variables]
    settings: dict[str, Any] = {"late": tuple(merged.late)}
    if deciding.dtype.is_bool:
        settings = {"then": programs[0], "otherwise": programs[1], **settings}
    else:
        settings = {"branches": tuple(programs), **settings}
    kernel = kernels.COND if deciding.dtype.is_bool else kernels.SWITCH
    results = node(outer, kernel, [deciding, operands(sources)], settings, specs)
    count = len(merged.sides[0])
    commit(variables, results[count:])
    return fill(form, results[:count])


def scalar(predicate: Any, who: str) -> Tensor:
    """A condition as one boolean; ValueError where it is none."""
    predicate = held(predicate)
    if predicate is None or nest.is_nested(predicate) or is_composite(predicate):
        raise TypeError(explain(who, "the condition must be a single boolean", {"condition": describe(predicate)}))
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


def _tensors(body: Callable[[], Any]) -> Callable[[], Any]:
    """A body whose numbers and strings are tensors, as TensorFlow gives them back from a branch of a program."""
    return lambda: nest.map_structure(lambda v: convert(v) if isinstance(v, PLAIN) else v, body())


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """`true_fn()` where `pred` is true, else `false_fn()`.

    In a traced function both are traced and one is run; they must give the same form and dtypes.
    Raises TypeError where a function is missing or the results differ in form or dtype, ValueError where they differ
    in rank or `pred` is not a single value.

    >>> import tensorsmith as tf
    >>> tf.cond(tf.constant(2) > 1, lambda: "more", lambda: "less")
    'more'
    """
    for function, label in ((true_fn, "true_fn"), (false_fn, "false_fn")):
        if not callable(function):
            raise TypeError(explain("cond", f"{label} must be callable", {label: describe(function)}))
    assert true_fn is not None and false_fn is not None
    if is_open(pred):
        return branch(pred, _tensors(true_fn), _tensors(false_fn))
    return true_fn() if bool(scalar(pred, "cond")) else false_fn()


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str | None = None,
) -> Any:
    """The function of the first true predicate; `default` where none is.

    exclusive  True: more than one true predicate is an error.
    strict     False: a list or tuple of one value is given back as that value.

    Raises InvalidArgumentError where none is true and there is no default, or, with `exclusive`, more than one is
    (in a traced function when it runs); TypeError for what is no pair of a predicate and a function.

    >>> import tensorsmith as tf
    >>> x = tf.constant(5)
    >>> tf.case([(x < 3, lambda: "low"), (x < 8, lambda: "middle")], default=lambda: "high")
    'middle'
    """
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    if not pairs:
        raise ValueError(explain("case", "there is no predicate", "", "", "Call the default function itself."))
    predicates, bodies = [], []
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not callable(pair[1]):
            raise TypeError(explain("case", "each pair must be a predicate and a callable", {"pair": describe(pair)}))
        predicates.append(pair[0].deref() if hasattr(pair[0], "deref") else pair[0])
        bodies.append(pair[1])
    if default is not None and not callable(default):
        raise TypeError(explain("case", "default must be callable", {"default": describe(default)}))
    flags = [scalar(predicate, "case") for predicate in predicates]
    number = functions["add_n"]([functions["cast"](flag, "int32") for flag in flags])
    if exclusive:
        assert_less(number, 2, "more than one predicate is true; exclusive=False takes the first")
    if default is None:
        assert_positive(number, "no predicate is true and there is no default")
    if not any(map(is_open, flags)):
        body = next((body for flag, body in zip(flags, bodies) if bool(flag)), default)
        assert body is not None
        return body() if strict else _single(body())
    # the place of the first that is true
    place = convert(len(flags))
    for at in reversed(range(len(flags))):
        place = functions["where"](functions["reshape"](flags[at], ()), convert(at), place)
    labels = [f"case {at}" for at in range(len(bodies))]
    if default is not None:
        bodies, labels = [*bodies, default], [*labels, "default"]
    result = _branches(place, list(map(_tensors, bodies)), labels)
    return result if strict else _single(result)


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple)) and not hasattr(value, "_fields") and len(value) == 1 else value


def switch_case(
    branch_index: Any, branch_fns: Any, default: Callable[[], Any] | None = None, name: str = "switch_case"
) -> Any:
    """The function whose number is `branch_index`; `default`, or the last, where there is none of that number.

    branch_fns  a list of functions, or a dict (or pairs) from 0, 1, 2, ... to functions.

    Raises TypeError for an index that is no integer or a branch that is not callable, ValueError where the numbers
    have gaps.

    >>> import tensorsmith as tf
    >>> tf.switch_case(tf.constant(1), [lambda: 10, lambda: 20])
    20
    """
    fns = branch_fns
    if isinstance(fns, dict):
        fns = list(fns.items())
    elif fns and not callable(fns[0]) and isinstance(fns[0], (tuple, list)):
        fns = list(fns)
    else:
        fns = list(enumerate(fns))
    fns = sorted((int(key), function) for key, function in fns) if len({int(k) for k, _ in fns}) == len(fns) else fns
    if not fns:
        raise ValueError(explain("switch_case", "there is no branch"))
    keys = [int(key) for key, _ in fns]
    if keys != list(range(len(fns))):
        raise ValueError(
            explain(
                "switch_case", "the numbers of the branches have gaps", {"numbers": keys}, "they must be 0, 1, 2, ..."
            )
        )
    bodies = [function for _, function in fns]
    for body in [*bodies, *([] if default is None else [default])]:
        if not callable(body):
            raise TypeError(explain("switch_case", "each branch must be callable", {"branch": describe(body)}))
    index = convert(branch_index)
    if not index.dtype.is_integer or index.shape.num_elements() not in (1, None):
        raise TypeError(
            explain(
                "switch_case", "the index must be one integer", {"branch_index": describe(index)}, "", "Use tf.cast."
            )
        )
    labels = [f"branch {key}" for key in keys]
    if default is not None:
        bodies, labels = [*bodies, default], [*labels, "default"]
    if is_open(index):
        return _branches(index, list(map(_tensors, bodies)), labels)
    at = int(index)
    return bodies[at if 0 <= at < len(bodies) else -1]()


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

    test    says from the values whether there is another round; None with a count alone.
    count   the number of rounds at most: the body takes the number of the round in front then.
    shapes  the static shape that each tensor must keep, None for one that may be found out.
    """

    def step(number: Tensor | None, state: list[Any], row: list[Tensor]) -> tuple[list[Any], list[Tensor]]:
        return list(body(*state) if number is None else body(number, *state)), []

    return carry(test, step, Carried(values, names, shapes), count)[0]


Step = Callable[[Any, list[Any], list[Tensor]], tuple[list[Any], list[Tensor]]]


def carry(
    test: Callable[..., Any] | None,
    body: Step,
    carried: Carried,
    count: Any = None,
    rows: list[Tensor] | None = None,
    reverse: bool = False,
) -> tuple[list[Any], list[Tensor]]:
    """One loop as a node of the graph being traced: the last state, and what each round gives besides, stacked.

    body  (number of the round or None, state, that row of each of `rows`) -> (state, tensors given besides).
    rows  tensors of which each round takes a row; None for rounds that are counted or tested.
    """
    outer = _local.graph
    given: list[Tensor] = []
    for _ in range(ROUNDS):
        graph = Graph(outer, "loop")
        with context.tracing(graph):
            number = None if count is None and rows is None else graph.input((), "int32")
            if number is not None:
                note_span(number, 0, (rows[0].shape[0] if count is None else count))  # type: ignore[index]
            inputs = [graph.input(shape, dtype) for shape, dtype in carried.specs()]
            row: list[Tensor] = [graph.input(tuple(r.shape)[1:], r.dtype) for r in rows or []]
            state, given = body(number, carried.pack(inputs), row)
            outputs = carried.settle(state)
        if outputs is not None:
            break
    else:
        raise TypeError(
            explain(
                "loop", "what it carries does not settle", {"variables": carried.names}, "", "Give shape_invariants."
            )
        )
    body_graph, testing = graph, None
    if test is not None:
        graph = Graph(outer, "test")
        with context.tracing(graph):
            inputs = [graph.input(shape, dtype) for shape, dtype in carried.specs()]
            answer = scalar(test(*carried.pack(inputs)), "while_loop")
            testing = graph.finish([answer])
        if testing.updates:
            return _with_answer(test, body, carried, count)
    return _loop_node(body_graph, testing, outputs, given, carried, count, rows, reverse)


def _with_answer(test: Callable[..., Any], body: Step, carried: Carried, count: Any) -> tuple[list[Any], list[Tensor]]:
    """The same loop where the test assigns to variables: its answer is carried, and asked for at the end of a round."""
    first = scalar(test(*carried.pack([c.first for c in carried.carries])), "while_loop")

    def step(number: Any, state: list[Any], row: list[Tensor]) -> tuple[list[Any], list[Tensor]]:
        after, given = body(number, state[:-1], row)
        return [*after, scalar(test(*after), "while_loop")], given

    state, given = carry(lambda *state: state[-1], step, carried.extended(first, "the condition"), count)
    return state[:-1], given


def _loop_node(
    graph: Graph,
    testing: Any,
    outputs: list[Tensor],
    given: list[Tensor],
    carried: Carried,
    count: Any,
    rows: list[Tensor] | None,
    reverse: bool,
) -> tuple[list[Any], list[Tensor]]:
    outer, size = _local.graph, len(carried.carries)
    with context.tracing(graph):
        program = graph.finish([*outputs, *given])
    programs = [program] if testing is None else [program, testing]
    variables = written(programs)
    besides = program.outputs[size:]
    program.outputs = program.outputs[:size]
    give_written(program, variables)
    program.outputs += besides
    fixed = closed(programs, variables)
    if rows:
        # carried values stand in front of the rows, those of variables among them
        at = 1 + size
        row, state = program.inputs[at : at + len(rows)], program.inputs[at + len(rows) :][: len(variables)]
        program.inputs[at : at + len(rows) + len(variables)] = [*state, *row]
    first = [c.first for c in carried.carries] + [variable._read() for variable in variables]
    specs = [(shape, dtype.numpy_dtype) for shape, dtype in carried.specs()]
    specs += [(tuple(v.shape), v.dtype.numpy_dtype) for v in variables]
    settings: dict[str, Any] = {"test": testing, "body": program, "late": carried.late()}
    if count is None and rows is None:
        results = node(outer, kernels.WHILE, [first, operands(fixed)], settings, specs)
    else:
        length = next((r.shape[0] for r in rows or [] if r.shape[0] is not None), None)
        specs += [((length, *t.shape), t.dtype.numpy_dtype) for t in given]
        settings["reverse"] = reverse
        if count is None:
            count = length if length is not None else functions["shape"](rows[0])[0]  # type: ignore[index]
        results = node(outer, kernels.FOR, [convert(count), first, rows or [], operands(fixed)], settings, specs)
    stacked = len(results) - len(given)
    commit(variables, results[size:stacked])
    return carried.pack(results[:size]), results[stacked:]


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

    shape_invariants    the shape that each tensor keeps (`tf.TensorShape([None, 3])`), in the structure of loop_vars; what
                        is not said is found out from the body, whose sizes may change, not its number of axes.
    maximum_iterations  how many rounds at most.

    It has derivatives of any order: a loop whose length is known only when it runs keeps a fixed number of its states
    and runs stretches of rounds again.

    Raises TypeError where the body changes a dtype, ValueError where it changes a structure, a rank or a shape that is
    to be kept, or gives another number of values; each names the variable.

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
        return _as_state(body(*state), values)

    if context.executing_eagerly() and not any(is_open(v) for v in nest.flatten(values)):
        rounds = 0
        limit = None if maximum_iterations is None else int(convert(maximum_iterations))
        while (limit is None or rounds < limit) and bool(scalar(cond(*values), "while_loop")):
            values, rounds = step(*values), rounds + 1
        values = nest.map_structure(_as_tensor, values)
    else:
        names = [f"loop_vars[{at}]" for at in range(len(values))]
        shapes = None if shape_invariants is None else _invariants(shape_invariants, loop_vars)
        values = nest.map_structure(lambda v: convert(v) if isinstance(v, PLAIN) else v, values)
        if maximum_iterations is None:
            values = loop(cond, step, values, names, shapes=shapes)
        else:
            values = loop(cond, lambda number, *state: step(*state), values, names, maximum_iterations, shapes)
    if single:
        return values[0]
    return type(loop_vars)(*values) if hasattr(loop_vars, "_fields") else type(loop_vars)(values)


def _as_state(result: Any, values: list[Any]) -> list[Any]:
    """What a body gave as a list with one entry for each loop variable."""
    if len(values) == 1:
        # one variable may be given bare, also one that is a list itself
        whole = isinstance(result, (list, tuple)) and len(result) == 1
        if not whole or nest.is_nested(values[0]) and not nest.is_nested(result[0]):
            return [result]
        return list(result)
    if not isinstance(result, (list, tuple)) or len(result) != len(values):
        raise ValueError(
            explain(
                "while_loop",
                "the body gave another number of values than there are loop variables",
                {"given": len(result) if isinstance(result, (list, tuple)) else 1, "loop_vars": len(values)},
                "it must give back one for each, in their order",
            )
        )
    return list(result)


def _invariants(given: Any, loop_vars: Any) -> list[Any]:
    """One shape for each tensor of the loop variables; None for the parts of a ragged or sparse tensor or an array."""
    single = not isinstance(loop_vars, (list, tuple))
    shapes = [given] if single and not isinstance(given, (list, tuple)) else given
    leaves = nest.flatten([loop_vars] if single else list(loop_vars))
    flat = nest.flatten(list(shapes)) if isinstance(shapes, (list, tuple)) else nest.flatten(shapes)
    if len(flat) != len(leaves):
        raise ValueError(
            explain(
                "while_loop",
                "shape_invariants has another structure than loop_vars",
                {"shape_invariants": len(flat), "loop_vars": len(leaves)},
                "there is one shape for each tensor, tf.TensorShape([None]) for one axis of any size",
            )
        )
    found: list[Any] = []
    for leaf, shape in zip(leaves, flat):
        found.extend([None] * len(leaf._parts()) if is_composite(leaf) else [getattr(shape, "shape", shape)])
    return found


def _as_tensor(value: Any) -> Any:
    return value if is_composite(value) or value is None else convert(value)
