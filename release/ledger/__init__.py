"""The ledger of a population's privacy budget: charged first, append-only, verifiable by anyone who has a copy."""

from release.ledger.books import Entry, RequestState, Standing
from release.ledger.format import canonical_json, digest, digest_of
from release.ledger.key import delivery_key, key_path
from release.ledger.ledger import Ledger
from release.ledger.lock import ledger_lock
from release.ledger.verify import LedgerReport, Objection, verify_ledger

__all__ = [
    "Entry",
    "Ledger",
    "LedgerReport",
    "Objection",
    "RequestState",
    "Standing",
    "canonical_json",
    "delivery_key",
    "digest",
    "digest_of",
    "key_path",
    "ledger_lock",
    "verify_ledger",
]
