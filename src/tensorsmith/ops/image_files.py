"""Image files: decode_* and encode_*, as operations on byte strings. They need Pillow, of the extra `image`.

The size of an image hangs on its bytes, so that programs that decode run on NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.ops import image_decoding
from tensorsmith.ops.image_colour import convert_image_dtype
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

_UINT8, _UINT16, _INT32, _STRING = np.dtype("uint8"), np.dtype("uint16"), np.dtype("int32"), np.dtype(object)


def _bytes(contents: Any, who: str) -> bytes:
    """The bytes of a scalar string."""
    found = np.asarray(contents)
    if found.size != 1 or found.ndim:
        raise InvalidArgumentError(explain(who, "contents are one string", {"contents": found.shape}))
    value = found.item()
    return value.encode() if isinstance(value, str) else bytes(value)


def _channels(who: str, channels: Any, known: tuple[int, ...]) -> int:
    count = int(plain(channels or 0, "channels"))
    if count not in known:
        raise InvalidArgumentError(
            explain(
                who, "so many channels cannot be given", {"channels": count}, f"it is one of {known}; 0: as in the file"
            )
        )
    return count


def _pixels(specs: Specs, settings: dict) -> Specs:
    return [((None, None, settings["channels"] or None), settings.get("dtype", _UINT8))]


@primitive(name="decode_jpeg", kinds="O", eager=True, differentiable=False, shapes=_pixels)
def _jpeg(
    xp, contents: Array, channels: int = 0, ratio: int = 1, try_recover_truncated: bool = False, crop_window: Any = None
):
    who = "image.decode_jpeg" if crop_window is None else "image.decode_and_crop_jpeg"
    data = _bytes(contents, who)
    if crop_window is not None:
        return image_decoding.jpeg(who, data, channels, ratio, try_recover_truncated, crop_window)
    settings = {"ratio": ratio, "truncated": try_recover_truncated}
    return image_decoding.still(who, data, channels, _UINT8, settings)


def _jpeg_settings(
    who: str, channels: Any, ratio: Any, fraction: Any, truncated: Any, dct_method: Any
) -> dict[str, Any]:
    if ratio not in (1, 2, 4, 8):
        raise InvalidArgumentError(explain(who, "no such ratio", {"ratio": ratio}, "it is 1, 2, 4 or 8"))
    if dct_method not in ("", "INTEGER_FAST", "INTEGER_ACCURATE"):
        raise InvalidArgumentError(
            explain(who, "no such method", {"dct_method": dct_method}, "it is '', 'INTEGER_FAST' or 'INTEGER_ACCURATE'")
        )
    # a fraction below 1 is TensorFlow's other word for files that may end early
    truncated = bool(truncated) or float(fraction) < 1
    return {"channels": _channels(who, channels, (0, 1, 3)), "ratio": int(ratio), "try_recover_truncated": truncated}


def decode_jpeg(
    contents: Any, channels: int = 0, ratio: int = 1, fancy_upscaling: bool = True, try_recover_truncated: bool = False,
    acceptable_fraction: float = 1, dct_method: str = "", name: str | None = None,
) -> Tensor:  # fmt: skip
    """The image [H, W, C], uint8, of the bytes of a JPEG file; also of a PNG file, or a GIF file of one frame.

    channels  1: grey, 3: colours, 0: as in the file.
    ratio     1, 2, 4 or 8: height and width are divided by it while it is decoded.
    try_recover_truncated  a file that ends early gives what there is, and grey below.
    fancy_upscaling, dct_method  are accepted: it is decoded in the accurate way.

    Raises InvalidArgumentError for other and damaged files and images above 2**29 bytes; ModuleNotFoundError without
    Pillow.

    >>> import tensorsmith as tf
    >>> contents = tf.image.encode_jpeg(tf.fill([2, 3, 3], tf.constant(100, tf.uint8)))
    >>> tf.image.decode_jpeg(contents).shape
    TensorShape([2, 3, 3])
    """
    settings = _jpeg_settings(
        "image.decode_jpeg", channels, ratio, acceptable_fraction, try_recover_truncated, dct_method
    )
    return apply(_jpeg, (contents,), settings)


def decode_and_crop_jpeg(
    contents: Any, crop_window: Any, channels: int = 0, ratio: int = 1, fancy_upscaling: bool = True,
    try_recover_truncated: bool = False, acceptable_fraction: float = 1, dct_method: str = "", name: str | None = None,
) -> Tensor:  # fmt: skip
    """The window [top, left, height, width] of a JPEG file; other arguments as of `decode_jpeg`.

    >>> import tensorsmith as tf
    >>> contents = tf.image.encode_jpeg(tf.fill([8, 8, 3], tf.constant(100, tf.uint8)))
    >>> tf.image.decode_and_crop_jpeg(contents, [1, 2, 3, 4]).shape
    TensorShape([3, 4, 3])
    """
    who = "image.decode_and_crop_jpeg"
    settings = _jpeg_settings(who, channels, ratio, acceptable_fraction, try_recover_truncated, dct_method)
    window = plain(crop_window, "crop_window")
    if not isinstance(window, tuple) or len(window) != 4:
        raise InvalidArgumentError(
            explain(who, "crop_window must be [top, left, height, width]", {"crop_window": crop_window})
        )
    return apply(_jpeg, (contents,), {**settings, "crop_window": window})


@primitive(name="decode_png", kinds="O", eager=True, differentiable=False, shapes=_pixels)
def _png(xp, contents: Array, channels: int = 0, dtype: Any = _UINT8):
    return image_decoding.still("image.decode_png", _bytes(contents, "image.decode_png"), channels, dtype)


def decode_png(contents: Any, channels: int = 0, dtype: Any = dtypes.uint8, name: str | None = None) -> Tensor:
    """The image [H, W, C], uint8 or uint16, of the bytes of a PNG file; also of a JPEG file, or a GIF file of one frame.

    channels  1: grey, 3: colours, 4: colours and alpha, 0: as in the file (2: grey and alpha).
    dtype     uint8 cuts files of 16 bits a channel to their upper halves; uint16 takes those of 8 bits times 257.

    Raises InvalidArgumentError for other and damaged files and images above 2**29 bytes; ModuleNotFoundError without
    Pillow.

    >>> import tensorsmith as tf
    >>> contents = tf.image.encode_png(tf.constant([[[1], [2]]], tf.uint8))
    >>> tf.image.decode_png(contents).numpy()[..., 0]
    array([[1, 2]], dtype=uint8)
    """
    who = "image.decode_png"
    wanted = dtypes.as_dtype(dtype).numpy_dtype
    if wanted not in (_UINT8, _UINT16):
        raise TypeError(explain(who, "no such dtype", {"dtype": wanted.name}, "it is uint8 or uint16"))
    return apply(_png, (contents,), {"channels": _channels(who, channels, (0, 1, 3, 4)), "dtype": wanted})


@primitive(name="decode_picture", kinds="O", eager=True, differentiable=False, shapes=_pixels)
def _picture(xp, contents: Array, kind: str, channels: int = 0):
    who = f"image.decode_{kind}"
    return image_decoding.plain(who, kind, _bytes(contents, who), channels)


def decode_bmp(contents: Any, channels: int = 0, name: str | None = None) -> Tensor:
    """The image [H, W, C], uint8, of the bytes of a BMP file; channels 3, 4, or 0: as in the file."""
    return apply(_picture, (contents,), {"kind": "bmp", "channels": _channels("image.decode_bmp", channels, (0, 3, 4))})


def _moving(specs: Specs, settings: dict) -> Specs:
    return [((None, None, None, settings["channels"] or None), _UINT8)]


@primitive(name="decode_frames", kinds="O", eager=True, differentiable=False, shapes=_moving)
def _frames(xp, contents: Array, kind: str, channels: int = 3):
    who = f"image.decode_{kind}"
    data = _bytes(contents, who)
    if kind == "gif" and image_decoding.kind_of(data) in ("jpeg", "png"):
        return image_decoding.still(who, data, 3, _UINT8)[None]
    return image_decoding.frames(who, kind, data, channels)


def decode_gif(contents: Any, name: str | None = None) -> Tensor:
    """All frames [frames, H, W, 3], uint8, of the bytes of a GIF file; of a JPEG or PNG file one."""
    return apply(_frames, (contents,), {"kind": "gif", "channels": 3})


def decode_webp(contents: Any, channels: int = 0, dtype: Any = dtypes.uint8, name: str | None = None) -> Tensor:
    """All frames [frames, H, W, C], uint8, of the bytes of a WebP file; channels 3, 4, or 0: as in the file."""
    who = "image.decode_webp"
    if dtypes.as_dtype(dtype) != dtypes.uint8:
        raise TypeError(explain(who, "no such dtype", {"dtype": dtypes.as_dtype(dtype).name}, "it is uint8"))
    return apply(_frames, (contents,), {"kind": "webp", "channels": _channels(who, channels, (0, 3, 4))})


def _any(specs: Specs, settings: dict) -> Specs:
    if settings["expand_animations"]:
        return [(TensorShape(None), settings["dtype"])]  # type: ignore[list-item]
    return [((None, None, settings["channels"] or None), settings["dtype"])]


@primitive(name="decode_image", kinds="O", eager=True, differentiable=False, shapes=_any)
def _image(xp, contents: Array, channels: int = 0, dtype: Any = _UINT8, expand_animations: bool = True):
    who = "image.decode_image"
    return image_decoding.any_kind(who, _bytes(contents, who), channels, dtype, expand_animations)


def decode_image(
    contents: Any, channels: int | None = None, dtype: Any = dtypes.uint8, name: str | None = None,
    expand_animations: bool = True,
) -> Tensor:  # fmt: skip
    """The image of the bytes of a JPEG, PNG, GIF, BMP or WebP file, whichever it is: [H, W, C].

    channels  as of the function of that kind of file; None or 0: as in the file.
    dtype     of the result, its values scaled as `convert_image_dtype` does.
    expand_animations  True: GIF and WebP files give [frames, H, W, C], so that nothing is known of the shape in a traced
                       function. False: of those files the first frame.

    Raises InvalidArgumentError for other and damaged files and images above 2**29 bytes.

    >>> import tensorsmith as tf
    >>> contents = tf.image.encode_png(tf.constant([[[0], [255]]], tf.uint8))
    >>> tf.image.decode_image(contents, dtype=tf.float32).numpy()[..., 0]
    array([[0., 1.]], dtype=float32)
    """
    wanted = dtypes.as_dtype(dtype)
    read = wanted.numpy_dtype if wanted in (dtypes.uint8, dtypes.uint16, dtypes.float32) else _UINT16
    settings = {
        "channels": _channels("image.decode_image", channels, (0, 1, 3, 4)), "dtype": read,
        "expand_animations": bool(expand_animations),
    }  # fmt: skip
    found = apply(_image, (contents,), settings)
    return found if found.dtype == wanted else convert_image_dtype(found, wanted)


def is_jpeg(contents: Any, name: str | None = None) -> Tensor:
    """True for the bytes of a JPEG file, by the first three of them; of each string.

    >>> import tensorsmith as tf
    >>> tf.image.is_jpeg([b"GIF89a", b"\\xff\\xd8\\xff\\xe0"]).numpy()
    array([False,  True])
    """
    return apply(_starts, (contents,), {})


@primitive(name="is_jpeg", kinds="O", differentiable=False, shapes=lambda s, k: [(s[0][0], np.dtype(bool))])
def _starts(xp, contents: Array):
    found = np.asarray(contents)
    marks = [value[:3] == b"\xff\xd8\xff" for value in found.ravel()]
    return np.array(marks, bool).reshape(found.shape)


@primitive(name="extract_jpeg_shape", kinds="O", differentiable=False, shapes=lambda s, k: [((3,), k["output_type"])])
def _jpeg_shape(xp, contents: Array, output_type: Any = _INT32):
    who = "image.extract_jpeg_shape"
    return np.array(image_decoding.jpeg_shape(who, _bytes(contents, who)), output_type)


def extract_jpeg_shape(contents: Any, output_type: Any = dtypes.int32, name: str | None = None) -> Tensor:
    """(height, width, channels) of a JPEG file, int32 or int64, of which only the header is read.

    >>> import tensorsmith as tf
    >>> contents = tf.image.encode_jpeg(tf.fill([2, 3, 3], tf.constant(100, tf.uint8)))
    >>> tf.image.extract_jpeg_shape(contents).numpy()
    array([2, 3, 3], dtype=int32)
    """
    return apply(_jpeg_shape, (contents,), {"output_type": dtypes.as_dtype(output_type).numpy_dtype})


# ---- written


@primitive(name="encode_jpeg", kinds="u", differentiable=False, shapes=lambda s, k: [((), _STRING)])
def _encode_jpeg(
    xp, image: Array, quality: int = 95, progressive: bool = False, optimize: bool = False, subsampling: int = 2,
    dpi: Any = (300, 300), xmp: str = "",
):  # fmt: skip
    settings: dict[str, Any] = {
        "quality": max(quality, 1), "progressive": progressive, "optimize": optimize, "subsampling": subsampling, "dpi": dpi,
    }  # fmt: skip
    if xmp:
        settings["xmp"] = xmp.encode()
    return np.array(image_decoding.jpeg_bytes("image.encode_jpeg", np.asarray(image), **settings), object)


def _picture_of(image: Any, who: str, known: tuple[int, ...]) -> Tensor:
    x = convert(image)
    if x.ndim != 3 or (x.shape[2] is not None and x.shape[2] not in known):
        raise InvalidArgumentError(explain(who, "an image is [H, W, C]", {"image": x.shape}, f"with C one of {known}"))
    return x


def encode_jpeg(
    image: Any, format: str = "", quality: int = 95, progressive: bool = False, optimize_size: bool = False,
    chroma_downsampling: bool = True, density_unit: str = "in", x_density: int = 300, y_density: int = 300,
    xmp_metadata: str = "", name: str | None = None,
) -> Tensor:  # fmt: skip
    """The bytes of a JPEG file of an image [H, W, C], uint8, C 1 or 3.

    format   "grayscale", "rgb", or "": by the number of channels.
    quality  from 0 to 100.
    chroma_downsampling  colours at half the resolution.
    density_unit, x_density, y_density  pixels an inch ("in") or a centimetre ("cm"), told in the file.

    >>> import tensorsmith as tf
    >>> tf.image.encode_jpeg(tf.fill([2, 3, 1], tf.constant(100, tf.uint8))).numpy()[:3]
    b'\\xff\\xd8\\xff'
    """
    who = "image.encode_jpeg"
    x = _picture_of(image, who, {"": (1, 3), "grayscale": (1,), "rgb": (3,)}.get(format, ()))
    if not 0 <= int(quality) <= 100:
        raise InvalidArgumentError(explain(who, "quality must be from 0 to 100", {"quality": quality}))
    if density_unit not in ("in", "cm"):
        raise InvalidArgumentError(explain(who, "no such unit", {"density_unit": density_unit}, "it is 'in' or 'cm'"))
    inches = 1.0 if density_unit == "in" else 2.54
    settings = {
        "quality": int(quality), "progressive": bool(progressive), "optimize": bool(optimize_size),
        "subsampling": 2 if chroma_downsampling else 0,
        "dpi": (round(x_density * inches), round(y_density * inches)), "xmp": str(xmp_metadata),
    }  # fmt: skip
    return apply(_encode_jpeg, (x,), settings)


@primitive(name="encode_png", kinds="u", differentiable=False, shapes=lambda s, k: [(s[0][0][:-3], _STRING)])
def _encode_png(xp, image: Array, compression: int = -1):
    pictures = np.asarray(image)
    flat = pictures.reshape(-1, *pictures.shape[-3:])
    found = np.empty(len(flat), object)
    for at, picture in enumerate(flat):
        found[at] = image_decoding.png_bytes("image.encode_png", picture, compression)
    return found.reshape(pictures.shape[:-3])


def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Tensor:
    """The bytes of a PNG file of an image [H, W, C], uint8 or uint16, C from 1 to 4; of images [..., H, W, C] a file each.

    compression  from 0 (none) to 9 (small, slow); -1: in between.

    >>> import tensorsmith as tf
    >>> tf.image.encode_png(tf.fill([2, 3, 1], tf.constant(100, tf.uint8))).numpy()[1:4]
    b'PNG'
    """
    who = "image.encode_png"
    x = convert(image)
    if x.ndim < 3 or (x.shape[-1] is not None and x.shape[-1] not in (1, 2, 3, 4)):
        raise InvalidArgumentError(explain(who, "an image is [..., H, W, C]", {"image": x.shape}, "with C from 1 to 4"))
    if x.dtype not in (dtypes.uint8, dtypes.uint16):
        raise InvalidArgumentError(explain(who, "an image is uint8 or uint16", {"image": x.dtype.name}))
    if not -1 <= int(compression) <= 9:
        raise InvalidArgumentError(explain(who, "compression must be from -1 to 9", {"compression": compression}))
    return apply(_encode_png, (x,), {"compression": int(compression)})


@primitive(
    name="jpeg_quality",
    kinds="u",
    same=frozenset({"image"}),
    eager=True,
    differentiable=False,
    shapes=lambda s, k: [s[0]],
)
def _through_jpeg(xp, image: Array, quality: Array):
    who = "image.adjust_jpeg_quality"
    value = int(quality)
    if not 0 <= value <= 100:
        raise InvalidArgumentError(explain(who, "jpeg_quality must be from 0 to 100", {"jpeg_quality": value}))
    data = image_decoding.jpeg_bytes(who, np.asarray(image), quality=max(value, 1))
    return image_decoding.jpeg(who, data, image.shape[-1])


def adjust_jpeg_quality(image: Any, jpeg_quality: Any, dct_method: str = "", name: str | None = None) -> Tensor:
    """An image [H, W, C] as it looks after it was a JPEG file of that quality, from 0 to 100; C 1 or 3, dtype as given.

    It runs on NumPy, also in compiled functions. Raises ModuleNotFoundError without Pillow.

    >>> import tensorsmith as tf
    >>> tf.image.adjust_jpeg_quality(tf.fill([8, 8, 3], 0.5), 75).shape
    TensorShape([8, 8, 3])
    """
    x = _picture_of(image, "image.adjust_jpeg_quality", (1, 3))
    quality = convert(jpeg_quality)
    if not isinstance(quality, Symbol) and quality.ndim:
        raise InvalidArgumentError(
            explain("image.adjust_jpeg_quality", "jpeg_quality is one number", {"jpeg_quality": quality.shape})
        )
    pixels = convert_image_dtype(x, dtypes.uint8, saturate=True)
    return convert_image_dtype(apply(_through_jpeg, (pixels, quality), {}), x.dtype, saturate=True)
