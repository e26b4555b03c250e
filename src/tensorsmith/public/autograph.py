"""The public namespace `tf.autograph`."""

from types import SimpleNamespace

from tensorsmith.function.autograph import Feature, do_not_convert, set_verbosity, to_code, to_graph, trace
from tensorsmith.function.loops import set_loop_options

experimental = SimpleNamespace(Feature=Feature, do_not_convert=do_not_convert, set_loop_options=set_loop_options)

__all__ = ["experimental", "set_verbosity", "to_code", "to_graph", "trace"]
