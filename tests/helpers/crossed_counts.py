"""Random additive tables over two crossed trees, for tests of rounding."""

import numpy as np
from scipy.sparse import csr_array

from release.codes import IntArray


def tree(groups: int, size: int) -> IntArray:
    """Sums of a tree of three levels: cells are total, groups, leaves; rows are relations."""
    cells = 1 + groups + groups * size
    rows = np.zeros((1 + groups, cells), np.int8)
    rows[0, 0], rows[0, 1 : 1 + groups] = -1, 1
    for g in range(groups):
        rows[1 + g, 1 + g] = -1
        rows[1 + g, 1 + groups + g * size : 1 + groups + (g + 1) * size] = 1
    return rows


def crossed_table(rng: np.random.Generator, *, groups: int = 3, size: int = 3, columns: int = 3, mean: float = 3.0):
    """Relations (csr int8) and true counts of a tree crossed with a flat total; all cells, zeros included."""
    down = tree(groups, size)
    across = np.array([[-1, *([1] * columns)]], np.int8)
    n, k = down.shape[1], across.shape[1]
    relations = np.concatenate([np.kron(down, np.eye(k, dtype=np.int8)), np.kron(np.eye(n, dtype=np.int8), across)])
    leaves = rng.poisson(mean * rng.gamma(0.5, 2.0, (groups * size, columns)))
    rows = np.concatenate([leaves.sum(0)[None], leaves.reshape(groups, size, columns).sum(1), leaves])
    values = np.concatenate([rows.sum(1)[:, None], rows], axis=1).ravel().astype(np.int64)
    return csr_array(relations), values
