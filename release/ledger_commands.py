"""`utfall ledger …`: make, grant, correct, show and verify the budget of a population."""

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from release.budget import exact_rho, left_text, spent_text
from release.errors import BudgetError
from release.ledger import Entry, Ledger, LedgerReport, Standing, verify_ledger

ledger_app = typer.Typer(no_args_is_help=True, help="The privacy budget of a population: granted, spent, left.")

_Ledger = Annotated[Path, typer.Option("--ledger", envvar="UTFALL_LEDGER", help="The population's ledger file.")]
_By = Annotated[str, typer.Option("--by", help="Who decided this; a name or an office.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why, and where the decision stands.")]
_Rho = Annotated[str, typer.Option("--rho", help='ρ as an exact fraction, such as "1/2".')]
_House = Annotated[Path | None, typer.Option("--house", help="House policy that says who may grant.")]
_Json = Annotated[bool, typer.Option("--json", help="For programs.")]


@ledger_app.command("init")
def init_command(
    ledger: _Ledger,
    population: Annotated[str, typer.Option("--population", help="Whose budget it is, as in privacy.population.")],
    by: _By,
    as_json: _Json = False,
) -> None:
    """Make the ledger of a population, with nothing granted yet, and its secret key beside it."""
    _say(init_ledger(ledger, population=population, by=by), as_json=as_json)


@ledger_app.command("grant")
def grant_command(
    *, ledger: _Ledger, rho: _Rho, by: _By, reason: _Reason, house: _House = None, as_json: _Json = False
) -> None:
    """Allow so much more budget."""
    _say(grant_budget(ledger, rho=rho, by=by, reason=reason, house=house), as_json=as_json)


@ledger_app.command("correct")
def correct_command(
    *,
    ledger: _Ledger,
    grant: Annotated[int, typer.Option("--grant", help="Number of the grant's entry, from `show`.")],
    rho: _Rho,
    by: _By,
    reason: _Reason,
    as_json: _Json = False,
) -> None:
    """Take back part of a grant that was entered by mistake: only what nobody has spent."""
    _say(take_back(ledger, grant=grant, rho=rho, by=by, reason=reason), as_json=as_json)


@ledger_app.command("show")
def show_command(ledger: _Ledger, as_json: _Json = False) -> None:
    """What is granted, spent and left, and every entry."""
    _say(show_ledger(ledger), as_json=as_json)


@ledger_app.command("verify")
def verify_command(ledger: _Ledger, as_json: _Json = False) -> None:
    """Recompute the whole ledger without changing it; exit code 6 if anything is wrong."""
    report = verify_ledger(ledger)
    if report.ok or as_json:
        _say(report_facts(report), as_json=as_json)
    report.raise_if_broken()


def init_ledger(path: Path, *, population: str, by: str) -> dict[str, Any]:
    """Make a ledger; its standing."""
    with Ledger.create(path, population=population, by=by) as ledger:
        return standing_facts(ledger.standing())


def grant_budget(path: Path, *, rho: str, by: str, reason: str, house: Path | None = None) -> dict[str, Any]:
    """Grant ρ (exact text); the entry and the standing. BudgetError if the house policy doesn't let `by` grant."""
    amount = exact_rho(rho)
    _refuse_stranger(by, house)
    with Ledger.open(path) as ledger:
        entry = ledger.grant(amount, by=by, reason=reason)
        return {**standing_facts(ledger.standing()), "entry": entry_facts(entry)}


def take_back(path: Path, *, grant: int, rho: str, by: str, reason: str) -> dict[str, Any]:
    """Take back ρ (exact text) of grant number `grant`; the entry and the standing."""
    with Ledger.open(path) as ledger:
        entry = ledger.correct(grant, rho=exact_rho(rho), by=by, reason=reason)
        return {**standing_facts(ledger.standing()), "entry": entry_facts(entry)}


def show_ledger(path: Path) -> dict[str, Any]:
    """The standing and all entries of a ledger, verified on opening."""
    with Ledger.open(path) as ledger:
        entries = [entry_facts(entry) for entry in ledger.entries()]
        return {**standing_facts(ledger.standing()), "list": entries}


def report_facts(report: LedgerReport) -> dict[str, Any]:
    """The verifier's report, in plain values."""
    return {
        "population": report.population,
        **_amounts(report.granted, report.spent),
        "entries": len(report.hashes),
        "head": report.head,
        "trusted": report.ok,
        "objections": [str(objection) for objection in report.objections],
        "remarks": list(report.remarks),
    }


def standing_facts(standing: Standing) -> dict[str, Any]:
    """A standing in plain values: exact fractions, and decimals rounded against us."""
    return {
        "population": standing.population,
        **_amounts(standing.granted, standing.spent),
        "entries": standing.entries,
        "head": standing.head,
    }


def entry_facts(entry: Entry) -> dict[str, Any]:
    """An entry in plain values: all that was hashed, and the hash."""
    return {**entry.body, "hash": entry.hash}


def facts_text(facts: Mapping[str, Any]) -> str:
    """The facts for a person to read."""
    lines = [
        f"Population  {facts['population']}",
        f"Granted     {facts['granted_decimal']}   (ρ, zCDP; exactly {facts['granted']})",
        f"Spent       {facts['spent_decimal']}   (exactly {facts['spent']})",
        f"Left        {facts['left_decimal']}   (exactly {facts['left']})",
        f"Entries     {facts['entries']}, the last with hash {facts['head']}",
        *[f"Remark      {remark}" for remark in facts.get("remarks", ())],
    ]
    if facts.get("trusted"):
        lines.append("Verified    every entry: nothing to object (a witness is needed to see a cut-off tail)")
    return "\n".join(lines + [_entry_line(entry) for entry in facts.get("list", ())])


def _entry_line(entry: Mapping[str, Any]) -> str:
    amount = f"ρ = {entry['rho']}" if "rho" in entry else ""
    request = f"request {entry['request'][:12]}…" if "request" in entry else ""
    sets = entry.get("outside", {}).get("sets", ())
    tables = [f"{name} (sums)" if "sums_of" in one else name for one in sets for name in one["tables"]]
    outside = f"outside of ε: {', '.join(tables)}" if tables else ""
    texts = [amount, request, entry.get("release", ""), outside, entry.get("by", ""), entry.get("reason", "")]
    return f"{entry['number']:>6}  {entry['time']}  {entry['kind']:<8} {'; '.join(text for text in texts if text)}"


def _amounts(granted: Fraction, spent: Fraction) -> dict[str, str]:
    exact = {"granted": str(granted), "spent": str(spent), "left": str(granted - spent)}
    decimals = {"granted": left_text(granted), "spent": spent_text(spent), "left": left_text(granted - spent)}
    return {**exact, **{f"{name}_decimal": text for name, text in decimals.items()}}


def _refuse_stranger(by: str, house: Path | None) -> None:
    if house is None:
        return
    from release.policy import load_house

    allowed = load_house(house).may_grant
    if by.strip() not in allowed:
        raise BudgetError(
            f'The house policy doesn\'t let "{by}" grant budget. Nothing was granted.',
            where=f"{house.name}, may_grant",
            now=f"Ask one of: {', '.join(allowed)}.",
        )


def _say(facts: Mapping[str, Any], *, as_json: bool) -> None:
    typer.echo(json.dumps(facts, ensure_ascii=False, indent=2) if as_json else facts_text(facts))
