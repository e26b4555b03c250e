"""IndexedSlices: where a tensor is wanted they are one, and some operations leave them what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorsmith as tf

ROWS, AT = np.array([[3.0, -4.0], [1.0, 2.0], [5.0, 6.0]], "float32"), np.array([1, 3, 1])
WHOLE = np.array([[0, 0], [8, 2], [0, 0], [1, 2]], "float32")


def given(dense_shape: Any = (4, 2)) -> tf.IndexedSlices:
    return tf.IndexedSlices(
        tf.constant(ROWS), tf.constant(AT), None if dense_shape is None else tf.constant(dense_shape)
    )


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (tf.convert_to_tensor, WHOLE), (tf.square, WHOLE**2), (lambda s: tf.add(s, 1.0), WHOLE + 1),
        (lambda s: tf.ones([4, 2]) * s, WHOLE), (tf.reduce_sum, WHOLE.sum()), (lambda s: tf.gather(s, [1]), WHOLE[[1]]),
        (lambda s: tf.add_n([s, tf.constant(WHOLE)]), 2 * WHOLE), (lambda s: tf.matmul(s, s, transpose_b=True), WHOLE @ WHOLE.T),
    ],
)  # fmt: skip
def test_where_a_tensor_is_wanted_the_whole_one_is_made(ask: Any, expected: Any) -> None:
    assert ask(given()).numpy().tolist() == np.asarray(expected).tolist()
    compiled = tf.function(lambda rows: ask(tf.IndexedSlices(rows, tf.constant(AT), tf.constant([4, 2]))))
    np.testing.assert_allclose(compiled(tf.constant(ROWS)).numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (tf.identity, ROWS), (tf.negative, -ROWS), (lambda s: -s, -ROWS),
        (lambda s: tf.cast(s, "float64"), ROWS.astype("float64")),
        (lambda s: tf.clip_by_value(s, 0.0, 2.0), ROWS.clip(0, 2)),
        (lambda s: tf.clip_by_norm(s, 1.0), ROWS / np.linalg.norm(ROWS)),
        (lambda s: tf.clip_by_global_norm([s, tf.zeros([2])], 1.0)[0][0], ROWS / np.linalg.norm(ROWS)),
    ],
)  # fmt: skip
def test_what_stays_rows(ask: Any, expected: Any) -> None:
    found = ask(given())
    assert isinstance(found, tf.IndexedSlices)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.values.numpy(), expected, rtol=1e-6)
    assert (found.indices.numpy().tolist(), found.shape) == (AT.tolist(), [4, 2])


def test_norms_count_the_rows() -> None:
    assert tf.linalg.global_norm([given(), None]).numpy() == pytest.approx(np.linalg.norm(ROWS))


def test_without_a_shape_no_tensor_can_be_made() -> None:
    assert given(None).shape.rank is None
    with pytest.raises(ValueError, match=r"^convert_to_tensor: IndexedSlices without a dense_shape cannot become"):
        tf.convert_to_tensor(given(None))
    with pytest.raises(
        ValueError, match=r"^Tensor conversion requested dtype int32 for IndexedSlices with dtype float32"
    ):
        tf.convert_to_tensor(given(), tf.int32)


def test_an_optimizer_takes_them_as_gradients() -> None:
    variable = tf.Variable(WHOLE)
    tf.keras.optimizers.SGD(1.0).apply_gradients([(given(), variable)])
    assert variable.numpy().tolist() == np.zeros((4, 2)).tolist()


def test_they_go_into_and_out_of_traced_functions() -> None:
    found = tf.function(lambda s: -s)(given())
    assert isinstance(found, tf.IndexedSlices)
    assert tf.convert_to_tensor(found).numpy().tolist() == (-WHOLE).tolist()
