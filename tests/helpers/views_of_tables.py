"""Small crossed tables with margins, and what can be derived of them by trying every whole number."""

import itertools

import numpy as np

from release.protected.suppression.view import View, outsider


def crossed_table(inner):
    """(relations, values, shape) of inner cells with all their margins; the margin stands last in each axis."""
    from scipy import sparse

    values = np.asarray(inner, np.int64)
    for axis in range(values.ndim):
        values = np.concatenate([values, values.sum(axis=axis, keepdims=True)], axis=axis)
    places = np.arange(values.size).reshape(values.shape)
    rows = []
    for axis in range(values.ndim):
        lines = np.moveaxis(places, axis, -1).reshape(-1, values.shape[axis])
        rows.extend(lines)
    dense = np.zeros((len(rows), values.size), np.int8)
    for number, line in enumerate(rows):
        dense[number, line[:-1]] = 1
        dense[number, line[-1]] = -1
    return sparse.csr_array(dense), values.ravel(), values.shape


def view_of(inner, hidden, *, lower=1, upper=None) -> View:
    """An outsider's view; hidden: positions (tuples, -1 for the margin) of the hidden cells."""
    relations, values, shape = crossed_table(inner)
    mask = np.zeros(shape, bool)
    for place in hidden:
        mask[place] = True
    return outsider(relations, values, mask.ravel(), lower=lower, upper=upper)


def every_possible(view: View, *, largest: int) -> np.ndarray:
    """All whole-number tables of the hidden cells, each from its lower bound up to `largest`, [t, h]."""
    ranges = [range(int(low), largest + 1) for low in view.lower[view.hidden]]
    tables = np.array(list(itertools.product(*ranges)), np.int64).reshape(-1, len(view.hidden))
    full = np.tile(view.values, (len(tables), 1))
    full[:, view.hidden] = tables
    sums = full @ view.relations.astype(np.int64).toarray().T
    return tables[~sums.any(axis=1)]
