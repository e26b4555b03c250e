"""tf.config.run_functions_eagerly: a function's Python code runs at each call."""

import tensorsmith as tf


def test_python_code_runs_at_each_call_while_it_is_switched_on():
    seen = []

    @tf.function
    def double(x):
        seen.append(1)
        return x * 2.0

    double(tf.constant(1.0)), double(tf.constant(2.0))
    assert len(seen) == 1
    tf.config.run_functions_eagerly(True)
    try:
        assert tf.config.functions_run_eagerly()
        assert [float(double(tf.constant(v))) for v in (3.0, 4.0)] == [6.0, 8.0]
    finally:
        tf.config.run_functions_eagerly(False)
    assert len(seen) == 3
    assert float(double(tf.constant(5.0))) == 10.0
    assert len(seen) == 3
    assert not tf.config.functions_run_eagerly()
    assert tf.config.experimental_run_functions_eagerly is tf.config.run_functions_eagerly
