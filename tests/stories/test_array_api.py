"""SciPy and scikit-learn on tensors: with their array API support switched on, they compute with our functions alone."""

from __future__ import annotations

from pathlib import Path

from tests.support.process import python

_SCIPY = """
import os
os.environ["SCIPY_ARRAY_API"] = "1"
import numpy as np
import scipy.fft, scipy.integrate, scipy.signal, scipy.special, scipy.stats
import tensorsmith as tf

x = np.random.default_rng(0).normal(size=(40, 3))
row = np.abs(x[:, 0]) + 0.5
ASKED = {
    "logsumexp": (lambda z: scipy.special.logsumexp(z, axis=1), x),
    "softmax": (lambda z: scipy.special.softmax(z, axis=0), x),
    "zscore": (scipy.stats.zscore, x),
    "skew": (scipy.stats.skew, x),
    "pearsonr": (lambda z: scipy.stats.pearsonr(z[:, 0], z[:, 1]).statistic, x),
    "variation": (scipy.stats.variation, row),
    "entropy": (scipy.stats.entropy, row),
    "detrend": (scipy.signal.detrend, row),
    "fftconvolve": (lambda z: scipy.signal.fftconvolve(z, z[:5]), row),
    "hilbert": (scipy.signal.hilbert, row),
    "resample": (lambda z: scipy.signal.resample(z, 20), row),
    "rfft": (scipy.fft.rfft, x),
    "trapezoid": (scipy.integrate.trapezoid, row),
}
for name, (function, given) in ASKED.items():
    for made in (tf.constant(given), tf.array_api.asarray(given)):
        found = function(made)
        assert type(found) is type(tf.array_api.asarray(0)), (name, type(found))
        np.testing.assert_allclose(np.asarray(found), function(given), rtol=1e-9, atol=1e-12, err_msg=name)
"""

_SKLEARN = """
import os
os.environ["SCIPY_ARRAY_API"] = "1"
import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, mean_squared_error, r2_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import MinMaxScaler, StandardScaler
import tensorsmith as tf

rng = np.random.default_rng(0)
x = rng.normal(size=(60, 4))
y = x @ np.array([1.0, 2.0, -1.0, 0.5]) + 0.1 * rng.normal(size=60)
ASKED = {
    "StandardScaler": lambda p, q: StandardScaler().fit_transform(p),
    "MinMaxScaler": lambda p, q: MinMaxScaler().fit_transform(p),
    "PCA": lambda p, q: PCA(2, svd_solver="full").fit_transform(p),
    "Ridge": lambda p, q: Ridge(solver="svd").fit(p, q).predict(p),
    "mean_squared_error": lambda p, q: mean_squared_error(q, 2 * q),
    "r2_score": lambda p, q: r2_score(q, 1.1 * q),
    "rbf_kernel": lambda p, q: rbf_kernel(p),
    "accuracy_score": lambda p, q: accuracy_score(q > 0, q > 0.1),
}
expected = {name: function(x, y) for name, function in ASKED.items()}
with sklearn.config_context(array_api_dispatch=True):
    for name, function in ASKED.items():
        for made in (tf.constant, tf.array_api.asarray):
            found = function(made(x), made(y))
            assert isinstance(found, (float, type(tf.array_api.asarray(0)))), (name, type(found))
            np.testing.assert_allclose(np.asarray(found), expected[name], rtol=1e-6, atol=1e-8, err_msg=name)
"""


def test_scipy_on_tensors(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(_SCIPY)
    done = python(tmp_path / "s.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_scikit_learn_on_tensors(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(_SKLEARN)
    done = python(tmp_path / "s.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
