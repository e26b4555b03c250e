"""Embedding."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.keras import constraints, initializers, regularizers
from tensorsmith.keras.layers.base import Layer
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import not_equal
from tensorsmith.structures.embedding import embedding_lookup
from tensorsmith.structures.ragged import RaggedTensor
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.structures.sparse_ops import to_dense

_IDS = frozenset({"int32", "int64"})


class Embedding(Layer):
    """A vector for each id: embeddings[inputs].

    input_dim     how many ids there are: 0 to input_dim - 1.
    output_dim    the size of a vector.
    mask_zero     True: id 0 stands for padding, and the layers behind are told to leave it out (`compute_mask`). Ragged ids
                  have no padding: there an id 0 is as any other.
    input_length  Keras 2: how many ids a sample has; the layer may then stand first in a Sequential model.
    weights       the first embeddings [input_dim, output_dim], or a list that holds them.

    Shapes: inputs [B, ...] of any whole numbers (others are cut to int32) -> [B, ..., output_dim]; embeddings
            [input_dim, output_dim]. Ragged ids give ragged vectors; places that sparse ids leave out are id 0.
    Raises InvalidArgumentError for an id that is not in the table, compiled or not.

    >>> import tensorsmith as tf
    >>> layer = Embedding(3, 2, weights=[[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]])
    >>> layer(tf.constant([[1, 0]])).numpy()
    array([[[1. , 1.1],
            [0. , 0.1]]], dtype=float32)
    >>> layer(tf.ragged.constant([[2], [1, 0]])).to_list()  # doctest: +ELLIPSIS
    [[[2.0, 2.0999...]], [[1.0, 1.1000...], [0.0, 0.1000...]]]
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        *,
        input_length: Any = None,
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if input_length is not None and not {"input_shape", "batch_input_shape", "batch_shape"} & kwargs.keys():
            kwargs["input_shape"] = input_length
        super().__init__(**{"autocast": False, **kwargs})
        for name, size in (("input_dim", input_dim), ("output_dim", output_dim)):
            if isinstance(size, bool) or int(size) != size or size <= 0:
                raise ValueError(f"Embedding: {name} must be a positive integer; given {name}={size!r}.")
        if sparse:
            raise ValueError(
                explain(
                    "Embedding",
                    "sparse results are not made by the layer itself",
                    {"sparse": sparse},
                    way_out="Leave sparse=True out, and use tf.sparse.from_dense(layer(ids)).",
                )
            )
        self.input_dim, self.output_dim = int(input_dim), int(output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = bool(mask_zero)
        self.supports_masking = self.mask_zero
        self.input_length = input_length
        if weights is not None:
            self._build(None)
            self.set_weights(list(weights) if isinstance(weights, (list, tuple)) and len(weights) == 1 else [weights])

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs: Any) -> Any:
        if isinstance(inputs, SparseTensor):
            inputs = to_dense(inputs)
        ids = inputs if inputs.dtype.name in _IDS else cast(inputs, "int32")
        return embedding_lookup(self.embeddings, ids)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if not self.mask_zero or isinstance(inputs, (RaggedTensor, SparseTensor)):
            return None
        return not_equal(inputs, 0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*tuple(input_shape), self.output_dim)

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }
        if self.input_length is not None:
            config["input_length"] = self.input_length
        return config
