"""Samplers draw what they promise; the losses of sampled classes are those of a formula."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

RNG = np.random.default_rng(3)
WEIGHTS, BIASES, INPUTS = RNG.normal(size=(7, 3)), RNG.normal(size=7), RNG.normal(size=(4, 3))
LABELS = np.array([[1, 2], [3, 0], [6, 6], [2, 5]])
SAMPLED, TRUE_COUNTS, COUNTS = np.array([2, 4, 6]), np.full((4, 2), 0.3), np.array([0.2, 0.4, 0.1])


@pytest.mark.parametrize("unique", [True, False])
def test_classes_come_as_often_as_expected(unique: bool) -> None:
    tf.random.set_seed(4)
    seen, rounds = np.zeros(9), 600
    for _ in range(rounds):
        drawn = tf.random.log_uniform_candidate_sampler([[0, 8]], 2, 4, unique, 9)
        ids = drawn.sampled_candidates.numpy()
        assert len(set(ids.tolist())) == 4 or not unique
        np.add.at(seen, ids, 1)
    every = tf.random.log_uniform_candidate_sampler([list(range(9))], 9, 4, unique, 9).true_expected_count.numpy()[0]
    np.testing.assert_allclose(every.sum(), 4, rtol=1e-5)
    np.testing.assert_allclose(seen / rounds, every, atol=0.09)
    if not unique:
        np.testing.assert_allclose(every, 4 * np.log((np.arange(9) + 2) / (np.arange(9) + 1)) / np.log(10), rtol=1e-5)


def test_unigrams(tmp_path) -> None:
    def ask(**settings):
        return tf.nn.fixed_unigram_candidate_sampler([[0, 2, 3]], 3, 2, False, 4, distortion=0.5, **settings)

    roots = np.sqrt([1.0, 4.0])
    right = [0, *(2 * roots / roots.sum())]
    (tmp_path / "words.csv").write_text("a,1.0\nb,4.0\n")
    for given in ({"unigrams": [1.0, 4.0]}, {"vocab_file": str(tmp_path / "words.csv")}):
        np.testing.assert_allclose(ask(num_reserved_ids=2, **given).true_expected_count.numpy()[0], right, rtol=1e-6)
    halves = ask(unigrams=[1.0] * 4, num_shards=2, shard=1).true_expected_count.numpy()[0]
    np.testing.assert_allclose(halves, [0, 0, 1], rtol=1e-6)
    with pytest.raises(ValueError, match="not one unigram for each class"):
        ask(unigrams=[1.0])
    with pytest.raises(ValueError, match="one of vocab_file and unigrams"):
        ask()
    with pytest.raises(ValueError, match="not so many classes"):
        tf.random.uniform_candidate_sampler([[0]], 1, 5, True, 4)


def logits(remove: bool) -> np.ndarray:
    true = np.einsum("bd,btd->bt", INPUTS, WEIGHTS[LABELS]) + BIASES[LABELS] - np.log(TRUE_COUNTS)
    other = INPUTS @ WEIGHTS[SAMPLED].T + BIASES[SAMPLED] - np.log(COUNTS)
    if remove:
        other[(LABELS[:, :, None] == SAMPLED).any(1)] = -np.inf
    return np.concatenate([true, other], 1)


@pytest.mark.parametrize("remove", [True, False])
def test_losses_of_sampled_classes(remove: bool) -> None:
    drawn = (SAMPLED, TRUE_COUNTS, COUNTS)
    z = logits(remove)
    share = np.log(np.exp(z).sum(1)) - z[:, :2].mean(1)
    found = tf.nn.sampled_softmax_loss(WEIGHTS, BIASES, LABELS, INPUTS, 3, 7, 2, drawn, remove)
    np.testing.assert_allclose(found.numpy(), share, rtol=1e-6)
    wanted = np.array([0.5, 0.5, 0, 0, 0])
    each = np.logaddexp(0, z) - wanted * np.maximum(z, -1e300)
    found = tf.nn.nce_loss(WEIGHTS, BIASES, LABELS, INPUTS, 3, 7, 2, drawn, remove)
    np.testing.assert_allclose(found.numpy(), each.sum(1), rtol=1e-6)


def test_a_compiled_step_draws_anew() -> None:
    weights = tf.Variable(WEIGHTS.astype("f"))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.nn.sampled_softmax_loss(weights, tf.zeros(7), LABELS, INPUTS.astype("f"), 3, 7, 2)
        return loss, tape.gradient(loss, weights)

    (one, slope), (two, _) = step(), step()
    assert one.numpy().tolist() != two.numpy().tolist()
    assert np.isfinite(tf.convert_to_tensor(slope).numpy()).all()


def test_accidental_hits() -> None:
    rows, places, low = tf.nn.compute_accidental_hits(LABELS, SAMPLED, 2)
    pairs = sorted({(b, s) for b in range(4) for s in range(3) if SAMPLED[s] in LABELS[b]})
    assert sorted(set(zip(rows.numpy().tolist(), places.numpy().tolist(), strict=True))) == pairs
    assert (low.numpy() == np.finfo("f").min).all()
