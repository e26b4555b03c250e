"""One thread at a time."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

import tensorsmith as tf


def test_threads_wait_for_each_other() -> None:
    sections = tf.CriticalSection(shared_name="counting"), tf.CriticalSection(shared_name="counting")
    total = [0]
    inside: list[int] = []

    def add_one() -> tf.Tensor:
        inside.append(1)
        assert len(inside) == 1
        before = total[0]
        threading.Event().wait(0.0005)  # others would come in here
        total[0] = before + 1
        inside.pop()
        return tf.constant(total[0])

    threads = [
        threading.Thread(target=lambda s=s: [s.execute(add_one) for _ in range(20)]) for s in sections for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total == [80]


def test_in_a_function_it_runs_in_order() -> None:
    v, section = tf.Variable(1.0), tf.CriticalSection(name="turns")

    @tf.function
    def both():
        section.execute(lambda: v.assign(v * 3.0))
        return section.execute(lambda: v.assign_add(1.0))

    assert (float(both()), float(both())) == (4.0, 13.0)


def test_one_inside_the_other_would_wait_forever() -> None:
    section = tf.CriticalSection(name="turns")
    assert section.name == "turns"
    for run in (lambda f: f(), lambda f: tf.function(f)()):
        with pytest.raises(ValueError, match="turns: a function that is executed in this section executes another one"):
            run(lambda: section.execute(lambda: section.execute(lambda: 1)))
        # and the error has left it
        assert np.asarray(section.execute(lambda: 2)) == 2


def test_definitions_of_graphs_are_not_taken() -> None:
    with pytest.raises(ValueError, match="critical_section_def"):
        tf.CriticalSection(critical_section_def=b"")


def test_the_time_is_that_of_the_call() -> None:
    now = tf.function(tf.timestamp)
    before = time.time()
    first, second = float(now()), float(now())
    assert before <= first < second <= float(tf.timestamp()) <= time.time()
    assert now.get_concrete_function().output_shapes == ()
