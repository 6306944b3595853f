# ruff: noqa: E501  (a table reads best with a row to a line)
"""Small broken policies, and what the letter about each must say: the line, the key, the word, what to write."""

import re

import pytest
from helpers.small_policy import FILES, HOUSE, POLICY, changed, refusal

LINES = POLICY.splitlines()


def line_of(text: str, piece: str) -> int:
    """Line (from 1) of the policy where a piece of text first stands."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if piece in line)


# name: (text of the policy, text replaced, where the letter must point (a piece of the changed text, key), words)
BROKEN = {
    "unknown key": ("    minimum: 30", "    minimun: 30", "minimun", "tables.pay-by-field.minimun", ['did you mean "minimum"']),
    "missing key": ('rho: "1/2", ', "", "privacy:", "privacy.rho", ['"rho" is missing', "zCDP budget"]),
    "float budget": ('"1/2"', "0.1", "privacy:", "privacy.rho", ['"1/10"', "quoted text"]),
    "float delta": ('"1e-9"', "1e-9", "privacy:", "privacy.delta", ['"1e-9"']),
    "whole budget": ('"1/2"', "1", "privacy:", "privacy.rho", ['"1"']),
    "word as budget": ('"1/2"', "half", "privacy:", "privacy.rho", ['"1/8"']),
    "zero budget": ('"1/2"', '"0"', "privacy:", "privacy.rho", ["more than zero"]),
    "budget over the ceiling": ('"1/2"', '"5"', "privacy:", "privacy.rho", ["ceiling of 2"]),
    "delta over the ceiling": ('"1e-9"', '"1e-3"', "privacy:", "privacy.delta", ["1/1000000"]),
    "choice": ("highest-then-latest", "highest-and-latest", "keep:", "link.keep", ['did you mean "highest-then-latest"']),
    "type": ("  below: 10", "  below: ten", "below", "withhold.below", ["a number"]),
    "name": ("  pay-by-field:", "  Pay_by_field:", "Pay_by", "tables.Pay_by_field", ["lower-case"]),
    "file upwards": ("codes/field.csv", "../field.csv", "../field", "dimensions.field.codes", ["downwards"]),
    "unknown dimension": ("    by: [sex]", "    by: [sexx]", "[sexx]", "tables.match-by-sex.by", ['no dimension "sexx"', 'did you mean "sex"']),
    "unknown level": ("provider:region", "provider:regoin", "regoin", "tables.persons.by", ['did you mean "region"']),
    "root level": ("provider:region", "provider:country", "country\"", "tables.persons.by", ["leave it out"]),
    "twice": ('"provider:region", field', '"provider:region", provider', "region\"", "tables.persons.by", ["twice"]),
    "outcome under by": ("    by: [sex]", "    by: [activity]", "[activity]", "tables.match-by-sex.by", ["of: activity"]),
    "unknown outcome": ("    of: match", "    of: mach", "of: mach", "tables.match-by-sex.of", ['did you mean "match"']),
    "dimension under of": ("    of: match", "    of: sex", "of: sex", "tables.match-by-sex.of", ['no outcome "sex"']),
    "unknown outcome level": ("activity:group", "activity:grup", "grup", "tables.activity-by-provider.of", ['"group"']),
    "mean of codes": ("[count, share]", "[mean]", "[mean]", "tables.activity-by-provider.show", ["scale"]),
    "percentile of codes": ("[count, share]", "[p50]", "[p50]", "tables.activity-by-provider.show", ["bins"]),
    "response rate of a register": ("[count, share]", "[response-rate]", "[response-rate]", "tables.activity-by-provider.show", ["no_answer"]),
    "share of nothing": ("    by: [sex]\n    of: match", "    by: [sex]", "[mean, resp", "tables.match-by-sex.show", ["add `of: OUTCOME`"]),
    "unknown statistic": ("[count, share]", "[count, shar]", "[count, shar]", "tables.activity-by-provider.show", ['did you mean "share"']),
    "statistic twice": ("[count, share]", "[count, count]", "[count, count]", "tables.activity-by-provider.show", ["twice"]),
    "minimum under below": ("    minimum: 30", "    minimum: 3", "minimum: 3", "tables.pay-by-field.minimum", ["withhold.below"]),
    "minimum under the house's": ("    minimum: 30", "    minimum: 20", "minimum: 20", "tables.pay-by-field.minimum", ["minimum: 30"]),
    "no minimum": ("    minimum: 30\n", "", "[p25", "tables.pay-by-field.show", ["minimum: 30"]),
    "below under the house's": ("  below: 10", "  below: 4", "below: 4", "withhold.below", ["least of 5"]),
    "relative error over the house's": ("above: 0.3", "above: 0.6", "above: 0.6", "withhold.relative_error_above", ["0.5"]),
    "relative error off": ("above: 0.3", "above: null", "above: null", "withhold.relative_error_above", ["0.5"]),
    "base": ("  base: degrees", "  base: degres", "degres\n", "link.base", ['did you mean "degrees"']),
    "no highest": ("  highest: level\n", "", "link:", "link", ["highest: ROLE"]),
    "unknown highest": ("  highest: level", "  highest: levle", "levle", "link.highest", ['did you mean "level"']),
    "highest is a code": ("  highest: level", "  highest: provider", "highest: provider", "link.highest", ["type: number"]),
    "highest without need": ("highest-then-latest", "latest", "highest: level", "link.highest", ["remove it"]),
    "dimension's role": ("      field: field", "      feild: field", "  field:\n", "dimensions.field", ['did you mean "feild"', "from: ROLE"]),
    "dimension's from": ("  field:\n    codes", "  field:\n    from: filed\n    codes", "from: filed", "dimensions.field.from", ['"field"']),
    "outcome's source": ("from: work.activity", "from: work.activty", "activty", "outcomes.activity-3.from", ['"work.activity"']),
    "outcome without source": ("    from: work.activity\n", "", "  activity-3:", "outcomes.activity-3", ["work.activity"]),
    "ambiguous source": ("      match: {", "      pay: {column: p, type: number}\n      match: {", "  pay:\n", "outcomes.pay", ["more than one", "from: work.pay"]),
    "after without time": ("    scale: [1, 5]", "    after: 1\n    scale: [1, 5]", "  after: 1\n    scale", "outcomes.match.after", ["time: ROLE", "survey"]),
    "after in the base": ("from: work.activity", "from: degrees.sex", "after: 3", "outcomes.activity-3.after", ["another register"]),
    "time is a code": ("cohort: {column: year, type: integer}", "cohort: year", "time: cohort", "inputs.degrees.time", ["type: integer"]),
    "unknown time": ("    time: year", "    time: yaer", "yaer", "inputs.work.time", ['did you mean "year"']),
    "periods backwards": ("first: 2020, last: 2024", "first: 2024, last: 2020", "first: 2024", "inputs.work.periods", ["earlier"]),
    "rule on nothing": ("      pay: {minimum", "      pya: {minimum", "pya", "inputs.work.rules.pya", ['did you mean "pay"']),
    "rule on a code": ("      pay: {minimum", "      activity: {minimum", "activity: {minimum", "inputs.work.rules.activity", ["not as a number"]),
    "rule upside down": ("{minimum: 0,", "{minimum: 9, maximum: 1,", "{minimum: 9", "inputs.work.rules.pay", ["exchange"]),
    "repeated by a code": ("repeated: highest pay", "repeated: highest activity", "repeated: highest activity", "inputs.work.repeated", ["not as a number"]),
    "repeated by nothing": ("repeated: highest pay", "repeated: highest pya", "repeated: highest pya", "inputs.work.repeated", ['"pay"']),
    "pseudonym as a role": ("      field: field", "      field: id", "field: id", "inputs.degrees.columns.field", ["pseudonym"]),
    "two kinds": ("    scale: [1, 5]", "    scale: [1, 5]\n    codes: [1]", "  match:\n    scale", "outcomes.match", ["exactly one"]),
    "no kind": ("    scale: [1, 5]\n", "", "  match:\n    no_answer", "outcomes.match", ["exactly one"]),
    "scale of a code": ("match: {column: q1, type: integer}", "match: q1", "scale:", "outcomes.match.scale", ["type: integer"]),
    "bins of a code": ("      pay: {column: pay, type: number}", "      pay: pay", "bins:", "outcomes.pay.bins", ["type: number"]),
    "scale upside down": ("[1, 5]", "[5, 1]", "[5, 1]", "outcomes.match.scale", ["[1, 5]"]),
    "bins upside down": ("from: 800, to: 8000", "from: 8000, to: 800", "bins:", "outcomes.pay.bins", ["smaller number"]),
    "log bins from zero": ("from: 800, to", "from: 0, to", "bins:", "outcomes.pay.bins", ["spacing: even"]),
    "bins too thin": ("from: 800, to: 8000, number: 24", "from: 1, to: 1.1, number: 24", "bins:", "outcomes.pay.bins", ["fewer bins"]),
    "only_if unknown outcome": ("{activity: [employed", "{activty: [employed", "activty", "outcomes.pay.only_if.activty", ['"activity"']),
    "only_if unknown code": ("[employed,", "[employd,", "employd", "outcomes.pay.only_if.activity", ['did you mean "employed"']),
    "only_if later": ("    after: 1\n    levels", "    only_if: {activity-3: [employed]}\n    after: 1\n    levels", "only_if: {activity-3", "outcomes.activity.only_if.activity-3", ["before this one"]),
    "only_if nothing": ('[employed, "status:22"]', "[]", "only_if: {activity: []", "outcomes.pay.only_if.activity", ["never arise"]),
    "unknown's code": ('unknown: "99"', 'unknown: "98"', 'unknown: "98"', "dimensions.field.unknown", ["known are: refuse, 01, 02, 99"]),
    "time codes": ("[2019, 2020,", "[2019, spring,", "[2019, spring,", "dimensions.cohort.codes", ["whole number"]),
    "reserved code": ("[2019, 2020,", "[2019, all,", "[2019, all,", "dimensions.cohort.codes", ["reserved"]),
    "code twice": ("[2019, 2020,", "[2019, 2019,", "[2019, 2019,", "dimensions.cohort.codes", ["twice"]),
    "no codes": ("[2019, 2020, 2021, 2022, 2023]", "[]", "codes: []", "dimensions.cohort.codes", ["empty"]),
    "tree inside": ("codes: codes/provider.csv", "codes: [A, B]", "codes: [A, B]", "dimensions.provider.codes", ["CSV"]),
    "level twice": ("[country, region, provider]", "[country, provider, provider]", "levels: [country, prov", "dimensions.provider.levels", ['"provider"']),
    "file absent": ("codes/field.csv", "codes/feild.csv", "feild", "dimensions.field.codes", ['did you mean "field.csv"']),
    "file of the delivery": ("codes/field.csv", "work.csv", "codes: work.csv", "dimensions.field.codes", ["file of the delivery"]),
    "two names": ("  match:\n    scale", "  sex:\n    from: survey.match\n    scale", "  sex:\n    from", "outcomes.sex", ["a dimension and an outcome"]),
    "name of a column of ours": ("  match:\n    scale", "  value:\n    from: survey.match\n    scale", "  value:", "outcomes.value", ["choose another"]),
    "possible's dimension": ("over: [field, provider]", "over: [feild, provider]", "over: [feild", "possible[0].over", ['did you mean "field"']),
    "possible at the root": ("over: [field, provider]", 'over: [field, "provider:country"]', "over: [field", "possible[0].over", ["leave it out"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_policy_is_refused_with_a_letter(tmp_path, name):
    old, new, piece, key, words = BROKEN[name]
    text = changed(old, new)
    message = str(refusal(tmp_path, text))
    line = text[: text.index(piece)].count("\n") + 1
    assert f"small.yaml, line {line}, {key}\n" in message + "\n", message
    for word in words:
        assert word in message
    assert "What now:" in message


# file: its content, the line, words
BROKEN_LISTS = {
    "column missing": ("codes/provider.csv", "regoin,provider\n01,A\n", 1, ['"region" is missing', "regoin"]),
    "column without use": ("codes/field.csv", "field,feild_en\n01,x\n99,y\n", 1, ['did you mean "field_en"']),
    "duplicate leaf": ("codes/provider.csv", "region,provider\n01,A\n01,B\n01,A\n", 4, ['"A" is here twice', "line 2"]),
    "two parents": ("codes/deep.csv", "big,middle,provider\n1,m,A\n2,m,B\n", 3, ['"m"', "keep it under one|two codes"]),
    "two texts": ("codes/provider.csv", "region,provider,region_en\n01,A,South\n01,B,Sout\n", 3, ["another text"]),
    "no rows": ("codes/field.csv", "field\n", None, ["empty"]),
    "empty file": ("codes/field.csv", "", None, ["empty"]),
    "semicolons": ("codes/provider.csv", "region;provider\n01;A\n", 1, ["commas"]),
    "ragged": ("codes/field.csv", "field\n01\n02,x\n", 3, ["2 cells where the header has 1"]),
    "empty code": ("codes/provider.csv", "region,provider\n01,A\n,B\n", 3, ["empty"]),
    "reserved": ("codes/field.csv", "field\n01\n99\nall\n", 4, ["reserved"]),
    "reserved special": ("codes/activity.csv", "group,status\nemployed,22\nemployed,no-answer\n", 3, ["reserved"]),
    "open quote": ("codes/field.csv", 'field\n"01\n', 2, ["quotes"]),
    "two columns of a name": ("codes/field.csv", "field,field\n01,02\n", 1, ["twice"]),
    "column without name": ("codes/field.csv", "field,\n01,02\n", 1, ["no name"]),
    "successor unknown": ("codes/mergers.csv", "from,to\nX,AA\n", 2, ['no code "AA"', 'did you mean "A"|known are']),
    "chain": ("codes/mergers.csv", "from,to\nX,Y\nY,A\n", 2, ["replaced itself"]),
    "cycle": ("codes/mergers.csv", "from,to\nX,Y\nY,X\n", 2, ["replaced itself"]),
    "still a code": ("codes/mergers.csv", "from,to\nB,A\n", 2, ["still a code"]),
    "old code twice": ("codes/mergers.csv", "from,to\nX,A\nX,B\n", 3, ["twice"]),
    "successors' columns": ("codes/mergers.csv", "from,into\nX,A\n", 1, ['"to" is missing', '"into"']),
    "impossible combination": (
        "codes/offered.csv",
        "provider,field\nA,01\nD,0\n",
        3,
        ['the provider "D"', 'the field "0"'],
    ),
    "combination twice": ("codes/offered.csv", "provider,field\nA,01\nA,01\n", 3, ["line 2"]),
    "combinations' columns": ("codes/offered.csv", "provider,feild\nA,01\n", 1, ['did you mean "feild"']),
    "no combination": ("codes/offered.csv", "provider,field\n", None, ["no combination"]),
}


@pytest.mark.parametrize("name", BROKEN_LISTS)
def test_a_broken_code_list_is_refused_with_file_and_line(tmp_path, name):
    file, content, line, words = BROKEN_LISTS[name]
    deep = "[country, big, middle, provider]\n    codes: codes/deep.csv"
    text = POLICY if "deep" not in file else changed("[country, region, provider]\n    codes: codes/provider.csv", deep)
    message = str(refusal(tmp_path, text, {file: content}))
    base = file.removeprefix("codes/")
    assert line is None or f"{base}, line {line}\n" in message + "\n", message
    for word in words:
        assert re.search(word, message), message


def test_a_code_list_in_another_encoding_is_refused_with_its_line(tmp_path):
    from helpers.small_policy import write_policy

    from release.errors import PolicyError
    from release.policy import load_policy

    path = write_policy(tmp_path)
    (tmp_path / "codes" / "field.csv").write_bytes(
        "field,field_fi\n01,x\n99,Yhteiskunnallinen ääni\n".encode("latin-1")
    )
    with pytest.raises(PolicyError, match=r"isn't UTF-8 text.\n.*field\.csv, line 3"):
        load_policy(path)


def test_two_files_of_one_name_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    text = changed("codes: codes/activity.csv\n  activity-3", "codes: a/activity.csv\n  activity-3")
    message = str(refusal(tmp_path, text, {"a/activity.csv": "group,status\nemployed,10\nother,22\n"}))
    assert 'two different files are called "activity.csv"' in message


def test_a_table_of_too_many_cells_is_refused_with_the_figure(tmp_path, monkeypatch):
    monkeypatch.setattr("release.policy.table_checks.MOST_CELLS", 20_000)
    many = "region,provider\n" + "".join(f"01,p{i}\n" for i in range(60)) + "01,A\n01,B\n01,C\n"
    files = {"codes/provider.csv": many, "codes/field.csv": "field\n99\n" + "".join(f"{i:02}\n" for i in range(70))}
    text = changed('by: ["provider:region", field, cohort]', "by: [provider, field, cohort]")
    message = str(refusal(tmp_path, text.replace("    by: [provider]\n    of", "    by: [sex]\n    of"), files))
    assert re.search(r"22 365 cells; the most is 20 000", message), message


def test_all_faults_come_at_once_in_one_letter(tmp_path):
    text = (
        POLICY.replace("by: [sex]", "by: [sexx]")
        .replace("base: degrees", "base: degres")
        .replace("below: 10", "below: 1")
    )
    text = text.replace("codes/field.csv", "codes/none.csv")
    error = refusal(tmp_path, text)
    for word in ("sexx", "degres", "least of 5", "none.csv"):
        assert word in str(error)
    assert len(error.faults) >= 4


def test_a_flood_of_faults_is_cut_short(tmp_path):
    tables = "".join(f"  t{i}: {{by: [nothing]}}\n" for i in range(200))
    error = refusal(tmp_path, POLICY.replace("tables:\n", "tables:\n" + tables))
    assert len(error.faults) == 26
    assert "and 175 more faults" in str(error)


def test_faults_of_the_house_policy_name_its_file(tmp_path):
    message = str(refusal(tmp_path, house=HOUSE.replace("smallest_below", "smalest_below")))
    assert "house.yaml, line 4, smalest_below" in message
    assert 'did you mean "smallest_below"' in message


def test_the_letter_reads_like_this(tmp_path):
    message = str(refusal(tmp_path, changed("    by: [field]\n", "    by: [feild]\n")))
    assert message == (
        'there is no dimension "feild".\n'
        f"  Where:    small.yaml, line {LINES.index('    by: [field]') + 1}, tables.pay-by-field.by\n"
        '  What now: did you mean "field"?'
    )


def test_nothing_but_the_codes_of_the_small_lists_is_fine(tmp_path):
    from helpers.small_policy import small_policy

    assert small_policy(tmp_path, files=dict(FILES)).document.release == "small"


def test_thousands_of_bad_codes_are_one_short_letter(tmp_path):
    error = refusal(tmp_path, changed("[2019, 2020, 2021, 2022, 2023]", f"[{','.join(['1.5'] * 20_000)}]"))
    assert len(error.faults) == 26
    assert "write text or a whole number; put quotes around it" in str(error)
    assert "and 19975 more faults" in str(error)
