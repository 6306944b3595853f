"""Whoever changes a ledger is found out; what only a witness could see is said so.

Flipped bytes; entries changed with their hashes recomputed; every rule broken by a forger who keeps the chain whole.
"""

import json
import random
import sqlite3
import subprocess
import sys
from fractions import Fraction

import pytest

from release.errors import LedgerError
from release.ledger import Ledger, canonical_json, digest, verify_ledger

A, B = digest("request a"), digest("request b")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "graduates.ledger"
    with Ledger.create(path, population="graduates", by="Registrar") as ledger:
        ledger.grant(Fraction(1), by="Board", reason="decision 7/2026")
        ledger.reserve(A, rho=Fraction(1, 3), details={"release": "graduates-2026", "parts": {"scales": B}})
        ledger.commit(A, answer=B)
        ledger.publish(A, release="graduates-2026", files=B)
        ledger.reserve(B, rho=Fraction(1, 7), details={"release": "graduates-2027"})
        ledger.forfeit(B, reason="the run broke off")
        ledger.reserve(B, rho=Fraction(1, 7), details={"release": "graduates-2027"})
        ledger.correct(1, rho=Fraction(1, 5), by="Board", reason="decision 8/2026")
    return path


def contents(path):
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT number, body, hash FROM entry ORDER BY number").fetchall()
    connection.close()
    return rows


def objections(path):
    """What the verifier says, as text; a file that is no ledger at all counts as one objection."""
    try:
        return "; ".join(str(objection) for objection in verify_ledger(path).objections)
    except LedgerError as error:
        return str(error)


def test_an_untouched_ledger_verifies(path):
    report = verify_ledger(path)
    assert report.ok, objections(path)
    assert (report.granted, report.spent) == (Fraction(4, 5), Fraction(1, 3) + Fraction(2, 7))
    assert (report.population, len(report.hashes), report.hashes[-1]) == ("graduates", 9, report.head)


def test_one_flipped_bit_is_found_or_changes_nothing(path):
    """400 random places in the file."""
    original, rows = path.read_bytes(), contents(path)
    dice, found = random.Random(7), 0  # noqa: S311
    for _ in range(400):
        place = dice.randrange(len(original))
        changed = bytearray(original)
        changed[place] ^= 1 << dice.randrange(8)
        path.write_bytes(changed)
        if objections(path):
            found += 1
            with pytest.raises(LedgerError):
                Ledger.open(path)
        else:
            assert contents(path) == rows, f"byte {place}"
    assert found > 100


def test_every_flipped_byte_of_an_entry_names_the_entry(path):
    original = path.read_bytes()
    for number, body, _ in contents(path):
        start = original.index(body.encode())
        for place in range(start, start + len(body), 9):
            changed = bytearray(original)
            changed[place] ^= 0x01
            path.write_bytes(changed)
            assert f"entry {number}: its text was changed" in objections(path)


def forged(path, change):
    """Rewrite the ledger with `change(bodies)` applied, and all numbers, links and hashes made to fit again."""
    connection = sqlite3.connect(path)
    rules = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    bodies = [json.loads(body) for _, body, _ in contents(path)]
    change(bodies)
    for trigger in ("entry_next", "entry_unchanged", "entry_kept"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("DELETE FROM entry")
    previous = "0" * 64
    for number, body in enumerate(bodies):
        text = canonical_json({**body, "number": number, "previous": previous})
        previous = digest(text)
        connection.execute("INSERT INTO entry VALUES (?, ?, ?)", (number, text, previous))
    for (rule,) in rules:
        connection.execute(rule)
    connection.commit()
    connection.close()


def put(number, **facts):
    return lambda bodies: bodies[number].update(facts)


FORGERIES = {
    "entry 2: more was reserved than granted": put(1, rho="1/4", millionths=250_000),
    "entry 2: its millionths aren't": put(2, rho="1/300"),
    "entry 2: its text isn't in the ledger's form": put(2, rho="2/6"),
    "entry 1: its text isn't in the ledger's form": put(1, rho="-1"),
    "entry 3: its text isn't in the ledger's form": put(3, kind="refund"),
    "entry 4: its text isn't in the ledger's form": put(4, surplus="x"),
    "entry 5: its attempt isn't the next one": put(5, attempt=2),
    "entry 5: it reserves a request that is committed already": put(5, request=A, attempt=2),
    "entry 3: only a reserved attempt can be committed": put(3, request=B),
    "entry 6: only a reserved attempt can be forfeited": put(6, request=A),
    "entry 4: it publishes a request that has no committed answer": put(4, request=B),
    "entry 8: it takes back more than that grant held": put(8, grant=2),
    "entry 8: more was reserved than granted": put(8, rho="1/2", millionths=500_000),
    "entry 0: its version isn't known": put(0, version=2),
    "entry 0: the first entry, and only the first, is the genesis": lambda bodies: bodies.pop(0),
    "entry 2: only a reserved attempt can be committed": lambda bodies: bodies.pop(2),
    "it holds no entry": lambda bodies: bodies.clear(),
}


@pytest.mark.parametrize("words", FORGERIES)
def test_a_forger_who_keeps_the_chain_whole_still_breaks_a_rule(path, words):
    forged(path, list)
    assert objections(path) == ""
    forged(path, FORGERIES[words])
    assert words in objections(path)
    with pytest.raises(LedgerError):
        Ledger.open(path)


def test_an_entry_that_is_not_canonical(path):
    def spaced(text):
        return text.replace(",", ", ", 1)

    resealed(path, spaced)
    assert "entry 8: its text isn't in the ledger's form" in objections(path)


def test_an_entry_with_a_float(path):
    resealed(path, lambda text: text.replace('"rho":"1/5"', '"rho":0.2'))
    assert "entry 8: its text isn't in the ledger's form" in objections(path)


def resealed(path, change):
    """Change the last entry's text and give it the hash that fits."""
    connection = sqlite3.connect(path)
    rule = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'entry_unchanged'").fetchone()[0]
    text = change(contents(path)[-1][1])
    connection.execute("DROP TRIGGER entry_unchanged")
    connection.execute("UPDATE entry SET body = ?, hash = ? WHERE number = 8", (text, digest(text)))
    connection.execute(rule)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "statement",
    ["DROP TRIGGER entry_kept", "CREATE TABLE more (a)", "CREATE INDEX i ON entry (hash)", "CREATE VIEW v AS SELECT 1"],
)
def test_altered_rules_of_the_file(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.close()
    assert "rules against changing entries, were altered" in objections(path)


def test_an_entry_of_another_ledger_does_not_follow(path, tmp_path):
    other = tmp_path / "other.ledger"
    with Ledger.create(other, population="graduates", by="Registrar") as ledger:
        ledger.grant(Fraction(5), by="Board", reason="decision 7/2026")
    connection = sqlite3.connect(path)
    rule = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'entry_unchanged'").fetchone()[0]
    connection.execute("DROP TRIGGER entry_unchanged")
    connection.execute("UPDATE entry SET body = ?, hash = ? WHERE number = 1", contents(other)[1][1:])
    connection.execute(rule)
    connection.commit()
    connection.close()
    assert "entry 1: it doesn't follow the entry before it" in objections(path)
    assert "entry 2: it doesn't follow the entry before it" in objections(path)


def test_a_cut_off_tail_is_a_whole_ledger_only_a_witness_sees_it(path):
    """Documented in docs/ledger.md: if this ever fails, the verifier has learned something new; tell it there."""
    head = verify_ledger(path).head
    forged(path, lambda bodies: bodies.pop())
    assert verify_ledger(path).ok
    assert head not in verify_ledger(path).hashes


def test_a_clock_that_ran_backwards_is_remarked_on_not_objected_to(path):
    forged(path, put(3, time="1999-01-01T00:00:00Z"))
    report = verify_ledger(path)
    assert report.ok
    assert "clock ran backwards" in report.remarks[0]


def test_a_killed_writers_journal_is_named_by_the_verifier_and_undone_by_the_ledger(path):
    """A writer dies in the middle of a commit: pages already changed, journal still there."""
    rows = contents(path)
    code = (
        "import os, signal, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN');"
        "[c.execute('INSERT INTO entry VALUES (?, ?, ?)', (n, 'x' * 9000, '')) for n in range(9, 40)];"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    before = path.read_bytes()
    subprocess.run([sys.executable, "-c", code, path], check=False)
    assert path.with_name(path.name + "-journal").exists()
    assert path.read_bytes() != before
    assert "half-written" in objections(path)
    with Ledger.open(path) as ledger:
        assert [(entry.number, entry.hash) for entry in ledger.entries()] == [(n, h) for n, _, h in rows]
    assert verify_ledger(path).ok
