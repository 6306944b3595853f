"""All that is true in the demo, and the pseudonyms that its persons go by."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from release.demo.effects import ProviderEffects, draw_effects
from release.demo.graduates import Graduates, draw_graduates
from release.demo.lists import CodeLists, IntArray
from release.demo.outcomes import Outcomes, draw_outcomes

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class World:
    """Graduates (n) and what became of them; pseudonyms of them and of strangers, in ascending order (n + s,).

    number (n,) and strangers (s,): positions in `pseudonyms` of the graduates, and of persons in no base register.
    """

    lists: CodeLists
    graduates: Graduates
    effects: ProviderEffects
    outcomes: Outcomes
    pseudonyms: "pa.StringArray"
    number: IntArray
    strangers: IntArray

    def year(self, who: IntArray, column: IntArray | int) -> IntArray:
        """Calendar year of a column of the outcomes."""
        return np.asarray(self.graduates.cohort[who] + column + 1)


def draw_world(persons: int, seed: int, lists: CodeLists) -> World:
    """Invent so many graduates. The same persons, seed and code lists give the same world."""
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6)]
    graduates = draw_graduates(persons, lists, streams[0])
    effects = draw_effects(lists, streams[1])
    outcomes = draw_outcomes(graduates, effects, streams[2:5])
    everybody = persons + max(20, persons // 50)
    is_graduate = np.zeros(everybody, bool)
    is_graduate[streams[5].choice(everybody, persons, replace=False)] = True
    number, strangers = np.flatnonzero(is_graduate), np.flatnonzero(~is_graduate)
    return World(lists, graduates, effects, outcomes, pseudonyms(everybody, seed), number, strangers)


def pseudonyms(number: int, seed: int) -> "pa.StringArray":
    """So many different texts of 16 letters and digits (80 bits of a keyed hash), in ascending order."""
    import pyarrow as pa

    key = hashlib.blake2b(f"utfall demo {seed}".encode(), digest_size=32).digest()
    hashes = (hashlib.blake2b(i.to_bytes(8, "big"), digest_size=10, key=key).digest() for i in range(number))
    return pa.array(sorted(base64.b32encode(digest).decode("ascii") for digest in hashes), pa.string())


def coded(codes: Sequence[str], index: npt.NDArray[np.integer | np.bool_]) -> "pa.StringArray":
    """The codes at some positions, as plain text."""
    import pyarrow as pa

    return pa.array(list(codes), pa.string()).take(pa.array(index.astype(np.int64)))
