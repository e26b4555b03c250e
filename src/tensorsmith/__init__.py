"""Tensorsmith: tensors, variables, gradients and Keras on NumPy and XLA, under the names of TensorFlow 2."""

import importlib
from typing import TYPE_CHECKING, Any

from tensorsmith.core import ports as _ports
from tensorsmith.core.context import eagerly as init_scope
from tensorsmith.core.context import executing_eagerly, inside_function
from tensorsmith.core.devices import DeviceSpec, device
from tensorsmith.core.dtypes import (
    DType,
    as_dtype,
    bfloat16,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    resource,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
    variant,
)
from tensorsmith.core.dtypes import bool_ as bool
from tensorsmith.core.naming import get_current_name_scope, name_scope
from tensorsmith.core.replication import VariableAggregation, VariableSynchronization
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, TypeSpec
from tensorsmith.ops.casting import bitcast, cast, convert_to_tensor, identity, saturate_cast, stop_gradient
from tensorsmith.ops.casting import identity as guarantee_const
from tensorsmith.ops.comparison import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    not_equal,
    where,
)
from tensorsmith.ops.complex_numbers import complex_ as complex
from tensorsmith.ops.creation import constant, eye, fill, linspace, one_hot, ones, ones_like, zeros, zeros_like
from tensorsmith.ops.creation import range_ as range
from tensorsmith.ops.elementwise import (
    abs,
    add,
    add_n,
    clip_by_value,
    divide,
    exp,
    floordiv,
    floormod,
    maximum,
    minimum,
    multiply,
    negative,
    pow,
    realdiv,
    scalar_mul,
    sign,
    sqrt,
    square,
    subtract,
    truediv,
    truncatediv,
    truncatemod,
)
from tensorsmith.ops.gathering import (
    gather,
    gather_nd,
    scatter_nd,
    tensor_scatter_nd_add,
    tensor_scatter_nd_max,
    tensor_scatter_nd_min,
    tensor_scatter_nd_sub,
    tensor_scatter_nd_update,
)
from tensorsmith.ops.identifying import get_static_value, is_symbolic_tensor, is_tensor
from tensorsmith.ops.indexed_slices import IndexedSlices
from tensorsmith.ops.indexing import boolean_mask, strided_slice
from tensorsmith.ops.indexing import slice_ as slice
from tensorsmith.ops.linalg import einsum, matmul, norm, tensordot
from tensorsmith.ops.reductions import (
    argmax,
    argmin,
    reduce_all,
    reduce_any,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_sum,
)
from tensorsmith.ops.repeating import meshgrid, pad, repeat, reverse, roll, tile
from tensorsmith.ops.rounding import floor
from tensorsmith.ops.rounding import round_ as round
from tensorsmith.ops.shaping import (
    broadcast_static_shape,
    broadcast_to,
    concat,
    ensure_shape,
    expand_dims,
    parallel_stack,
    rank,
    reshape,
    shape,
    shape_n,
    size,
    split,
    squeeze,
    stack,
    transpose,
    unstack,
)
from tensorsmith.program.program import Program
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.tensor import Tensor
from tensorsmith.version import __version__

if TYPE_CHECKING:
    # what __getattr__ finds
    from tensorsmith import array_api, keras
    from tensorsmith.core.devices import check_pinned
    from tensorsmith.core.logs import get_logger
    from tensorsmith.exchange.exporting import export
    from tensorsmith.function.control_flow import case, cond, switch_case, while_loop
    from tensorsmith.function.critical_section import CriticalSection
    from tensorsmith.function.folding import foldl, foldr, map_fn, scan
    from tensorsmith.function.function import function
    from tensorsmith.function.ordering import control_dependencies, group, identity_n, no_op
    from tensorsmith.function.ordering import tuple_ as tuple
    from tensorsmith.function.printing import print_ as print
    from tensorsmith.function.programs import program_of
    from tensorsmith.function.python_calls import numpy_function, py_function, timestamp
    from tensorsmith.function.vectorizing import vectorized_map
    from tensorsmith.keras import initializers, losses, metrics, optimizers
    from tensorsmith.ops.activations import sigmoid
    from tensorsmith.ops.convolution import conv
    from tensorsmith.ops.cumulative import cumsum
    from tensorsmith.ops.debugging import Assert, assert_equal, assert_greater, assert_less, assert_rank
    from tensorsmith.ops.fourier import fftnd, ifftnd, irfftnd, rfftnd
    from tensorsmith.ops.histograms import histogram_fixed_width, histogram_fixed_width_bins
    from tensorsmith.ops.index_shuffle import random_index_shuffle
    from tensorsmith.ops.matrix_functions import (
        eig,
        eigvals,
    )
    from tensorsmith.ops.matrix_functions import sqrtm as matrix_square_root
    from tensorsmith.ops.normalization import clip_by_global_norm, clip_by_norm
    from tensorsmith.ops.orders import (
        approx_top_k,
    )
    from tensorsmith.ops.partitioning import dynamic_partition, dynamic_stitch
    from tensorsmith.ops.sequences import reverse_sequence, sequence_mask
    from tensorsmith.ops.shape_arithmetic import broadcast_dynamic_shape, unravel_index
    from tensorsmith.ops.sorting import argsort, searchsorted, sort, unique, unique_with_counts
    from tensorsmith.ops.spaces import batch_to_space, required_space_to_batch_paddings, space_to_batch
    from tensorsmith.ops.spaces import space_to_batch as space_to_batch_nd
    from tensorsmith.ops.trigonometry import (
        acos,
        acosh,
        asin,
        asinh,
        atan,
        atan2,
        atanh,
        cos,
        cosh,
        sin,
        sinh,
        tan,
        tanh,
    )
    from tensorsmith.ops.volume_patches import extract_volume_patches
    from tensorsmith.public import (
        autodiff,
        autograph,
        bitwise,
        config,
        data,
        debugging,
        dtypes,
        errors,
        experimental,
        linalg,
        lookup,
        math,
        nest,
        nn,
        queue,
        ragged,
        random,
        saved_model,
        sets,
        signal,
        sparse,
        strings,
        test,
    )
    from tensorsmith.state.convolution_gradients import conv2d_backprop_filter_v2, conv2d_backprop_input_v2
    from tensorsmith.state.custom_gradient import custom_gradient, grad_pass_through
    from tensorsmith.state.gradients import AggregationMethod, gradients, hessians
    from tensorsmith.state.initializers import (
        constant_initializer,
        ones_initializer,
        random_normal_initializer,
        random_uniform_initializer,
        zeros_initializer,
    )
    from tensorsmith.state.module import Module
    from tensorsmith.state.recompute import recompute_grad
    from tensorsmith.state.tape import GradientTape, UnconnectedGradients
    from tensorsmith.state.variable_creators import variable_creator_scope
    from tensorsmith.structures.container_specs import IndexedSlicesSpec, NoneTensorSpec, TensorArraySpec
    from tensorsmith.structures.edit_distance import edit_distance
    from tensorsmith.structures.hashing import fingerprint
    from tensorsmith.structures.optional import OptionalSpec
    from tensorsmith.structures.ragged import RaggedTensor
    from tensorsmith.structures.sparse import SparseTensor
    from tensorsmith.structures.specs import RaggedTensorSpec, SparseTensorSpec, type_spec_from_value
    from tensorsmith.structures.string_numbers import as_string
    from tensorsmith.structures.tensor_array import TensorArray
    from tensorsmith.tensor.conversions import register_tensor_conversion_function

newaxis = None

# The packages `function` and `data` would be set as attributes here when they are first imported, and hide `tf.function`
# and `tf.data`: they are imported now and their names are given up.
for _package in ("function", "data"):
    importlib.import_module(f"tensorsmith.{_package}")
    del globals()[_package]


def _array_namespace(version: str | None) -> Any:
    return importlib.import_module("tensorsmith.array_api.array").namespace(version)


_ports.namespaces.append(_array_namespace)

# Where the names are that are not needed to build and add tensors: each is imported when it is first asked for.
_LATER = {
    "as_string": "tensorsmith.structures.string_numbers",
    "AggregationMethod": "tensorsmith.state.gradients",
    "CriticalSection": "tensorsmith.function.critical_section",
    "IndexedSlicesSpec": "tensorsmith.structures.container_specs",
    "NoneTensorSpec": "tensorsmith.structures.container_specs",
    "OptionalSpec": "tensorsmith.structures.optional",
    "TensorArraySpec": "tensorsmith.structures.container_specs",
    "assert_equal": "tensorsmith.ops.debugging",
    "assert_greater": "tensorsmith.ops.debugging",
    "assert_less": "tensorsmith.ops.debugging",
    "assert_rank": "tensorsmith.ops.debugging",
    "broadcast_dynamic_shape": "tensorsmith.ops.shape_arithmetic",
    "check_pinned": "tensorsmith.core.devices",
    "constant_initializer": "tensorsmith.state.initializers",
    "conv": "tensorsmith.ops.convolution",
    "conv2d_backprop_filter_v2": "tensorsmith.state.convolution_gradients",
    "conv2d_backprop_input_v2": "tensorsmith.state.convolution_gradients",
    "dynamic_partition": "tensorsmith.ops.partitioning",
    "dynamic_stitch": "tensorsmith.ops.partitioning",
    "edit_distance": "tensorsmith.structures.edit_distance",
    "extract_volume_patches": "tensorsmith.ops.volume_patches",
    "fingerprint": "tensorsmith.structures.hashing",
    "get_logger": "tensorsmith.core.logs",
    "histogram_fixed_width": "tensorsmith.ops.histograms",
    "histogram_fixed_width_bins": "tensorsmith.ops.histograms",
    "ones_initializer": "tensorsmith.state.initializers",
    "random_index_shuffle": "tensorsmith.ops.index_shuffle",
    "random_normal_initializer": "tensorsmith.state.initializers",
    "random_uniform_initializer": "tensorsmith.state.initializers",
    "register_tensor_conversion_function": "tensorsmith.tensor.conversions",
    "required_space_to_batch_paddings": "tensorsmith.ops.spaces",
    "timestamp": "tensorsmith.function.python_calls",
    "unravel_index": "tensorsmith.ops.shape_arithmetic",
    "variable_creator_scope": "tensorsmith.state.variable_creators",
    "zeros_initializer": "tensorsmith.state.initializers",
    "approx_top_k": "tensorsmith.ops.orders",
    "eigvals": "tensorsmith.ops.matrix_functions",
    "eig": "tensorsmith.ops.matrix_functions",
    "numpy_function": "tensorsmith.function.python_calls",
    "py_function": "tensorsmith.function.python_calls",
    "Assert": "tensorsmith.ops.debugging",
    "control_dependencies": "tensorsmith.function.ordering",
    "foldl": "tensorsmith.function.folding",
    "foldr": "tensorsmith.function.folding",
    "group": "tensorsmith.function.ordering",
    "identity_n": "tensorsmith.function.ordering",
    "map_fn": "tensorsmith.function.folding",
    "no_op": "tensorsmith.function.ordering",
    "reverse_sequence": "tensorsmith.ops.sequences",
    "scan": "tensorsmith.function.folding",
    "sequence_mask": "tensorsmith.ops.sequences",
    "GradientTape": "tensorsmith.state.tape",
    "UnconnectedGradients": "tensorsmith.state.tape",
    "Module": "tensorsmith.state.module",
    "RaggedTensor": "tensorsmith.structures.ragged",
    "SparseTensor": "tensorsmith.structures.sparse",
    "RaggedTensorSpec": "tensorsmith.structures.specs",
    "SparseTensorSpec": "tensorsmith.structures.specs",
    "type_spec_from_value": "tensorsmith.structures.specs",
    "TensorArray": "tensorsmith.structures.tensor_array",
    "batch_to_space": "tensorsmith.ops.spaces",
    "space_to_batch": "tensorsmith.ops.spaces",
    "acos": "tensorsmith.ops.trigonometry",
    "acosh": "tensorsmith.ops.trigonometry",
    "argsort": "tensorsmith.ops.sorting",
    "asin": "tensorsmith.ops.trigonometry",
    "asinh": "tensorsmith.ops.trigonometry",
    "atan": "tensorsmith.ops.trigonometry",
    "atan2": "tensorsmith.ops.trigonometry",
    "atanh": "tensorsmith.ops.trigonometry",
    "case": "tensorsmith.function.control_flow",
    "clip_by_global_norm": "tensorsmith.ops.normalization",
    "clip_by_norm": "tensorsmith.ops.normalization",
    "cond": "tensorsmith.function.control_flow",
    "cos": "tensorsmith.ops.trigonometry",
    "cosh": "tensorsmith.ops.trigonometry",
    "cumsum": "tensorsmith.ops.cumulative",
    "custom_gradient": "tensorsmith.state.custom_gradient",
    "grad_pass_through": "tensorsmith.state.custom_gradient",
    "gradients": "tensorsmith.state.gradients",
    "hessians": "tensorsmith.state.gradients",
    "recompute_grad": "tensorsmith.state.recompute",
    "export": "tensorsmith.exchange.exporting",
    "fftnd": "tensorsmith.ops.fourier",
    "ifftnd": "tensorsmith.ops.fourier",
    "irfftnd": "tensorsmith.ops.fourier",
    "rfftnd": "tensorsmith.ops.fourier",
    "function": "tensorsmith.function.function",
    "program_of": "tensorsmith.function.programs",
    "searchsorted": "tensorsmith.ops.sorting",
    "sigmoid": "tensorsmith.ops.activations",
    "sin": "tensorsmith.ops.trigonometry",
    "sinh": "tensorsmith.ops.trigonometry",
    "sort": "tensorsmith.ops.sorting",
    "switch_case": "tensorsmith.function.control_flow",
    "tan": "tensorsmith.ops.trigonometry",
    "tanh": "tensorsmith.ops.trigonometry",
    "unique": "tensorsmith.ops.sorting",
    "unique_with_counts": "tensorsmith.ops.sorting",
    "vectorized_map": "tensorsmith.function.vectorizing",
    "while_loop": "tensorsmith.function.control_flow",
}
# names that our files cannot define, as Python's own functions have them, and second names
_RENAMED = {
    "matrix_square_root": ("tensorsmith.ops.matrix_functions", "sqrtm"),
    "print": ("tensorsmith.function.printing", "print_"),
    "space_to_batch_nd": ("tensorsmith.ops.spaces", "space_to_batch"),
    "tuple": ("tensorsmith.function.ordering", "tuple_"),
}
_NAMESPACES = {
    "array_api": "tensorsmith.array_api",
    "autodiff": "tensorsmith.public.autodiff",
    "autograph": "tensorsmith.public.autograph",
    "bitwise": "tensorsmith.public.bitwise",
    "config": "tensorsmith.public.config",
    "data": "tensorsmith.public.data",
    "debugging": "tensorsmith.public.debugging",
    "linalg": "tensorsmith.public.linalg",
    "lookup": "tensorsmith.public.lookup",
    "math": "tensorsmith.public.math",
    "nest": "tensorsmith.public.nest",
    "nn": "tensorsmith.public.nn",
    "queue": "tensorsmith.public.queue",
    "ragged": "tensorsmith.public.ragged",
    "random": "tensorsmith.public.random",
    "saved_model": "tensorsmith.public.saved_model",
    "sets": "tensorsmith.public.sets",
    "signal": "tensorsmith.public.signal",
    "sparse": "tensorsmith.public.sparse",
    "strings": "tensorsmith.public.strings",
    "test": "tensorsmith.public.test",
    "dtypes": "tensorsmith.public.dtypes",
    "errors": "tensorsmith.public.errors",
    "experimental": "tensorsmith.public.experimental",
    "initializers": "tensorsmith.keras.initializers",
    "image": "tensorsmith.public.image",
    "keras": "tensorsmith.keras",
    "losses": "tensorsmith.keras.losses",
    "metrics": "tensorsmith.keras.metrics",
    "optimizers": "tensorsmith.keras.optimizers",
}

__all__ = [
    "AggregationMethod", "Assert", "CriticalSection", "DType", "DeviceSpec", "GradientTape", "IndexedSlices",
    "IndexedSlicesSpec", "Module", "NoneTensorSpec", "OptionalSpec", "Program", "RaggedTensor", "RaggedTensorSpec",
    "SparseTensor", "SparseTensorSpec", "Tensor", "TensorArray", "TensorArraySpec", "TensorShape", "TensorSpec",
    "TypeSpec", "UnconnectedGradients", "Variable", "VariableAggregation", "VariableSynchronization", "abs", "acos",
    "acosh", "add", "add_n", "approx_top_k", "argmax", "argmin", "argsort", "array_api", "as_dtype", "as_string",
    "asin", "asinh", "assert_equal", "assert_greater", "assert_less", "assert_rank", "atan", "atan2", "atanh",
    "autodiff", "autograph", "batch_to_space", "bfloat16", "bitcast", "bitwise", "bool", "boolean_mask",
    "broadcast_dynamic_shape", "broadcast_static_shape", "broadcast_to", "case", "cast", "check_pinned",
    "clip_by_global_norm", "clip_by_norm", "clip_by_value", "complex", "complex128", "complex64", "concat", "cond",
    "config", "constant", "constant_initializer", "control_dependencies", "conv", "conv2d_backprop_filter_v2",
    "conv2d_backprop_input_v2", "convert_to_tensor", "cos", "cosh", "cumsum", "custom_gradient", "data", "debugging",
    "device", "divide", "double", "dtypes", "dynamic_partition", "dynamic_stitch", "edit_distance", "eig", "eigvals",
    "einsum", "ensure_shape", "equal", "errors", "executing_eagerly", "exp", "expand_dims", "experimental", "export",
    "extract_volume_patches", "eye", "fftnd", "fill", "fingerprint", "float16", "float32", "float64", "floor",
    "floordiv", "floormod", "foldl", "foldr", "function", "gather", "gather_nd", "get_current_name_scope",
    "get_logger", "get_static_value", "grad_pass_through", "gradients", "greater", "greater_equal", "group",
    "guarantee_const", "half", "hessians", "histogram_fixed_width", "histogram_fixed_width_bins", "identity",
    "identity_n", "ifftnd", "init_scope", "inside_function", "int16", "int32", "int64", "int8", "irfftnd",
    "is_symbolic_tensor", "is_tensor", "keras", "less", "less_equal", "linalg", "linspace", "logical_and",
    "logical_not", "logical_or", "lookup", "map_fn", "math", "matmul", "matrix_square_root", "maximum", "meshgrid",
    "minimum", "multiply", "name_scope", "negative", "nest", "newaxis", "nn", "no_op", "norm", "not_equal",
    "numpy_function", "one_hot", "ones", "ones_initializer", "ones_like", "pad", "parallel_stack", "pow", "print",
    "program_of", "py_function", "queue", "ragged", "random", "random_index_shuffle", "random_normal_initializer",
    "random_uniform_initializer", "range", "rank", "realdiv", "recompute_grad", "reduce_all", "reduce_any",
    "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum",
    "register_tensor_conversion_function", "repeat", "required_space_to_batch_paddings", "reshape", "resource",
    "reverse", "reverse_sequence", "rfftnd", "roll", "round", "saturate_cast", "saved_model", "scalar_mul", "scan",
    "scatter_nd", "searchsorted", "sequence_mask", "sets", "shape", "shape_n", "sigmoid", "sign", "signal", "sin",
    "sinh", "size", "slice", "sort", "space_to_batch", "space_to_batch_nd", "sparse", "split", "sqrt", "square",
    "squeeze", "stack", "stop_gradient", "strided_slice", "string", "strings", "subtract", "switch_case", "tan",
    "tanh", "tensor_scatter_nd_add", "tensor_scatter_nd_max", "tensor_scatter_nd_min", "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update", "tensordot", "test", "tile", "timestamp", "transpose", "truediv", "truncatediv",
    "truncatemod", "tuple", "type_spec_from_value", "uint16", "uint32", "uint64", "uint8", "unique",
    "unique_with_counts", "unravel_index", "unstack", "variable_creator_scope", "variant", "vectorized_map", "where",
    "while_loop", "zeros", "zeros_initializer", "zeros_like",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _NAMESPACES:
        found: Any = importlib.import_module(_NAMESPACES[name])
    elif name in _LATER:
        found = getattr(importlib.import_module(_LATER[name]), name)
    elif name in _RENAMED:
        module, own = _RENAMED[name]
        found = getattr(importlib.import_module(module), own)
    else:
        raise AttributeError(f"module 'tensorsmith' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
