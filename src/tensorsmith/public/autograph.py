"""The public namespace `tf.autograph`."""

from types import SimpleNamespace

from tensorsmith.function.autograph import do_not_convert, to_code, to_graph

experimental = SimpleNamespace(do_not_convert=do_not_convert)

__all__ = ["experimental", "to_code", "to_graph"]
