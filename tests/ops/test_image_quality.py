"""How like images are, and how they change from pixel to pixel, against loops of NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import tensorsmith as tf

RNG = np.random.default_rng(6)
A = RNG.uniform(0, 1, (2, 42, 43, 3)).astype("float32")
B = np.clip(A + RNG.normal(size=A.shape) * 0.2, 0, 1).astype("float32")


def close(found, right, **tolerance) -> None:
    np.testing.assert_allclose(found.numpy(), right, **{"rtol": 1e-4, "atol": 1e-5, **tolerance})


def similarity(a, b, top, size=11, sigma=1.5, k1=0.01, k2=0.03):
    """(index, contrast and structure) of images [B, H, W, C], by windows of SciPy."""
    line = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    window = np.outer(line, line) / line.sum() ** 2
    cut = size // 2

    def blur(x):
        found = ndimage.correlate(x.astype(float), window[None, :, :, None], mode="constant")
        return found[:, cut : x.shape[1] - cut, cut : x.shape[2] - cut]

    ma, mb = blur(a), blur(b)
    va, vb, cov = (
        blur(a.astype(float) ** 2) - ma**2,
        blur(b.astype(float) ** 2) - mb**2,
        blur(a.astype(float) * b) - ma * mb,
    )
    c1, c2 = (k1 * top) ** 2, (k2 * top) ** 2
    structure = (2 * cov + c2) / (va + vb + c2)
    return (2 * ma * mb + c1) / (ma**2 + mb**2 + c1) * structure, structure


def test_noise_in_decibels() -> None:
    error = ((A.astype(float) - B) ** 2).mean((1, 2, 3))
    close(tf.image.psnr(A, B, 1.0), -10 * np.log10(error))
    close(tf.image.psnr(A[0], B[0], 2.0), 20 * np.log10(2) - 10 * np.log10(error[0]))
    whole = [(x * 255).astype("uint8") for x in (A, B)]
    error = ((whole[0].astype(float) - whole[1]) ** 2).mean((1, 2, 3))
    close(tf.image.psnr(*whole, 255), 20 * np.log10(255) - 10 * np.log10(error))
    assert np.isposinf(tf.image.psnr(A, A, 1.0).numpy()).all()


def test_structural_similarity() -> None:
    index, _ = similarity(A, B, 1.0)
    close(tf.image.ssim(A, B, 1.0), index.mean((1, 2, 3)))
    close(tf.image.ssim(A[0], B[0], 1.0), index[0].mean())
    close(tf.image.ssim(A[None], B[None], 1.0), index.mean((1, 2, 3))[None])
    other, _ = similarity(A, B, 2.0, 7, 2.0, 0.02, 0.05)
    close(tf.image.ssim(A, B, 2.0, 7, 2.0, 0.02, 0.05, True), other.mean(-1))
    whole = [(x * 255).astype("uint8") for x in (A, B)]
    close(tf.image.ssim(*whole, 255), similarity(*whole, 255.0)[0].mean((1, 2, 3)), rtol=1e-3)


def test_similarity_at_several_scales() -> None:
    factors, found, a, b = (0.3, 0.4, 0.3), [], A, B
    for at in range(3):
        if at:
            a, b = (halved(x) for x in (a, b))
        index, structure = similarity(a, b, 1.0, 5)
        found.append(np.maximum((index if at == 2 else structure).mean((1, 2)), 0))
    right = np.prod([f**p for f, p in zip(found, factors)], 0).mean(-1)
    close(tf.image.ssim_multiscale(A, B, 1.0, factors, 5), right)
    close(tf.image.ssim_multiscale(A[0], B[0], 1.0, factors, 5), right[0])


def halved(x):
    x = np.pad(x, [(0, 0), (0, x.shape[1] % 2), (0, x.shape[2] % 2), (0, 0)], mode="edge")
    return x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2, 3).mean((2, 4))


def test_differences_of_neighbours() -> None:
    down, across = np.diff(A, axis=1), np.diff(A, axis=2)
    close(tf.image.total_variation(A), abs(down).sum((1, 2, 3)) + abs(across).sum((1, 2, 3)))
    close(tf.image.total_variation(A[1]), abs(down[1]).sum() + abs(across[1]).sum())
    dy, dx = tf.image.image_gradients(A)
    close(dy, np.pad(down, [(0, 0), (0, 1), (0, 0), (0, 0)]))
    close(dx, np.pad(across, [(0, 0), (0, 0), (0, 1), (0, 0)]))
    edges = tf.image.sobel_edges(A)
    for axis in (0, 1):
        close(edges[1, :, :, 2, axis], ndimage.sobel(A[1, :, :, 2].astype(float), axis=axis, mode="mirror"))


def test_compiled_with_sizes_that_are_known_when_it_runs() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, None])] * 2)
    def several(a, b):
        return (
            tf.image.ssim(a, b, 1.0), tf.image.ssim_multiscale(a, b, 1.0, (0.5, 0.5), 5), tf.image.psnr(a, b, 1.0),
            tf.image.sobel_edges(a), tf.image.total_variation(a), tf.image.image_gradients(a)[1],
        )  # fmt: skip

    for one, other in zip(several(A, B), several.python_function(tf.constant(A), tf.constant(B)), strict=True):
        close(one, other.numpy())


def test_similarity_can_be_trained() -> None:
    x = tf.Variable(B)
    with tf.GradientTape() as tape:
        loss = 1 - tf.reduce_mean(tf.image.ssim(tf.constant(A), x, 1.0))
    step = tape.gradient(loss, x)
    assert tf.reduce_mean(tf.image.ssim(A, x - 50 * step, 1.0)) > 1 - loss


def test_images_that_do_not_fit() -> None:
    refused = [
        (lambda: tf.image.psnr(A, B[:, :5], 1.0), ValueError, "the images are not of one shape"),
        (lambda: tf.image.ssim(A, B[:, :, :, :1], 1.0), ValueError, "the images are not of one shape"),
        (lambda: tf.image.psnr(A[0, 0], B[0, 0], 1.0), ValueError, "images have at least 3 axes"),
        (lambda: tf.image.ssim(A[:, :8], B[:, :8], 1.0), tf.errors.InvalidArgumentError, "the window is larger than an image"),
        (lambda: tf.image.ssim_multiscale(A, B, 1.0), tf.errors.InvalidArgumentError, "the window is larger than an image"),
        (lambda: tf.image.total_variation(A[0, 0]), ValueError, "'images' must have 3 or 4 axes"),
        (lambda: tf.image.image_gradients(A[0]), ValueError, "images have four axes"),
        (lambda: tf.image.sobel_edges(A[0]), ValueError, "images have four axes"),
    ]  # fmt: skip
    for call, kind, text in refused:
        with pytest.raises(kind) as caught:
            call()
        assert text in str(caught.value)
