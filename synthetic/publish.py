"""Synthetic records from a release's public folder, as files with their codebook. No register, no ledger, no cost."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from release import version
from release.errors import UsageError, VerificationError
from release.protected.words import written
from release.shown import Shown
from release.tables import check_same_codes
from synthetic.blocks import record_blocks
from synthetic.certificate import Certificate, certify_table
from synthetic.charts import question_charts
from synthetic.codebook import Codebook, Tally, citation, codebook_paths, write_codebook
from synthetic.codebook_words import LANGUAGES, page_name
from synthetic.files import CSV, PARQUET, Notes, check_place, read_notes, record_files, refuse_taken
from synthetic.fit import Fit
from synthetic.make import Release, fit_release, open_release, seeds
from synthetic.replicates import FEWEST, replicate_fits
from synthetic.score import Score, score
from synthetic.table import NOTE, Layout, record_layout, record_table

FOLDER = "synthetic"
RECORDS = "graduates"
CERTIFICATE = "certificate.json"
MOST_REPLICATES = 100

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What is to be written, all in `folder`: the files of each number, and the stem of the codebook's names.

    Number 0 stands for the records that agree with the tables, 1 to m for replicates to be combined.
    """

    folder: Path
    places: Mapping[int, Sequence[Path]]
    codebook: str
    rows: int | None
    say: Say

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(path for paths in self.places.values() for path in paths)


@dataclass(frozen=True, repr=False)
class Made(Shown):
    """What was written: records in each file, the files, and the codebook's, the JSON first."""

    rows: int
    files: tuple[Path, ...]
    codebook: tuple[Path, ...]

    def as_json(self) -> str:
        """For programs."""
        named = {"files": [str(path) for path in self.files], "codebook": [str(path) for path in self.codebook]}
        return json.dumps({"records": self.rows, **named}, indent=2)

    def as_text(self) -> str:
        """For a terminal."""
        files = "\n".join(f"  records:  {path}" for path in self.files)
        return f"Made {self.rows:,} synthetic records; nobody in them is real.\n{files}\n  codebook: {self.codebook[1]}"

    def _plain(self) -> str:
        return f"<{self.rows} synthetic records: {', '.join(path.name for path in self.files)}>"

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(path.name)}</li>" for path in (*self.files, *self.codebook))
        return (
            f"<p>Synthetic records in each file: {written(self.rows, 0)}. Nobody in them is real.</p><ul>{items}</ul>"
        )


def silent(line: str) -> None:
    """Says nothing."""


def make_records(folder: Path, out: Path, *, rows: int | None = None, replicates: int = 1, say: Say = silent) -> Made:
    """Records of a release that agree with its tables, in a file `out` (.parquet or .csv).

    folder: the release's folder or its public one; nothing else is read. rows: by default the noisy number of persons.
    replicates: 2 or more give so many files to be combined instead, `out` with -1, -2 and so on.
    UsageError for impossible wishes and files that are there already, VerificationError for damaged measurements.
    """
    _check_numbers(rows, replicates)
    places = {number: [numbered(out, number)] for number in _numbers(replicates)}
    order = Order(out.parent, places, f"{out.name}.codebook", rows, say)
    _check_places(order)
    release = opened(folder)
    say("Fitting the joint distribution to the noisy measurements…")
    return _made(release, None, order)


def publish_records(release: Release, fit: Fit, public: Path, *, say: Say = silent) -> Made:
    """Records as the policy asks for, as Parquet and CSV, with codebook, below `public`; what was there is replaced."""
    folder, wanted = public / FOLDER, release.policy.document.synthetic
    folder.mkdir(exist_ok=True)
    order = Order(folder, record_paths(folder, wanted.replicates), "codebook", wanted.rows, say)
    for path in order.files:
        path.unlink(missing_ok=True)
    return _made(release, fit, order)


def publish_certificate(release: Release, fit: Fit, public: Path) -> Certificate:
    """What the published records are fit for, as JSON and as a page in each language."""
    records = public / FOLDER / f"{RECORDS}{PARQUET}"
    certificate = certify_table(records, release, seed=int(read_notes(records)["seed"]), fit=fit)
    (public / FOLDER / CERTIFICATE).write_text(certificate.as_json(), encoding="utf-8")
    for language in LANGUAGES:
        page = page_name("certificate", language)
        (public / FOLDER / page).write_text(certificate.page(language), encoding="utf-8")
    return certificate


def published_score(release: Release, public: Path) -> Score:
    """How far the published records' tables are from the measured ones, beside what the noise alone makes."""
    return score(public / FOLDER / f"{RECORDS}{PARQUET}", release)


@dataclass(frozen=True, repr=False)
class Questions(Shown):
    """A chart for each question that the certificate and the score answer."""

    certificate: Certificate
    score: Score

    def _plain(self) -> str:
        return f"<Questions about the records of {self.certificate.release}>"

    def _repr_html_(self) -> str:
        return "".join(chart._repr_html_() for chart in question_charts(self.certificate, self.score))


def opened(folder: Path) -> Release:
    """A release's policy and measurements. VerificationError where they are missing, damaged or don't fit together."""
    public = folder / "public" if (folder / "public").is_dir() else folder
    if not (public / "policy.yaml").is_file():
        raise UsageError("there is no release in this folder", now="name a release's folder, or its public folder")
    if not (public / "measurements").is_dir():
        raise VerificationError(
            "the release has no noisy measurements; of exact tables alone no synthetic records can be made",
            where="measurements/",
            now="take the whole public folder, or another release",
        )
    release = open_release(public)
    check_same_codes(release.measurements, release.policy)
    _check_tables(release)
    return release


def record_paths(folder: Path, replicates: int) -> dict[int, tuple[Path, Path]]:
    """The published Parquet and CSV file of each number: the records themselves (0), and replicates if 2 or more."""
    parquet, csv = (folder / f"{RECORDS}{kind}" for kind in (PARQUET, CSV))
    numbers = dict.fromkeys((0, *_numbers(replicates)))
    return {number: (numbered(parquet, number), numbered(csv, number)) for number in numbers}


def numbered(path: Path, number: int) -> Path:
    """graduates.parquet for 0; graduates-1.parquet, graduates-2.parquet … for replicates."""
    return path if number == 0 else path.with_name(f"{path.stem}-{number}{path.suffix}")


def _numbers(replicates: int) -> range:
    return range(1) if replicates < FEWEST else range(1, replicates + 1)


def _check_numbers(rows: int | None, replicates: int) -> None:
    if rows is not None and rows < 1:
        raise UsageError(f"{rows} records can't be made", where="--rows", now="ask for 1 or more, or leave it out")
    if not 1 <= replicates <= MOST_REPLICATES:
        raise UsageError(
            f"{replicates} replicates can't be made",
            where="--replicates",
            now=f"ask for 1 to {MOST_REPLICATES}; 5 are enough for most analyses",
        )


def _check_places(order: Order) -> None:
    for path in order.files:
        check_place(path)
    for path in codebook_paths(order.folder, order.codebook):
        refuse_taken(path)


def _check_tables(release: Release) -> None:
    policy = release.policy
    lacking = [name for name, t in policy.tables.items() if policy.measured(t) not in release.estimates.counts]
    if lacking:
        raise VerificationError(
            f'the table "{lacking[0]}" of the policy wasn\'t measured',
            where="policy.yaml and measurements/",
            now="use the policy that the measurements were made with",
        )


def _made(release: Release, fit: Fit | None, order: Order) -> Made:
    """All files, then the codebook, with the distributions of the first."""
    said: list[tuple[Layout, Tally]] = []
    for number, found in _fits(release, fit, order):
        rows = order.rows or found.persons
        layout = record_layout(found, unsure=number or None)
        said.append((layout, _written(release, layout, order, rows=rows, number=number)))
    layout, tally = said[0]
    book = Codebook(release, replace(layout, unsure=None), tally, tuple(path.name for path in order.files))
    return Made(tally.records, order.files, write_codebook(book, order.folder, stem=order.codebook))


def _fits(release: Release, fit: Fit | None, order: Order) -> Iterator[tuple[int, Fit]]:
    """The fit of the measurements as they are for number 0, and one for each replicate."""
    if 0 in order.places:
        yield 0, fit or fit_release(release)
    if replicates := [number for number in order.places if number]:
        seed = next(seeds(release.measurements.request, 1))
        yield from zip(replicates, replicate_fits(release, len(replicates), seed=seed), strict=True)


def _written(release: Release, layout: Layout, order: Order, *, rows: int, number: int) -> Tally:
    """The files of one number, block by block; how often each code occurs in them."""
    paths, tally = order.places[number], Tally()
    seed = list(seeds(release.measurements.request, number + 1))[number]
    order.say(f"{_whole(rows)} records for {paths[0].name}: drawing, then refining…")
    with record_files(paths, _notes(release, rows=rows, seed=seed, number=number)) as write:
        for block in record_blocks(layout.fit, rows=rows, seed=seed):
            first = tally.records + 1
            tally = tally.plus(block, layout)
            write(record_table(block, layout, seed=seed + first, replicate=number, first=first))
            if tally.records < rows:
                order.say(f"{_whole(tally.records)} of {_whole(rows)} records written")
    return tally


def _notes(release: Release, *, rows: int, seed: int, number: int) -> Notes:
    """What a file says of itself."""
    return {
        "note": NOTE,
        "synthetic": "true",
        "release": release.policy.document.release,
        "request": release.measurements.request,
        "records": str(rows),
        "replicate": str(number),
        "seed": str(seed),
        "program": f"utfall {version()}",
        "citation": str(citation(release)["en"]),
    }


def _whole(number: int) -> str:
    return f"{number:,}".replace(",", " ")
