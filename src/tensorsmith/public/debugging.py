"""The public namespace `tf.debugging`."""

from tensorsmith.ops.debugging import (
    assert_all_finite,
    assert_equal,
    assert_greater,
    assert_greater_equal,
    assert_less,
    assert_less_equal,
    assert_near,
    assert_non_negative,
    assert_none_equal,
    assert_positive,
    assert_rank,
    assert_shapes,
    assert_type,
    check_numerics,
    is_numeric_tensor,
)

__all__ = [
    "assert_all_finite", "assert_equal", "assert_greater", "assert_greater_equal", "assert_less", "assert_less_equal",
    "assert_near", "assert_non_negative", "assert_none_equal", "assert_positive", "assert_rank", "assert_shapes",
    "assert_type", "check_numerics", "is_numeric_tensor",
]  # fmt: skip
