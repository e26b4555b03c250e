"""Queues: order, capacity, closing, and threads that wait."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import tensorsmith as tf

WAIT = 30.0  # seconds after which a thread that should have gone on counts as stuck


def started(function, *args):
    """A thread, and the list that gets its result or error."""
    out = []

    def run():
        try:
            out.append(function(*args))
        except Exception as error:
            out.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, out


def finished(thread):
    thread.join(WAIT)
    assert not thread.is_alive(), "a thread still waits"


def test_first_in_first_out():
    q = tf.queue.FIFOQueue(4, [tf.int32, tf.string], shapes=[(), ()])
    q.enqueue([1, "a"])
    q.enqueue_many([[2, 3, 4], ["b", "c", "d"]])
    number, word = q.dequeue()
    assert (number.numpy(), word.numpy(), q.size().numpy()) == (1, b"a", 3)
    numbers, words = q.dequeue_many(2)
    assert numbers.numpy().tolist() == [2, 3] and words.numpy().tolist() == [b"b", b"c"]
    assert [part.shape for part in q.dequeue_many(0)] == [(0,), (0,)]


def test_names():
    q = tf.queue.FIFOQueue(2, [tf.int32, tf.float32], shapes=[(), ()], names=["n", "x"])
    q.enqueue({"x": 0.5, "n": 1})
    assert {k: v.numpy() for k, v in q.dequeue().items()} == {"n": 1, "x": 0.5}
    with pytest.raises(ValueError, match="the keys are not the queue's names"):
        q.enqueue({"n": 1})


def test_closed():
    q = tf.queue.FIFOQueue(3, tf.int32, shapes=[()])
    q.enqueue_many([[1, 2]])
    q.close()
    assert q.is_closed().numpy()
    with pytest.raises(tf.errors.CancelledError, match="the queue is closed"):
        q.enqueue(3)
    with pytest.raises(tf.errors.OutOfRangeError, match="wanted=3, there=2"):
        q.dequeue_many(3)
    assert q.size().numpy() == 2 and q.dequeue_up_to(3).numpy().tolist() == [1, 2]
    for take in (q.dequeue, lambda: q.dequeue_up_to(2)):
        with pytest.raises(tf.errors.OutOfRangeError, match="has too few elements"):
            take()


def test_what_does_not_fit_is_refused():
    q = tf.queue.FIFOQueue(3, [tf.float32], shapes=[(2,)])
    with pytest.raises(ValueError, match="a tensor has another shape"):
        q.enqueue([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="int32"):
        q.enqueue([tf.constant([1, 2])])
    with pytest.raises(ValueError, match="an element has another number of tensors"):
        q.enqueue([[1.0, 2.0], 3.0])
    with pytest.raises(ValueError, match="only where their shapes are known"):
        tf.queue.FIFOQueue(3, tf.int32).dequeue_many(1)
    with pytest.raises(NotImplementedError, match=r"Use it outside of tf.function"):
        tf.function(lambda x: q.enqueue([x]))(tf.constant([1.0, 2.0]))


def test_padding():
    q = tf.queue.PaddingFIFOQueue(5, [tf.int32, tf.string], shapes=[(None, 2), (None,)])
    rows = [np.ones((n, 2), "int32") for n in (1, 3, 0)]
    for at, row in enumerate(rows):
        q.enqueue([row, ["w"] * at])
    numbers, words = q.dequeue_many(3)
    assert numbers.shape == (3, 3, 2) and [int(n.sum()) for n in numbers.numpy()] == [2, 6, 0]
    assert words.numpy().tolist() == [[b"", b""], [b"w", b""], [b"w", b"w"]]


def test_shuffling():
    def drawn(seed):
        q = tf.queue.RandomShuffleQueue(20, 0, tf.int32, shapes=[()], seed=seed)
        q.enqueue_many([list(range(12))])
        return q.dequeue_many(12).numpy().tolist()

    assert sorted(drawn(1)) == list(range(12)) != drawn(1) and drawn(1) == drawn(1) != drawn(2)


def test_some_stay_behind_for_the_mixture_until_it_is_closed():
    q = tf.queue.RandomShuffleQueue(20, 3, tf.int32, shapes=[()], seed=1)
    q.enqueue_many([[1, 2, 3, 4]])
    q.dequeue()
    thread, out = started(q.dequeue)
    q.close()
    finished(thread)
    assert out[0].numpy() in (1, 2, 3, 4) and q.size().numpy() == 2


def test_priorities():
    q = tf.queue.PriorityQueue(9, [tf.string], [()])
    for priority, word in ((3, "d"), (1, "a"), (2, "b"), (2, "c")):
        q.enqueue([priority, word])
    assert [w for _, w in [q.dequeue(), q.dequeue()]][1].numpy() == b"b"
    priorities, words = q.dequeue_many(2)
    assert (
        priorities.numpy().tolist() == [2, 3]
        and words.numpy().tolist() == [b"c", b"d"]
        and priorities.dtype == tf.int64
    )


def test_putting_in_waits_for_room():
    q = tf.queue.FIFOQueue(1, tf.int32, shapes=[()])
    thread, out = started(q.enqueue_many, [[1, 2, 3]])
    assert [q.dequeue().numpy() for _ in range(3)] == [1, 2, 3]
    finished(thread)
    assert out == [None]


def test_taking_out_waits_for_elements():
    q = tf.queue.FIFOQueue(9, tf.int32, shapes=[()])
    thread, out = started(q.dequeue_many, 3)
    for number in (1, 2, 3):
        q.enqueue(number)
    finished(thread)
    assert out[0].numpy().tolist() == [1, 2, 3]


@pytest.mark.parametrize("cancel", [True, False])
def test_closing_wakes_those_who_wait(cancel):
    full, empty = tf.queue.FIFOQueue(1, tf.int32), tf.queue.FIFOQueue(1, tf.int32)
    taker, taken = started(empty.dequeue)
    empty.close()
    finished(taker)
    assert isinstance(taken[0], tf.errors.OutOfRangeError)
    full.enqueue(1)
    # the lock of those who put in is held by the one that waits, so it is known to wait
    putter, put = started(full.enqueue, 2)
    while not full._putting.locked():
        pass
    full.close(cancel_pending_enqueues=cancel)
    if cancel:
        finished(putter)
        assert isinstance(put[0], tf.errors.CancelledError)
    assert full.dequeue().numpy() == 1


def test_many_threads_lose_and_double_nothing():
    q = tf.queue.FIFOQueue(3, tf.int32, shapes=[()])
    putters = [started(q.enqueue_many, [list(range(k * 50, k * 50 + 50))])[0] for k in range(4)]
    takers = [started(lambda: [q.dequeue_many(10).numpy().tolist() for _ in range(5)]) for _ in range(4)]
    for thread in [*putters, *(thread for thread, _ in takers)]:
        finished(thread)
    batches = [batch for _, out in takers for batch in out[0]]
    assert sorted(x for batch in batches for x in batch) == list(range(200)) and q.size().numpy() == 0
