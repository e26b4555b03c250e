"""What is saved comes back and does the same, without the code that made it."""

from __future__ import annotations

import collections
import os
from pathlib import Path

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import spine
from tests.support.process import python

X = np.linspace(-1, 1, 6, dtype="float32").reshape(2, 3)


def again(thing, tmp_path: Path, **how):
    path = tmp_path / "saved"
    tf.saved_model.save(thing, path, **how)
    return tf.saved_model.load(path)


class Line(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable([[1.0], [2.0], [3.0]], name="weight")
        self.calls = tf.Variable(0, trainable=False, name="calls")

    @tf.function
    def __call__(self, x, training=False):
        self.calls.assign_add(1)
        y = tf.matmul(x, self.weight)
        return y * 2.0 if training else y


def test_functions_come_back_in_every_form_and_share_their_variables(tmp_path: Path) -> None:
    line = Line()
    plain, trained = line(X), line(X, training=True)
    line(X[:1])
    loaded = again(line, tmp_path)
    assert loaded.calls.numpy() == 3 and not loaded.calls.trainable
    np.testing.assert_array_equal(loaded(X), plain)
    np.testing.assert_array_equal(loaded(tf.constant(X), training=True), trained)
    np.testing.assert_array_equal(loaded(X[:1].tolist()), plain[:1])
    assert loaded.calls.numpy() == 6 and line.calls.numpy() == 3
    loaded.weight.assign(loaded.weight * 2.0)
    np.testing.assert_allclose(loaded(X), plain * 2.0)


def test_what_no_form_takes_is_told_with_the_forms(tmp_path: Path) -> None:
    line = Line()
    line(X)
    loaded = again(line, tmp_path)
    with pytest.raises(ValueError) as caught:
        loaded(np.ones([5, 4], "float32"))
    text = str(caught.value)
    assert text.startswith(
        "__call__: no form that it was saved in takes these arguments (given=[[float32(5, 4), False]"
    )
    assert "TensorSpec(shape=(2, 3), dtype=tf.float32" in text
    assert text.endswith("Save it with an input_signature, or after calls with such arguments.")
    with pytest.raises(ValueError, match="no form"):
        loaded(tf.constant(X, tf.float64))
    with pytest.raises(TypeError, match=r"__call__\(\): got an unexpected keyword"):
        loaded(X, other=1)


def test_loaded_variables_train_on(tmp_path: Path) -> None:
    line = Line()
    line(X)
    loaded = again(line, tmp_path)
    for model in (line, loaded):
        optimizer = keras.optimizers.SGD(0.1)
        for _ in range(3):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(X) - 1.0))
            gradients = tape.gradient(loss, [model.weight])
            optimizer.apply_gradients(zip(gradients, [model.weight]))
    np.testing.assert_allclose(loaded.weight, line.weight, rtol=1e-5, atol=1e-6)
    assert not np.allclose(loaded.weight, [[1.0], [2.0], [3.0]])


def test_nested_modules_lists_dicts_and_shared_and_cyclic_objects(tmp_path: Path) -> None:
    class Tree(tf.Module):
        def __init__(self) -> None:
            super().__init__(name="tree")
            shared = Line()
            self.parts = [shared, None, {"again": shared, 3: tf.Variable(4.0)}]
            self.pair = (tf.Variable(1.0), "text")
            self.text, self.number = "kept by Python", 7
            self.me = self

    tree = Tree()
    tree.parts[0](X)
    loaded = again(tree, tmp_path)
    assert loaded.parts[0] is loaded.parts[2]["again"] and loaded.me is loaded and loaded.name == "tree"
    assert loaded.parts[1] is None and loaded.parts[2][3].numpy() == 4.0 and loaded.pair[0].numpy() == 1.0
    assert not hasattr(loaded, "text") and not hasattr(loaded, "number")
    assert [v.name for v in loaded.variables] == [v.name for v in tree.variables]
    np.testing.assert_array_equal(loaded.parts[0](X), tree.parts[0](X))


def test_signatures_take_names_and_give_a_dict(tmp_path: Path) -> None:
    class Two(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], name="left"), tf.TensorSpec([], tf.int32)])
        def both(self, a, count):
            return a * 2.0, count + 1

        @tf.function
        def named(self, x):
            return {"b": x + 1.0, "a": x - 1.0}

    two = Two()
    loaded = again(two, tmp_path)
    assert list(loaded.signatures) == ["serving_default"]
    serve = loaded.signatures["serving_default"]
    assert serve.structured_input_signature == (
        (),
        {"left": tf.TensorSpec([None]), "count": tf.TensorSpec([], tf.int32)},
    )
    result = serve(count=tf.constant(3), left=[1.0, 2.0])
    assert list(result) == ["output_0", "output_1"]
    assert result["output_0"].numpy().tolist() == [2.0, 4.0] and result["output_1"].numpy() == 4
    assert serve.structured_outputs["output_0"] == tf.TensorSpec([None])
    with pytest.raises(
        TypeError, match=r"these are not its arguments \(given=left; arguments=left, count\)|given=left"
    ):
        serve(left=[1.0])
    with pytest.raises(ValueError, match="the argument 'left' does not fit"):
        serve(left=tf.constant(1.0), count=1)

    named = two.named.get_concrete_function(tf.TensorSpec([2]))
    loaded = again(two, tmp_path, signatures={"first": named, "second": two.both})
    assert set(loaded.signatures) == {"first", "second"}
    result = loaded.signatures["first"](x=tf.constant([1.0, 2.0]))
    assert {k: v.numpy().tolist() for k, v in result.items()} == {"a": [0.0, 1.0], "b": [2.0, 3.0]}


def test_what_cannot_be_a_signature(tmp_path: Path) -> None:
    line = Line()
    line(X)
    line(X, training=True)
    for given, message in [
        (line.__call__, "the function was traced in 2 forms and a signature is one"),
        (lambda x: x, "it is no traced function"),
        ({"": line.__call__}, "a signature is named by a text"),
    ]:
        with pytest.raises(ValueError, match=message):
            tf.saved_model.save(line, tmp_path / "none", signatures=given)
    nested = tf.function(lambda x: {"a": {"b": x}}).get_concrete_function(tf.TensorSpec([]))
    with pytest.raises(ValueError, match="it returns a nested dict"):
        tf.saved_model.save(line, tmp_path / "none", signatures=nested)
    assert not (tmp_path / "none").exists()


def test_results_keep_their_form(tmp_path: Path) -> None:
    Pair = collections.namedtuple("Pair", "first second")

    class Many(tf.Module):
        @tf.function
        def f(self, x, options):
            ragged = tf.RaggedTensor.from_row_lengths(x, [1, 2])
            return Pair([x, None], {"z": options["b"] + x, "a": "text"}), ragged, tf.sparse.from_dense(x)

    many = Many()
    given = tf.constant([0.0, 1.0, 2.0]), {"b": tf.constant(2.0), "a": tf.constant(1.0)}
    expected = many.f(*given)
    found = again(many, tmp_path).f(*given)
    assert type(found[0]).__name__ == "Pair" and found[0].first[1] is None
    assert found[0].second["a"] == "text" and found[0].second["z"].numpy().tolist() == [2.0, 3.0, 4.0]
    assert found[1].to_list() == expected[1].to_list()
    np.testing.assert_array_equal(tf.sparse.to_dense(found[2]), [0.0, 1.0, 2.0])
    # and once more from what was loaded
    twice = again(tf.saved_model.load(tmp_path / "saved"), tmp_path / "twice")
    assert twice.f(*given)[1].to_list() == expected[1].to_list()


def test_ragged_arguments(tmp_path: Path) -> None:
    class Sums(tf.Module):
        @tf.function
        def f(self, rows):
            return tf.reduce_sum(rows, axis=1)

    sums, rows = Sums(), tf.ragged.constant([[1.0], [2.0, 3.0]])
    sums.f(rows)
    assert again(sums, tmp_path).f(rows).numpy().tolist() == [1.0, 5.0]


class Everything(tf.Module):
    """Loops, branches, gradients, an own gradient, random numbers, texts."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable([1.0, 2.0], name="w")
        self.generator = tf.random.Generator.from_seed(3)

    @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec([], tf.int32)])
    def loops(self, x, n):
        for i in tf.range(n):
            if tf.reduce_sum(x) > 3.0:
                x = x - self.w
            else:
                x = x * tf.cast(i, tf.float32) + self.w
        while tf.reduce_max(tf.abs(x)) > 1.0:
            x = x / 2.0
        return x, tf.map_fn(lambda row: tf.reduce_sum(row * self.w), x)

    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def step(self, x):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                loss = tf.reduce_sum(tf.sin(x * self.w))
            slope = inner.gradient(loss, self.w)
        second = outer.gradient(slope, self.w)
        with tf.GradientTape() as tape:
            y = tf.sin(x[0] * self.w)
        self.w.assign_sub(0.1 * slope)
        return slope, second, tape.jacobian(y, self.w)

    @tf.function(input_signature=[tf.TensorSpec([2])])
    def own(self, x):
        @tf.custom_gradient
        def clipped(v):
            return v * self.w, lambda upstream, variables=None: (
                tf.clip_by_value(upstream, -1.0, 1.0),
                [upstream * 5.0],
            )

        with tf.GradientTape() as tape:
            tape.watch(x)
            y = 3.0 * clipped(x)
        return tape.gradient(y, [x, self.w])

    @tf.function(input_signature=[])
    def draw(self):
        return self.generator.normal([3])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def texts(self, s):
        return tf.strings.join([tf.strings.upper(s), s], separator="\x00é")


def test_every_kind_of_node_comes_back(tmp_path: Path) -> None:
    thing = Everything()
    loaded = again(thing, tmp_path)
    x = np.array([[0.5, 1.5], [2.0, -1.0], [0.1, 0.2]], "float32")

    def same(a, b) -> None:
        for left, right in zip(tf.nest.flatten(a), tf.nest.flatten(b), strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)

    for n in (0, 1, 5):
        same(loaded.loops(x, n), thing.loops(x, n))
    same(loaded.step(x), thing.step(x))
    same(loaded.w, thing.w)
    same(loaded.own([1.0, 2.0]), thing.own([1.0, 2.0]))
    same(loaded.draw(), thing.draw())
    same(loaded.draw(), thing.draw())
    assert loaded.texts(["ab", ""]).numpy().tolist() == thing.texts(["ab", ""]).numpy().tolist()
    # through the loaded program flow gradients, also of the second order
    for f in (loaded, thing):
        f.x = tf.constant([1.0, 2.0])
    found = []
    for f in (loaded, thing):
        with tf.GradientTape() as tape:
            tape.watch(f.x)
            y = tf.reduce_sum(f.own(f.x)[1] * f.x)
        found.append(tape.gradient(y, f.x))
    same(*found)


@pytest.mark.parametrize("value", [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, 3])
def test_python_values_choose_the_form(tmp_path: Path, value) -> None:
    class Scaled(tf.Module):
        @tf.function
        def f(self, x, by):
            return x * by

    scaled = Scaled()
    expected = scaled.f(tf.constant([1.0]), value)
    loaded = again(scaled, tmp_path)
    if value == value:  # NaN chooses nothing: it is not equal to itself
        np.testing.assert_array_equal(loaded.f(tf.constant([1.0]), value), expected)


def test_dtypes_of_variables_and_constants(tmp_path: Path) -> None:
    values = {
        name: tf.Variable(np.array([[1, 0], [2, 3]]).astype(name))
        for name in "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float16 float32 float64 complex64 complex128".split()
    }
    values["bfloat16"] = tf.Variable(tf.cast([1.5, 2.5], tf.bfloat16))
    values["string"] = tf.Variable([b"a\x00b", b"", "é".encode()])
    values["empty"] = tf.Variable(np.zeros([0, 3], "float32"))
    values["any"] = tf.Variable([1.0], shape=[None])
    holder = tf.Module()
    holder.values = values
    loaded = again(holder, tmp_path).values
    for name, variable in values.items():
        assert loaded[name].dtype == variable.dtype and loaded[name].shape.as_list() == variable.shape.as_list()
        np.testing.assert_array_equal(loaded[name].numpy(), variable.numpy())
    loaded["any"].assign([1.0, 2.0])


MODELS = {
    "functional": lambda: keras.Model(
        inputs := [keras.Input([3], name="a"), keras.Input([2], name="b")],
        keras.layers.Dense(2)(keras.layers.Concatenate()(inputs)),
    ),
    "sequential": lambda: keras.Sequential(
        [keras.Input([3]), keras.layers.Dropout(0.5), keras.layers.Dense(4, "selu"), keras.layers.BatchNormalization()]
    ),
}


@pytest.mark.parametrize("kind", MODELS)
def test_keras_models(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture) -> None:
    model = MODELS[kind]()
    x = X if kind == "sequential" else [X, X[:, :2]]
    model.export(tmp_path / "exported")
    assert capsys.readouterr().out == f"Saved artifact at {str(tmp_path / 'exported')!r}.\n"
    loaded = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(loaded.serve(x), model(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loaded(x), model(x), rtol=1e-5, atol=1e-6)
    assert set(loaded.signatures) == {"serve", "serving_default"}
    named = dict(zip(loaded.signatures["serve"].input_names, x if isinstance(x, list) else [x]))
    if kind == "functional":
        assert list(named) == ["a", "b"]
    np.testing.assert_allclose(loaded.signatures["serve"](**named)["output_0"], model(x), rtol=1e-5, atol=1e-6)
    assert [v.shape for v in loaded.variables] == [v.shape for v in model.variables]
    if kind == "sequential":
        moving = loaded.variables[-2].numpy()
        loaded(x, training=True)
        assert not np.array_equal(loaded.variables[-2].numpy(), moving)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(loaded(x, training=True))
    assert all(g is not None for g in tape.gradient(loss, loaded.trainable_variables))


def test_a_model_as_part_of_a_module_and_a_chosen_signature(tmp_path: Path) -> None:
    class Serving(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = keras.Sequential([keras.Input([3]), keras.layers.Dense(1)])

        @tf.function(input_signature=[tf.TensorSpec([None, 3])])
        def serve(self, rows):
            return {"price": self.model(rows)}

    serving = Serving()
    loaded = again(serving, tmp_path)
    np.testing.assert_allclose(
        loaded.signatures["serving_default"](rows=X)["price"], serving.model(X), rtol=1e-5, atol=1e-6
    )
    assert len(loaded.model.all_variables) == 2
    model = serving.model
    model.export(tmp_path / "one", input_signature=[tf.TensorSpec([1, 3], name="row")], verbose=False)
    one = tf.saved_model.load(tmp_path / "one").signatures["serve"]
    assert one.structured_input_signature == ((), {"row": tf.TensorSpec([1, 3])})
    with pytest.raises(
        ValueError, match=r"export: there is no such format \(format='pickle', formats='tf_saved_model'"
    ):
        model.export(tmp_path / "two", format="pickle")


def test_a_fresh_process_needs_none_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "makes.py").write_text(
        """
import tensorsmith as tf
class Doubler(tf.Module):
    def __init__(self):
        super().__init__()
        self.by = tf.Variable(2.0)
    @tf.function(input_signature=[tf.TensorSpec([None])])
    def __call__(self, x):
        if tf.reduce_sum(x) > 0.0:
            return x * self.by
        return -x
tf.saved_model.save(Doubler(), "there/doubler")
"""
    )
    assert python("makes.py", cwd=tmp_path).returncode == 0
    os.unlink(tmp_path / "makes.py")
    (tmp_path / "reads.py").write_text(
        """
import sys, tensorsmith as tf
loaded = tf.saved_model.load("there/doubler")
assert "tensorsmith.keras" not in sys.modules
print(loaded([1.0, 2.0]).numpy(), loaded([-1.0]).numpy())
"""
    )
    ran = python("reads.py", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "[2. 4.] [1.]\n"), ran.stderr


def test_every_operation_can_be_named_in_a_file(tmp_path: Path) -> None:
    ran = python(
        "-c",
        "from tensorsmith.exchange.rooms import every_operation as load\nfrom tensorsmith.program.op import registry\n"
        "load(); print(*sorted(registry))",
        cwd=tmp_path,
    )
    assert ran.stdout.split() == sorted(spine.operations())


def test_what_is_no_data_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    class Odd(tf.Module):
        @tf.function
        def f(self, x, how):
            return x

    odd = Odd()
    odd.f(tf.constant(1.0), print)
    with pytest.raises(
        ValueError, match=r"saving the function 'f': an argument or a result of it is <built-in function print>"
    ):
        tf.saved_model.save(odd, tmp_path / "odd")
    with pytest.raises(
        TypeError, match=r"saved_model.save: the object cannot be saved \(given=3\); it must be a tf.Module"
    ):
        tf.saved_model.save(3, tmp_path / "odd")
    assert os.listdir(tmp_path) == []


def test_checks_come_back_and_prints_are_named(tmp_path: Path) -> None:
    class Checked(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.v = tf.Variable(0.0)

        @tf.function
        def f(self, x):
            tf.debugging.assert_positive(x, message="must be above 0")
            self.v.assign_add(x)
            return x

        @tf.function
        def g(self, x):
            tf.print("x is", x)
            return x

    checked = Checked()
    checked.f(tf.constant(1.0))
    loaded = again(checked, tmp_path)
    assert loaded.f(tf.constant(2.0)).numpy() == 2.0
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must be above 0.*test_saved_model.py:\d+, in f"):
        loaded.f(tf.constant(-1.0))
    assert loaded.v.numpy() == 3.0
    checked.g(tf.constant(1.0))
    with pytest.raises(
        ValueError, match=r"saving the program 'g': 'print' at .*test_saved_model.py:\d+, in g cannot be saved"
    ):
        tf.saved_model.save(checked, tmp_path / "g")


def test_saving_over_an_older_one_and_into_a_strangers_folder(tmp_path: Path) -> None:
    holder = tf.Module()
    holder.v = tf.Variable(1.0)
    path = tmp_path / "deep" / "er"
    tf.saved_model.save(holder, path)
    holder.v.assign(2.0)
    tf.saved_model.save(holder, path)
    assert tf.saved_model.load(path).v.numpy() == 2.0 and tf.saved_model.contains_saved_model(path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(FileExistsError, match="the folder holds other files"):
        tf.saved_model.save(holder, tmp_path / "mine")
    assert os.listdir(tmp_path / "mine") == ["thesis.txt"]
    assert not tf.saved_model.contains_saved_model(tmp_path / "mine")


def test_files_are_the_same_for_the_same_object(tmp_path: Path) -> None:
    line = Line()
    line(X)
    for name in ("a", "b"):
        tf.saved_model.save(line, tmp_path / name)
    for file in ("saved_model.json", "arrays.safetensors"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert str(tmp_path).encode() not in (tmp_path / "a" / "saved_model.json").read_bytes()
    assert __file__.encode() not in (tmp_path / "a" / "saved_model.json").read_bytes()


def test_arguments_of_unknown_rank_stay_so(tmp_path: Path) -> None:
    module = tf.Module()
    module.f = tf.function(lambda x: x + 1.0, input_signature=[tf.TensorSpec(None)])
    module.draw = tf.function(lambda: tf.random.uniform([2]))
    module.f(tf.constant(1.0)), module.draw()
    tf.saved_model.save(module, tmp_path / "m")
    again = tf.saved_model.load(tmp_path / "m")
    for value in (1.0, [[1.0, 2.0]]):
        np.testing.assert_array_equal(again.f(tf.constant(value)), np.add(value, 1))
    # a stream of a function's own goes on
    assert (again.draw().numpy() != again.draw().numpy()).any()
