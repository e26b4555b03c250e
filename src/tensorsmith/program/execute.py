"""XLA executables by program and shapes: the 64-bit scope, the settings of the user's JAX kept out, the on-disk cache."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, OpError, explain
from tensorsmith.program import checks, disk_cache, xla
from tensorsmith.program.calls import signature_calls
from tensorsmith.program.lower import lower
from tensorsmith.program.program import Program

# how often JAX traced a function ("traced") and XLA compiled one ("compiled"): what a first call waits for
work: Counter[str] = Counter()

_jax: Any = None
_import_lock = threading.Lock()
_compile_lock = threading.RLock()
_forked = False


def _after_fork() -> None:
    # XLA's threads do not survive a fork: a call in the child would hang for ever
    global _forked
    _forked = _jax is not None


os.register_at_fork(after_in_child=_after_fork)


def jax() -> Any:
    """The jax module, imported at its first use: its import takes longer than all of ours."""
    global _jax
    if _jax is None:
        with _import_lock:
            import jax as module

            _jax = module
    if _forked:
        raise RuntimeError(
            "A compiled program was called in a process made by fork() after JAX had started, where it would hang. "
            "Start workers with the 'spawn' or 'forkserver' method of multiprocessing."
        )
    return _jax


def import_in_background() -> None:
    """Starts importing JAX on a thread, so that it hides behind what the user's code does before the first program."""
    if _jax is None:
        threading.Thread(target=_import_quietly, name="tensorsmith-import-jax").start()


def _import_quietly() -> None:
    # whoever needs JAX meets the error itself, with a traceback of its own
    with contextlib.suppress(Exception):
        jax().devices()


@contextlib.contextmanager
def guard() -> Iterator[None]:
    """Our traces see 64-bit types and none of the settings of the user's own JAX, on this thread, in this block."""
    module = jax()
    with (
        module.enable_x64(True),
        module.numpy_dtype_promotion("standard"),
        module.numpy_rank_promotion("allow"),
        module.check_tracer_leaks(False),
        module.debug_nans(False),
    ):
        yield


_device: list[Any] = []


def device() -> Any:
    """The device on which a call runs a program before it returns; None: JAX's own, and callers wait for the results."""
    if not _device:
        found = None
        if jax().default_backend() == "cpu":
            with contextlib.suppress(Exception):  # an interface that JAX does not promise: see program/xla.py
                found = xla.synchronous_device()
        _device.append(found)
    return _device[0]


def placed(array: Any) -> Any:
    """The array on the device of `ahead`. It may stay where it stands: it must not change from here on."""
    with jax().enable_x64(True):
        return jax().device_put(array, device())


def ahead(key: Any, make: Callable[[], Callable[..., Any]], arrays: list[Any]) -> Callable[..., list[Any]]:
    """The function that `make()` gives, compiled for arrays of these shapes and kept under `key` for the process.

    Takes NumPy arrays and those on `device()`, and has done with them when it returns.
    """
    full = key, tuple([(tuple(a.shape), str(a.dtype)) for a in arrays])
    found = _jitted.get(full)
    if found is None:
        with _compile_lock:
            found = _jitted.get(full)
            if found is None:
                if len(_jitted) > 4096:
                    _jitted.clear()
                found = _jitted[full] = _compiled_ahead(make(), arrays)
    return found


def _compiled_ahead(function: Callable[..., Any], arrays: list[Any]) -> Callable[..., list[Any]]:
    module, where = jax(), device()
    sharding = None if where is None else module.sharding.SingleDeviceSharding(where)
    with guard():
        specs = [module.ShapeDtypeStruct(a.shape, a.dtype, sharding=sharding) for a in arrays]
        compiled = module.jit(function, keep_unused=True).lower(*specs).compile()
    wide = any(np.dtype(a.dtype).itemsize >= 8 for a in [*arrays, *module.tree.leaves(compiled.out_info)])
    if where is not None and not wide:
        return compiled

    def call(*arrays: Any) -> list[Any]:
        with module.enable_x64(True):
            return module.block_until_ready(compiled(*arrays))

    return call


_jitted: dict[Any, Any] = {}


def jitted(key: Any, make: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """The function that `make()` gives, compiled per shape of its arguments and kept under `key` for the process."""
    found = _jitted.get(key)
    if found is None:
        with _compile_lock:
            found = _jitted.get(key)
            if found is None:
                if len(_jitted) > 4096:
                    _jitted.clear()
                found = _jitted[key] = _Guarded(make())
    return found


class _Guarded:
    """A jitted function that is traced under the whole guard and called under the 64-bit scope alone."""

    __slots__ = ("call", "lock", "seen", "x64")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.call = jax().jit(function)
        self.x64 = jax().enable_x64
        self.seen: set[Any] = set()

    def __call__(self, *arrays: Any) -> Any:
        # the pinned settings matter while tracing only, and cost 5 to 7 µs
        shapes = tuple([(a.shape, a.dtype) for a in arrays])
        if shapes in self.seen:
            with self.x64(True):
                return self.call(*arrays)
        work["traced"] += 1
        work["compiled"] += 1
        with _compile_lock, guard():
            result = self.call(*arrays)
        self.seen.add(shapes)
        return result


# What comes of a program that XLA cannot take: a size that hangs on values, shapes that differ between branches
# or change from round to round.
REFUSED = (OpError, TypeError, ValueError, IndexError, NotImplementedError)
_numpy_only: dict[Any, bool] = {}


class Refused(Exception):
    """XLA has turned a program down; its cause is one of REFUSED."""


def on_numpy(program: Program) -> bool:
    """True for a program that NumPy must run: it, or a program in it, holds an eager operation or strings."""
    key = program.signature()
    found = _numpy_only.get(key)
    if found is None:
        if len(_numpy_only) > 4096:
            _numpy_only.clear()
        found = any(dtype == object for _, dtype in program.specs) or any(
            node.op.eager or any(map(on_numpy, node.programs)) for node in program.nodes
        )
        _numpy_only[key] = found
    return found


def refused(program: Program) -> None:
    """Notes that XLA has turned a program down, which NumPy could run."""
    _numpy_only[program.signature()] = True


def interpreted(program: Program, inputs: list[Any], captures: list[Any]) -> tuple[list[Any], list[Any]]:
    """A program run by NumPy; what an operation refuses is told as when it is called by itself."""
    with np.errstate(all="ignore"):
        try:
            outputs, updates = lower(program, np)(inputs, captures)
        except OpError:
            raise
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            raise InvalidArgumentError(explain("a traced function", str(error).rstrip("."))) from error
    return [np.asarray(x) for x in outputs], [np.asarray(x) for x in updates]


def run(program: Program, inputs: list[Any], captures: list[Any]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Runs a program compiled: NumPy (or JAX) arrays in, NumPy arrays out: (outputs, updated values)."""
    if on_numpy(program):
        return interpreted(program, inputs, captures)
    n_inputs, n_outputs = len(inputs), len(program.outputs)

    def make() -> Callable[..., Any]:
        function = lower(program, jax().numpy)

        def flat(*arrays: Any) -> list[Any]:
            outputs, updates = function(list(arrays[:n_inputs]), list(arrays[n_inputs:]))
            return outputs + updates

        return flat

    results = None
    with contextlib.suppress(*REFUSED):
        results = jitted(program.signature(), make)(*inputs, *captures)
    if results is None:
        # NumPy may run it, or says by itself what is wrong
        result = interpreted(program, inputs, captures)
        refused(program)
        return result
    arrays = [np.asarray(result) for result in results]
    outputs, updates = arrays[:n_outputs], arrays[n_outputs:]
    checks.settle(program, updates, lambda: interpreted(program, inputs, captures))
    return outputs, updates


_whole: dict[Any, Callable[..., list[Any]]] = {}


def whole(
    key: tuple[Any, ...],
    signatures: list[Any],
    make: Callable[[], Callable[..., Any]],
    arrays: list[Any],
    options: tuple[str, ...] = (),
) -> Callable[..., list[Any]]:
    """A program compiled ahead of its call for the shapes of `arrays`: for runs of many steps.

    key         what besides the programs makes this function what it is: plain values only.
    signatures  `Program.signature()` of the programs in it; where they hold no object of this process,
                the executable is kept on disk and the next process neither traces nor compiles it.
    make        gives the function of flat arrays -> list of arrays, when it has to be traced.
    options     names of sets of compile options (`program/xla.py`).
    """
    shapes = tuple([(tuple(a.shape), str(a.dtype)) for a in arrays])
    full = (key, tuple(signatures), shapes, options)
    found = _whole.get(full)
    if found is None:
        with _key_lock(full):
            found = _whole.get(full)
            if found is None:
                if len(_whole) > 1024:
                    _whole.clear()
                found = _whole[full] = _compile(full, signatures, make, arrays, options)
    return found


_locks: dict[Any, threading.Lock] = {}


def _key_lock(key: Any) -> threading.Lock:
    # one lock a program and not one for all: XLA compiles two programs on two cores
    return _locks.setdefault(key, threading.Lock())


def _compile(
    full: tuple,
    signatures: list[Any],
    make: Callable[[], Callable[..., Any]],
    arrays: list[Any],
    options: tuple[str, ...],
) -> Callable[..., list[Any]]:
    stable = [s.stable() for s in signatures]
    entry = None if None in stable else disk_cache.entry(repr((full[0], stable, full[2], full[3])).encode())
    if entry is not None:
        body = disk_cache.load(entry)
        if body is not None:
            with contextlib.suppress(Exception):  # another XLA than the one that wrote it: compile anew
                return xla.load(body, jax())
    work["traced"] += 1
    work["compiled"] += 1
    with guard():
        specs = [jax().ShapeDtypeStruct(a.shape, a.dtype) for a in arrays]
        lowered = jax().jit(make(), keep_unused=True).lower(*specs)
        executable: Any = None
        # what calls Python is compiled by JAX itself, which keeps what there is to call
        if jax().default_backend() == "cpu" and not any(signature_calls(s) for s in signatures):
            with contextlib.suppress(Exception):  # an interface that JAX does not promise: see program/xla.py
                executable = xla.compile_lowered(lowered, options, jax())
        if executable is None:
            return _Ahead(lowered.compile())
    if entry is not None:
        disk_cache.store(entry, executable.serialize)
    return executable


class _Ahead:
    """An executable compiled through JAX's public interface."""

    __slots__ = ("compiled",)

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled

    def __call__(self, *arrays: Any) -> list[Any]:
        with jax().enable_x64(True):
            return self.compiled(*arrays)


def forget() -> None:
    """Drops every compiled program of this process (they stay on disk)."""
    with _compile_lock:
        _jitted.clear()
        _whole.clear()
