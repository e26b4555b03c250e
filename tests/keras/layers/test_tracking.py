"""What is found inside a layer is kept, and found anew when something inside was changed."""

import copy
import pickle

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.keras.layers import tracking


def dense(name):
    layer = keras.layers.Dense(1, name=name)
    layer.build((None, 1))
    return layer


class Holder(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.first = dense("first")
        self.hidden = [dense("a")]
        self.named = {"b": dense("b")}
        self.deep = ([dense("c")],)
        self.measure = keras.metrics.Mean(name="measure")
        self.built = True

    def call(self, x):
        return x


def paths(variables):
    return [variable.path for variable in variables]


def asked(layer):
    return [paths(w) for w in (layer.weights, layer.trainable_weights, layer.variables)] + [
        [inner.name for inner in layer._flatten_layers()],
        len(layer.losses),
    ]


CHANGES = {
    "attribute set": lambda h, more: setattr(h, "more", more),
    "attribute replaced": lambda h, more: setattr(h, "first", more),
    "attribute deleted": lambda h, more: delattr(h, "first"),
    "list appended": lambda h, more: h.hidden.append(more),
    "list element replaced": lambda h, more: h.hidden.__setitem__(0, more),
    "list emptied": lambda h, more: h.hidden.clear(),
    "dict filled": lambda h, more: h.named.update(more=more),
    "dict value replaced": lambda h, more: h.named.update(b=more),
    "list inside a tuple": lambda h, more: h.deep[0].append(more),
    "attribute of an inner layer": lambda h, more: setattr(h.first, "inner", more),
    "weight added inside": lambda h, more: h.first.add_weight(name="more", shape=(1,)),
    "inner layer frozen": lambda h, more: setattr(h.hidden[0], "trainable", False),
    "all frozen": lambda h, more: setattr(h, "trainable", False),
    "variable frozen": lambda h, more: setattr(h.first.kernel, "trainable", False),
    "variable of a metric": lambda h, more: h.measure.add_weight(name="more"),
    "metric set": lambda h, more: setattr(h, "second", keras.metrics.Sum(name="second")),
    "regularizer set": lambda h, more: setattr(h.first.kernel, "regularizer", keras.regularizers.L2(0.1)),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(change):
    # made before, as making a layer sets attributes
    holder, more = Holder(), dense("more")
    before = asked(holder)
    assert asked(holder) == before
    CHANGES[change](holder, more)
    after = asked(holder)
    holder.__dict__.pop("_inside")
    for layer in holder._flatten_layers():
        layer.__dict__.pop("_inside", None)
    assert after == asked(holder) != before


def test_nothing_is_walked_while_nothing_changes(monkeypatch):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    x = np.ones((4, 2), "f")
    asked(model)
    walks = []
    monkeypatch.setattr(tracking, "_gather", lambda *_: walks.append(1))
    for _ in range(3):
        model(x, training=True)
        asked(model)
        model.weights[0].assign(model.weights[0] * 2.0)
    assert not walks


def test_the_lists_are_the_callers_own():
    holder = Holder()
    holder.weights.clear()
    holder.trainable_weights.append(None)
    assert len(holder.weights) == len(holder.trainable_weights) == 8


def test_a_class_that_finds_its_weights_itself_is_asked_each_time():
    class Choosing(keras.layers.Layer):
        chosen: list = []

        @property
        def trainable_weights(self):
            return self.chosen

        def call(self, x):
            return x

    model = keras.Sequential([Choosing()])
    assert model.trainable_variables == []
    one = tf.Variable(1.0)
    Choosing.chosen = [one]
    assert model.trainable_variables[0] is one


def test_layers_added_to_a_sequential_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    assert len(model.weights) == 2
    model.add(keras.layers.Dense(1))
    assert len(model.weights) == 4
    model.pop()
    assert len(model.weights) == 2


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_a_copy_finds_its_own(how):
    holder = Holder()
    assert len(holder.weights) == 8
    again = how(holder)
    again.more = dense("more")
    assert len(again.weights) == 10 and len(holder.weights) == 8
    if how is copy.deepcopy:
        assert not {id(v) for v in again.weights} & {id(v) for v in holder.weights}


def test_what_was_found_is_not_written_to_files():
    assert not pickle.loads(pickle.dumps(tracking.Inside())).holds()
