"""A small policy with every rule of linking in it, its registers as lists of rows, and files of them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from release.confidential.counts import coarser_neighbours, count
from release.confidential.inputs import open_delivery
from release.confidential.link import link
from release.policy.load import load_policy

POLICY = """\
release: small
privacy: {unit: person, population: nobody, rho: "1/2", delta: "1e-9", records_per_person: %(records)s}
inputs:
  degrees:
    file: degrees.parquet
    person: pid
    time: cohort
    columns:
      place: place_code
      cohort: {column: year, type: integer}
      sex: sex
      rank: {column: rank, type: integer}
      grade: {column: grade, type: integer}
  activity:
    file: activity.parquet
    person: pid
    time: year
    columns:
      activity: act
      year: {column: year, type: integer}
      batch: {column: batch, type: integer}
    periods: {first: 2020, last: 2022}
    repeated: highest batch
    strangers: ignore
  pay:
    file: pay.csv
    person: pid
    time: year
    separator: ";"
    decimal: ","
    columns: {pay: {column: euros, type: number}, year: {column: year, type: integer}}
    rules: {pay: {minimum: 0, otherwise: missing}}
    repeated: lowest pay
    strangers: ignore
  survey:
    file: survey.csv
    person: pid
    columns: {match: {column: q1, type: integer}}
    repeated: lowest match
    strangers: ignore
link: {base: degrees, keep: %(keep)s, highest: rank, latest: cohort}
dimensions:
  place: {levels: [country, region, place], codes: place.csv, replace: moved.csv}
  cohort: {codes: ["2019", "2020", "2021"]}
  sex: {codes: ["1", "2", "x"], unknown: "x"}
outcomes:
  activity-1: {from: activity.activity, after: 1, levels: [all, group, status], codes: activity.csv}
  activity-2: {from: activity.activity, after: 2, levels: [all, group, status], codes: activity.csv}
  pay-1: {from: pay.pay, after: 1, only_if: {activity-1: [work]}, bins: {from: 10, to: 40, number: 3}}
  match: {from: survey.match, scale: [1, 3], no_answer: true}
  grade: {from: degrees.grade, codes: ["1", "2"], unknown: "2"}
tables:
  persons: {by: [place, cohort, sex]}
  work: {by: ["place:region", cohort], of: "activity-1:group"}
  status: {by: [sex], of: activity-2}
  pay: {by: [place], of: pay-1}
  match: {by: [sex, cohort], of: match, show: [mean]}
  grade: {by: ["place:region"], of: grade}
  nation: {by: []}
"""
CODE_LISTS = {
    "place.csv": "region,place\nnorth,n1\nnorth,n2\nsouth,s1\n",
    "moved.csv": "from,to\nn0,n1\n",
    "activity.csv": "group,status\nwork,w1\nwork,w2\nidle,i1\n",
}


def small_policy(folder: Path, *, records: int = 1, keep: str = "highest-then-latest", text: str | None = None):
    """The policy above, through the real loader. text: another policy with the same words in percent signs."""
    folder.mkdir(parents=True, exist_ok=True)
    said = (text or POLICY) % {"records": records, "keep": keep}
    if keep == "latest":
        said = said.replace("highest: rank, ", "")
    if keep == "single":
        said = said.replace(", highest: rank, latest: cohort", "")
    (folder / "policy.yaml").write_text(said)
    for name, lines in CODE_LISTS.items():
        (folder / name).write_text(lines)
    return load_policy(folder / "policy.yaml")


def deliver(folder: Path, policy, registers) -> Path:
    """Writes each register as the policy declares it; an empty one as a row of a stranger."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, declared in policy.document.inputs.items():
        rows = registers.get(name) or [{"person": "a stranger", "year": 2020}]
        columns = {declared.person: [row["person"] for row in rows]}
        for role in declared.columns:
            columns[declared.column(role).column] = [row.get(role) for row in rows]
        write(folder / declared.file, declared, columns)
    return folder


def write(path: Path, declared, columns) -> None:
    kinds = {"code": pa.string(), "integer": pa.int64(), "number": pa.float64()}
    types = {declared.column(role).column: kinds[declared.column(role).type] for role in declared.columns}
    table = pa.table({name: pa.array(values, types.get(name, pa.string())) for name, values in columns.items()})
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return
    texts = {name: pa.array([as_text(v, declared.decimal) for v in values]) for name, values in columns.items()}
    options = arrow_csv.WriteOptions(delimiter=declared.separator, quoting_style="none")
    arrow_csv.write_csv(pa.table({name: values.cast(pa.string()) for name, values in texts.items()}), path, options)


def as_text(value, decimal: str):
    return None if value is None else str(value).replace(".", decimal)


def closure(policy):
    """All combinations that the policy's tables need: theirs and every coarser one."""
    found, todo = set(), [policy.measured(table) for table in policy.tables.values()]
    while todo:
        combination = todo.pop()
        if combination not in found:
            found.add(combination)
            todo.extend(coarser_neighbours(combination))
    return found


def counted(policy, folder: Path, registers):
    """Counts of every combination, through the real stages."""
    linked = link(open_delivery(policy, deliver(folder, policy, registers)), policy)
    return count(linked, closure(policy), policy.attributes)
