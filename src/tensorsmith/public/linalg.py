"""The public namespace `tf.linalg`."""

from tensorsmith.ops.creation import eye
from tensorsmith.ops.linalg import cross, einsum, matmul, matvec, norm, tensordot
from tensorsmith.ops.shaping import matrix_transpose

__all__ = ["cross", "einsum", "eye", "matmul", "matrix_transpose", "matvec", "norm", "tensordot"]
