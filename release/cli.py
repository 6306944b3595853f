"""The command `utfall`. Progress goes to standard error, results to standard output; exit codes: `release.errors`."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from release.errors import UsageError, UtfallError, out_of_room

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="What became of graduates, published so that nobody can learn about a person.",
)

STOPPED = 130
"""Exit code of a command that was stopped, as shells have it."""

LedgerOption = Annotated[
    Path | None, typer.Option("--ledger", envvar="UTFALL_LEDGER", help="the population's privacy ledger")
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON for programs")]
DataOption = Annotated[Path, typer.Option("--data", help="folder with the delivery's files")]
PolicyArgument = Annotated[Path, typer.Argument(metavar="POLICY", help="the release policy (YAML)")]


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a new folder")],
    persons: Annotated[int, typer.Option("--persons", help="about so many graduates")] = 500_000,
    seed: Annotated[int, typer.Option("--seed", help="the same seed gives the same registers")] = 2026,
) -> None:
    """Make invented registers, survey and code lists; the known truth is kept apart."""
    from release.demo import make_demo

    typer.echo(str(make_demo(folder, persons=persons, seed=seed)))


@app.command()
def check(policy: PolicyArgument, data: DataOption, as_json: JsonOption = False) -> None:
    """Check policy and delivery; nothing is spent. Lists every fault; exit 0 only when clean."""
    from release.pipeline import check as check_delivery

    checked, report = check_delivery(policy, data)
    typer.echo(
        report.as_json() if as_json else f"{checked.document.release}: policy and delivery are clean.\n\n{report!r}"
    )


@app.command()
def plan(
    policy: PolicyArgument,
    as_json: JsonOption = False,
    save: Annotated[Path | None, typer.Option("--save", help="write the plan as JSON to this file")] = None,
    codes: Annotated[
        Path | None, typer.Option("--codes", help="a further folder with code lists; no data is read")
    ] = None,
) -> None:
    """Cost, noise and expected error of every table, before any data is opened."""
    from release.plan import make_plan
    from release.plan_report import plan_report
    from release.policy import load_policy

    checked = load_policy(policy, code_folders=[codes] if codes else [])
    report = plan_report(make_plan(checked), checked)
    if save:
        _write_new(save, report.as_json())
    typer.echo(report.as_json() if as_json else report.as_text())


@app.command()
def run(
    policy: PolicyArgument,
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="folder for releases; earlier ones are never touched")],
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """The whole job through the notebooks: link, measure, tables, publish, audit."""
    from release.pipeline import Job
    from release.pipeline import run as run_job

    published = run_job(Job(policy, data, out, _needed(ledger)), say=_say)
    typer.echo(published.as_json() if as_json else published.as_text())


@app.command()
def audit(
    folder: Annotated[Path, typer.Argument(metavar="RELEASE_DIR")],
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute all that can be recomputed: pass, fail or can't tell for each claim. Exit 7 if one fails."""
    from release.audit import audit as audit_release

    report = audit_release(folder, ledger=ledger)
    typer.echo(report.as_json() if as_json else report.as_text())
    if report.failed:
        raise typer.Exit(7)


@app.command()
def synthesise(
    folder: Annotated[Path, typer.Argument(metavar="RELEASE_DIR")],
    out: Annotated[Path, typer.Option("--out", help="a new file, .parquet or .csv; the codebook goes beside it")],
    replicates: Annotated[
        int, typer.Option("--replicates", help="2 or more: so many files FILE-1, FILE-2 …, for intervals that cover")
    ] = 1,
    rows: Annotated[
        int | None, typer.Option("--rows", help="records in each file; else as many as persons were measured")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Synthetic records from a release's public folder alone: no register, no ledger, no cost."""
    from synthetic.publish import make_records

    made = make_records(folder, out, rows=rows, replicates=replicates, say=_say)
    typer.echo(made.as_json() if as_json else made.as_text())


@app.command()
def attack(  # noqa: PLR0913, PLR0917 (one per option)
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="published tables: CSV, PX, JSON-stat, XLSX, Parquet")
    ],
    hierarchy: Annotated[
        list[str] | None, typer.Option("--hierarchy", help="DIMENSION=FILE: parent,child pairs, .hrc or a code list")
    ] = None,
    mark: Annotated[
        list[str] | None, typer.Option("--mark", help="TEXT=MEANING: zero, hidden, absent, a number or a range")
    ] = None,
    values: Annotated[list[str] | None, typer.Option("--values", help="a column that holds figures")] = None,
    rounding: Annotated[
        str | None, typer.Option("--rounding", help="none, nearest:BASE or random:BASE; else seen from the figures")
    ] = None,
    least: Annotated[int | None, typer.Option("--least", help="the least that a hidden cell holds")] = None,
    width: Annotated[int, typer.Option("--width", min=1, help="narrower intervals count as derived")] = 1,
    cumulative: Annotated[
        bool, typer.Option("--cumulative", help="each file holds all persons of the one named before it")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """What can an outsider derive from these published tables? Exit 7 when hidden figures can be worked out."""
    from release.attack.attack import Options, attack_files

    options = Options(hierarchy or (), mark or (), values or (), rounding, least, width, cumulative)
    report = attack_files(files, options, say=_say)
    typer.echo(report.as_json() if as_json else report.as_text())
    if report.found:
        raise typer.Exit(7)


def _mount_ledger_commands() -> None:
    from release.ledger_commands import ledger_app

    app.add_typer(ledger_app, name="ledger")


_mount_ledger_commands()


def _needed(ledger: Path | None) -> Path:
    if ledger is None:
        raise UsageError(
            "no ledger is named",
            where="--ledger or UTFALL_LEDGER",
            now="make one with: utfall ledger init --ledger FILE --population NAME --by YOU",
        )
    return ledger


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        raise UsageError(
            "the file is there already, or can't be written", where=f"--save {path.name}", now="name a new file"
        ) from None


def _say(line: str) -> None:
    typer.echo(line, err=True)


def main() -> None:
    """Run the command; every error leaves as a plain sentence and an exit code, none as a traceback."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a scheduler's stop tidies up as Ctrl-C does
    try:
        app(standalone_mode=True)
    except UtfallError as problem:
        _tell(problem.title, str(problem))
        sys.exit(problem.exit_code)
    except SystemExit as end:
        if end.code == STOPPED:
            _tell("Stopped", "What was charged stays charged; earlier releases are untouched. Run again to go on.")
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as problem:  # noqa: BLE001 (its text may quote the data, so only its kind is told)
        kind = f"Something that should not happen did ({type(problem).__name__}). Please report it."
        _tell("Internal fault", str(out_of_room(problem) or kind))
        sys.exit(1)


def _stop(*_: object) -> None:
    """A polite end: staging and kernels' folders are removed on the way out."""
    raise KeyboardInterrupt


def _tell(title: str, text: str) -> None:
    typer.echo(f"{title}: {text}", err=True)


if __name__ == "__main__":
    main()
