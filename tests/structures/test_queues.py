"""Queues: order, capacity, closing, and threads that wait."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorsmith as tf

BAD = tf.errors.InvalidArgumentError
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
    assert q.dequeue_up_to(0).shape == (0,) and q.enqueue_many([np.zeros(0, "int32")]) is None
    with pytest.raises(tf.errors.CancelledError, match="the queue is closed"):
        q.close()
    q.close(cancel_pending_enqueues=True)


def test_what_does_not_fit_is_refused():
    q = tf.queue.FIFOQueue(3, [tf.float32], shapes=[(2,)])
    with pytest.raises(ValueError, match="a tensor has another shape"):
        q.enqueue([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="int32"):
        q.enqueue([tf.constant([1, 2])])
    with pytest.raises(BAD, match="an element has another number of tensors"):
        q.enqueue([[1.0, 2.0], 3.0])
    with pytest.raises(ValueError, match=r"a tensor has another shape .given=\(3,\), needed=\(2,\)"):
        q.enqueue_many([np.zeros((0, 3), "float32")])
    with pytest.raises(ValueError, match="the tensors differ in their number of rows"):
        tf.queue.FIFOQueue(3, [tf.int32, tf.int32]).enqueue_many([[1, 2], [1]])
    with pytest.raises(BAD, match="only where their shapes are known"):
        tf.queue.FIFOQueue(3, tf.int32).dequeue_many(1)
    for take in (q.dequeue_many, q.dequeue_up_to):
        with pytest.raises(BAD, match=r"there is no such number of elements .n=-1"):
            take(-1)
    assert q.size().numpy() == 0


def test_queues_that_cannot_be_made():
    make = tf.queue
    for call, kind, text in (
        (lambda: make.FIFOQueue(3, [tf.int32] * 2, shapes=[()]), BAD, "as many shapes as dtypes"),
        (lambda: make.FIFOQueue(3, [tf.int32] * 2, names=["a"]), ValueError, "as many names as dtypes"),
        (lambda: make.FIFOQueue(3, tf.int32, shapes=[(None,)]), ValueError, "the shapes must be fully known"),
        (lambda: make.PaddingFIFOQueue(3, tf.int32, None), ValueError, "the shapes must be given"),
        (
            lambda: make.PaddingFIFOQueue(3, tf.int32, tf.TensorShape(None)),
            ValueError,
            "the shapes must be of known rank",
        ),
        (
            lambda: make.RandomShuffleQueue(3, 3, tf.int32),
            BAD,
            r"min_after_dequeue=3, capacity=3.; it must be at least 0",
        ),
        (lambda: make.RandomShuffleQueue(3, -1, tf.int32), BAD, "min_after_dequeue=-1"),
    ):
        with pytest.raises(kind, match=text):
            call()
    assert tf.queue.RandomShuffleQueue(-1, 5, tf.int32).min_after_dequeue == 5


def test_one_of_a_list():
    a, b = tf.queue.FIFOQueue(3, tf.int32), tf.queue.RandomShuffleQueue(3, 0, tf.int32)
    choose = tf.queue.QueueBase.from_list
    assert choose(1, [a, b]) is b and choose(tf.constant(0), [a, b]) is a
    for others, text in (([3], "a list of queues is needed"), ([tf.queue.FIFOQueue(3, tf.string)], "the queues differ in dtypes"),
                         ([tf.queue.FIFOQueue(3, tf.int32, names="n")], "the queues differ in names")):  # fmt: skip
        with pytest.raises(TypeError, match=text):
            choose(0, [a, *others])
    with pytest.raises(BAD, match=r"there is no such queue .index=2, queues=2"):
        choose(2, [a, b])


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
    assert q._ready()
    q.dequeue()
    assert not q._ready() and q.size().numpy() == 3
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


def test_what_one_takes_out_at_once_is_not_shared_with_another():
    q = tf.queue.FIFOQueue(1, tf.int32, shapes=[()])
    takers = [started(q.dequeue_many, 12) for _ in range(2)]
    q.enqueue(-1)
    with q._changed:
        while q._count():
            q._changed.wait(WAIT)
    assert q._taking.locked()
    q.enqueue_many([list(range(11))])
    q.close()
    for thread, _ in takers:
        finished(thread)
    found = [out[0] for _, out in takers]
    errors = [x for x in found if isinstance(x, tf.errors.OutOfRangeError)]
    assert len(errors) == 1 and [x.numpy().tolist() for x in found if x not in errors] == [[-1, *range(11)]]


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


def waits_to_put_in(q):
    """Returns when a thread has promised elements that there is no room for."""
    with q._changed:
        while not q._promised or q._count() < q.capacity:
            q._changed.wait(WAIT)


def test_what_waits_to_get_in_when_it_is_closed_is_taken_out():
    q = tf.queue.FIFOQueue(2, tf.int32, shapes=[()])
    thread, out = started(q.enqueue_many, [[1, 2, 3, 4, 5]])
    waits_to_put_in(q)
    q.close()
    with pytest.raises(tf.errors.CancelledError):
        q.enqueue(6)
    assert q.dequeue_many(3).numpy().tolist() == [1, 2, 3] and q.dequeue_up_to(9).numpy().tolist() == [4, 5]
    finished(thread)
    assert out == [None]
    with pytest.raises(tf.errors.OutOfRangeError):
        q.dequeue()


def test_what_is_cancelled_does_not_get_in():
    q = tf.queue.FIFOQueue(2, tf.int32, shapes=[()])
    thread, out = started(q.enqueue_many, [[1, 2, 3, 4]])
    waits_to_put_in(q)
    other, second = started(q.enqueue, 5)
    q.close(cancel_pending_enqueues=True)
    finished(thread)
    finished(other)
    assert isinstance(out[0], tf.errors.CancelledError) and isinstance(second[0], tf.errors.CancelledError)
    assert q.dequeue_up_to(4).numpy().tolist() == [1, 2]


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["FIFOQueue", "PaddingFIFOQueue", "PriorityQueue", "RandomShuffleQueue"]),
    st.integers(1, 4),
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=4),
    st.lists(st.integers(1, 3), min_size=1, max_size=3),
)
def test_threads_that_put_in_and_take_out(kind, capacity, sizes, batches):
    """Every thread puts in its own numbers, some of them many at once; the takers go on until the queue is closed."""
    make = getattr(tf.queue, kind)
    q = make(capacity, 0, tf.int64, shapes=[()]) if kind == "RandomShuffleQueue" else make(capacity, tf.int64, [()])
    ranked = kind == "PriorityQueue"

    def put(rows):
        for row in rows:
            numbers = np.array(row, "int64")
            q.enqueue_many([numbers, numbers] if ranked else [numbers])

    def take(most):
        found = []
        while True:
            try:
                many = q.dequeue_up_to(most)
            except tf.errors.OutOfRangeError:
                return found
            found += (many[1] if ranked else many).numpy().tolist()

    rows = [[[1000 * k + 10 * at + i for i in range(n)] for at, n in enumerate(many)] for k, many in enumerate(sizes)]
    putters, takers = [started(put, mine) for mine in rows], [started(take, most) for most in batches]
    for thread, _ in putters:
        finished(thread)
    q.close()
    for thread, _ in takers:
        finished(thread)
    assert all(out == [None] for _, out in putters)
    assert sorted(x for _, out in takers for x in out[0]) == sorted(x for mine in rows for row in mine for x in row)
    if kind == "FIFOQueue" and len(takers) == 1:
        for mine in rows:
            wanted = [x for row in mine for x in row]
            assert [x for x in takers[0][1][0] if x in wanted] == wanted


# ---- in programs


def test_in_a_program_they_run_in_order():
    q = tf.queue.FIFOQueue(9, tf.int32, shapes=[()])

    @tf.function
    def f(n):
        for i in tf.range(n):
            if i % 2 == 0:
                q.enqueue(i)
            else:
                q.enqueue_many([tf.stack([i, -i])])
        held = q.size()
        return held, q.dequeue(), q.dequeue_many(2), q.dequeue_up_to(n - 3), q.size(), q.is_closed()

    for _ in range(2):
        held, first, two, rest, left, closed = f(tf.constant(5))
        assert (held.numpy(), first.numpy(), two.numpy().tolist(), rest.numpy().tolist()) == (7, 0, [1, -1], [2, 3])
        assert left.numpy() == 2 and not closed.numpy() and q.dequeue_many(2).numpy().tolist() == [-3, 4]


def test_in_a_program_dtypes_shapes_and_names_are_known():
    q = tf.queue.FIFOQueue(9, [tf.int32, tf.string], shapes=[(2,), ()], names=["n", "w"])
    loose, shapes = tf.queue.FIFOQueue(9, tf.float32), []

    @tf.function
    def f(n, w, count):
        q.enqueue({"n": n, "w": w})
        q.enqueue_many({"n": tf.stack([n, n]), "w": tf.stack([w, w])})
        loose.enqueue(tf.ones([2, 3]))
        one, two, some, any_shape = q.dequeue(), q.dequeue_many(1), q.dequeue_many(count), loose.dequeue()
        shapes.extend([one["n"].shape, two["n"].shape, some["w"].shape, any_shape.shape.rank])
        return one, two, some, tf.reduce_sum(any_shape)

    one, two, some, total = f(tf.constant([1, 2]), tf.constant("x"), tf.constant(1))
    assert shapes == [(2,), (1, 2), (None,), None] and total.numpy() == 6
    assert one["n"].numpy().tolist() == [1, 2] and one["w"].numpy() == b"x"
    assert two["n"].numpy().tolist() == [[1, 2]] and some["w"].numpy().tolist() == [b"x"]


def test_in_a_program_errors_are_the_same():
    q = tf.queue.FIFOQueue(9, tf.float32, shapes=[(2,)])

    @tf.function
    def f(x):
        q.enqueue(x)
        q.close()
        return q.is_closed()

    with pytest.raises(ValueError, match="a tensor has another shape"):
        f(tf.constant([1.0, 2.0, 3.0]))
    assert f(tf.constant([1.0, 2.0])).numpy() and q.size().numpy() == 1
    with pytest.raises(tf.errors.CancelledError, match="the queue is closed"):
        f(tf.constant([1.0, 2.0]))
    take = tf.function(lambda: q.dequeue())
    assert take().numpy().tolist() == [1, 2]
    with pytest.raises(tf.errors.OutOfRangeError, match="has too few elements"):
        take()


def test_a_program_waits_for_another_thread():
    q = tf.queue.FIFOQueue(1, tf.int32, shapes=[()])
    put, take = tf.function(lambda x: q.enqueue(x)), tf.function(lambda: q.dequeue() + 1)
    thread, out = started(lambda: [take().numpy().item() for _ in range(5)])
    for number in range(5):
        put(tf.constant(number))
    finished(thread)
    assert out == [[1, 2, 3, 4, 5]]


def test_a_gradient_takes_nothing_out():
    q = tf.queue.FIFOQueue(9, tf.float32, shapes=[()])
    q.enqueue_many([[5.0, 7.0, 11.0]])
    x = tf.Variable(3.0)
    f = tf.function(lambda: x * x * q.dequeue())
    with tf.GradientTape() as tape:
        y = f()
    assert y.numpy() == 9 * 5 and tape.gradient(y, x).numpy() == 6 * 5 and q.size().numpy() == 2

    @tf.function
    def inside():
        with tf.GradientTape() as tape:
            y = x * x * q.dequeue()
        return tape.gradient(y, x)

    assert inside().numpy() == 6 * 7 and q.size().numpy() == 1


def test_texts_beside_padded_rows() -> None:
    q = tf.queue.PaddingFIFOQueue(5, [tf.int32, tf.string], shapes=[[None], []])
    q.enqueue([[1, 2], "a"])
    q.enqueue([[3], "b"])
    rows, texts = q.dequeue_many(2)
    assert rows.numpy().tolist() == [[1, 2], [3, 0]]
    assert repr(texts.numpy()) == repr(np.array([b"a", b"b"], object))
