"""What rewritten code looks like, where its errors point, what it is told, and why code is left alone."""

from __future__ import annotations

import ast
import linecache
import logging
import sys
import textwrap
import traceback

import numpy as np
import pytest

import tensorsmith as tf


def plain_one(x):
    if x > 0.0:
        y = x
    else:
        y = -x
    return y


def test_the_code_reads_like_code():
    assert tf.autograph.to_code(plain_one) == textwrap.dedent("""\
        def plain_one(x):
            if False:
                y = None

            def get_state():
                return (ag__.load(lambda: y, 'y'),)

            def set_state(state):
                nonlocal y
                y, = state

            def if_body():
                nonlocal y
                y = x

            def else_body():
                nonlocal y
                y = -x
            ag__.if_(x > 0.0, if_body, else_body, get_state, set_state, ('y',))
            return y
        """)


def documented(x, get_state=1, broken=2):
    """What it does."""
    # a comment
    for i in tf.range(3):
        if i == broken:
            break
        x = tf.square(x) + get_state
    return min(1 < x < 3, len("a"))


def test_names_of_the_user_are_not_taken_and_libraries_are_called_as_they_are():
    code = tf.autograph.to_code(documented)
    assert code.splitlines()[1] == '    """What it does."""' and "comment" not in code
    assert "def get_state_1():" in code and "broken_1 = False" in code
    assert "tf.range(3)" in code and "x = tf.square(x) + get_state" in code
    assert "return ag__.converted(min)(ag__.and_(1 < x, lambda: x < 3), ag__.converted(len)('a'))" in code
    ast.parse(code)


def test_the_code_of_lambdas_methods_functions_and_callables():
    class Holder:
        def call(self, x):
            return not x

        def __call__(self, x):
            return x and 1

    assert tf.autograph.to_code(lambda x: x if x > 0 else 1) == (
        "lambda x: ag__.if_expression(x > 0, lambda: x, lambda: 1)\n"
    )
    for method in (Holder.call, Holder().call, tf.function(Holder.call)):
        assert tf.autograph.to_code(method) == "def call(self, x):\n    return ag__.not_(x)\n"
    assert "return ag__.and_(x, lambda: 1)" in tf.autograph.to_code(Holder())
    with pytest.raises(TypeError, match=r"^tf.autograph.to_code takes a Python function, not 3"):
        tf.autograph.to_code(3)


def test_to_graph_gives_a_function_that_can_be_called_and_traced():
    made = tf.autograph.to_graph(plain_one)
    assert made(-3.0) == 3.0 and made.__name__ == "plain_one"
    assert tf.function(made, autograph=False)(tf.constant(-2.0)).numpy() == 2.0

    class Scaled:
        k = 2.0

        def call(self, x):
            return x * self.k if x > 0.0 else x

    assert tf.function(tf.autograph.to_graph(Scaled().call), autograph=False)(tf.constant(3.0)).numpy() == 6.0


# ---- errors point at the user's lines


def fails_deep(x):
    for _ in tf.range(3):
        while x < 10.0:
            if x > 0.0:
                y = (
                    x + tf.zeros([2]) * tf.zeros([3])  # here
                )
            x = x + 1.0
    return y


def test_every_frame_of_the_user_is_at_its_line():
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.function(fails_deep)(tf.constant(1.0))
    frames = [
        f for f in traceback.extract_tb(caught.value.__traceback__) if f.filename == __file__ and f.name == "fails_deep"
    ]
    assert [f.line for f in frames] == [
        "for _ in tf.range(3):",
        "while x < 10.0:",
        "if x > 0.0:",
        "x + tf.zeros([2]) * tf.zeros([3])  # here",
    ]


def test_breakpoints_and_coverage_see_the_users_lines():
    seen = set()

    def tracer(frame, event, argument):
        if frame.f_code.co_filename == __file__ and frame.f_code.co_name == "plain_one":
            seen.add(frame.f_lineno - plain_one.__code__.co_firstlineno)
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        tf.function(plain_one)(tf.constant(1.0))
    finally:
        sys.settrace(before)
    assert {1, 2, 4, 5} <= seen  # both branches are run while it is traced


# ---- what loops are told


def test_shape_invariants():
    @tf.function
    def grow(v, n):
        total = 0
        for i in tf.range(n):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(v, tf.TensorShape([None]))])
            v = tf.concat([v, [i]], 0)
            total += i
        return v, total

    for n in (0, 4):
        v, total = grow(tf.constant([7]), tf.constant(n))
        assert v.numpy().tolist() == [7, *range(n)] and total.numpy() == sum(range(n))


@pytest.mark.parametrize("limit", [0, 3, 50])
def test_maximum_iterations(limit):
    @tf.function
    def counted(x):
        n, m = 0, 0
        for _ in tf.range(10):
            tf.autograph.experimental.set_loop_options(maximum_iterations=limit)
            n += 1
            while x > 0.0:
                tf.autograph.experimental.set_loop_options(maximum_iterations=limit, parallel_iterations=1)
                x -= 1.0
                m += 1
        return n, m

    n, m = counted(tf.constant(20.5))
    rounds = min(limit, 10)
    assert (n.numpy(), m.numpy()) == (rounds, min(21, rounds * limit))


def test_options_of_loops_that_python_runs_are_ignored():
    @tf.function
    def counted(x):
        for _ in range(4):
            tf.autograph.experimental.set_loop_options(maximum_iterations=2)
            x += 1.0
        return x

    assert counted(tf.constant(0.0)).numpy() == 4.0
    tf.autograph.experimental.set_loop_options(maximum_iterations=2)


def test_options_that_name_no_variable_of_the_loop():
    @tf.function
    def f(x, other):
        for _ in tf.range(3):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(other, [None])])
            x = x + 1.0
        return x

    with pytest.raises(
        ValueError, match="set_loop_options: shape_invariants names a value that is no variable of the loop"
    ):
        f(tf.constant(1.0), tf.constant([1.0]))


def test_a_loop_written_out_is_warned_of_once_it_is_long():
    @tf.function
    def f(x):
        for _ in range(3001):
            x = x + 1.0
        return x

    with pytest.warns(UserWarning, match="more than 3000 rounds is being written out") as caught:
        f.get_concrete_function(tf.TensorSpec([], tf.float32))
    assert caught[0].filename == __file__


# ---- asserts and prints


def test_an_assert_is_checked_when_the_program_runs():
    @tf.function
    def f(x):
        for i in tf.range(3):
            assert x > tf.cast(i, tf.float32), f"x is small {1 + 1}"
        return x

    assert f(tf.constant(5.0)).numpy() == 5.0
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"x is small 2.*test_autograph_code.py"):
        f(tf.constant(1.5))

    @tf.function
    def python(x, n):
        assert n > 2, "n"
        return x

    with pytest.raises(AssertionError, match=r"^n$") as caught:
        python(tf.constant(1.0), 1)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].line == 'assert n > 2, "n"'


def test_print_runs_while_tracing_unless_it_is_asked_for(capfd):
    def f(x):
        print("x", x)
        for i in tf.range(2):
            print(i, "of", 2, sep="-")
        return x

    traced = tf.function(f)
    traced(tf.constant(1.0)), traced(tf.constant(2.0))
    first = capfd.readouterr().out
    assert first.count("x Tensor(") == 1
    asked = tf.function(f, experimental_autograph_options=tf.autograph.experimental.Feature.BUILTIN_FUNCTIONS)
    asked(tf.constant(1.0)), asked(tf.constant(2.0))
    assert capfd.readouterr().out.splitlines() == ["x 1", "0-of-2", "1-of-2", "x 2", "0-of-2", "1-of-2"]


def test_trace_and_verbosity(capsys, caplog):
    def f(x):
        tf.autograph.trace("tracing", 3)
        return x if x > 0.0 else -x

    caplog.set_level(logging.INFO, "tensorsmith")
    tf.autograph.set_verbosity(10, alsologtostdout=True)
    try:
        traced = tf.function(f)
        traced(tf.constant(1.0)), traced(tf.constant(2.0))
    finally:
        tf.autograph.set_verbosity(0)
    out = capsys.readouterr().out
    assert out.count("tracing 3\n") == 1
    assert f"f ({__file__}:" in out and "ag__.if_expression" in out and "ag__.if_expression" in caplog.text


# ---- what is left alone, and why


def unconverted(function, *args, **settings):
    with pytest.raises(TypeError, match=r"^The (truth value|number of rows) of a symbolic tensor") as caught:
        tf.function(function, **settings)(*args)
    return str(caught.value)


def test_code_without_a_source_says_so():
    space = {}
    exec("def absolute(x):\n    if x > 0:\n        return x\n    return -x", space)
    message = unconverted(space["absolute"], tf.constant(1.0))
    assert "AutoGraph left absolute (<string>:2) as it is: code made by exec has no source text" in message
    with pytest.raises(ValueError, match=r"^absolute cannot be rewritten: code made by exec has no source text"):
        tf.autograph.to_code(space["absolute"])


@pytest.mark.parametrize(
    "filename", ["<ipython-input-7-0123456789ab>", "/tmp/ipykernel_77/1234567.py", "<python-input-3>"]
)
def test_code_of_a_cell_has_the_source_that_the_notebook_keeps(filename):
    text = "def absolute(x):\n    if x > 0:\n        return x\n    return tf.zeros([2]) + x + tf.zeros([3])\n"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    space = {"tf": tf}
    try:
        exec(compile(text, filename, "exec"), space)
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            tf.function(space["absolute"])(tf.constant(1.0))
        frames = [f for f in traceback.extract_tb(caught.value.__traceback__) if f.filename == filename]
        assert [f.lineno for f in frames] == [2, 4] and frames[-1].line.startswith("return tf.zeros([2])")
    finally:
        del linecache.cache[filename]


def test_a_source_that_was_changed_is_not_used():
    filename = "<a cell that was changed>"
    space = {}
    exec(compile("def f(x):\n    if x > 0: return x\n    return -x\n", filename, "exec"), space)
    linecache.cache[filename] = (1, None, ["def f(x, y):\n", "    return y\n"], filename)
    try:
        assert "as if the file had been changed" in unconverted(space["f"], tf.constant(1.0))
    finally:
        del linecache.cache[filename]


def test_generators_are_left_alone():
    def rows(x):
        for i in range(2):
            if x > 0.0:
                yield i

    assert "generators and coroutines run as Python runs them" in unconverted(lambda x: list(rows(x)), tf.constant(1.0))


@pytest.mark.parametrize(
    "function",
    [lambda x: [1 for v in [x] if v > 0.0], lambda x: x in [1.0], lambda x: [v + 0.0 for v in x]],
    ids=["comprehension", "in", "rows of unknown number"],
)
def test_what_only_python_decides(function):
    x = tf.TensorSpec([None], tf.float32) if function(tf.constant([1.0])) == [1.0] else None
    with pytest.raises(TypeError, match="AutoGraph rewrites if, while, for, and, or, not and assert"):
        traced = tf.function(function, input_signature=None if x is None else [x])
        traced(tf.constant(1.0) if x is None else tf.constant([1.0]))


def test_do_not_convert():
    @tf.autograph.experimental.do_not_convert
    def plain(x, k=2.0):
        """Doc."""
        return x * k if x > 0.0 else -x

    assert plain(-1.0) == 1.0 and plain.__name__ == "plain" and plain.__doc__ == "Doc."
    message = unconverted(lambda x: plain(x), tf.constant(1.0))
    assert "AutoGraph did not rewrite plain" in message and "do_not_convert or autograph=False" in message

    class Holder:
        @tf.autograph.experimental.do_not_convert()
        def call(self, x):
            return x if x > 0.0 else -x

        def other(self, x):
            return x if x > 0.0 else -x

    assert Holder().call(-2.0) == 2.0
    unconverted(lambda x: Holder().call(x), tf.constant(1.0))
    bound = tf.autograph.experimental.do_not_convert(Holder().other)
    assert bound(-2.0) == 2.0
    unconverted(lambda x: bound(x), tf.constant(1.0))
    assert "autograph=False" in unconverted(plain_one, tf.constant(1.0), autograph=False)


def test_functions_given_to_operations_are_rewritten():
    @tf.function
    def f(x):
        rows = tf.map_fn(plain_one, x)
        total = tf.while_loop(lambda i, s: i < 3, counted, [0, 0.0])[1]
        return tf.reduce_sum(rows) + total + tf.cond(x[0] > 0.0, lambda: plain_one(x[1]), lambda: 0.0)

    def counted(i, s):
        if s > 1.0:
            return i + 1, s * 2.0
        return i + 1, s + 1.0

    assert f(tf.constant([1.0, -2.0, 3.0])).numpy() == 6.0 + 4.0 + 2.0


def test_attributes_stay_as_they_were_where_a_branch_fails():
    class Holder:
        n = 1.0

    holder = Holder()

    @tf.function
    def f(x):
        if x > 0.0:
            holder.n = x
            raise KeyError("mine")
        return x

    with pytest.raises(KeyError):
        f(tf.constant(1.0))
    assert holder.n == 1.0


def test_an_attribute_that_only_one_branch_sets_is_not_there_afterwards():
    class Holder:
        pass

    holder = Holder()

    @tf.function
    def f(x):
        if x > 0.0:
            holder.n = x
        return x, hasattr(holder, "n")

    assert np.asarray(f(tf.constant(1.0))[1]) == np.False_ and not hasattr(holder, "n")
