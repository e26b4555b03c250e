"""Random numbers with a memory: seeds, generators, and the draws of `tf.random`.

One seed gives one stream, at once or compiled: a generator's state is a variable, which traced programs
read and write like any other.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape, broadcast
from tensorsmith.ops import random as draws
from tensorsmith.ops.casting import cast
from tensorsmith.ops.elementwise import add, multiply, subtract
from tensorsmith.ops.gathering import gather
from tensorsmith.ops.random_bounded import random_binomial
from tensorsmith.ops.shaping import reshape
from tensorsmith.ops.sizes import split_sizes
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local
_MASK = 2**64 - 1
_STEP = np.array([0, 0, 1], np.uint64)


def _first_state(*key: int) -> np.ndarray:
    return np.array([key[0] & _MASK, key[1] & _MASK, 0], np.uint64)


def _from_nowhere() -> np.ndarray:
    return np.frombuffer(os.urandom(16) + bytes(8), np.uint64).copy()


class Generator:
    """A stream of random numbers with its own state.

    Made by `Generator.from_seed(seed)`, or `from_non_deterministic_state()`. `state` is a tf.Variable
    (uint64 [3]: two words of key, the number of the next draw), saved and restored like others.

    >>> import tensorsmith as tf
    >>> a, b = tf.random.Generator.from_seed(1), tf.random.Generator.from_seed(1)
    >>> bool(tf.reduce_all(a.normal([3]) == b.normal([3])))
    True
    """

    def __init__(self, copy_from: Generator | None = None, state: Any = None, alg: Any = None) -> None:
        _check_algorithm(alg)
        if copy_from is not None:
            state = copy_from.state._tensor._array
        with context.eagerly():
            first = _from_nowhere() if state is None else np.asarray(state).astype(np.uint64)
            self._state = Variable(first, trainable=False, name="StateVar")

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """The stream of a seed: an integer, or two of them."""
        return cls(state=_first_state(*_words(seed, "Generator.from_seed")), alg=alg)

    @classmethod
    def from_state(cls, state: Any, alg: Any = None) -> Generator:
        return cls(state=state, alg=alg)

    @classmethod
    def from_key_counter(cls, key: int, counter: Any, alg: Any = None) -> Generator:
        """The stream of a key (64 bits) from a counter (two words, the low one first) on."""
        return cls(state=_counted(key, counter), alg=alg)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """A stream that is another one each time."""
        return cls(alg=alg)

    @property
    def state(self) -> Variable:
        return self._state

    @property
    def algorithm(self) -> int:
        """1: Philox, as tf.random.Algorithm counts."""
        return 1

    @property
    def key(self) -> Tensor:
        """The first word of the key, of 64 bits."""
        return self._state._read()[0]

    def reset(self, state: Any) -> None:
        with context.eagerly():
            self._state.assign(np.asarray(state).astype(np.uint64))

    def reset_from_seed(self, seed: Any) -> None:
        """Starts the stream of a seed anew."""
        self.reset(_first_state(*_words(seed, "reset_from_seed")))

    def reset_from_key_counter(self, key: int, counter: Any) -> None:
        """Goes on with the stream of a key from a counter on."""
        self.reset(_counted(key, counter))

    def skip(self, delta: int) -> Tensor:
        """Leaves out the next `delta` draws; gives the state before."""
        before = self._state._read()
        step = Tensor(np.array([0, 0, _whole(delta, "Generator.skip") & _MASK], np.uint64))
        self._state._write(add(before, step))
        return before

    def split(self, count: int = 1) -> list[Generator]:
        """Generators whose streams have nothing to do with each other or with this one."""
        keys = np.asarray(self._draw(draws.random_bits, (2 * count,), np.dtype("uint64"))).reshape(count, 2)
        return [Generator(state=np.array([*key, 0], np.uint64)) for key in keys]

    def make_seeds(self, count: int = 1) -> Tensor:
        """Seeds [2, count] (int64) for stateless draws."""
        return cast(reshape(self._draw(draws.random_bits, (2, count), np.dtype("uint64")), [2, count]), dtypes.int64)

    def _draw(self, function: Any, shape: Any, dtype: np.dtype, *values: Any, **settings: Any) -> Tensor:
        """One draw from this state, and on to the next."""
        operation = function
        sizes, parts = checked_sizes(shape, operation.name)
        settings.update(sizes=sizes, dtype=dtype)
        return self._run(operation, [*values, parts], settings)

    def _run(self, operation: Any, values: list[Any], settings: dict) -> Tensor:
        variable = self._state
        if _local.graph is None and not _symbolic(values):
            # not noted on tapes: to a derivative a draw is a number like any other
            state = variable._tensor._array
            arrays = [v if isinstance(v, list) else convert(v)._array for v in values]
            result = Tensor(operation.kernel(np, state, *arrays, **settings))
            variable._tensor = Tensor(state + _STEP)
            return result
        state = variable._read()
        result = apply(operation, (state, *values), settings)
        variable._write(apply(draws.random_step, (state,), {}))
        return result

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Numbers evenly spread over [minval, maxval); for integers `maxval` is needed."""
        return draw_uniform(self, shape, minval, maxval, dtype)

    def uniform_full_int(self, shape: Any, dtype: Any = dtypes.uint64, name: str | None = None) -> Tensor:
        """Integers whose bits are all random."""
        return self._draw(draws.random_bits, shape, dtypes.as_dtype(dtype).numpy_dtype)

    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Numbers of a normal distribution."""
        return draw_normal(self, draws.random_normal, shape, mean, stddev, dtype)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Numbers of a normal distribution cut off two standard deviations from the mean."""
        return draw_normal(self, draws.random_truncated_normal, shape, mean, stddev, dtype)

    def binomial(
        self, shape: Any, counts: Any, probs: Any, dtype: Any = dtypes.int32, name: str | None = None
    ) -> Tensor:
        """How many of `counts` trials succeed, each with probability `probs`; `shape` ends with theirs, broadcast."""
        return draw_binomial(self, "Generator.binomial", shape, counts, probs, dtype)

    def categorical(self, logits: Any, num_samples: Any, dtype: Any = dtypes.int64) -> Tensor:
        """Class numbers [B, num_samples] drawn with probabilities softmax(logits [B, C])."""
        logits = convert(logits)
        if logits.ndim != 2 or not logits.dtype.is_floating:
            raise InvalidArgumentError(
                explain(
                    "categorical",
                    "logits must be floats [batch, classes]",
                    {"logits": f"{logits.dtype.name}{logits.shape}"},
                )
            )
        settings = {"num_samples": int(num_samples), "dtype": dtypes.as_dtype(dtype).numpy_dtype}
        return self._run(draws.random_categorical, [logits], settings)

    def shuffle(self, value: Any) -> Tensor:
        """The rows of a tensor in random order; a scalar as it is."""
        value = convert(value)
        if not value.ndim:
            return value
        return gather(value, self._run(draws.random_order, [value], {}))

    def __repr__(self) -> str:
        return f"<tf.random.Generator state={self._state._tensor._array.tolist()}>"


def _check_algorithm(alg: Any) -> None:
    """ValueError for a name of an algorithm that does not exist; all that do are Philox here."""
    name = getattr(alg, "name", alg)
    known = ("philox", "threefry", "auto_select", 1, 2, 3, None)
    if (name.lower() if isinstance(name, str) else name) not in known:
        raise ValueError(f"Generator: alg must be 'philox', 'threefry' or 'auto_select', not {alg!r}.")


def _words(seed: Any, who: str) -> tuple[int, int]:
    """A seed as two words: an integer, or one or two of them."""
    words = np.asarray(seed).ravel().tolist() if isinstance(seed, (list, tuple, np.ndarray, Tensor)) else [seed]
    if not 1 <= len(words) <= 2:
        raise ValueError(f"{who}: a seed is one integer or two, not {len(words)}.")
    first, second = (*words, 0)[:2]
    return _whole(first, who), _whole(second, who)


def _counted(key: Any, counter: Any) -> np.ndarray:
    low, high = (*np.asarray(counter).ravel().tolist(), 0)[:2]
    return np.array([int(key) & _MASK, high & _MASK, low & _MASK], np.uint64)


def checked_sizes(shape: Any, who: str) -> tuple[Any, list[Any]]:
    sizes, parts = split_sizes(shape, who)
    if any(size is not None and size < 0 for size in sizes):
        raise InvalidArgumentError(explain(who, "a size is below 0", {"shape": sizes}))
    return sizes, parts


def _symbolic(values: list[Any]) -> bool:
    return any(_symbolic(v) if isinstance(v, list) else isinstance(v, Symbol) for v in values)


def _whole(seed: Any, who: str) -> int:
    try:
        return int(seed)
    except (TypeError, ValueError):
        raise ValueError(f"{who}: a seed must be an integer, not {seed!r}.") from None


def draw_uniform(generator: Any, shape: Any, minval: Any, maxval: Any, dtype: Any) -> Tensor:
    wanted = dtypes.as_dtype(dtype)
    if wanted.is_integer:
        if minval is None and maxval is None:
            return generator._draw(draws.random_bits, shape, wanted.numpy_dtype)
        if maxval is None:
            raise ValueError(f"random.uniform: maxval must be given for {wanted.name}.")
        low, high = convert(minval), convert(maxval)
        if (
            not isinstance(low, Symbol)
            and not isinstance(high, Symbol)
            and not np.all(np.asarray(low) < np.asarray(high))
        ):
            raise InvalidArgumentError(
                explain("random.uniform", "minval must be below maxval", {"minval": minval, "maxval": maxval})
            )
        return generator._draw(draws.random_integers, shape, wanted.numpy_dtype, low, high)
    if not wanted.is_floating:
        raise ValueError(f"random.uniform: dtype must be a float or an integer, not {wanted.name}.")
    drawn = generator._draw(draws.random_uniform, shape, wanted.numpy_dtype)
    top = 1 if maxval is None else maxval
    if is_number(minval) and is_number(top):
        if top - minval != 1:
            drawn = multiply(drawn, float(top - minval))
        return drawn if minval == 0 else add(drawn, float(minval))
    return add(multiply(drawn, subtract(convert(top, wanted), convert(minval, wanted))), minval)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def draw_normal(generator: Any, function: Any, shape: Any, mean: Any, stddev: Any, dtype: Any) -> Tensor:
    wanted = dtypes.as_dtype(dtype)
    if not wanted.is_floating:
        raise ValueError(f"{function.name}: dtype must be a float, not {wanted.name}.")
    if is_number(mean) and is_number(stddev):
        return generator._draw(function, shape, wanted.numpy_dtype, mean=float(mean), stddev=float(stddev))
    drawn = generator._draw(function, shape, wanted.numpy_dtype)
    # as operations of their own: derivatives flow to a mean and a deviation that are tensors
    return add(multiply(drawn, convert(stddev, None, wanted.numpy_dtype)), convert(mean, None, wanted.numpy_dtype))


def parameters_of(who: str, shape: Any, *given: Any) -> list[Tensor]:
    """Parameters of a distribution as floats of one dtype. InvalidArgumentError unless `shape` ends with theirs, broadcast."""
    first = next((value for value in given if isinstance(value, Tensor)), None)
    like = np.dtype("float32") if first is None or not first.dtype.is_floating else first.dtype.numpy_dtype
    found = [convert(value, None, like) for value in given]
    found = [value if value.dtype.is_floating else cast(value, like) for value in found]
    whole = broadcast(*(tuple(value.shape) for value in found))
    sizes = checked_sizes(shape, who)[0]
    if whole and not TensorShape(sizes[-len(whole) :]).is_compatible_with(whole):
        raise InvalidArgumentError(
            explain(
                who,
                "the shape does not end with that of the parameters",
                {"shape": sizes, "parameters": tuple(whole)},
                "each element of the parameters' shape, broadcast, has draws of its own",
            )
        )
    return found


def draw_binomial(generator: Any, who: str, shape: Any, counts: Any, probs: Any, dtype: Any) -> Tensor:
    wanted = dtypes.as_dtype(dtype)
    if not (wanted.is_floating or wanted.is_integer):
        raise ValueError(f"{who}: dtype must be a number's, not {wanted.name}.")
    return generator._draw(random_binomial, shape, wanted.numpy_dtype, *parameters_of(who, shape, counts, probs))


# ---- the global stream

_global_seed: int | None = None
_global: Generator | None = None
# {seed of a call: its stream}; begun anew by set_seed
_by_seed: dict[int, Generator] = {}
# (state of a stream that a traced function draws from, its first value)
_in_functions: list[tuple[weakref.ref[Variable], np.ndarray]] = []


def set_seed(seed: int) -> None:
    """Starts all streams anew: the same seed, the same numbers from here on.

    Draws without a seed of their own share a stream, and those of one seed another one, which follow from both seeds.
    A traced function is like a program that is run again: its draws without a seed have a stream that begins where the one
    of all others stands when it is traced, so that two functions of the same code draw the same, and each draw with a seed
    has a stream. set_seed begins those anew too, as they were; the seed that they follow from is that of the trace.

    >>> import tensorsmith as tf
    >>> tf.random.set_seed(42); a = tf.random.normal([3])
    >>> tf.random.set_seed(42); b = tf.random.normal([3])
    >>> bool(tf.reduce_all(a == b))
    True
    """
    global _global_seed
    _global_seed = _whole(seed, "set_seed")
    # the generators stay the same objects: programs traced before go on reading and writing them
    get_global_generator().reset(_first_state(_global_seed, 0))
    for own, generator in _by_seed.items():
        generator.reset(_first_state(_global_seed, own + 1))
    _in_functions[:] = [(state, first) for state, first in _in_functions if state() is not None]
    with context.eagerly():
        for state, first in _in_functions:
            variable = state()
            if variable is not None:
                variable.assign(first)


def get_global_generator() -> Generator:
    """The generator that draws without a seed use."""
    global _global
    found = _global
    if found is None:
        found = _global = of_the_process(Generator)
    return found


def set_global_generator(generator: Generator) -> None:
    """Puts another generator in the place of the global one."""
    global _global
    _global = generator


def generator_of(seed: Any) -> Generator:
    """The stream of a draw: by its seed, of the process or of the function being traced."""
    own = None if seed is None else _whole(seed, "seed")
    graph = _local.graph
    while graph is not None and graph.streams is None:
        graph = graph.outer
    if graph is not None:
        return _of_function(graph.streams, own)
    if own is None:
        return get_global_generator()
    found = _by_seed.get(own)
    if found is None:
        found = _by_seed[own] = of_the_process(lambda: Generator(state=_first_state(_global_seed or 0, own + 1)))
    return found


def _of_function(streams: dict[Any, Any], own: int | None) -> Generator:
    """The stream of a draw in a traced function: one of all draws without a seed, one of each draw with a seed."""
    if own is None and None in streams:
        return streams[None]
    if own is not None:
        first = _first_state(_global_seed or 0, own + 1)
    else:
        # not the stream of the process itself: a function would draw other numbers for each one that ran before it
        first = _from_nowhere() if _global_seed is None else get_global_generator().state._tensor._array
    made = of_the_process(lambda: Generator(state=first))
    _in_functions.append((weakref.ref(made.state), first))
    if own is None:
        streams[None] = made
    return made


def of_the_process(make: Callable[[], Any]) -> Any:
    """What make() gives, which stays for the whole process: no variable of the function that happens to draw first."""
    noting, _local.made = _local.made, None
    try:
        return make()
    finally:
        _local.made = noting


def numpy_generator() -> np.random.Generator:
    """A NumPy generator that follows from the global stream, which moves on."""
    with context.eagerly():
        words = np.asarray(get_global_generator().uniform_full_int((2,))._array)
    return np.random.Generator(np.random.Philox(key=words))


def set_random_seed(seed: int) -> None:
    """Seeds Python's `random`, NumPy's global stream and ours."""
    import random

    random.seed(seed)
    np.random.seed(seed % 2**32)
    set_seed(seed)


# ---- draws


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Numbers evenly spread over [minval, maxval), by default [0, 1); for integers `maxval` is needed.

    >>> import tensorsmith as tf
    >>> tf.random.uniform([2, 3]).shape
    TensorShape([2, 3])
    """
    return draw_uniform(generator_of(seed), shape, minval, maxval, dtype)


def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of a normal distribution.

    shape: a list, tuple, TensorShape or tensor. `seed`: a stream of its own, fixed by it and the global seed.

    >>> import tensorsmith as tf
    >>> tf.random.normal([2, 3], stddev=2.0, dtype=tf.float64).dtype
    tf.float64
    """
    return draw_normal(generator_of(seed), draws.random_normal, shape, mean, stddev, dtype)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of a normal distribution cut off two standard deviations from the mean.

    >>> import tensorsmith as tf
    >>> bool(tf.reduce_max(tf.abs(tf.random.truncated_normal([1000]))) <= 2.0)
    True
    """
    return draw_normal(generator_of(seed), draws.random_truncated_normal, shape, mean, stddev, dtype)


def categorical(logits: Any, num_samples: Any, dtype: Any = None, seed: Any = None, name: str | None = None) -> Tensor:
    """Class numbers [B, num_samples] drawn with probabilities softmax(logits [B, C]).

    >>> import tensorsmith as tf
    >>> tf.random.categorical([[0.0, -1e9]], 3).numpy()
    array([[0, 0, 0]])
    """
    return generator_of(seed).categorical(logits, num_samples, dtypes.int64 if dtype is None else dtype)


def shuffle(value: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """The rows of a tensor in random order.

    >>> import tensorsmith as tf
    >>> sorted(tf.random.shuffle([3, 1, 2]).numpy().tolist())
    [1, 2, 3]
    """
    return generator_of(seed).shuffle(value)
