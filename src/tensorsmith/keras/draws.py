"""Random values of a shape: from a seed alone, or from the global generator."""
import numpy as np
from tensorsmith.tensor.tensor import Tensor
_g = np.random.default_rng()
def _rng(seed): return _g if seed is None else np.random.default_rng(seed)
def draw_normal(shape, mean, stddev, dtype, seed):
    return Tensor((_rng(seed).standard_normal(shape) * stddev + mean).astype(dtype.numpy_dtype))
def draw_truncated_normal(shape, mean, stddev, dtype, seed):
    r = _rng(seed); v = r.standard_normal(shape)
    while (bad := abs(v) > 2).any(): v = np.where(bad, r.standard_normal(shape), v)
    return Tensor((v * stddev + mean).astype(dtype.numpy_dtype))
def draw_uniform(shape, low, high, dtype, seed):
    return Tensor(_rng(seed).uniform(low, high, shape).astype(dtype.numpy_dtype))
