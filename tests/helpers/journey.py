"""One small office for all journeys: registers with planted secrets, a ledger, and one whole run a session."""

import contextlib
import fcntl
import io
import json
import logging
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest import mock

import yaml
from helpers.notebooks import bytes_under, leaks

from release import cli

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
UTFALL = Path(sys.executable).with_name("utfall")

PERSON = "KANARIA-77319054-X"
"""A pseudonym that stands in all four registers."""
INCOME = 91827.43
ODD_NUMBER = 660917733
"""Stands where a delivery holds numbers that nobody publishes: a batch, and the number of an answer."""
FOLDER = "salainen-toimitus-4417"
"""The name of the folder of the delivery."""

TEXTS = (PERSON, "77319054", "91827.43", "91827,43", str(ODD_NUMBER), FOLDER)
NUMBERS = (struct.pack("<d", INCOME), struct.pack(">d", INCOME), struct.pack("<q", ODD_NUMBER))

TABLES = {
    "graduates-by-region": {"by": ["provider:region", "field:broad"], "show": ["count"]},
    "activity-by-field": {"by": ["field:broad", "cohort", "sex"], "of": "activity-1:group", "show": ["count", "share"]},
    "pay-by-field": {"by": ["field:broad"], "of": "pay-1", "show": ["p25", "p50", "p75"], "minimum": 30},
    "match-by-sex": {"by": ["sex"], "of": "match", "show": ["mean", "share", "response-rate"], "minimum": 30},
}
"""A few of each kind: few enough that a run is mostly the start of its kernels."""


# Calling the program -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What a call of `utfall` told: exit code, standard output and error, log records (of calls in this process)."""

    code: int
    out: str
    err: str
    logs: str = ""

    @property
    def all(self) -> str:
        return "\n".join((self.out, self.err, self.logs))

    def json(self):
        return json.loads(self.out)


class Records(logging.Handler):
    """Keeps every log record whole."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(f"{record.getMessage()} {record.exc_text} {vars(record)!r}")


def utfall(*arguments, **environment: str) -> Told:
    """`utfall …` in this process: quick. environment: variables besides; those of ours that are set are left out."""
    out, err, records = io.StringIO(), io.StringIO(), Records()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UTFALL_")}
    before = signal.getsignal(signal.SIGTERM)
    logging.getLogger().addHandler(records)
    try:
        with (
            mock.patch.dict(os.environ, {**clean, **environment}, clear=True),
            mock.patch.object(sys, "argv", ["utfall", *map(str, arguments)]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = _exit_code_of_main()
    finally:
        logging.getLogger().removeHandler(records)
        signal.signal(signal.SIGTERM, before)
    return Told(code, out.getvalue(), err.getvalue(), "\n".join(records.seen))


def _exit_code_of_main() -> int:
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def utfall_process(*arguments, **options) -> Told:
    """`utfall …` as a process of its own, as the office starts it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UTFALL_")}
    command = [UTFALL, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, **options)
    return Told(done.returncode, done.stdout, done.stderr)


# The office --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Office:
    """The places of one office: registers and policy in one folder, the ledger beside it, releases in another."""

    folder: Path

    @property
    def registers(self) -> Path:
        return self.folder / FOLDER

    @property
    def policy(self) -> Path:
        return self.folder / "policy" / "small.yaml"

    @property
    def ledger(self) -> Path:
        return self.folder / "books" / "graduates.ledger"

    @property
    def out(self) -> Path:
        return self.folder / "releases"

    def arguments(self, **changes) -> list:
        """Arguments of a run, with some of policy, data, out and ledger changed."""
        policy = changes.get("policy", self.policy)
        named = {"--data": "data", "--out": "out", "--ledger": "ledger"}
        places = {"data": self.registers, "out": self.out, "ledger": self.ledger} | changes
        return ["run", policy, *(part for option, name in named.items() for part in (option, places[name]))]

    def run(self, **changes) -> Told:
        return utfall(*self.arguments(**changes))

    def check(self, **changes) -> Told:
        return utfall("check", changes.get("policy", self.policy), "--data", changes.get("data", self.registers))

    def copied(self, folder: Path) -> "Office":
        """The whole office elsewhere, releases included, with the same times of its files: to be spoilt."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Office(folder)

    def spent(self) -> str:
        """Exact ρ."""
        return utfall("ledger", "show", "--ledger", self.ledger, "--json").json()["spent"]

    def entries(self) -> list[dict]:
        return utfall("ledger", "show", "--ledger", self.ledger, "--json").json()["list"]

    def kinds(self) -> list[str]:
        return [entry["kind"] for entry in self.entries()]

    def left_behind(self) -> list[str]:
        """Names in the folder of releases that aren't releases."""
        return (
            sorted(entry.name for entry in self.out.iterdir() if entry.name.startswith("."))
            if self.out.exists()
            else []
        )


@dataclass(frozen=True)
class Released:
    """The one whole run: what it told, and the release."""

    office: Office
    told: Told

    @property
    def folder(self) -> Path:
        return next(self.office.out.iterdir())

    @property
    def public(self) -> Path:
        return self.folder / "public"


def make_office(folder: Path) -> None:
    """Demo registers of 3,000 persons with the secrets planted, a policy of a few tables, a ledger that grants 2."""
    office = Office(folder)
    told = utfall("demo", office.registers, "--persons", 3000, "--seed", 7)
    if told.code:
        raise RuntimeError(told.err)
    plant(office.registers)
    office.policy.parent.mkdir()
    shutil.move(office.registers / "codes", office.policy.parent)
    small_policy(office.registers / "graduates-demo.yaml", office.policy)
    office.ledger.parent.mkdir()
    make_ledger(office.ledger)


def make_ledger(path: Path, *, population="fi-graduates", grant="2") -> Path:
    utfall("ledger", "init", "--ledger", path, "--population", population, "--by", "registrar")
    if grant:
        utfall("ledger", "grant", "--ledger", path, "--rho", grant, "--by", "director", "--reason", "decision 7/2026")
    return path


def change_ledger(path: Path, statement: str) -> None:
    """Change what can't be changed: the triggers that forbid it are taken away, and put back."""
    with sqlite3.connect(path, isolation_level=None) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for _, creation in triggers:
            connection.execute(creation)
    connection.close()


def small_policy(demo_policy: Path, place: Path) -> None:
    """The demo's policy with the few tables above; JSON is YAML too, and keeps texts apart from numbers."""
    document = yaml.safe_load(demo_policy.read_text(encoding="utf-8"))
    document |= {"release": "small", "tables": TABLES}
    place.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")


def changed_policy(policy: Path, change: Callable[[dict], object], name="changed.yaml") -> Path:
    """A changed copy of a policy beside it."""
    document = yaml.safe_load(policy.read_text(encoding="utf-8"))
    change(document)
    place = policy.with_name(name)
    place.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    return place


# Registers ---------------------------------------------------------------------------------------------------------


def plant(registers: Path) -> None:
    """One employed person who answered gets the planted pseudonym everywhere, the rare pay, and the odd numbers."""
    victim = someone_in_all(registers)
    for name in ("tutkinnot.parquet", "toiminta.parquet"):
        rewrite(registers / name, lambda frame: frame.assign(henkilo=frame.henkilo.replace(victim, PERSON)))
    rewrite(registers / "toiminta.parquet", with_odd_batch)
    for name, encoding in (("kysely.csv", "utf-8"), ("ansiot.csv", "windows-1252")):
        lines = read_lines(registers / name, encoding)
        write_lines(registers / name, [line.replace(victim, PERSON) for line in lines], encoding)
    change_line(registers / "kysely.csv", PERSON, "vastausnumero", str(ODD_NUMBER))
    change_line(registers / "ansiot.csv", PERSON, "kuukausiansio", f"{INCOME}".replace(".", ","))


def someone_in_all(registers: Path) -> str:
    """The pseudonym of a person with one degree and a job a year after, who answered the survey."""
    import pandas as pd

    degrees = pd.read_parquet(registers / "tutkinnot.parquet").drop_duplicates("henkilo", keep=False)
    activity = pd.read_parquet(registers / "toiminta.parquet")
    found = degrees.merge(activity[activity.paaasiallinen_toiminta == "10"], on="henkilo")
    found = found[found.vuosi == found.tutkintovuosi + 1]
    answers, jobs = (read_lines(registers / name, "windows-1252") for name in ("kysely.csv", "ansiot.csv"))
    answered = {line.split(",")[0] for line in answers} & {line.split(";")[0] for line in jobs}
    return next(person for person in found.henkilo if person in answered)


def with_odd_batch(frame):
    return frame.assign(toimitusera=frame.toimitusera.astype("int64").where(frame.henkilo != PERSON, ODD_NUMBER))


def change_line(path: Path, person: str, column: str, value: str, *, encoding="windows-1252") -> None:
    """Put a value into the first line of a person in a CSV file of the delivery."""
    lines = read_lines(path, encoding)
    mark = ";" if ";" in lines[0] else ","
    at = next(i for i, line in enumerate(lines) if line.startswith(person))
    parts = dict(zip(lines[0].split(mark), lines[at].split(mark), strict=True)) | {column: value}
    lines[at] = mark.join(parts.values())
    write_lines(path, lines, encoding)


def read_lines(path: Path, encoding: str) -> list[str]:
    return path.read_text(encoding=encoding).splitlines()


def write_lines(path: Path, lines: list[str], encoding: str) -> None:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)


def rewrite(path: Path, change: Callable) -> None:
    """Change a Parquet file through a frame."""
    import pandas as pd

    change(pd.read_parquet(path)).to_parquet(path, index=False)


# Searching ---------------------------------------------------------------------------------------------------------


def secrets_in(*places: Path, told: str = "") -> list[str]:
    """The planted secrets found in any file or file name under the places, Parquet decoded too, or in the text."""
    contents = [*bytes_under(*places), told.encode()]
    contents += [part for place in places for file in place.rglob("*") for part in unpacked(file)]
    found = leaks(TEXTS, *contents)
    return found + [f"number {number.hex()}" for number in NUMBERS if any(number in content for content in contents)]


def unpacked(file: Path) -> list[bytes]:
    """What is packed in a file: values, names and metadata of Parquet as text, members of a zip (spreadsheets)."""
    if file.is_file() and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            return [packed.read(name) for name in packed.namelist()]
    return [decoded(file)] if file.suffix == ".parquet" else []


def decoded(file: Path) -> bytes:
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as parquet:
        told = f"{parquet.schema_arrow} {parquet.schema_arrow.metadata} {parquet.metadata}"
        return (told + parquet.read().to_pandas().to_csv()).encode()


# Once a session ----------------------------------------------------------------------------------------------------


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """The folder, made by the first who asks, whichever of the parallel test processes that is."""
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            (folder / "made").touch()
    return folder


def make_release(folder: Path) -> None:
    """An office, and the one whole run in it, as a process of its own."""
    make_office(folder)
    told = utfall_process(*Office(folder).arguments())
    (folder / "told.json").write_text(json.dumps(asdict(told)))


def the_release(tmp_path_factory) -> Released:
    """The one whole run of this session, made by the first test that asks."""
    folder = made_once(shared_folder(tmp_path_factory) / "office", make_release)
    return Released(Office(folder), Told(**json.loads((folder / "told.json").read_text())))


def shared_folder(tmp_path_factory) -> Path:
    """A folder that all test processes of this session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def snapshot(folder: Path) -> dict[str, tuple]:
    """Every file and folder below: bytes, times and rights; equal snapshots: nothing was touched."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mtime_ns,
            path.stat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }
