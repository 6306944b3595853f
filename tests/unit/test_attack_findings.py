"""What an outsider derives from published files: told and inferred sums, several files, marks, rounding, years."""

import json
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from typer.testing import CliRunner

from release.attack.attack import Options, attack_files
from release.attack.published import Dimension
from release.attack.system import gathered
from release.attack.trees import Sum, guessed_sums, parents_of, sums_of_edges, told_edges, total_of
from release.cli import app
from release.errors import DataError, UsageError

CROSS = """region,sex,n
Total,Total,40
Total,M,25
Total,F,15
A,Total,22
A,M,20
A,F,..
B,Total,18
B,M,..
B,F,13
"""
SAFE = """region;sex;n
Total;Total;60
Total;M;30
Total;F;30
A;Total;25
A;M;x
A;F;x
B;Total;25
B;M;x
B;F;x
C;Total;10
C;M;5
C;F;5
"""


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def report(folder, text, *more, name="table.csv", **options):
    paths = [write(folder, name, text)]
    paths += [write(folder, f"more{i}.csv", other) for i, other in enumerate(more)]
    return attack_files(paths, Options(**options))


def derived(found, table=0):
    return {tuple(cell.codes.values()): cell.lower for cell in found.tables[table].derived if cell.lower == cell.upper}


def tallied(found, table=0):
    t = found.tables[table]
    return t.hidden, t.exactly_known, t.narrow, t.safe, t.undecided


def test_a_table_without_secondary_suppression_falls(tmp_path):
    found = report(tmp_path, CROSS)
    assert tallied(found) == (2, 2, 0, 0, 0)
    assert derived(found) == {("A", "F"): "2", ("B", "M"): "5"}
    assert found.found


def test_a_safe_table_stands(tmp_path):
    found = report(tmp_path, SAFE)
    assert tallied(found) == (4, 0, 0, 4, 0)
    assert not found.found
    assert "Nothing can be worked out" in found.as_text()


def test_narrow_is_judged_by_the_width_asked(tmp_path):
    tight = SAFE.replace("A;Total;25", "A;Total;2").replace("Total;Total;60", "Total;Total;37")
    tight = tight.replace("Total;M;30", "Total;M;18").replace("Total;F;30", "Total;F;19")
    assert tallied(report(tmp_path, tight)) == (4, 0, 0, 4, 0)
    assert tallied(report(tmp_path, tight, width=3)) == (4, 0, 4, 0, 0)


def test_printed_zeros_tell_that_hidden_cells_are_not(tmp_path):
    """With 2 to share between two cells, both are 1 once zeros are printed elsewhere."""
    text = SAFE.replace("A;Total;25", "A;Total;2").replace("Total;Total;60", "Total;Total;37")
    text = text.replace("Total;M;30", "Total;M;18").replace("Total;F;30", "Total;F;19")
    zero = "D;Total;0\nD;M;0\nD;F;0\n"
    assert tallied(report(tmp_path, text + zero)) == (4, 4, 0, 0, 0)
    assert tallied(report(tmp_path, text + zero, least=0)) == (4, 0, 0, 4, 0)
    assert tallied(report(tmp_path, text.replace("C;M;5", "C;M;10").replace("C;F;5\n", ""), least=1))[1] == 4


def test_ranges_are_bounds(tmp_path):
    text = SAFE.replace("A;M;x", "A;M;1-4").replace("A;F;x", "A;F;<25")
    found = report(tmp_path, text.replace("A;Total;25", "A;Total;28").replace("Total;60", "Total;63"), rounding="none")
    assert derived(found) == {}
    text = text.replace("A;Total;25", "A;Total;28").replace("Total;Total;60", "Total;Total;63")
    text = text.replace("Total;M;30", "Total;M;33")
    assert derived(report(tmp_path, text))["A", "M"] == "4"


def test_three_linked_tables_protected_one_by_one_leak(tmp_path):
    """Each file alone is safe; the shared margin shows what another hides."""
    one = "region,sex,n\nTotal,Total,30\nTotal,M,17\nTotal,F,13\nA,Total,x\nA,M,x\nA,F,5\nB,Total,x\nB,M,x\nB,F,8\n"
    two = "region,age,n\nTotal,Total,30\nTotal,Y,14\nTotal,O,16\nA,Total,12\nA,Y,6\nA,O,6\nB,Total,18\nB,Y,8\nB,O,10\n"
    assert tallied(report(tmp_path, one)) == (4, 0, 0, 4, 0)
    found = report(tmp_path, one, two)
    assert tallied(found) == (4, 4, 0, 0, 0)
    assert [(s.dimension, s.sums) for s in found.sums] == [("region", 1), ("sex", 1), ("age", 1)]


def test_files_that_contradict_each_other_are_refused(tmp_path):
    with pytest.raises(DataError, match="different figures") as refused:
        report(tmp_path, CROSS, CROSS.replace("A,M,20", "A,M,19"))
    assert "region: A; sex: M" in str(refused.value)


def test_increases_between_cumulative_files(tmp_path):
    """Both files hide nothing below 5 openly, but their difference shows groups of 1 and 2."""
    later = CROSS.replace("..", "5").replace("A,M,20", "A,M,21").replace("A,Total,22", "A,Total,26")
    later = later.replace("B,M,5", "B,M,7").replace("B,Total,18", "B,Total,20").replace("40", "46")
    later = later.replace("Total,M,25", "Total,M,28").replace("Total,F,15", "Total,F,18")
    found = attack_files(
        [write(tmp_path, "2024.csv", CROSS.replace("A,F,..", "A,F,..")), write(tmp_path, "2025.csv", later)],
        Options(cumulative=True),
    )
    [increases] = found.increases
    small = {(c.codes["region"], c.codes["sex"]): c.lower for c in increases.small}
    assert increases.name == "2025.csv less 2024.csv"
    assert small["A", "M"] == "1"
    assert small["B", "M"] == "2"
    with pytest.raises(DataError, match="isn't the sum"):
        attack_files([tmp_path / "2025.csv", tmp_path / "2024.csv"], Options(cumulative=True))
    with pytest.raises(UsageError):
        attack_files([tmp_path / "2025.csv"], Options(cumulative=True))


def test_overlapping_windows_of_years_give_single_years(tmp_path):
    text = "sex,years,n\nM,2019-2021,30\nM,2020-2022,32\nM,2019-2020,18\nM,2020,..\nM,2022,..\n"
    text += "F,2019-2021,30\nF,2020-2022,32\nF,2019-2020,18\nF,2020,10\nF,2022,10\n"
    found = report(tmp_path, text)
    assert {s.dimension for s in found.sums if s.sums} == {"years"}
    assert tallied(found)[0] == 2
    told = text.replace("M,2020,..", "M,2020,6")
    assert derived(report(tmp_path, told))["M", "2022"] == "14"


def fields(n):
    rng = np.random.default_rng(n)
    return {f"{a}{b}{c}": int(rng.integers(5, 60)) for a, b, c in product("12", "123", "12")}


def test_levels_are_inferred_from_the_beginnings_of_codes(tmp_path):
    leaves = fields(1)
    sums = {start: sum(v for k, v in leaves.items() if k.startswith(start)) for start in ["", "1", "2"]}
    sums |= {a + b: sum(v for k, v in leaves.items() if k.startswith(a + b)) for a, b in product("12", "123")}
    values = {k or "Yhteensä": v for k, v in (sums | leaves).items()}
    lines = [f"{k};{'..' if k in ('111', '21') else v}" for k, v in values.items()]
    found = report(tmp_path, "\n".join(["ala;n", *lines]))
    assert derived(found) == {("111",): str(leaves["111"]), ("21",): str(sums["21"])}
    assert found.sums[0].sums == 1 + 2 + 6


def test_beginnings_that_mean_nothing_are_let_go(tmp_path):
    """Activities 1, 10, 12 and 2 are four parts of the total; 1 isn't the sum of 10 and 12."""
    text = "activity,sex,n\n"
    for sex, values in {"M": (7, 20, 9, 14), "F": (11, 6, 8, 5)}.items():
        text += f"Total,{sex},{sum(values)}\n" + "".join(
            f"{code},{sex},{'c' if (code, sex) == ('12', 'M') else value}\n"
            for code, value in zip(("1", "10", "12", "2"), values, strict=True)
        )
    found = report(tmp_path, text)
    assert derived(found) == {("12", "M"): "9"}


def regions(hide):
    """Regions and providers mixed in one column: R1 … R3 and P1 … P6, P(k) in R((k+1) // 2), over four fields."""
    rng = np.random.default_rng(3)
    lines = ["place,field,n"]
    inner = {(p, f): int(rng.integers(5, 40)) for p in range(1, 7) for f in range(4)}
    inner |= {(p, "Total"): sum(inner[p, f] for f in range(4)) for p in range(1, 7)}
    for f in ["Total", 0, 1, 2, 3]:
        lines.append(f"Total,{f},{sum(inner[p, f] for p in range(1, 7))}")
        lines += [f"R{r},{f},{inner[2 * r - 1, f] + inner[2 * r, f]}" for r in (1, 2, 3)]
        lines += [f"P{p},{f},{'x' if (p, f) in hide else inner[p, f]}" for p in range(1, 7)]
    return "\n".join(lines), inner


def test_providers_are_put_in_regions_by_their_figures(tmp_path):
    text, inner = regions({(1, 0), (3, 0)})
    found = report(tmp_path, text)
    assert found.sums[0].sums == 2 + 3
    assert derived(found) == {("P1", "0"): str(inner[1, 0]), ("P3", "0"): str(inner[3, 0])}


def test_units_that_could_change_places_are_put_nowhere(tmp_path):
    """P1 of one region and P3 of another have the same figures: which is in which can't be told."""
    text, inner = regions(set())
    same = {f: inner[1, f] - inner[3, f] for f in (0, 1, 2, 3, "Total")}
    lines = [line.split(",") for line in text.splitlines()[1:]]
    changed = [
        f"{p},{f},{int(n) + (same[int(f) if f.isdigit() else f] if p in ('P3', 'R2', 'Total') else 0)}"
        for p, f, n in lines
    ]
    found = report(tmp_path, "\n".join(["place,field,n", *changed]))
    assert found.sums[0].sums == 2
    assert found.left_out == 0


def test_told_hierarchies_of_three_kinds(tmp_path):
    text, inner = regions({(1, 0), (3, 0), (1, 1), (3, 1)})
    pairs = [(f"R{(p + 1) // 2}", f"P{p}") for p in range(1, 7)]
    edges = "parent,child\n" + "".join(f"Total,R{r}\n" for r in (1, 2, 3)) + "".join(f"{r},{p}\n" for r, p in pairs)
    levels = "region,provider,provider_en\n" + "".join(f"{r},{p},Provider {p}\n" for r, p in pairs)
    indented = "".join(f"R{r}\n" + "".join(f"@{p}\n" for q, p in pairs if q == f"R{r}") for r in (1, 2, 3))
    for name, content in {"åäö.csv": edges, "levels.csv": levels, "tree.hrc": indented}.items():
        path = write(tmp_path, name, content, "cp1252")
        found = report(tmp_path, text, hierarchies=[f"place={path}"])
        assert (found.sums[0].sums, found.sums[0].inferred) == (4, False)
        assert derived(found) == {(f"P{p}", str(f)): str(inner[p, f]) for p in (1, 3) for f in (0, 1)}


def test_hierarchies_that_the_figures_contradict_are_refused(tmp_path):
    path = write(tmp_path, "wrong.csv", "parent,child\nTotal,A\nA,M\n")
    with pytest.raises(DataError, match='"Total" isn\'t the sum of its 1 parts'):
        report(tmp_path, CROSS, hierarchies=[f"region={path}"])
    for option, told in (
        ("region", "DIMENSION=FILE"),
        ("regoin=x.csv", "region"),
        (f"sex={write(tmp_path, 'other.csv', 'parent,child' + chr(10) + 'P,A' + chr(10))}", "no code"),
        (f"region={tmp_path}/none.csv", "can't be read"),
    ):
        with pytest.raises(UsageError, match=told):
            report(tmp_path, CROSS, hierarchies=[option])
    circle = write(tmp_path, "circle.csv", "parent,child\nA,B\nB,A\n")
    with pytest.raises(DataError, match="circle"):
        told_edges(circle)


def test_rounded_figures_are_bounds(tmp_path):
    """Counts rounded to 3, their unions too: some are pinned by the sums."""
    rng = np.random.default_rng(0)
    inner = {(r, c): int(rng.integers(5, 40)) for r in "ABCD" for c in "xyz"}
    lines = ["row,column,n"]
    for r, c in product([*"ABCD", "Total"], [*"xyz", "Total"]):
        value = sum(v for (a, b), v in inner.items() if r in (a, "Total") and c in (b, "Total"))
        lines.append(f"{r},{c},{3 * ((value + 1) // 3)}")
    found = report(tmp_path, "\n".join(lines))
    assert (found.tables[0].rounded, found.tables[0].hidden) == (20, 0)
    for cell in found.tables[0].derived:
        assert int(cell.lower) == inner[cell.codes["row"], cell.codes["column"]]
    assert report(tmp_path, "\n".join(lines), rounding="nearest:3").tables == found.tables


def test_many_rounded_figures_are_pinned_by_the_sums_alone(tmp_path, monkeypatch):
    """Large tables: what isn't pinned down by carrying bounds along the sums is undecided, never safe."""
    text = "row,n\nTotal,9\na,3\nb,3\nc,3\nd,1-4\ne,1-4\n"
    paths = [write(tmp_path, "table.csv", text)]
    whole = attack_files(paths, Options(rounding="nearest:3"))
    monkeypatch.setattr("release.attack.attack.MANY_ROUNDED", 2)
    quick = attack_files(paths, Options(rounding="nearest:3"))
    assert quick.tables[0].restored <= whole.tables[0].restored
    assert quick.tables[0].exactly_known <= whole.tables[0].exactly_known
    assert (
        quick.tables[0].undecided
        == whole.tables[0].safe + whole.tables[0].exactly_known - quick.tables[0].exactly_known
    )
    assert quick.found


def test_the_incumbents_rule_falls_to_its_unions(tmp_path):
    """0 blank, 1-4 as a range, else the nearest 3, for all unions of four categories: small counts come back."""
    true = {"a": 1, "b": 3, "c": 8, "d": 1}
    unions = ["".join(c for c in "abcd" if n >> "abcd".index(c) & 1) for n in range(1, 16)]
    values = {u: sum(true[c] for c in u) for u in unions}
    shown = {u: "1-4" if v < 5 else str(3 * ((v + 1) // 3)) for u, v in values.items()}
    text = "union,n\n" + "".join(f"{u},{s}\n" for u, s in shown.items())
    tree = "parent,child\n" + "".join(f"{u},{c}\n" for u in unions if len(u) > 1 for c in u)
    path = write(tmp_path, "unions.csv", tree)
    found = report(tmp_path, text, hierarchies=[f"union={path}"], rounding="nearest:3")
    possible = [
        v
        for v in product(range(1, 12), repeat=4)
        if all(
            ("1-4" if s < 5 else str(3 * ((s + 1) // 3))) == shown[u]
            for u in unions
            for s in [sum(n for c, n in zip("abcd", v, strict=True) if c in u)]
        )
    ]
    known = {c: str(true[c]) for i, c in enumerate("abcd") if len({v[i] for v in possible}) == 1}
    assert known
    assert {c[0]: v for c, v in derived(found).items() if len(c[0]) == 1} == known


def test_rows_left_out_are_zeros(tmp_path):
    text = "region,sex,n\nTotal,Total,30\nTotal,M,20\nTotal,F,10\nA,Total,20\nA,M,20\nB,Total,10\nB,F,10\n"
    found = report(tmp_path, text)
    assert tallied(found) == (0, 0, 0, 0, 0)
    hidden = text.replace("B,Total,10", "B,Total,x").replace("B,F,10", "B,F,x")
    assert derived(report(tmp_path, hidden)) == {("B", "Total"): "10", ("B", "F"): "10"}


def test_a_file_of_some_regions_only_tells_less(tmp_path):
    """Providers of region A only: the total over providers isn't their sum."""
    text = "place,sex,n\nTotal,Total,50\nTotal,M,30\nTotal,F,20\n"
    text += "A,Total,20\nA,M,12\nA,F,8\nB,Total,13\nB,M,x\nB,F,x\n"
    found = report(tmp_path, text)
    assert tallied(found) == (2, 0, 0, 2, 0)


def shares(text, form):
    """Counts of CROSS with the share of each sex in its region beside, or as a statistic of its own."""
    rows = [line.split(",") for line in text.splitlines()[1:]]
    true = {("A", "F"): 2, ("B", "M"): 5} | {(a, b): int(n) for a, b, n in rows if n != ".."}
    told = [(a, b, n, true[a, b] / true[a, "Total"]) for a, b, n in rows]
    if form == "beside":
        return "region;sex;n;%\n" + "".join(f"{a};{b};{n};{100 * s:.1f}\n".replace(".0", ",0") for a, b, n, s in told)
    lines = [f"{a},{b},count,{n}\n{a},{b},share,{s:.4f}\n" for a, b, n, s in told]
    return "region,sex,statistic,value\n" + "".join(lines)


@pytest.mark.parametrize("form", ["statistic", "beside"])
def test_a_share_of_a_shown_total_is_a_count(tmp_path, form):
    safe = CROSS.replace("A,M,20", "A,M,..").replace("B,F,13", "B,F,..")
    assert derived(report(tmp_path, safe)) == {}
    text = shares(CROSS, form).replace("A;M;20", "A;M;..").replace("B;F;13", "B;F;..")
    text = text.replace("A,M,count,20", "A,M,count,..").replace("B,F,count,13", "B,F,count,..")
    assert derived(report(tmp_path, text)) == {("A", "M"): "20", ("A", "F"): "2", ("B", "M"): "5", ("B", "F"): "13"}
    other = text.replace("Total,M,share,0.6250", "Total,M,share,0.1").replace("Total;M;25;62.5", "Total;M;25;10,0")
    assert derived(report(tmp_path, other)) == {}


def test_noisy_tables_are_left_alone(tmp_path):
    text = "region,statistic,value,lower,upper,standard_error,status,note\n"
    text += "A,count,10.2,5,15,2.5,shown,\nB,count,,,,,too-few,\n"
    found = report(tmp_path, text)
    assert not found.found
    assert "noise" in found.as_text()


def test_totals_are_known_in_several_languages():
    for word in ("Total", "Yhteensä", "TOTALT", "Kaikki", "all", "Koko maa", "Båda könen", "SSS", " Total "):
        assert total_of(("a", word, "b"), {}) == word
    assert total_of(("0", "1"), {"0": "Totalt, alla"}) == "0"
    assert total_of(("Totoro", "Allan"), {}) is None


def test_levels_that_are_not_printed_give_way():
    edges = [("all", "N"), ("N", "1"), ("1", "11"), ("1", "12"), ("N", "2"), ("all", "S"), ("S", "3")]
    assert sums_of_edges(edges, ("Total", "11", "12", "2", "S")) == (Sum("Total", ("11", "12", "2", "S")),)


def test_sums_that_the_file_tells():
    dimension = Dimension("x", ("a", "b", "c"), edges=[("a", "b"), ("a", "c")])
    assert guessed_sums(dimension) == (Sum("a", ("b", "c")),)


def test_the_command(tmp_path):
    path = write(tmp_path, "table.csv", CROSS)
    run = CliRunner().invoke(app, ["attack", str(path)])
    assert run.exit_code == 7
    assert "region: A; sex: F = 2" in run.stdout
    run = CliRunner().invoke(app, ["attack", str(path), "--json"])
    told = json.loads(run.stdout)
    assert told["found"]
    assert told["tables"][0]["exactly_known"] == 2
    assert told["tables"][0]["derived"][0] == {"codes": {"region": "A", "sex": "F"}, "lower": "2", "upper": "2"}
    assert CliRunner().invoke(app, ["attack", str(write(tmp_path, "safe.csv", SAFE))]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["missing.csv"], 2, "isn't there"),
        (["damaged.px"], 4, "can't be read as a table"),
        (["table.csv", "--rounding", "up"], 2, "rounding isn't clear"),
        (["table.csv", "--mark", "x"], 2, "TEXT=MEANING"),
        (["table.csv", "--values", "m"], 2, 'no column "m"'),
        (["table.csv", "--cumulative"], 2, "two files"),
        (["broken.csv", "--hierarchy", "region=tree.csv"], 4, "isn't the sum"),
    ],
)
def test_refusals_are_plain_sentences(tmp_path, arguments, code, told):
    write(tmp_path, "table.csv", CROSS)
    write(tmp_path, "damaged.px", 'STUB="a";')
    write(tmp_path, "tree.csv", "parent,child\nTotal,A\nTotal,B\nTotal,C\n")
    write(tmp_path, "broken.csv", SAFE.replace("A;Total;25", "A;Total;40"))
    shell = [sys.executable, "-m", "release.cli", "attack", *arguments]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_parents_and_depths_follow_the_smallest_sums():
    """The total is also the sum of all leaves: a leaf still stands below its branch. Rings have no depth."""
    codes = ("Total", "1", "2", "11", "12", "21")
    sums = [Sum("1", ("11", "12")), Sum("Total", ("1", "2")), Sum("Total", ("11", "12", "21")), Sum("2", ("21",))]
    parents, depth = parents_of(sums, codes)
    assert parents.tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert depth.tolist() == [0, 0, 1, 1, 2, 2, 2]
    ring = [Sum("1", ("2", "21")), Sum("2", ("1", "11"))]
    assert not np.concatenate(parents_of(ring, codes)).any()


def test_the_search_knows_the_branches_of_trees(tmp_path):
    """Fields of two digits stand in the branch of their first digit; totals and first digits above."""
    from release.attack.attack import _read

    leaves = {a + b: 5 + int(a) * int(b) for a, b in product("123", "123")}
    lines = ["ala;n", f"Total;{sum(leaves.values())}"]
    lines += [f"{a};{sum(v for k, v in leaves.items() if k[0] == a)}" for a in "123"]
    lines += [f"{k};{'..' if k in ('11', '12') else v}" for k, v in leaves.items()]
    told = [Sum("Total", ("1", "2", "3")), *(Sum(a, tuple(a + b for b in "123")) for a in "123")]
    evidence = gathered(_read(write(tmp_path, "a.csv", "\n".join(lines)), Options()), {"ala": told})
    (branch,) = evidence.view.branches
    codes = [evidence.cube.codes_of(cell)["ala"] for cell in range(len(evidence.cube))]
    by_code = dict(zip(codes, branch.tolist(), strict=False))
    assert {by_code[code] for code in ("Total", "1", "2", "3")} == {0}
    assert len({by_code[code] for code in leaves}) == 3
    assert by_code["11"] == by_code["12"] != by_code["21"]


def test_what_is_gathered_holds_no_hidden_truth(tmp_path):
    from release.attack.attack import _read

    evidence = gathered(_read(write(tmp_path, "a.csv", CROSS), Options()), {})
    assert (evidence.view.values[~evidence.view.published] == 0).all()
    assert not len(evidence.view.broken)
