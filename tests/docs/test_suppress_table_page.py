"""The worked example of the page about suppression for data frames prints what the page says."""

import contextlib
import io
import re
from dataclasses import fields

from helpers.pages import ROOT, blocks

from release.protected import Columns, How, Suppressed
from release.protected.suppression import rules

PAGE = ROOT / "docs/suppress-table.md"


def test_the_example_prints_what_the_page_says():
    given = dict(blocks(PAGE))
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(given["python"], "<page>", "exec"), {"__name__": "__main__"})  # noqa: S102
    assert out.getvalue().splitlines() == given["text"].splitlines()


def test_every_part_of_the_interface_is_told():
    page = PAGE.read_text(encoding="utf-8")
    names = [field.name for one in (Columns, How, Suppressed) for field in fields(one)]
    for name in names:
        assert re.search(rf"[`(\[.]{name}[`=\].]", page), name
    for rule in set(rules.__all__) - {"CellFacts", "Rule"}:
        assert f"`{rule}`" in page, rule


def test_the_example_of_exchange_runs(tmp_path):
    program = dict(blocks(ROOT / "docs/exchange.md"))["python"]
    out = io.StringIO()
    with contextlib.chdir(tmp_path), contextlib.redirect_stdout(out):
        exec(compile(program, "<page>", "exec"), {"__name__": "__main__"})  # noqa: S102
    assert out.getvalue() == "True\n"


def test_the_attack_page_shows_what_the_command_prints(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from release.cli import app

    text = "region,sex,n\nTotal,Total,40\nTotal,M,25\nTotal,F,15\nA,Total,22\nA,M,20\nA,F,..\n"
    (tmp_path / "graduates.csv").write_text(text + "B,Total,18\nB,M,..\nB,F,13\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    told = next(text for _, text in blocks(ROOT / "docs/attack.md")).splitlines()[1:]
    run = CliRunner().invoke(app, ["attack", "graduates.csv"])
    assert run.stderr.splitlines() + run.stdout.splitlines() == told


def test_the_attack_page_tells_the_true_shares():
    from release.attack.unions import recovered

    page = (ROOT / "docs/attack.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (\d+) \| (\d+) % \|$", page, re.MULTILINE)
    assert len(rows) == 4
    for categories, most, share in rows:
        assert round(100 * recovered(int(categories), int(most)).share) == int(share)


def test_the_attack_page_tells_every_kind_of_file():
    from release.attack.files import READERS

    page = (ROOT / "docs/attack.md").read_text(encoding="utf-8")
    assert not [kind for kind in READERS if f"`{kind}`" not in page and kind != ".xlsm"]
