"""Commands, exit codes, environment, claims and figures that the pages tell are those of the program."""

import re
from fractions import Fraction
from math import exp

import pytest
import typer
from helpers.pages import ROOT, blocks

from release import errors
from release.audit.audit import CHECKS
from release.budget import epsilon_at
from release.cli import app
from release.protected.reasons import Status
from release.published.promise import guess_at_most, percent_up, power_at_most
from release.runner.check import check_notebook
from release.runner.parameters import declared_parameters, read_notebook

README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = [*(ROOT / "release").rglob("*.py"), ROOT / "Makefile", ROOT / ".ci/run"]


def commands(group, above: str = "utfall"):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{above} {name}")
        else:
            yield f"{above} {name}", command


COMMANDS = dict(commands(typer.main.get_command(app)))


def row(start: str) -> str:
    return next((line for line in README.splitlines() if line.startswith(f"| `{start}")), "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_row_with_all_its_options(name):
    told = row(f"{name} ")
    expected = {option for p in COMMANDS[name].params for option in p.opts if option.startswith("--")} - {"--help"}
    assert expected
    assert set(re.findall(r"--[a-z-]+", told)) == expected


def test_no_command_is_told_that_isnt_there():
    told = set(re.findall(r"^\| `(utfall [a-z ]*[a-z])", README, re.MULTILINE))
    assert told == set(COMMANDS)


def test_every_error_has_its_exit_code():
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.UtfallError)]
    told = {name: int(code) for code, name in re.findall(r"^\| (\d) \| `(\w+)` \|", README, re.MULTILINE)}
    assert told == {c.__name__: c.exit_code for c in classes}


def test_every_environment_variable_is_told():
    used = {name for p in SOURCES for name in re.findall(r"\bUTFALL_[A-Z_]+\b", p.read_text(encoding="utf-8"))}
    told = set(re.findall(r"^\| `(UTFALL_[A-Z_]+)`", README, re.MULTILINE))
    assert told == used


def test_the_two_commands_stand_exactly_and_are_targets():
    assert next(text for _, text in blocks(ROOT / "README.md")) == "make demo\nmake test\n"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`?make ([a-z-]+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_auditors_hour_names_every_claim():
    page = (ROOT / "docs/first-hour-auditor.md").read_text(encoding="utf-8")
    for name, _, _ in CHECKS:
        assert f"\n| {name} |" in page


@pytest.mark.parametrize("status", [s for s in Status if s not in (Status.SHOWN, Status.SEE_PARENT)])
def test_methods_say_when_a_figure_is_withheld(status):
    assert f"\n| `{status}` |" in (ROOT / "docs/methods.md").read_text(encoding="utf-8")


def test_the_promises_figures_are_what_the_program_computes():
    page = (ROOT / "docs/promise.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| ([\d/]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| at most (\d+) \| at most (\d+) % \|$", page, re.M
    )
    assert len(rows) == 7
    for rho, *epsilons, guesses, power in rows:
        cost = Fraction(rho)
        for told, delta in zip(epsilons, ("1e-6", "1e-9", "1e-12"), strict=True):
            assert abs(float(told) - epsilon_at(cost, Fraction(delta))) <= 0.0005
        assert int(guesses) == percent_up(guess_at_most(float(cost)))
        assert int(power) == percent_up(power_at_most(float(cost)))


def test_the_table_of_variances_is_right():
    page = (ROOT / "docs/proofs/gaussian.md").read_text(encoding="utf-8")
    scales = [float(s) for s in re.search(r"^\| s \|(.*)\| 1.5", page, re.M)[1].split("|") if s.strip()]
    told = [float(v) for v in re.search(r"^\| variance / s² \|(.*)\| 1 to", page, re.M)[1].split("|") if v.strip()]
    for scale, ratio in zip(scales, told, strict=True):
        chances = {n: exp(-n * n / (2 * scale**2)) for n in range(-60, 61)}
        found = sum(n * n * p for n, p in chances.items()) / sum(chances.values()) / scale**2
        assert found == pytest.approx(ratio, abs=0.0005 if scale < 0.75 else 5e-5)


TERMS = (
    "linked graduate, cell, residual, measurement, estimate, model-based figure, withheld, suppression, release, "
    "grant, promise, margin, stratum, zCDP, sensitivity, observation status"
)


@pytest.mark.parametrize("term", ["rho, ρ", *TERMS.split(", ")])
def test_glossary_has_the_terms_in_three_languages(term):
    page = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    line = next(line for line in page.splitlines() if line.startswith(f"| {term} |"))
    assert all(cell.strip() for cell in line.split("|")[1:5])


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_as_the_manual_says(path):
    assert check_notebook(path) == ()


@pytest.mark.parametrize("name", ["1-link", "2-measure"])
def test_by_hand_a_notebook_finds_the_demo_from_its_own_folder(name):
    place = ROOT / "notebooks"
    given = declared_parameters(read_notebook(place / f"{name}.ipynb"), name=name)
    assert (place / given["policy"]).is_file()
    demo = ROOT / "demo"
    assert (place / given["ledger"]).resolve() == demo / "ledger.sqlite"
    assert (place / given["work"]).resolve().parent == demo
