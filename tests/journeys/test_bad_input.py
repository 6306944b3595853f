"""Whatever is wrong with what the office gives: a plain sentence that says where and what to do, the right exit code,
nothing charged, nothing half-written, and none of the data in the words."""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from helpers.journey import (
    INCOME,
    PERSON,
    Office,
    change_line,
    changed_policy,
    make_ledger,
    read_lines,
    rewrite,
    secrets_in,
    snapshot,
    utfall,
    utfall_process,
    write_lines,
)

USAGE, POLICY, DATA, BUDGET, LEDGER = 2, 3, 4, 5, 6


@pytest.fixture
def office(released, tmp_path):
    """A copy of the office without its release: folders and a ledger that may be spoilt."""
    place = Office(tmp_path / "office")
    for part in (released.office.registers, released.office.policy.parent, released.office.ledger.parent):
        shutil.copytree(part, place.folder / part.name)
    return place


@contextlib.contextmanager
def nothing_happens(office):
    """No entry in the ledger, no release, nothing half-written."""
    before = snapshot(office.ledger.parent), snapshot(office.out)
    yield
    assert (snapshot(office.ledger.parent), snapshot(office.out)) == before


def refused(told, code, *words):
    """The right exit code; plain sentences on standard error that hold the words; no secret, no other output."""
    titles = {2: "Wrong usage", 3: "Policy refused", 4: "Data refused", 5: "Budget refused", 6: "Ledger not trusted"}
    assert told.code == code, told.all
    assert told.err.startswith(titles[code] + ": ")
    assert "What now: " in told.err
    missing = [word for word in words if word not in told.err]
    assert not missing, told.err
    assert (told.out, "Traceback" in told.err) == ("", False)
    assert secrets_in(told=told.all) == []


# The delivery -------------------------------------------------------------------------------------------------------


def remove(name):
    return lambda registers: (registers / name).unlink()


def cut_off(name):
    def cut(registers):
        whole = (registers / name).read_bytes()
        (registers / name).write_bytes(whole[: len(whole) * 2 // 3])

    return cut


def without_column(name, column):
    return lambda registers: rewrite(registers / name, lambda frame: frame.drop(columns=column))


def pay_is(value):
    return lambda registers: change_line(registers / "ansiot.csv", PERSON, "kuukausiansio", value)


def code_is(column, value):
    def change(frame):
        return frame.assign(**{column: frame[column].where(frame.henkilo != PERSON, value)})

    return lambda registers: rewrite(registers / "tutkinnot.parquet", change)


def only_header(name):
    return lambda registers: write_lines(registers / name, read_lines(registers / name, "utf-8")[:1], "utf-8")


def no_rows(name):
    return lambda registers: rewrite(registers / name, lambda frame: frame.head(0))


def batch_is(value):
    """Written by Arrow itself: pandas makes nulls of NaN."""

    def change(registers):
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(registers / "toiminta.parquet")
        at = table.column_names.index("toimitusera")
        values = pa.array([value] + [1.0] * (table.num_rows - 1), pa.float64())
        pq.write_table(table.set_column(at, "toimitusera", values), registers / "toiminta.parquet")

    return change


def in_utf_8(registers):
    write_lines(registers / "ansiot.csv", read_lines(registers / "ansiot.csv", "windows-1252"), "utf-8")


def not_utf_8(registers):
    lines = read_lines(registers / "kysely.csv", "utf-8")
    (registers / "kysely.csv").write_bytes("\n".join(lines).encode() + b"\n\xe4\xf6,2023,1,1,1,1\n")


def ragged(registers):
    (registers / "kysely.csv").open("a").write(f"{PERSON},2023,5\n")


def repeated_refused(document):
    del document["inputs"]["earnings"]["repeated"]


def strangers_refused(document):
    del document["inputs"]["survey"]["strangers"]


def pay_rule_refuses(document):
    document["inputs"]["earnings"]["rules"]["pay"] = {"minimum": 0, "maximum": 100000}


def unchanged(_):
    pass


PAY = ("ansiot.csv", "kuukausiansio")
DELIVERIES = {
    "missing file": (remove("toiminta.parquet"), unchanged, ("toiminta.parquet", "isn't in the delivery")),
    "missing column": (
        without_column("tutkinnot.parquet", "sukupuoli"),
        unchanged,
        ("tutkinnot.parquet", "sukupuoli", "missing"),
    ),
    "unknown code": (code_is("sukupuoli", str(INCOME)), unchanged, ("tutkinnot.parquet", "sukupuoli", "Fewer than 10")),
    "unknown code of a tree": (code_is("koulutusala", PERSON), unchanged, ("koulutusala", "code list")),
    "persons twice": (unchanged, repeated_refused, ("ansiot.csv", "henkilo", "repeat a person", "About ")),
    "answer of nobody": (unchanged, strangers_refused, ("kysely.csv", "henkilo", "strangers: ignore")),
    "NaN": (batch_is(float("nan")), unchanged, ("toiminta.parquet", "toimitusera", "NaN")),
    "infinite": (batch_is(float("inf")), unchanged, ("toiminta.parquet", "toimitusera", "infinite")),
    "infinite in text": (pay_is("1e400"), unchanged, (*PAY, "infinite")),
    "huge": (pay_is("91827431234567890"), unchanged, (*PAY, "10^15")),
    "negative": (pay_is("-91827,43"), pay_rule_refuses, (*PAY, "at least 0")),
    "too much": (pay_is("9182743"), pay_rule_refuses, (*PAY, "at most 100000")),
    "text for a number": (pay_is("paljon"), unchanged, (*PAY, "don't hold a number", "decimal")),
    "NaN in text": (pay_is("NaN"), unchanged, (*PAY, "don't hold a number")),
    "decimal point for comma": (pay_is(str(INCOME)), unchanged, (*PAY, "decimal mark ','")),
    "utf-8 declared as another": (in_utf_8, unchanged, ("ansiot.csv", "windows-1252", "looks like utf-8")),
    "not utf-8": (not_utf_8, unchanged, ("kysely.csv", "utf-8", "encoding")),
    "truncated Parquet": (cut_off("toiminta.parquet"), unchanged, ("toiminta.parquet", "cut off")),
    "ragged CSV": (ragged, unchanged, ("kysely.csv", "more or fewer fields")),
    "empty CSV": (only_header("kysely.csv"), unchanged, ("kysely.csv", "no rows")),
    "empty Parquet": (no_rows("toiminta.parquet"), unchanged, ("toiminta.parquet", "no rows")),
    "empty file": (lambda r: (r / "kysely.csv").write_bytes(b""), unchanged, ("kysely.csv", "None of the declared")),
}


@pytest.mark.parametrize("what", DELIVERIES)
def test_a_delivery_with_a_fault(office, what):
    spoil, policy_change, words = DELIVERIES[what]
    policy = changed_policy(office.policy, policy_change)
    spoil(office.registers)
    with nothing_happens(office):
        refused(office.check(policy=policy), DATA, *words)


def test_all_faults_at_once(office):
    """Three files with a fault each: one run of `check` names all three."""
    for name in ("missing file", "text for a number", "empty CSV"):
        DELIVERIES[name][0](office.registers)
    refused(office.check(), DATA, "toiminta.parquet", "ansiot.csv", "kysely.csv")


def test_a_missing_file_stops_a_run_before_it_begins(office):
    (office.registers / "kysely.csv").unlink()
    with nothing_happens(office):
        refused(office.run(), DATA, "kysely.csv")


# The policy ---------------------------------------------------------------------------------------------------------


def unknown_key(document):
    document["tables"]["pay-by-field"]["importanse"] = 2


def float_budget(document):
    document["privacy"]["rho"] = 0.5


def over_the_house(document):
    document["privacy"]["rho"] = "3"


def unknown_dimension(document):
    document["tables"]["pay-by-field"]["by"] = ["feild"]


def unknown_outcome(document):
    document["tables"]["pay-by-field"]["of"] = "pay-7"


def unknown_level(document):
    document["tables"]["pay-by-field"]["by"] = ["field:borad"]


def missing_list(document):
    document["dimensions"]["field"]["codes"] = "codes/none.csv"


POLICIES = {
    unknown_key: ("importanse", 'did you mean "importance"?', "line "),
    float_budget: ("privacy.rho", '"1/2"', "line "),
    over_the_house: ("privacy.rho", "house", "line "),
    unknown_dimension: ("pay-by-field", 'did you mean "field"?', "line "),
    unknown_outcome: ("pay-7", 'did you mean "pay-3"?', "line "),
    unknown_level: ("borad", 'did you mean "broad"?', "line "),
    missing_list: ("none.csv", "line "),
}


def refused_everywhere(office, policy, code, *words):
    """`check`, `plan` and `run` agree."""
    with nothing_happens(office):
        refused(office.check(policy=policy), code, *words)
        refused(utfall("plan", policy), code, *words)
        refused(office.run(policy=policy), code, *words)


@pytest.mark.parametrize("change", POLICIES, ids=lambda change: change.__name__)
def test_a_policy_with_a_fault(office, change):
    refused_everywhere(office, changed_policy(office.policy, change), POLICY, "changed.yaml", *POLICIES[change])


def test_two_tables_with_one_name(office):
    document = json.loads(office.policy.read_text())
    table = json.dumps(document["tables"].pop("match-by-sex"))
    twice = json.dumps(document)[:-1].replace('"tables": {', f'"tables": {{"twin": {table},\n"twin": {table},') + "}"
    policy = office.policy.with_name("twice.yaml")
    policy.write_text(twice)
    refused_everywhere(office, policy, POLICY, "twice.yaml", "twin", "line 2")


@pytest.mark.parametrize("kind", ["missing", "not UTF-8", "a folder", "empty", "a register"])
def test_something_else_than_a_policy(office, kind):
    place = office.policy.with_name("strange.yaml")
    make = {
        "missing": lambda: None,
        "not UTF-8": lambda: place.write_bytes(office.policy.read_bytes() + b"\xe4"),
        "a folder": place.mkdir,
        "empty": lambda: place.write_bytes(b""),
        "a register": lambda: shutil.copy(office.registers / "kysely.csv", place),
    }
    make[kind]()
    refused_everywhere(office, place, POLICY, "strange.yaml")


# Budget and ledger --------------------------------------------------------------------------------------------------


@pytest.fixture
def poor(office):
    """The same office with a ledger that grants less than the policy asks."""
    shutil.rmtree(office.ledger.parent)
    office.ledger.parent.mkdir()
    make_ledger(office.ledger, grant="1/3")
    return office


def test_a_budget_above_the_grant(poor):
    with nothing_happens(poor):
        refused(poor.run(), BUDGET, "0.5", "0.333", "utfall ledger grant", "fi-graduates")


def test_a_ledger_of_another_population(office, tmp_path):
    other = make_ledger(tmp_path / "others.ledger", population="pupils")
    with nothing_happens(office):
        refused(office.run(ledger=other), LEDGER, "pupils", "fi-graduates", "others.ledger")


def test_a_ledger_that_is_none(office, tmp_path):
    (tmp_path / "notes.ledger").write_text("not a ledger")
    (tmp_path / "folder.ledger").mkdir()
    with nothing_happens(office):
        for name in ("none.ledger", "notes.ledger", "folder.ledger"):
            refused(office.run(ledger=tmp_path / name), LEDGER, name)
        refused(utfall(*office.arguments()[:-2]), USAGE, "--ledger", "utfall ledger init")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.ledger", "notes.ledger", "office"]


def test_a_ledger_without_its_key(office):
    (key,) = office.ledger.parent.glob("*.key")
    key.unlink()
    refused(office.run(), LEDGER, "graduates.ledger.key", "backup")
    assert not key.exists()


@contextlib.contextmanager
def somebody_without_rights():
    """The system's rights don't bind root: so become somebody else for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def open_office(office):
    """The office where everybody may look, but not write."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        place = Office(shutil.copytree(office.folder, Path(folder) / "office"))
        for path in (place.folder, *place.folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield place


def test_a_ledger_that_may_not_be_written(open_office):
    with nothing_happens(open_office), somebody_without_rights():
        told = utfall("ledger", "grant", "--ledger", open_office.ledger, "--rho", "1/2", "--by", "me", "--reason", "it")
        refused(told, LEDGER, "graduates.ledger")
        refused(open_office.run(), LEDGER, "graduates.ledger")


# Places -------------------------------------------------------------------------------------------------------------


def test_an_output_folder_that_holds_something_else(office):
    office.out.mkdir()
    (office.out / "thesis.odt").write_text("mine")
    with nothing_happens(office):
        refused(office.run(), USAGE, "--out", "something else")


def test_an_output_folder_that_is_a_file(office):
    office.out.write_text("a file")
    refused(office.run(), USAGE, "--out", "file")
    assert office.out.read_text() == "a file"


@pytest.mark.parametrize("place", ["below a file", "/proc/releases"])
def test_an_output_folder_that_cant_be_written(office, place):
    """As when the disk is full: refused before anything is linked or charged."""
    (office.folder / "file").write_text("")
    with nothing_happens(office):
        refused(office.run(out=office.folder / "file" / "out" if place == "below a file" else place), USAGE, "--out")


def test_a_release_in_the_way_with_other_content(office, released):
    """Somebody changed the published release: a run of the same request doesn't touch it, and says so."""
    shutil.copytree(released.office.out, office.out)
    (office.out / released.folder.name / "public" / "promise.md").write_text("we promise everything")
    with nothing_happens(office):
        refused(office.run(), USAGE, released.folder.name, "other content", "nothing was charged")


@pytest.mark.parametrize("data", ["missing", "a file"])
def test_no_folder_of_data(office, data):
    """The place isn't quoted: paths of the data are confidential."""
    place = {"missing": office.registers / "none", "a file": office.registers / "kysely.csv"}[data]
    with nothing_happens(office):
        refused(office.run(data=place), USAGE, "--data")
        refused(office.check(data=place), USAGE, "--data")


# Usage --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("runn",),
        ("run",),
        ("run", "policy.yaml"),
        ("run", "policy.yaml", "--data", ".", "--out", "out", "--epsilom", "1"),
        ("demo", "place", "--persons", "many"),
        ("ledger", "spend"),
        ("ledger", "grant", "--rho", "1/2"),
        ("audit",),
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments, tmp_path, monkeypatch):
    """The usual text of such commands: plain, without boxes, colours or traceback."""
    monkeypatch.chdir(tmp_path)
    told = utfall(*arguments)
    assert told.code == USAGE
    assert told.err.startswith("Usage: utfall ")
    assert "Error: " in told.err
    assert all(mark not in told.err for mark in ("│", "╭", "\x1b", "Traceback"))
    assert (told.out, list(tmp_path.iterdir())) == ("", [])


def test_the_same_through_a_real_process(office):
    """Exit code and plain words, as a shell sees them."""
    policy = changed_policy(office.policy, float_budget)
    with nothing_happens(office):
        refused(utfall_process(*office.arguments(policy=policy)), POLICY, "privacy.rho")
        refused(utfall_process(*office.arguments(data=office.folder / "none")), USAGE, "--data")
    assert utfall_process("--help").code == 0


def test_an_internal_fault_tells_only_its_kind(office, monkeypatch):
    """Whatever else goes wrong: no traceback, no text of the exception, which may quote the data."""
    from release import pipeline

    def fail(*_, **__):
        raise KeyError(PERSON)

    monkeypatch.setattr(pipeline, "make_plan", fail)
    told = office.check()
    assert told.code == 1
    assert "KeyError" in told.err
    assert secrets_in(told=told.all) == []
    assert "Traceback" not in told.err
