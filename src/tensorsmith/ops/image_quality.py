"""How like two images are, and how much one changes from pixel to pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.activations import relu
from tensorsmith.ops.casting import cast
from tensorsmith.ops.convolution import depthwise_conv2d
from tensorsmith.ops.elementwise import abs as absolute
from tensorsmith.ops.elementwise import add, divide, log, multiply, square, squared_difference, subtract
from tensorsmith.ops.elementwise import pow as power
from tensorsmith.ops.image_colour import convert_image_dtype
from tensorsmith.ops.pooling import avg_pool2d
from tensorsmith.ops.reductions import reduce_mean, reduce_prod, reduce_sum
from tensorsmith.ops.repeating import pad
from tensorsmith.ops.shaping import concat, reshape, shape, stack, transpose
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# of five scales, each half as fine as the one before, by Wang et al. (2003)
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def _pair(who: str, a: Any, b: Any, max_val: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Two images [..., H, W, C] and the greatest value that they may have, as float32."""
    a = convert(a)
    b = convert(b, None, a.dtype.numpy_dtype)
    if a.ndim < 3 or b.ndim < 3:
        raise ValueError(explain(who, "images have at least 3 axes", {"a": a.shape, "b": b.shape}, "[..., H, W, C]"))
    inner = zip(a.shape[-3:], b.shape[-3:])
    outer = zip(reversed(tuple(a.shape[:-3])), reversed(tuple(b.shape[:-3])))
    if any(None not in (m, n) and m != n for m, n in inner) or any(
        None not in (m, n) and m != n and 1 not in (m, n) for m, n in outer
    ):
        raise ValueError(explain(who, "the images are not of one shape", {"a": a.shape, "b": b.shape}))
    top = convert_image_dtype(cast(max_val, a.dtype), dtypes.float32)
    return convert_image_dtype(a, dtypes.float32), convert_image_dtype(b, dtypes.float32), top


def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """The peak signal-to-noise ratio of images [..., H, W, C] in decibels: 20 log10(max_val) - 10 log10(mean((a - b)**2)).

    max_val  the greatest value that pixels may have, such as 255 for uint8 or 1.0 for floats.
    The result is float32 [...]; infinite for equal images.

    >>> import tensorsmith as tf
    >>> tf.image.psnr(tf.zeros([2, 2, 1]), tf.fill([2, 2, 1], 0.1), max_val=1.0).numpy().round(3).item()
    20.0
    """
    a, b, top = _pair("image.psnr", a, b, max_val)
    error = reduce_mean(squared_difference(a, b), axis=[-3, -2, -1])
    return subtract(multiply(log(top), 20 / np.log(10)), multiply(log(error), 10 / np.log(10)))


def _gauss(size: int, sigma: float) -> np.ndarray:
    line = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return (line / line.sum()).astype("float32")


def _blurred(x: Tensor, line: np.ndarray) -> Tensor:
    """x [..., H, W, C] with a window of weights line by line, first down, then across, where it fits."""
    outer, channels = shape(x)[:-3], x.shape[-1]
    flat = x if x.ndim == 4 else reshape(x, concat([[-1], shape(x)[-3:]], 0))
    if channels is None:
        # each channel as an image of its own
        sizes = shape(flat)
        planes = reshape(transpose(flat, [0, 3, 1, 2]), stack([-1, sizes[1], sizes[2], 1]))
        found = _lines(planes, line, 1)
        after = shape(found)
        found = transpose(reshape(found, stack([-1, sizes[3], after[1], after[2]])), [0, 2, 3, 1])
    else:
        found = _lines(flat, line, channels)
    return found if x.ndim == 4 else reshape(found, concat([outer, shape(found)[1:]], 0))


def _lines(x: Tensor, line: np.ndarray, channels: int) -> Tensor:
    for form in ((-1, 1, 1, 1), (1, -1, 1, 1)):
        weights = np.tile(line.reshape(form), (1, 1, channels, 1))
        x = depthwise_conv2d(x, weights, [1, 1, 1, 1], "VALID")
    return x


def _similar(a: Tensor, b: Tensor, top: Tensor, size: int, sigma: float, k1: float, k2: float) -> tuple[Tensor, Tensor]:
    """(luminance, contrast and structure) around each pixel around which the window fits."""
    sides = (*a.shape[-3:-1], *b.shape[-3:-1])
    if any(side is not None and side < size for side in sides):
        raise InvalidArgumentError(
            explain("image.ssim", "the window is larger than an image", {"images": a.shape, "filter_size": size})
        )
    line = _gauss(size, sigma)
    c1, c2 = square(multiply(top, k1)), square(multiply(top, k2))
    mean_a, mean_b = _blurred(a, line), _blurred(b, line)
    both = multiply(multiply(mean_a, mean_b), 2.0)
    squares = add(square(mean_a), square(mean_b))
    luminance = divide(add(both, c1), add(squares, c1))
    products = multiply(_blurred(multiply(a, b), line), 2.0)
    totals = _blurred(add(square(a), square(b)), line)
    structure = divide(add(subtract(products, both), c2), add(subtract(totals, squares), c2))
    return luminance, structure


def ssim(
    img1: Any, img2: Any, max_val: Any, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, return_index_map: bool = False,
) -> Tensor:  # fmt: skip
    """The structural similarity of images [..., H, W, C]: 1 for equal ones. float32 [...].

        (2 ma mb + c1) (2 vab + c2) / ((ma**2 + mb**2 + c1) (va + vb + c2)),  c1 = (k1 max_val)**2, c2 = (k2 max_val)**2

    with means m, variances v and the covariance vab under a Gaussian window around each pixel, averaged over pixels and
    channels.

    max_val           the greatest value that pixels may have.
    filter_size       of the window; filter_sigma: its deviation.
    return_index_map  one number for each pixel around which the window fits, [..., H - size + 1, W - size + 1].
    Source: Wang et al. (2004), Image quality assessment.
    Raises ValueError for images of different shapes, InvalidArgumentError for ones smaller than the window.

    >>> import tensorsmith as tf
    >>> image = tf.random.uniform([16, 16, 3])
    >>> tf.image.ssim(image, image, max_val=1.0).numpy().item()
    1.0
    """
    a, b, top = _pair("image.ssim", img1, img2, max_val)
    luminance, structure = _similar(a, b, top, int(filter_size), float(filter_sigma), k1, k2)
    found = multiply(luminance, structure)
    return reduce_mean(found, axis=-1 if return_index_map else [-3, -2, -1])


def ssim_multiscale(
    img1: Any, img2: Any, max_val: Any, power_factors: Sequence[float] = _SCALES, filter_size: int = 11,
    filter_sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03,
) -> Tensor:  # fmt: skip
    """`ssim` at several scales, each half as fine as the one before: the product of the similarities to the powers given.

    Of all scales but the last only contrast and structure count. At each the window must fit: with the five scales and the
    window of 11 by default images have at least 161 pixels a side. float32 [...].
    Source: Wang et al. (2003), Multiscale structural similarity.

    >>> import tensorsmith as tf
    >>> image = tf.random.uniform([22, 22, 1])
    >>> tf.image.ssim_multiscale(image, image, 1.0, power_factors=[0.5, 0.5]).numpy().item()
    1.0
    """
    a, b, top = _pair("image.ssim_multiscale", img1, img2, max_val)
    found = []
    for at, _ in enumerate(power_factors):
        if at:
            a, b = _halved(a), _halved(b)
        luminance, structure = _similar(a, b, top, int(filter_size), float(filter_sigma), k1, k2)
        last = at == len(power_factors) - 1
        value = multiply(luminance, structure) if last else structure
        found.append(relu(reduce_mean(value, axis=[-3, -2])))
    factors = convert(list(power_factors), dtypes.float32)
    return reduce_mean(reduce_prod(power(stack(found, axis=-1), factors), axis=-1), axis=-1)


def _halved(x: Tensor) -> Tensor:
    """The means of 2 x 2 pixels; an odd row or column at the end is doubled first."""
    outer = shape(x)[:-3]
    flat = x if x.ndim == 4 else reshape(x, concat([[-1], shape(x)[-3:]], 0))
    if None in flat.shape[1:3]:
        # the last row or column once more, which falls out of the windows where it is not needed
        odd = pad(flat, [[0, 0], [0, 1], [0, 1], [0, 0]], "SYMMETRIC")
    else:
        odd = pad(flat, [[0, 0], [0, flat.shape[1] % 2], [0, flat.shape[2] % 2], [0, 0]], "SYMMETRIC")
    found = avg_pool2d(odd, 2, 2, "VALID")
    return found if x.ndim == 4 else reshape(found, concat([outer, shape(found)[1:]], 0))


# ---- from pixel to pixel


def _differences(images: Any, who: str) -> tuple[Tensor, Tensor, Tensor]:
    x = convert(images)
    if x.ndim not in (3, 4):
        raise ValueError(explain(who, "'images' must have 3 or 4 axes", {"images": x.shape}))
    return x, x[..., 1:, :, :] - x[..., :-1, :, :], x[..., 1:, :] - x[..., :-1, :]


def total_variation(images: Any, name: str | None = None) -> Tensor:
    """The sum of the absolute differences of neighbouring pixels, one for each of images [B, H, W, C], or of one image.

    >>> import tensorsmith as tf
    >>> tf.image.total_variation([[[1.0], [3.0]], [[1.0], [0.0]]]).numpy().item()
    6.0
    """
    x, down, across = _differences(images, "image.total_variation")
    axes = None if x.ndim == 3 else [1, 2, 3]
    return add(reduce_sum(absolute(down), axis=axes), reduce_sum(absolute(across), axis=axes))


def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """(dy, dx) of images [B, H, W, C]: the next pixel less each one; 0 in the last row of dy and the last column of dx.

    >>> import tensorsmith as tf
    >>> dy, dx = tf.image.image_gradients([[[[1.0], [3.0]], [[1.0], [0.0]]]])
    >>> dy.numpy()[0, :, :, 0].tolist(), dx.numpy()[0, :, :, 0].tolist()
    ([[0.0, -3.0], [0.0, 0.0]], [[2.0, 0.0], [-1.0, 0.0]])
    """
    x, down, across = _differences(image, "image.image_gradients")
    if x.ndim != 4:
        raise ValueError(explain("image.image_gradients", "images have four axes", {"image": x.shape}, "[B, H, W, C]"))
    return pad(down, [[0, 0], [0, 1], [0, 0], [0, 0]]), pad(across, [[0, 0], [0, 0], [0, 1], [0, 0]])


def sobel_edges(image: Any) -> Tensor:
    """The edge filters of Sobel over images [B, H, W, C]: [B, H, W, C, 2], along y and along x. Borders are mirrored.

    >>> import tensorsmith as tf
    >>> tf.image.sobel_edges(tf.reshape(tf.range(9.0), [1, 3, 3, 1])).numpy()[0, 1, 1, 0]
    array([24.,  8.], dtype=float32)
    """
    x = convert(image)
    if x.ndim != 4:
        raise ValueError(explain("image.sobel_edges", "images have four axes", {"image": x.shape}, "[B, H, W, C]"))
    # [1, 2, 1] across the difference of what stands before and behind
    wide = pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
    down = wide[:, 2:] - wide[:, :-2]
    across = wide[:, :, 2:] - wide[:, :, :-2]
    dy = down[:, :, :-2] + down[:, :, 1:-1] * 2 + down[:, :, 2:]
    dx = across[:, :-2] + across[:, 1:-1] * 2 + across[:, 2:]
    return stack([dy, dx], axis=-1)
