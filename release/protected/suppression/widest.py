"""A certificate that doesn't tell which cells a rule hides: the same width is tried at every hidden cell."""

import numpy as np

from release.codes import IntArray
from release.protected.suppression.certificate import Certificate, Uncertified, certify, sums_of
from release.protected.suppression.possible import Possible, first_table, spread
from release.protected.suppression.view import View


def widest(view: View, most: int) -> tuple[Certificate, IntArray]:
    """The proof, and the width it shows at each hidden cell (0 at published ones), both from the view alone.

    most: the largest width that any rule asks for. Where some hidden cell can't get so wide, what each reaches counts.
    Uncertified where some hidden cell can't be shown to have two possible values.
    """
    width = np.where(view.published, 0, max(most, 1)).astype(np.int64)
    try:
        return certify(view, width), width
    except Uncertified:
        width = _reached(view, max(most, 1))
        return certify(view, width), width


def _reached(view: View, most: int) -> IntArray:
    sums = sums_of(view)
    base = first_table(sums)
    width = np.where(view.published, 0, 1).astype(np.int64)
    if base is not None:
        possible = Possible(sums, [base])
        spread(possible, np.full(len(view.hidden), most, np.int64))
        width[view.hidden] = np.clip(possible.width, 1, most)
    return width
