"""The public namespace `keras.layers`."""

from tensorsmith.keras import registry
from tensorsmith.keras.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from tensorsmith.keras.layers.base import Layer
from tensorsmith.keras.layers.cells import AbstractRNNCell
from tensorsmith.keras.layers.configs import deserialize, serialize
from tensorsmith.keras.layers.dense import Dense
from tensorsmith.keras.layers.dropout import Dropout
from tensorsmith.keras.layers.embedding import Embedding
from tensorsmith.keras.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAvgPool1D,
    GlobalMaxPool1D,
    GlobalMaxPooling1D,
)
from tensorsmith.keras.layers.gru import GRU, GRUCell
from tensorsmith.keras.layers.input import Input, InputLayer, InputSpec
from tensorsmith.keras.layers.lstm import LSTM, LSTMCell
from tensorsmith.keras.layers.masking import Masking
from tensorsmith.keras.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    concatenate,
)
from tensorsmith.keras.layers.merging import (
    add_inputs as add,
)
from tensorsmith.keras.layers.merging import (
    average_inputs as average,
)
from tensorsmith.keras.layers.merging import (
    maximum_inputs as maximum,
)
from tensorsmith.keras.layers.merging import (
    minimum_inputs as minimum,
)
from tensorsmith.keras.layers.merging import (
    multiply_inputs as multiply,
)
from tensorsmith.keras.layers.merging import (
    subtract_inputs as subtract,
)
from tensorsmith.keras.layers.normalization import BatchNormalization, LayerNormalization
from tensorsmith.keras.layers.operation import Operation, OpsFunction, PutTogether, TakeApart
from tensorsmith.keras.layers.recurrent import RNN
from tensorsmith.keras.layers.reshaping import Flatten, Reshape
from tensorsmith.keras.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from tensorsmith.keras.layers.stacked_cells import StackedRNNCells
from tensorsmith.keras.layers.wrappers import Lambda

__all__ = [
    "ELU", "GRU", "LSTM", "RNN", "AbstractRNNCell", "Activation", "Add", "Average", "BatchNormalization",
    "Concatenate", "Dense", "Dropout", "Embedding", "Flatten", "GRUCell", "GlobalAveragePooling1D", "GlobalAvgPool1D",
    "GlobalMaxPool1D", "GlobalMaxPooling1D", "Input", "InputLayer", "InputSpec", "LSTMCell", "Lambda", "Layer",
    "LayerNormalization", "LeakyReLU", "Masking", "Maximum", "Minimum", "Multiply", "ReLU", "Reshape", "SimpleRNN",
    "SimpleRNNCell", "Softmax", "StackedRNNCells", "Subtract", "add", "average", "concatenate", "deserialize",
    "maximum", "minimum", "multiply", "serialize", "subtract",
]  # fmt: skip

for _kind in (
    Activation, ReLU, LeakyReLU, ELU, Softmax, Dense, Dropout, Embedding, InputLayer, Add, Average, Concatenate,
    Maximum, Minimum, Multiply, Subtract, BatchNormalization, LayerNormalization, Operation, OpsFunction, PutTogether, TakeApart,
    Flatten, Reshape, Lambda, RNN, StackedRNNCells, SimpleRNN, SimpleRNNCell, LSTM, LSTMCell, GRU, GRUCell, Masking,
    GlobalAveragePooling1D, GlobalMaxPooling1D,
):  # fmt: skip
    registry.register("layer", _kind)
