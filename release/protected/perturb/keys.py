"""Keys of records and cells: the same persons get the same noise, in every table and every year.

A record's key is a keyed hash of its identifier; a cell's key is the sum of its records' keys, modulo 2^64. So it
depends on who is in the cell and on nothing else. Draws are a second keyed hash of the cell's key: keys of a union are
sums of the parts' keys, and without the second hash the noise of a union could be told from that of its parts.
Sources: Fraser and Wooton (2005); Thompson, Broadfoot and Elazar (2013), both on the method of the Australian Bureau of
Statistics. BLAKE2b with key and personalisation: RFC 7693.
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from release.codes import IntArray
from release.errors import UsageError

KeyArray = npt.NDArray[np.uint64]
"""Keys and draws, uniform on 0 to 2^64 - 1."""

SHORTEST_KEY = 16
_RECORD = b"utfall-record"
_DRAW = b"utfall-draw"


def record_keys(identifiers: Iterable[str | int], *, key: bytes) -> KeyArray:
    """One key a record, from its person's identifier and the office's key (16 to 64 bytes). Confidential, like the key.

    The same identifier gives the same key in every table and year. About a million a second.
    """
    return _hashed((str(identifier).encode() for identifier in identifiers), key, _RECORD)


def cell_keys(keys: KeyArray, cell: IntArray, *, cells: int) -> KeyArray:
    """Sum modulo 2^64 of the record keys in each of `cells` cells. cell: each record's cell, int64 [records].

    Keys of margins are sums of keys, modulo 2^64, like the counts themselves. An empty cell has key 0.
    """
    sums = np.zeros(cells, np.uint64)
    np.add.at(sums, cell, keys)
    return sums


def draws(keys: KeyArray, *, key: bytes, purpose: str) -> KeyArray:
    """Uniform draws, one a cell, from the cells' keys; independent for each purpose ("count", "sum 1")."""
    distinct, place = np.unique(keys, return_inverse=True)
    packed = np.ascontiguousarray(distinct, dtype="<u8").tobytes()
    pieces = (packed[i : i + 8] + purpose.encode() for i in range(0, len(packed), 8))
    return _hashed(pieces, key, _DRAW)[place]


def _hashed(messages: Iterable[bytes], key: bytes, person: bytes) -> KeyArray:
    """First 64 bits of the keyed hash of each message."""
    fresh = _keyed(key, person)
    return np.frombuffer(b"".join(fresh(message) for message in messages), dtype="<u8").astype(np.uint64)


def _keyed(key: bytes, person: bytes) -> Callable[[bytes], bytes]:
    """A hash function of its own; UsageError where the key is too short or too long to be one."""
    if not SHORTEST_KEY <= len(key) <= 64:
        raise UsageError("the office's key has 16 to 64 bytes", now="make one with `openssl rand -hex 32`") from None
    start = blake2b(key=key, person=person, digest_size=8)

    def digest(message: bytes) -> bytes:
        state = start.copy()
        state.update(message)
        return state.digest()

    return digest
