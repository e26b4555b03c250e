"""Which call means which trace: signatures, retracing, relaxed sizes, and what a storm of traces tells."""

from __future__ import annotations

import collections
import dataclasses
import functools
import gc
import warnings
import weakref

import numpy as np
import pytest

import tensorsmith as tf

Spec = tf.TensorSpec
Pair = collections.namedtuple("Pair", "x y")


def traced(calls, **settings) -> list[int]:
    """How many traces there are after each of some calls of one function."""
    seen = []

    @tf.function(**settings)
    def f(x, y=None, **more):
        seen.append(1)
        return x

    counts = []
    for call in calls:
        f(**call) if isinstance(call, dict) else f(*call)
        counts.append(len(seen))
    assert f.experimental_get_tracing_count() == len(seen)
    return counts


class Plain:
    pass


class Valued:
    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return self.value == other.value

    def __hash__(self):
        return hash(self.value)


@dataclasses.dataclass
class Record:
    number: int
    value: object


X = tf.constant(1.0)
PLAIN, VALUE = Plain(), Valued(1)
RETRACES = {
    "values": ([(X, 1), (X, 1), (X, 2), (X, 1.0), (X, True), (X, "a"), (X, None), (X, 1)], [1, 1, 2, 3, 4, 5, 6, 6]),
    "arrays are tensors": ([(np.array(1.0, "f"),), (np.float32(2),), (X,), (np.ones(3, "f"),)], [1, 1, 1, 2]),
    "nan": ([(X, float("nan")), (X, float("nan")), (X, 0.0), (X, -0.0)], [1, 1, 2, 3]),
    "lists": ([([1, 2],), ([1, 2],), ((1, 2),), ([X, X],), ([X, 2 * X],)], [1, 1, 2, 3, 3]),
    "order of keys": ([({"a": X, "b": 2.0 * X},), ({"b": X, "a": X},)], [1, 1]),
    "order of keywords": ([{"x": X, "a": 1, "b": 2}, {"x": X, "b": 2, "a": 1}], [1, 1]),
    "objects": ([(X, PLAIN), (X, PLAIN), (X, Plain())], [1, 1, 2]),
    "equal objects": ([(X, VALUE), (X, Valued(1)), (X, Valued(2))], [1, 1, 2]),
    "records": ([(X, Record(1, X)), (X, Record(1, 2.0 * X)), (X, Record(2, X))], [1, 1, 2]),
    "named tuples": ([(X, Pair(1, X)), (X, Pair(1, 2.0 * X)), (X, (1, X))], [1, 1, 2]),
    "functions and dtypes": ([(X, len), (X, len), (X, tf.int32), (X, tf.int32), (X, abs)], [1, 1, 2, 2, 3]),
    "slices and ranges": ([(X, slice(1, 2)), (X, slice(1, 2)), (X, range(3)), (X, range(3))], [1, 1, 2, 2]),
}


@pytest.mark.parametrize("case", RETRACES)
def test_what_is_traced_anew(case: str) -> None:
    calls, counts = RETRACES[case]
    assert traced(calls) == counts


def test_dicts_in_another_order_keep_their_values() -> None:
    f = tf.function(lambda d: d["a"] - d["b"])
    assert f({"a": tf.constant(5), "b": tf.constant(3)}).numpy() == 2
    assert f({"b": tf.constant(3), "a": tf.constant(5)}).numpy() == 2 and f.experimental_get_tracing_count() == 1


def test_variables_are_known_by_identity() -> None:
    f = tf.function(lambda v: v.assign_add(1.0))
    v, w = tf.Variable(1.0), tf.Variable(10.0)
    f(v), f(w), f(v)
    assert (v.numpy(), w.numpy()) == (3.0, 11.0)


def test_a_form_for_unknown_sizes_serves_them_all() -> None:
    f = tf.function(lambda x: tf.reduce_sum(x))
    general = f.get_concrete_function(Spec([None], tf.float32))
    assert [f(tf.ones([n])).numpy() for n in (1, 3)] == [1.0, 3.0] and f.experimental_get_tracing_count() == 1
    assert f.get_concrete_function(Spec([2], tf.float32)) is general
    f(tf.ones([2, 2]))
    assert f.experimental_get_tracing_count() == 2


def test_reduce_retracing_relaxes_sizes_that_changed() -> None:
    shapes = [(1, 2), (2, 2), (3, 2), (3, 3), (3, 5), (3, 5, 1)]
    for name in ("reduce_retracing", "experimental_relax_shapes"):
        assert traced([(tf.ones(shape),) for shape in shapes], **{name: True}) == [1, 2, 2, 3, 3, 4]
    assert traced([(tf.ones([n]),) for n in (1, 2, 3, 1)]) == [1, 2, 3, 3]
    f = tf.function(lambda x: tf.reduce_sum(x * 2.0), reduce_retracing=True)
    assert [f(tf.ones([n])).numpy() for n in (1, 2, 5)] == [2.0, 4.0, 10.0]


@pytest.mark.parametrize(("value", "text"), [({1}, "its order is not fixed"), ((n for n in [1]), "would be used up")])
def test_what_cannot_be_an_argument(value: object, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        tf.function(lambda x: 1)(value)


def test_objects_are_let_go_and_their_traces_with_them() -> None:
    f = tf.function(lambda x, o: x)
    thing = Plain()
    f(X, thing)
    gone = weakref.ref(thing)
    del thing
    gc.collect()
    assert gone() is None
    f(X, PLAIN)
    assert len(f._forms.exact) == 1 and len(f._forms.kinds) == 1
    f(X, PLAIN)
    assert f.experimental_get_tracing_count() == 2


# ---- input_signature


def test_input_signature_traces_once_and_takes_what_fits() -> None:
    seen = []

    @tf.function(input_signature=[Spec([None], tf.float32), {"k": Spec([], tf.int32, name="key")}])
    def f(x, d, by=2.0):
        seen.append(1)
        return tf.reduce_sum(x) * by + tf.cast(d["k"], tf.float32)

    for x in (tf.constant([1.0, 2.0]), [1.0, 2.0], np.array([1.0, 2.0]), tf.Variable([1.0, 2.0])):
        assert f(x, {"k": 3}).numpy() == f(d={"k": tf.constant(3)}, x=x).numpy() == 9.0
    assert len(seen) == 1
    args, kwargs = f.get_concrete_function().structured_input_signature
    assert args == (Spec([None], tf.float32), {"k": Spec([], tf.int32)}, 2.0) and not kwargs
    assert args[1]["k"].name == "key" and args[0].name == "x"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((tf.constant([1]),), r"the argument 'x' does not fit .*given=int32\(1,\).* Convert: tf.cast\(x, tf.float32\)"),
        ((tf.constant(1.0),), r"the argument 'x' does not fit the input_signature \(given=float32\(\)"),
        (("a",), r"the argument 'x' does not fit the input_signature \(given='a'"),
        ((None,), r"the argument 'x' does not fit the input_signature \(given=None"),
        ((), r"f\(\): missing a required argument: 'x'"),
        (([1.0], 3), r"the argument 'y' is not in the input_signature and keeps its default \(given=3, default=2\)"),
        (([1.0], 2, 5), r"f\(\): too many positional arguments"),
    ],
)
def test_input_signature_refuses_what_does_not_fit(args: tuple, text: str) -> None:
    @tf.function(input_signature=[Spec([None])])
    def f(x, y=2):
        return x

    with pytest.raises(TypeError, match=text):
        f(*args)


def test_a_form_is_asked_for_by_specs_that_fit_the_input_signature() -> None:
    f = tf.function(lambda x: x * 2.0, input_signature=[Spec([None])])
    form = f.get_concrete_function()
    assert f.get_concrete_function(Spec([None])) is form is f.get_concrete_function(Spec([3], name="x"))
    for strange in (Spec([None, 2]), Spec([None], tf.int32)):
        with pytest.raises(TypeError, match="the argument 'x' does not fit the input_signature"):
            f.get_concrete_function(strange)


def test_nested_input_signature_names_the_place() -> None:
    f = tf.function(lambda d: d["a"], input_signature=[{"a": Spec([2])}])
    with pytest.raises(TypeError, match=r"the argument \"d\['a'\]\" does not fit"):
        f({"a": [1.0]})
    with pytest.raises(TypeError, match="the argument 'd' does not nest like the input_signature"):
        f({"b": [1.0]})


def test_input_signatures_that_are_none() -> None:
    for wrong, text in (
        (3, "must be a list or a tuple"),
        ([3], "must hold TensorSpecs"),
        ([Spec([])] * 2, "has 1 Tenso"),
    ):
        with pytest.raises(TypeError, match=text):
            tf.function(lambda x: x, input_signature=wrong)


def test_input_signature_of_a_method() -> None:
    class Scale:
        def __init__(self, by):
            self.by = by

        @tf.function(input_signature=[Spec([None])])
        def __call__(self, x):
            return x * self.by

    two, three = Scale(2.0), Scale(3.0)
    assert two([1.0]).numpy().tolist() == [2.0] and three([1.0, 2.0]).numpy().tolist() == [3.0, 6.0]
    assert two.__call__.experimental_get_tracing_count() == 1


# ---- storms


def warned(f, calls) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for call in calls:
            f(*call)
    assert all(w.filename == __file__ for w in caught)
    return [str(w.message) for w in caught]


def test_a_storm_of_traces_is_told_once() -> None:
    @tf.function
    def f(x, n):
        return x

    assert not warned(f, [(X, n) for n in range(8)])
    assert warned(f, [(X, n) for n in range(8, 20)]) == [
        "f: traced 9 times, which takes longer than running it; the argument 'n' is the Python number 8 now and was the "
        "Python number 7 before. Each Python number is a trace of its own: pass a tensor, tf.constant(n)."
    ]


@pytest.mark.parametrize(
    ("calls", "text"),
    [
        ([({"k": tf.ones([n])},) for n in range(9)],
         "the argument \"x['k']\" is a tensor float32(8,) now and was a tensor float32(7,) before. Sizes that change: "
         "tf.function(reduce_retracing=True), or input_signature=[tf.TensorSpec([None], tf.float32)]."),
        ([(Plain(),) for _ in range(9)], "Each object is a trace of its own: make it once, outside of the loop"),
        ([("a" * n,) for n in range(9)], "is 'aaaaaaaa' now and was 'aaaaaaa' before. Each value is a trace of its own"),
        ([([X] * n,) for n in range(1, 10)], "the argument 'x[8]' is a tensor float32() now."),
    ],
)  # fmt: skip
def test_a_storm_names_what_changed(calls: list, text: str) -> None:
    (message,) = warned(tf.function(lambda x: 1.0), calls)
    assert text in message


# ---- what a function may be


def test_every_kind_of_callable() -> None:
    class Many:
        @property
        @tf.function
        def by_property(self):
            return tf.constant(1)

        @staticmethod
        @tf.function
        def static(x):
            return x + 1

        @tf.function
        @staticmethod
        def static_inside(x):
            return x + 2

        @classmethod
        @tf.function
        def of_class(cls, x):
            return x + len(cls.__name__)

        def __call__(self, x):
            return x * 2

    many = Many()
    assert many.by_property.numpy() == many.by_property.numpy() == 1
    assert [many.static(1).numpy(), Many.static(1).numpy(), many.static_inside(1).numpy()] == [2, 2, 3]
    assert Many().static_inside(1).numpy() == 3 and many.static_inside.experimental_get_tracing_count() == 1
    assert many.of_class(1).numpy() == Many.of_class(1).numpy() == 5
    assert tf.function(many)(tf.constant(3)).numpy() == 6
    assert tf.function(functools.partial(lambda a, b: a - b, 10))(tf.constant(3)).numpy() == 7
    assert tf.function(tf.function(lambda x: x + 1))(tf.constant(3)).numpy() == 4
    assert tf.function(lambda x, *, by: x * by)(tf.constant(3), by=tf.constant(2)).numpy() == 6
    assert tf.function(lambda *values: tf.add_n(values))(tf.constant(3), tf.constant(2)).numpy() == 5
    with pytest.raises(TypeError, match=r"tf.function takes a function, not 3"):
        tf.function(3)


def test_records_and_named_tuples_pass_through() -> None:
    f = tf.function(lambda r: dataclasses.replace(r, value=r.value * 2.0))
    result = f(Record(3, tf.constant(1.5)))
    assert type(result) is Record and result.value.numpy() == 3.0 and int(result.number) == 3
    pair = tf.function(lambda p: Pair(p.y, p.x))(Pair(1, tf.constant(2.0)))
    assert isinstance(pair, Pair) and pair.x.numpy() == 2.0 and pair.y.numpy() == 1


@pytest.mark.parametrize(("make", "text"), [(lambda x: {1}, "it returns a set"), (lambda x: (n for n in [1]), "a gen")])
def test_what_cannot_be_returned(make, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        tf.function(make, autograph=False)(X)


def test_a_spec_is_no_value() -> None:
    with pytest.raises(TypeError, match=r"it was called with a TensorSpec .*get_concrete_function takes TensorSpecs"):
        tf.function(lambda x: x)(Spec([]))


def test_recursion_that_ends_and_that_does_not() -> None:
    @tf.function(autograph=False)
    def factorial(n):
        return tf.constant(1) if n <= 1 else n * factorial(n - 1)

    assert factorial(6).numpy() == 720
    with pytest.raises(RecursionError, match=r"down: it calls itself too deeply while it is traced \(arguments="):

        @tf.function(autograph=False)
        def down(n):
            return down(n - 1)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            down(1)
    with pytest.raises(RecursionError, match="again: it calls itself with the same signature while it is traced"):

        @tf.function(autograph=False)
        def again(x):
            return again(x)

        again(X)


def test_lazily_made_variables_trace_twice_at_first() -> None:
    class Model:
        v = None

        @tf.function
        def __call__(self, x):
            if self.v is None:
                self.v = tf.Variable(2.0)
            return self.v * x

    model = Model()
    model(X), model(X)
    assert model.__call__.experimental_get_tracing_count() == 2
    model(tf.constant([1.0]))
    assert model.__call__.experimental_get_tracing_count() == 3


def test_init_scope_steps_out_of_the_trace() -> None:
    made = []

    @tf.function
    def f(x):
        with tf.init_scope():
            made.append((tf.executing_eagerly(), tf.constant(2.0) + 1.0))
        return x * made[0][1]

    assert f(X).numpy() == 3.0 and made[0][0] and made[0][1].numpy() == 3.0


# ---- what goes wrong while it is traced


def test_a_symbol_that_leaks_names_where_it_came_from() -> None:
    leaked = []

    @tf.function
    def f(x):
        leaked.append(x + 1.0)
        return leaked[0] * 2.0

    f(X)
    for use in (lambda: leaked[0] + 1.0, tf.function(lambda: leaked[0] * 2.0)):
        with pytest.raises(
            tf.errors.InaccessibleTensorError, match=r"the result of add at .*test_signature.py:\d+, in f"
        ):
            use()
    assert issubclass(tf.errors.InaccessibleTensorError, TypeError)
    with pytest.raises(TypeError, match="was made while f was traced"):
        tf.reduce_sum(leaked[0])


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (lambda x: bool(x), "The truth value of a symbolic tensor, 'x' of <lambda> .float32, shape .2,..,"),
        (
            lambda x: np.sum(x),
            "NumPy's add.reduce of a symbolic tensor, 'x' of <lambda>.*tf.numpy_function calls",
        ),
        (lambda x: np.exp(x), "NumPy's exp of a symbolic tensor"),
        (lambda x: np.array(x), "The NumPy array of a symbolic tensor, 'x'"),
        (lambda x: x.numpy(), "The value of a symbolic tensor, 'x'"),
    ],
)
def test_a_value_that_is_not_known_names_the_tensor(use, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        tf.function(use, autograph=False)(tf.constant([1.0, 2.0]))
