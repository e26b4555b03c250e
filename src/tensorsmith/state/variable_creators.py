"""variable_creator_scope: users' functions that make variables in place of tf.Variable."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tensorsmith.core import context
from tensorsmith.core.errors import explain

_local = context.local


@contextmanager
def variable_creator_scope(variable_creator: Callable[..., Any]) -> Iterator[None]:
    """A context in which `tf.Variable(...)` gives what variable_creator gives.

    variable_creator  function(next_creator, **kwargs): kwargs are all arguments of tf.Variable by their names, and
                      next_creator(**kwargs) makes the variable, by way of the scopes around this one.

    It holds on the thread that opened it, for tf.Variable itself and not for its subclasses, such as the weights of layers.

    >>> import tensorsmith as tf
    >>> def frozen(next_creator, **kwargs):
    ...     return next_creator(**{**kwargs, "trainable": False})
    >>> with tf.variable_creator_scope(frozen):
    ...     tf.Variable(1.0).trainable
    False
    """
    if not callable(variable_creator):
        raise TypeError(
            explain("variable_creator_scope", "a creator must be a function", {"given": repr(variable_creator)})
        )
    outer = _local.creators
    _local.creators = [*outer, variable_creator]
    try:
        yield
    finally:
        _local.creators = outer


class Created(type):
    """The class of classes of variables: asks the open scopes before it makes one."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        # a subclass has arguments of its own, which a creator does not know
        if not _local.creators or Created in map(type, cls.__bases__):
            return super().__call__(*args, **kwargs)
        make = super().__call__
        bound = inspect.signature(cls.__init__).bind(None, *args, **kwargs)
        bound.apply_defaults()
        given = dict(list(bound.arguments.items())[1:])

        def first(**given: Any) -> Any:
            # the scopes have been asked
            outer, _local.creators = _local.creators, []
            try:
                return make(**given)
            finally:
                _local.creators = outer

        creator: Callable[..., Any] = first
        for outer in _local.creators:
            creator = functools.partial(outer, creator)
        return creator(**given)
