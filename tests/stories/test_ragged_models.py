"""A model of reviews drawn from ragged words, sparse tags and plain numbers: trained by hand, saved, exported, loaded."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support.process import python

RNG = np.random.default_rng(7)
LENGTHS = RNG.integers(0, 9, 60)
# words below 5 speak for a review, the others against it; so do the first tags
SIDES = RNG.integers(0, 2, 60)
REVIEWS = [[int(word) for word in RNG.integers(0, 5, count) + 5 * side] for count, side in zip(LENGTHS, SIDES)]
TAGS = np.where(RNG.random((60, 6)) < 0.3, np.where(np.arange(6) < 3, 1 - SIDES[:, None], SIDES[:, None]), 0).astype(
    "float32"
)
AGES = RNG.normal(size=(60, 1)).astype("float32")
LABELS = (1 - SIDES[:, None]).astype("float32")


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(3)


def drawn():
    words = keras.Input([None], ragged=True, dtype="int64", name="words")
    tags = keras.Input([6], sparse=True, name="tags")
    age = keras.Input([1], name="age")
    vectors = keras.layers.Embedding(10, 4, name="embedding")(words)
    # a review without words has the sum 0 here and no mean
    mean = tf.reduce_sum(vectors, axis=1) / tf.cast(tf.maximum(words.row_lengths(), 1), tf.float32)[:, None]
    joined = keras.layers.Concatenate()([mean, keras.layers.Dense(3, name="tagged")(tags), age])
    return keras.Model(
        {"words": words, "tags": tags, "age": age}, keras.layers.Dense(1, "sigmoid", name="score")(joined)
    )


def batch(rows):
    words = tf.ragged.constant([REVIEWS[row] for row in rows], dtype=tf.int64, ragged_rank=1)
    return {"words": words, "tags": tf.sparse.from_dense(TAGS[rows]), "age": tf.constant(AGES[rows])}


def by_hand(model, row):
    weights = {variable.path: variable.numpy() for variable in model.weights}
    table = weights["embedding/embeddings"]
    mean = table[REVIEWS[row]].sum(0) / max(len(REVIEWS[row]), 1)
    tagged = TAGS[row] @ weights["tagged/kernel"] + weights["tagged/bias"]
    score = np.concatenate([mean, tagged, AGES[row]]) @ weights["score/kernel"] + weights["score/bias"]
    return 1 / (1 + np.exp(-score))


def test_reviews_are_learned_saved_and_served(tmp_path):
    model = drawn()
    np.testing.assert_allclose(
        model(batch(range(60))), [by_hand(model, row) for row in range(60)], rtol=1e-4, atol=1e-6
    )
    optimizer, loss_of = keras.optimizers.Adam(0.05), keras.losses.BinaryCrossentropy()
    losses = []
    for epoch in range(4):
        order = np.random.default_rng(epoch).permutation(60)
        for first in range(0, 60, 16):
            rows = order[first : first + 16]
            with tf.GradientTape() as tape:
                loss = loss_of(LABELS[rows], model(batch(rows), training=True))
            optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
            losses.append(float(loss))
    assert np.mean(losses[-4:]) < 0.5 * np.mean(losses[:4])
    everything = batch(range(60))
    expected = model(everything).numpy()
    np.testing.assert_allclose(expected, [by_hand(model, row) for row in range(60)], rtol=1e-4, atol=1e-6)
    traced = tf.function(lambda values: model(values))
    np.testing.assert_allclose(traced(everything), expected, rtol=1e-5)

    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        np.testing.assert_array_equal(again(everything), expected)
        for symbol, other in zip(model.inputs, again.inputs, strict=True):
            assert symbol.name == other.name and tf.type_spec_from_value(symbol) == tf.type_spec_from_value(other)
    model.export(tmp_path / "exported", verbose=False)
    # another process has none of the code above
    (tmp_path / "served.py").write_text(SERVED)
    np.savez(
        tmp_path / "rows.npz", words=np.concatenate(REVIEWS[:9]), lengths=LENGTHS[:9], tags=TAGS[:9], ages=AGES[:9]
    )
    found = python("served.py", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    for line in found.stdout.splitlines():
        np.testing.assert_allclose([float(word) for word in line.split()], expected[:9, 0], rtol=1e-5)
    assert len(found.stdout.splitlines()) == 2


SERVED = """
import numpy as np
import tensorsmith as tf

rows = np.load("rows.npz")
words = tf.RaggedTensor.from_row_lengths(rows["words"].astype("int64"), rows["lengths"])
given = {"words": words, "tags": tf.sparse.from_dense(rows["tags"]), "age": rows["ages"]}
print(*tf.saved_model.load("exported").serve({**given, "age": tf.constant(rows["ages"])}).numpy().ravel())
print(*tf.keras.models.load_model("model.keras")(given).numpy().ravel())
"""
