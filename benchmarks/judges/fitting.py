"""A logistic model with the sign of every coefficient fixed beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

Floats = np.ndarray[Any, np.dtype[np.float64]]


def balanced_weights(labels: Floats) -> Floats:
    """Weights that give positives and negatives half of the whole each; they sum to 1."""
    weights: Floats = np.where(labels > 0, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())
    return weights


def fit_logistic(
    features: Floats, labels: Floats, weights: Floats, *, signs: Sequence[int], l2: float = 0.02
) -> Floats:
    """Coefficients [features + 1], the bias last; L2 on standardized coefficients, `signs` as bounds."""
    mean = weights @ features
    spread = np.sqrt(weights @ (features - mean) ** 2) + 1e-9
    standard = (features - mean) / spread

    def loss(theta: Floats) -> tuple[float, Floats]:
        logits = standard @ theta[:-1] + theta[-1]
        error = weights * (1 / (1 + np.exp(-logits)) - labels)
        value = weights @ np.logaddexp(0, -(2 * labels - 1) * logits) + l2 / 2 * theta[:-1] @ theta[:-1]
        return float(value), np.append(standard.T @ error + l2 * theta[:-1], error.sum())

    bounds = [(0, None) if sign > 0 else (None, 0) for sign in signs] + [(None, None)]
    theta = minimize(loss, np.zeros(len(signs) + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    coefficients = theta[:-1] / spread
    return np.append(coefficients, theta[-1] - coefficients @ mean)


def fit_penalties(offsets: Floats, features: Floats, labels: Floats) -> Floats:
    """Coefficients, at most 0, of further features on top of fixed logits `offsets`."""
    weights = balanced_weights(labels)

    def loss(theta: Floats) -> tuple[float, Floats]:
        logits = offsets + features @ theta
        error = weights * (1 / (1 + np.exp(-logits)) - labels)
        value = weights @ np.logaddexp(0, -(2 * labels - 1) * logits) + 1e-4 * theta @ theta
        return float(value), features.T @ error + 2e-4 * theta

    start = np.zeros(features.shape[1])
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, 0)] * len(start)).x)
