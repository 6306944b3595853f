"""`utfall ledger init | grant | correct | show | verify`, as a person and as a program reads them."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from release.errors import BudgetError, LedgerError, UsageError
from release.ledger_commands import ledger_app

BOARD = ["--by", "Board", "--reason", "decision 7/2026"]


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("UTFALL_LEDGER", str(tmp_path / "graduates.ledger"))
    run("init", "--population", "graduates", "--by", "Registrar")
    return tmp_path / "graduates.ledger"


def run(*arguments):
    """Standard output; our own errors are raised, as `utfall` itself prints them."""
    result = CliRunner().invoke(ledger_app, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_grant_and_show(path):
    assert "Left        0.333333   (exactly 1/3)" in run("grant", "--rho", "1/3", *BOARD)
    shown = run("show")
    assert "Granted     0.333333   (ρ, zCDP; exactly 1/3)" in shown
    assert "grant    ρ = 1/3; Board; decision 7/2026" in shown


def test_json_for_programs(path):
    granted = json.loads(run("grant", "--rho", "1/3", *BOARD, "--json"))
    assert granted["entry"]["kind"] == "grant"
    shown = json.loads(run("show", "--json"))
    assert (shown["granted"], shown["spent"], shown["left_decimal"]) == ("1/3", "0", "0.333333")
    assert [entry["kind"] for entry in shown["list"]] == ["genesis", "grant"]
    assert shown["head"] == granted["entry"]["hash"] == json.loads(run("verify", "--json"))["head"]


@pytest.mark.parametrize("rho", ["0.5", "0", "1e-1", "half"])
def test_only_exact_text_over_zero_is_granted(path, rho):
    with pytest.raises(UsageError):
        run("grant", "--rho", rho, *BOARD)
    assert json.loads(run("show", "--json"))["entries"] == 1


def test_a_correction(path):
    run("grant", "--rho", "10", *BOARD)
    assert "Granted     1.000000" in run("correct", "--grant", "1", "--rho", "9", *BOARD)
    with pytest.raises(BudgetError):
        run("correct", "--grant", "1", "--rho", "2", *BOARD)


def test_only_whom_the_house_policy_names_may_grant(path, tmp_path):
    house = Path(__file__).parents[2] / "policies" / "house.yaml"
    with pytest.raises(BudgetError, match='doesn\'t let "intern" grant'):
        run("grant", "--rho", "1", "--by", "intern", "--reason", "x", "--house", str(house))
    run("grant", "--rho", "1", "--by", "director", "--reason", "x", "--house", str(house))
    assert json.loads(run("show", "--json"))["granted"] == "1"


def test_verify_says_what_it_cannot_see(path):
    assert "a witness is needed" in run("verify")


def test_verify_objects_to_a_changed_entry(path):
    run("grant", "--rho", "1", *BOARD)
    connection = sqlite3.connect(path)
    trigger = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'entry_unchanged'").fetchone()[0]
    connection.execute("DROP TRIGGER entry_unchanged")
    connection.execute("UPDATE entry SET body = replace(body, '7/2026', '8/2026') WHERE number = 1")
    connection.execute(trigger)
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="entry 1: its text was changed"):
        run("verify")
    result = CliRunner().invoke(ledger_app, ["verify", "--json"])
    assert json.loads(result.stdout)["trusted"] is False
    with pytest.raises(LedgerError):
        run("show")


def test_init_asks_for_population_and_name(tmp_path):
    assert CliRunner().invoke(ledger_app, ["init", "--ledger", str(tmp_path / "x")]).exit_code == 2
    assert not (tmp_path / "x").exists()
