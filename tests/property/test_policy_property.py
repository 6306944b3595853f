# ruff: noqa: E501  (tables read best with a row to a line)
"""Whatever stands in a policy file, the answer is a policy or a PolicyError, never a traceback."""

import json
import tempfile
from pathlib import Path

import pytest
import yaml
from helpers.small_policy import FILES, POLICY, write_policy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from release.errors import PolicyError
from release.policy import Policy, load_policy
from release.policy.csv_text import parse_csv
from release.policy.yaml_text import LARGEST_DEPTH, checked_events, parse_policy_text, resolve

QUICK = settings(max_examples=100, deadline=None)
LINES = POLICY.splitlines(keepends=True)
WORDS = [
    "",
    "x",
    "1",
    "0.1",
    "true",
    "null",
    "[]",
    "{}",
    "[1, 2]",
    "{a: b}",
    "'",
    '"',
    "&a b",
    "*a",
    "!!str a",
    "-",
    "é",
    "\t",
    "1e999",
]


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as name:
        write_policy(Path(name))
        yield Path(name)


def answer(folder: Path, raw: bytes) -> Policy | PolicyError:
    """The policy, or the refusal, of some bytes; anything else fails the test."""
    path = folder / "small.yaml"
    path.write_bytes(raw)
    try:
        return load_policy(path)
    except PolicyError as refusal:
        return _with_places(refusal)


def _with_places(refusal: PolicyError) -> PolicyError:
    assert str(refusal)
    assert all(fault.where for fault in refusal.faults if not fault.what.startswith("and "))
    return refusal


@QUICK
@given(raw=st.binary(max_size=200))
@example(raw=b"\xff\xfe")
@example(raw=b"%TAG ! x\n---\n!a b")
def test_any_bytes(folder, raw):
    assert isinstance(answer(folder, raw), PolicyError)


@QUICK
@given(text=st.text(max_size=200))
@example(text="a: ~")
@example(text="? {a: b}\n: c")
def test_any_text(folder, text):
    assert isinstance(answer(folder, text.encode("utf-8", "surrogatepass")), PolicyError)


@QUICK
@given(line=st.integers(0, len(LINES) - 1), word=st.sampled_from(WORDS))
def test_any_value_anywhere(folder, line, word):
    """The value of one line is exchanged for an odd word."""
    key, colon, _ = LINES[line].partition(":")
    answer(folder, "".join([*LINES[:line], f"{key}{colon} {word}\n", *LINES[line + 1 :]]).encode())


@QUICK
@given(line=st.integers(0, len(LINES) - 1), other=st.integers(0, len(LINES) - 1))
def test_any_line_lost_or_moved(folder, line, other):
    lines = list(LINES)
    moved = lines.pop(line)
    answer(folder, "".join(lines).encode())
    lines.insert(other, moved)
    answer(folder, "".join(lines).encode())


@settings(max_examples=60, deadline=None)
@given(data=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                         lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
                         max_leaves=8), key=st.sampled_from(list(yaml.safe_load(POLICY))))  # fmt: skip
def test_any_data_under_any_key(folder, data, key):
    whole = yaml.safe_load(POLICY)
    whole[key] = data
    answer(folder, yaml.safe_dump(whole, allow_unicode=True).encode())


@settings(max_examples=30, deadline=None)
@given(raw=st.binary(max_size=120) | st.text(max_size=120).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_code_list(folder, raw):
    try:
        parse_csv(raw, "x.csv")
    except PolicyError as refusal:
        _with_places(refusal)
    for name in FILES:
        kept = (folder / name).read_bytes()
        (folder / name).write_bytes(raw)
        answer(folder, POLICY.encode())
        (folder / name).write_bytes(kept)


@settings(max_examples=40, deadline=None)
@given(rng=st.randoms(use_true_random=False))
def test_the_order_of_keys_means_nothing_where_it_should_not(folder, rng):
    """All but the order of dimensions, outcomes and codes, which is the order of columns."""
    data = parse_policy_text(POLICY.encode(), "small.yaml").data
    plain = answer(folder, json.dumps(data).encode())
    found = answer(folder, json.dumps(_shuffled(data, rng)).encode())
    assert isinstance(plain, Policy)
    assert isinstance(found, Policy), found
    assert found.document == plain.document
    assert [a.structure() for a in found.attributes.values()] == [a.structure() for a in plain.attributes.values()]
    assert [p.combination for p in found.possible] == [p.combination for p in plain.possible]
    assert (found.replace, found.applicable) == (plain.replace, plain.applicable)


def _shuffled(data, rng, kept=False):
    if not isinstance(data, dict):
        return data
    keys = list(data)
    if not kept:
        rng.shuffle(keys)
    return {key: _shuffled(data[key], rng, key in ("dimensions", "outcomes", "codes")) for key in keys}


class Counted:
    """Counts the events that are taken from a stream."""

    def __init__(self, events):
        self.events, self.taken = iter(events), 0

    def __iter__(self):
        return self

    def __next__(self):
        self.taken += 1
        return next(self.events)


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 10_000,
        "{a: " * 2_500,
        "- " * 5_000,
        "? " * 5_000,
        "".join(" " * i + "a:\n" for i in range(130)),
    ],
)
def test_a_nested_bomb_is_refused_after_a_few_events(bomb):
    events = Counted(yaml.parse(bomb, Loader=yaml.CSafeLoader))
    with pytest.raises(PolicyError, match="more than 20 levels"):
        checked_events(events, "bomb.yaml")
    assert events.taken <= 3 * LARGEST_DEPTH + 5


def test_twenty_levels_are_read_and_one_more_is_not():
    parse_policy_text(("{a: " * 20 + "1" + "}" * 20).encode(), "deep.yaml")
    with pytest.raises(PolicyError, match="20 levels"):
        parse_policy_text(("{a: " * 21 + "1" + "}" * 21).encode(), "deep.yaml")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"a: &x 1", "anchor"),
        (b"a: *x", "alias"),
        (b"a: !!python/object:os.system x", "tags"),
        (b"a: ! x", "tags"),
        (b"a: 1\n---\nb: 1", "second document"),
        (b"a: 1\nb: 2\na: 3", r"twice, first on line 1(.|\n)*line 3"),
        (b"a: {b: 1, b: 2}", "twice"),
        (b"1: a\n'1': b", "twice"),
        (b"{1: a, '1': b}", "twice, first on line 1"),
        (b"true: a", "quote the key"),
        (b"a: \xe4", "UTF-8"),
        ("a: b".encode("utf-16"), "UTF-8"),
        (b"a: " + b"x" * 300_000, "256 KB"),
        (b"a: [" + b"1," * 60_000 + b"]", "50000 values"),
        (b'a: "\\0"', "control character"),
        (b"\ta: 1", "spaces, no tabs"),
        (b"- a", "mapping"),
        (b"# nothing", "empty"),
    ],
)
def test_what_plain_policies_never_hold(raw, words):
    with pytest.raises(PolicyError, match=words):
        parse_policy_text(raw, "x.yaml")


@pytest.mark.parametrize(
    ("plain", "meant"),
    [("no", "no"), ("on", "on"), ("010", "010"), ("01", "01"), ("0x1F", "0x1F"), ("12:30", "12:30"), ("+1", "+1"), ("-0", "-0"),
     ("2024-05-31", "2024-05-31"), ("1_000", "1_000"), (".5", ".5"), ("5.", "5."), (".inf", ".inf"), ("1e999", "1e999"), ("True", "True"),
     ("9" * 40, "9" * 40), ("7", 7), ("-7", -7), ("0", 0), ("0.5", 0.5), ("1e-9", 1e-9), ("true", True), ("false", False), ("null", None), ("~", None)],
)  # fmt: skip
def test_plain_scalars(plain, meant):
    assert resolve(plain) == meant
    assert type(resolve(plain)) is type(meant)


def test_missing_files_and_folders(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(PolicyError, match="no such policy file") as caught:
            load_policy(path)
        assert str(tmp_path.parent) not in str(caught.value)
