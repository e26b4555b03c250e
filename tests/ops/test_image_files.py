"""Image files: kinds, channels and dtypes; and what hostile files do."""

from __future__ import annotations

import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

import tensorsmith as tf
from tests.oracles.image_files import ALPHA, COLOURS, DEEP, FRAMES, GIF, GREY, JPEG, WEBP, bmp, by_pillow, png
from tests.support.process import python

RNG = np.random.default_rng(12)
SMOOTH = np.clip(np.add.outer(np.linspace(0, 200, 24), np.linspace(0, 55, 40))[..., None] * [1, 0.7, 0.3], 0, 255)
SMOOTH = SMOOTH.astype("uint8")
SETTINGS = tf.errors.InvalidArgumentError


def same(found, right) -> None:
    np.testing.assert_array_equal(found.numpy(), right)
    assert found.dtype == right.dtype.name


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_png_keeps_every_pixel(channels: int, dtype: str) -> None:
    image = RNG.integers(0, np.iinfo(dtype).max + 1, (7, 5, channels)).astype(dtype)
    for compression in (-1, 0, 9):
        contents = tf.image.encode_png(image, compression)
        same(tf.image.decode_png(contents, dtype=dtype), image)
    same(tf.image.decode_png(contents), image if dtype == "uint8" else (image >> 8).astype("uint8"))
    many = tf.image.encode_png(np.stack([[image, image + 1]]))
    assert many.shape == (1, 2)
    same(tf.image.decode_png(many[0, 1], dtype=dtype), image + np.array(1, dtype))


def filtered(image: np.ndarray) -> bytes:
    """A PNG file of 16 bits whose lines have each of the five filters in turn."""
    height, _, channels = image.shape
    step, lines = 2 * channels, image.astype(">u2").view("uint8").reshape(height, -1).astype(int)
    raw = bytearray()
    for y, line in enumerate(lines):
        up = lines[y - 1] if y else np.zeros_like(line)
        left, corner = (np.concatenate([np.zeros(step, int), part[:-step]]) for part in (line, up))
        guess = left + up - corner
        nearest = [
            min((abs(g - v), n) for n, v in enumerate((a, b, c)))[1] for g, a, b, c in zip(guess, left, up, corner)
        ]
        paeth = [(a, b, c)[n] for n, a, b, c in zip(nearest, left, up, corner)]
        expected = [0 * line, left, up, (left + up) // 2, np.array(paeth)][y % 5]
        raw += bytes([y % 5]) + (line - expected).astype("uint8").tobytes()
    return swapped(png(image), b"IDAT", zlib.compress(bytes(raw)))


def swapped(file: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG file with another body of one of its parts, its checksum right."""
    at = file.index(kind)
    (size,) = struct.unpack(">I", file[at - 4 : at])
    part = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return file[: at - 4] + part + file[at + 8 + size :]


def test_png_of_16_bits_with_every_filter() -> None:
    for channels in (2, 3, 4):
        # of few values as well: then neighbours are often equally near
        for image in (RNG.integers(0, 65536, (11, 6, channels)), RNG.integers(0, 4, (11, 6, channels)) * 257):
            image = image.astype("uint16")
            same(tf.image.decode_png(filtered(image), dtype=tf.uint16), image)
    same(tf.image.decode_png(png(DEEP), channels=4, dtype=tf.uint16)[..., 3], np.full((3, 2), 65535, "uint16"))
    grey = tf.image.decode_png(png(DEEP), channels=1, dtype=tf.uint16)[..., 0]
    np.testing.assert_allclose(grey, DEEP @ np.array([0.299, 0.587, 0.114]), atol=0.51)
    same(tf.image.decode_png(png(DEEP[..., :1]), channels=3, dtype=tf.uint16), np.repeat(DEEP[..., :1], 3, -1))


def test_palettes_bits_and_alpha() -> None:
    shades = by_pillow([COLOURS], "PNG")
    palette = io.BytesIO()
    picture = Image.fromarray(COLOURS).convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    picture.save(palette, "PNG")
    same(tf.image.decode_png(palette.getvalue()), np.array(picture.convert("RGB")))
    clear = io.BytesIO()
    picture.save(clear, "PNG", transparency=bytes([0, 128] + [255] * 30))
    same(tf.image.decode_png(clear.getvalue()), np.array(Image.open(clear).convert("RGBA")))
    same(tf.image.decode_png(clear.getvalue(), channels=3), np.array(picture.convert("RGB")))
    same(tf.image.decode_png(shades, channels=4), np.concatenate([COLOURS, np.full((3, 5, 1), 255, "uint8")], -1))
    # what alpha hides is there all the same
    same(tf.image.decode_png(png(ALPHA), channels=3), ALPHA[..., :3])
    same(tf.image.decode_png(png(GREY), channels=3), np.repeat(GREY, 3, -1))
    luma = COLOURS @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(tf.image.decode_png(shades, channels=1)[..., 0], luma, atol=1)
    bits = io.BytesIO()
    Image.fromarray(GREY[..., 0] > 127).save(bits, "PNG")
    same(tf.image.decode_png(bits.getvalue())[..., 0], np.where(GREY[..., 0] > 127, 255, 0).astype("uint8"))


def test_jpeg() -> None:
    contents = tf.image.encode_jpeg(SMOOTH, quality=95)
    for found in (tf.image.decode_jpeg(contents), tf.image.decode_image(contents)):
        np.testing.assert_allclose(found.numpy().astype(int), SMOOTH, atol=12)
    luma = SMOOTH @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(tf.image.decode_jpeg(contents, channels=1)[..., 0], luma, atol=4)
    told = Image.open(io.BytesIO(contents.numpy()))
    told.draft("YCbCr", None)
    same(tf.image.decode_jpeg(contents, channels=1)[..., 0], np.array(told)[..., 0])
    grey = tf.image.encode_jpeg(SMOOTH[..., :1])
    assert tf.image.decode_jpeg(grey).shape == (24, 40, 1)
    assert tf.image.decode_jpeg(grey, channels=3).shape == (24, 40, 3)
    for ratio in (1, 2, 4, 8):
        small = tf.image.decode_jpeg(contents, ratio=ratio)
        blocks = SMOOTH.reshape(24 // ratio, ratio, 40 // ratio, ratio, 3).mean((1, 3))
        np.testing.assert_allclose(small, blocks, atol=12)
    same(tf.image.decode_and_crop_jpeg(contents, [3, 4, 5, 6]), tf.image.decode_jpeg(contents).numpy()[3:8, 4:10])
    assert len(tf.image.encode_jpeg(SMOOTH, quality=0).numpy()) < len(tf.image.encode_jpeg(SMOOTH, quality=100).numpy())
    told = Image.open(io.BytesIO(tf.image.encode_jpeg(SMOOTH, density_unit="cm", x_density=10, y_density=20).numpy()))
    assert told.info["dpi"] == (25, 51)
    file = io.BytesIO()
    Image.fromarray(SMOOTH).convert("CMYK").save(file, "JPEG")
    ink = file.getvalue()
    assert tf.image.extract_jpeg_shape(ink).numpy().tolist() == [24, 40, 4]
    np.testing.assert_allclose(tf.image.decode_jpeg(ink).numpy().astype(int), SMOOTH, atol=12)
    assert tf.image.is_jpeg([contents, b"", GIF]).numpy().tolist() == [True, False, False]


def test_quality_lost_on_purpose() -> None:
    for image in (SMOOTH, SMOOTH.astype("float32") / 255, SMOOTH[..., :1]):
        worse = tf.image.adjust_jpeg_quality(image, 5)
        better = tf.image.adjust_jpeg_quality(image, tf.constant(95))
        assert (worse.dtype, worse.shape) == (image.dtype.name, image.shape)
        loss = [abs(found.numpy().astype(float) - image).mean() for found in (worse, better)]
        assert loss[0] > 2 * loss[1]
    same(
        tf.image.adjust_jpeg_quality(SMOOTH, 40), tf.image.decode_jpeg(tf.image.encode_jpeg(SMOOTH, quality=40)).numpy()
    )
    traced = tf.function(lambda x, q: tf.image.adjust_jpeg_quality(x, q) + tf.zeros([24, 40, 3], tf.uint8))
    same(traced(SMOOTH, tf.constant(5)), tf.image.adjust_jpeg_quality(SMOOTH, 5).numpy())


def test_whatever_it_is() -> None:
    same(tf.image.decode_image(png(COLOURS), expand_animations=False), COLOURS)
    same(tf.image.decode_image(bmp(COLOURS)), COLOURS)
    same(tf.image.decode_image(GIF), FRAMES)
    same(tf.image.decode_image(GIF, expand_animations=False), FRAMES[0])
    same(tf.image.decode_image(WEBP), ALPHA[None])
    same(tf.image.decode_gif(GIF), FRAMES)
    same(tf.image.decode_webp(WEBP, channels=3)[0], ALPHA[..., :3])
    same(tf.image.decode_bmp(bmp(COLOURS), channels=4)[..., :3], COLOURS)
    single = by_pillow([FRAMES[0]], "GIF")
    for contents, image in ((png(COLOURS), COLOURS), (single, FRAMES[0])):
        # files often have the wrong ending
        same(tf.image.decode_jpeg(contents), image)
        same(tf.image.decode_png(contents), image)
    same(tf.image.decode_gif(png(COLOURS)), COLOURS[None])
    assert tf.image.decode_png(JPEG, channels=3).shape == (16, 24, 3)
    np.testing.assert_allclose(tf.image.decode_image(png(COLOURS), dtype=tf.float32), COLOURS / 255, rtol=1e-6)
    same(tf.image.decode_image(png(COLOURS), dtype=tf.uint16), COLOURS * np.uint16(257))
    same(tf.image.decode_image(png(COLOURS), dtype=tf.int32), COLOURS * np.int32(257 * 32768))
    np.testing.assert_allclose(tf.image.decode_image(png(DEEP), dtype=tf.float32), DEEP / 65535, rtol=1e-6)
    np.testing.assert_array_equal(
        tf.image.decode_image(JPEG, dtype=tf.uint16), tf.image.decode_jpeg(JPEG).numpy() * np.uint16(256)
    )


def test_in_functions_and_datasets() -> None:
    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def read(contents):
        image = tf.image.decode_png(contents, channels=3)
        return tf.image.resize(tf.image.convert_image_dtype(image, tf.float32), [4, 4]), tf.shape(image)

    image, shape = read(png(COLOURS))
    assert shape.numpy().tolist() == [3, 5, 3]
    right = tf.image.resize(COLOURS.astype("float32") / 255, [4, 4])
    np.testing.assert_allclose(image, right, rtol=1e-5)
    data = tf.data.Dataset.from_tensor_slices([png(COLOURS), JPEG]).map(
        lambda contents: tf.image.resize(tf.image.decode_image(contents, channels=3, expand_animations=False), [4, 4])
    )
    assert [element.shape for element in data] == [(4, 4, 3), (4, 4, 3)]
    same(tf.function(lambda c: tf.image.decode_image(c) + tf.constant(0, tf.uint8))(GIF), FRAMES)


# ---- hostile files

KINDS = {
    "jpeg": (tf.image.decode_jpeg, by_pillow([SMOOTH], "JPEG", quality=90)),
    "png": (tf.image.decode_png, by_pillow([SMOOTH], "PNG")),
    "png16": (lambda contents: tf.image.decode_png(contents, dtype=tf.uint16), filtered(DEEP)),
    "gif": (tf.image.decode_gif, GIF),
    "bmp": (tf.image.decode_bmp, bmp(COLOURS)),
    "webp": (tf.image.decode_webp, by_pillow([SMOOTH], "WEBP", lossless=True)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_give_a_picture_or_one_kind_of_error(kind: str) -> None:
    function, whole = KINDS[kind]
    assert function(whole).ndim in (3, 4)
    files = [whole[: int(len(whole) * share)] for share in np.linspace(0, 1, 25, endpoint=False)]
    for _ in range(60):
        flipped = bytearray(whole)
        for place in RNG.integers(0, len(whole), 1 + RNG.integers(0, 8)):
            flipped[place] ^= 1 << RNG.integers(0, 8)
        files.append(bytes(flipped))
    cut, again = len(whole) // 3, 2 * len(whole) // 3
    files += [whole[:cut] + whole[again:], whole[:cut] + bytes(again - cut) + whole[again:], whole + whole, whole * 2]
    for each in (function, tf.image.decode_image):
        for file in files:
            try:
                found = each(file)
            except SETTINGS as error:
                assert str(error).startswith("image.decode_")
                assert len(str(error)) < 2000
            else:
                assert found.shape[-1] in (1, 2, 3, 4)


def test_a_header_that_claims_more_than_memory_holds() -> None:
    def header(width: int, height: int, depth: int = 8) -> bytes:
        return swapped(png(COLOURS), b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))

    wide = bytearray(bmp(COLOURS))
    wide[18:26] = struct.pack("<ii", 60000, 60000)
    tall = bytearray(GIF)
    tall[6:10] = struct.pack("<HH", 65535, 65535)
    grey = bytearray(JPEG)
    at = grey.index(b"\xff\xc0")
    grey[at + 5 : at + 9] = struct.pack(">HH", 65000, 65000)
    for contents in (
        header(2**31 - 1, 2**31 - 1),
        header(40000, 40000),
        header(40000, 40000, 16),
        bytes(wide),
        bytes(tall),
        bytes(grey),
    ):
        with pytest.raises(
            SETTINGS, match=r"the image is too large: \d+ x \d+ pixels of \d+ bytes .*; at most 536870912 bytes"
        ):
            tf.image.decode_image(contents, dtype=tf.uint16)
    # half of what may be, but four times as much in floats
    grey = swapped(png(COLOURS), b"IHDR", struct.pack(">IIBBBBB", 8000, 8000, 8, 0, 0, 0, 0))
    with pytest.raises(SETTINGS, match="the image is too large"):
        tf.image.decode_image(grey, dtype=tf.float32)
    with pytest.raises(SETTINGS, match="the file is damaged"):
        tf.image.decode_image(grey)


def test_pixels_that_unpack_to_more_than_the_header_tells() -> None:
    bomb = swapped(png(DEEP), b"IDAT", zlib.compress(bytes(2**26)))
    assert len(bomb) < 2**18
    same(tf.image.decode_png(bomb, dtype=tf.uint16), 0 * DEEP)
    short = swapped(png(DEEP), b"IDAT", zlib.compress(bytes(5)))
    with pytest.raises(SETTINGS, match="it holds 5 bytes of pixels, not 39"):
        tf.image.decode_png(short, dtype=tf.uint16)
    for body, text in (
        (b"no zlib", "its pixels cannot be unpacked"),
        (zlib.compress(b"\x09" * 39), "a filter that PNG does not know"),
    ):
        with pytest.raises(SETTINGS, match=text):
            tf.image.decode_png(swapped(png(DEEP), b"IDAT", body), dtype=tf.uint16)
    damaged = bytearray(png(DEEP))
    damaged[damaged.index(b"IDAT") + 6] ^= 1
    with pytest.raises(SETTINGS, match="its part b'IDAT' is damaged"):
        tf.image.decode_png(bytes(damaged), dtype=tf.uint16)


def test_reading_changes_no_setting_of_pillow() -> None:
    from PIL import ImageFile

    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, dict(Image.OPEN)
    whole = tf.image.decode_jpeg(KINDS["jpeg"][1]).numpy()
    part = tf.image.decode_jpeg(KINDS["jpeg"][1][:-90], try_recover_truncated=True)
    assert part.shape == whole.shape
    np.testing.assert_array_equal(part[:8, :16], whole[:8, :16])
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, dict(Image.OPEN)) == before


def test_what_is_refused() -> None:
    refused = [
        (lambda: tf.image.decode_png(b"hello"), "image.decode_png: the contents are of no kind that is known"),
        (lambda: tf.image.decode_jpeg(b""), "the contents are of no kind that is known (contents=0 bytes, b'')"),
        (lambda: tf.image.decode_bmp(png(GREY)), "the contents are a PNG file"),
        (lambda: tf.image.decode_png(bmp(COLOURS)), "the contents are a BMP file"),
        (lambda: tf.image.decode_image(b"%!PS-Adobe-3.0 EPSF"), "must be those of a JPEG or PNG or GIF or BMP or WebP file"),
        (lambda: tf.image.decode_jpeg(GIF), "the GIF file has 3 frames"),
        (lambda: tf.image.decode_jpeg(JPEG[:300]), "image.decode_jpeg: the file is damaged"),
        (lambda: tf.image.decode_png([png(GREY)] * 2), "contents are one string (contents=(2,))"),
        (lambda: tf.image.decode_png(png(GREY), 5), "so many channels cannot be given (channels=5)"),
        (lambda: tf.image.decode_image(GIF, 1), "a GIF file has 3 channels (channels=1)"),
        (lambda: tf.image.decode_jpeg(JPEG, ratio=3), "no such ratio (ratio=3)"),
        (lambda: tf.image.decode_jpeg(JPEG, dct_method="SLOW"), "no such method (dct_method=SLOW)"),
        (lambda: tf.image.decode_and_crop_jpeg(JPEG, [0, 0, 99, 1]), "the window does not lie within the image"),
        (lambda: tf.image.decode_and_crop_jpeg(JPEG, [0, 0, 9]), "crop_window must be [top, left, height, width]"),
        (lambda: tf.image.encode_jpeg(SMOOTH, quality=101), "quality must be from 0 to 100 (quality=101)"),
        (lambda: tf.image.encode_jpeg(SMOOTH, "grayscale"), "with C one of (1,)"),
        (lambda: tf.image.encode_jpeg(SMOOTH, density_unit="m"), "no such unit (density_unit=m)"),
        (lambda: tf.image.encode_jpeg(ALPHA), "an image is [H, W, C] (image=(2, 4, 4))"),
        (lambda: tf.image.encode_png(SMOOTH[0]), "an image is [..., H, W, C] (image=(40, 3))"),
        (lambda: tf.image.encode_png(SMOOTH / 255), "an image is uint8 or uint16 (image=float64)"),
        (lambda: tf.image.encode_png(SMOOTH, 10), "compression must be from -1 to 9 (compression=10)"),
        (lambda: tf.image.adjust_jpeg_quality(SMOOTH, 101), "jpeg_quality must be from 0 to 100 (jpeg_quality=101)"),
        (lambda: tf.image.adjust_jpeg_quality(ALPHA, 50), "with C one of (1, 3)"),
    ]  # fmt: skip
    for call, text in refused:
        with pytest.raises(SETTINGS) as caught:
            call()
        assert text in str(caught.value)
    for call in (
        lambda: tf.image.decode_png(png(GREY), dtype=tf.int32),
        lambda: tf.image.decode_webp(WEBP, dtype=tf.uint16),
    ):
        with pytest.raises(TypeError, match="no such dtype"):
            call()


def test_without_pillow_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "PIL"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    for call, name in (
        (lambda: tf.image.decode_png(png(GREY)), "decode_png"),
        (lambda: tf.image.encode_jpeg(SMOOTH), "encode_jpeg"),
        (lambda: tf.image.adjust_jpeg_quality(SMOOTH, 50), "adjust_jpeg_quality"),
    ):
        with pytest.raises(ModuleNotFoundError) as caught:
            call()
        assert str(caught.value) == f"'PIL' is needed for tf.image.{name}: pip install \"tensorsmith[image]\""


def test_pillow_is_loaded_when_a_file_is_read(tmp_path) -> None:
    script = (
        "import sys, tensorsmith as tf\n"
        "tf.image.resize(tf.zeros([2, 2, 1]), [4, 4])\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'PIL']\n"
        "tf.image.encode_png(tf.zeros([2, 2, 1], tf.uint8))\n"
        "assert 'PIL' in sys.modules\n"
    )
    (tmp_path / "s.py").write_text(script)
    done = python(tmp_path / "s.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
