"""if, and, or, not, ternaries and asserts of rewritten code: Python's own, or part of the program where a tensor decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorsmith.function.control_flow import branch, is_open
from tensorsmith.function.lists import TensorList
from tensorsmith.function.merging import Undefined
from tensorsmith.ops import debugging
from tensorsmith.tensor.apply import functions

State = tuple[Any, ...]
Get = Callable[[], State]
Put = Callable[[State], None]


def no_state() -> State:
    """The variables of a block that hands none on."""
    return ()


def forget(state: State) -> None:
    """Sets no variables."""


def if_(
    test: Any,
    body: Callable[[], None],
    orelse: Callable[[], None] | None,
    get: Get = no_state,
    put: Put = forget,
    names: tuple[str, ...] = (),
    lists: tuple[str, ...] = (),
) -> None:
    """An if statement: Python's own, or a branch of the program being traced where the test is a symbol.

    lists  the names of lists that a block changes in place.
    """
    if not is_open(test):
        if test:
            body()
        elif orelse is not None:
            orelse()
        return
    before = get()
    changed = [at for at, name in enumerate(names) if name in lists]
    lengths: set[tuple[int, ...]] = set()

    def run(block: Callable[[], None] | None, given: State) -> State:
        # each block changes a list of its own
        put(tuple([copied(value) if at in changed else value for at, value in enumerate(given)]))
        if block is not None:
            block()
        state = get()
        lengths.add(tuple([len(state[at]) if type(state[at]) is list else -1 for at in changed]))
        return state

    def decided(given: State) -> State:
        return branch(test, lambda: run(body, given), lambda: run(orelse, given), list(names))

    try:
        try:
            after = decided(before)
        except TypeError:
            if len(lengths) < 2:
                raise
            # how long a list is then is known only when the program runs
            given = list(before)
            for at in changed:
                if type(given[at]) is list:
                    given[at] = TensorList.of(given[at], names[at]).free()
            after = decided(tuple(given))
    except BaseException:
        put(before)
        raise
    put(after)


def copied(value: Any) -> Any:
    """A list or dict of its own for a block that changes it in place."""
    if type(value) in (list, dict):
        return value.copy()
    if isinstance(value, TensorList):
        return value.free()
    return value.copy() if hasattr(type(value), "_refuse") else value


def if_expression(test: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """then() if test else otherwise()."""
    if is_open(test):
        return branch(test, then, otherwise)
    return then() if test else otherwise()


def and_(value: Any, second: Callable[[], Any]) -> Any:
    """value and second()."""
    return functions["logical_and"](value, second()) if is_open(value) else value and second()


def or_(value: Any, second: Callable[[], Any]) -> Any:
    """value or second()."""
    return functions["logical_or"](value, second()) if is_open(value) else value or second()


def not_(value: Any) -> Any:
    """not value."""
    return functions["logical_not"](value) if is_open(value) else not value


def load(read: Callable[[], Any], name: str) -> Any:
    """The value of a variable, attribute or element, or what says that it has none."""
    try:
        return read()
    except (NameError, AttributeError, LookupError):
        return Undefined(name)


def set_attribute(owner: Any, name: str, value: Any) -> None:
    """owner.name = value; where the value is none, it has none afterwards."""
    if not isinstance(value, Undefined):
        if getattr(owner, name, load) is not value:
            setattr(owner, name, value)
    elif name in getattr(owner, "__dict__", ()):
        delattr(owner, name)


def set_item(owner: Any, key: Any, value: Any) -> None:
    """owner[key] = value; where the value is none, it has none afterwards."""
    if not isinstance(value, Undefined):
        owner[key] = value
    elif isinstance(owner, dict):
        owner.pop(key, None)


def returned(done: Any, value: Any, complete: bool) -> Any:
    """What a function returns whose returns were rewritten; `complete`: it never falls off its end."""
    if is_open(done) and not complete and value is not None:
        raise ValueError(
            "A function returns a value on some of its ways only, and which way is taken is known only when the program "
            "runs: return a value on every way."
        )
    return None if isinstance(value, Undefined) or done is False else value


def asserted(test: Any, message: Callable[[], Any]) -> Any:
    """The test of an assert statement; where a symbol is tested, the program being traced checks it when it runs."""
    if not is_open(test):
        return test
    text = message()
    debugging.hold("assert", test, {}, "it is false" if text is None else str(text))
    return True
