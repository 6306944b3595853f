"""A small policy with its code lists, for tests that break it on purpose."""

from pathlib import Path

import pytest

from release.errors import PolicyError
from release.policy import Policy, load_policy

POLICY = """\
release: small
privacy: {unit: person, population: people, rho: "1/2", delta: "1e-9"}
inputs:
  degrees:
    file: degrees.parquet
    person: id
    time: cohort
    columns:
      provider: school
      field: field
      sex: sex
      cohort: {column: year, type: integer}
      level: {column: level, type: integer}
  work:
    file: work.csv
    person: id
    time: year
    columns:
      activity: activity
      pay: {column: pay, type: number}
      year: {column: year, type: integer}
    rules:
      pay: {minimum: 0, otherwise: missing}
    periods: {first: 2020, last: 2024}
    repeated: highest pay
  survey:
    file: survey.csv
    person: id
    columns:
      match: {column: q1, type: integer}
link:
  base: degrees
  keep: highest-then-latest
  highest: level
  latest: cohort
dimensions:
  provider:
    levels: [country, region, provider]
    codes: codes/provider.csv
    replace: codes/mergers.csv
  field:
    codes: codes/field.csv
    unknown: "99"
  sex:
    codes: {1: Men, 2: {en: Women, fi: Naiset, sv: Kvinnor}}
  cohort:
    codes: [2019, 2020, 2021, 2022, 2023]
outcomes:
  activity:
    after: 1
    levels: [all, group, status]
    codes: codes/activity.csv
  activity-3:
    from: work.activity
    after: 3
    levels: [all, group, status]
    codes: codes/activity.csv
  pay:
    after: 1
    only_if: {activity: [employed, "status:22"]}
    bins: {from: 800, to: 8000, number: 24, spacing: log}
  match:
    scale: [1, 5]
    no_answer: true
possible:
  - over: [field, provider]
    codes: codes/offered.csv
    source: invented
tables:
  persons:
    by: ["provider:region", field, cohort]
  activity-by-provider:
    by: [provider]
    of: activity:group
    show: [count, share]
  pay-by-field:
    by: [field]
    of: pay
    show: [p25, p50, p75]
    minimum: 30
  match-by-sex:
    by: [sex]
    of: match
    show: [mean, response-rate]
withhold:
  below: 10
  relative_error_above: 0.3
"""

FILES = {
    "codes/provider.csv": "region,provider,region_en,provider_en,provider_fi\n01,A,South,Alpha,Alfa\n01,B,South,Beta,\n"
    "02,C,North,Gamma,Kamma\n",
    "codes/mergers.csv": "from,to\nX,A\nY,A\n",
    "codes/field.csv": "code,field_en,field_sv\n01,Education,Pedagogik\n02,Arts,Konst\n99,Unknown,Okänt\n",
    "codes/activity.csv": "group,status\nemployed,10\nemployed,13\nother,22\nother,12\n",
    "codes/offered.csv": "provider,field\nA,01\nA,02\nB,01\nC,99\n",
}

HOUSE = """\
office: {en: Office}
largest_rho: "2"
largest_delta: "1e-6"
smallest_below: 5
largest_relative_error: 0.5
smallest_minimum: {percentile: 30, mean: 10}
may_grant: [director]
"""


def write_policy(folder: Path, policy: str = POLICY, files: dict[str, str] | None = None, house: str = HOUSE) -> Path:
    """Write the small policy, with changed files, into a folder; returns its path."""
    (folder / "codes").mkdir(parents=True, exist_ok=True)
    for name, text in {**FILES, **(files or {})}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "house.yaml").write_text(house, encoding="utf-8")
    path = folder / "small.yaml"
    path.write_text(policy, encoding="utf-8")
    return path


def small_policy(folder: Path, policy: str = POLICY, files: dict[str, str] | None = None, house: str = HOUSE) -> Policy:
    """The small policy, loaded."""
    return load_policy(write_policy(folder, policy, files, house))


def refusal(folder: Path, policy: str = POLICY, files: dict[str, str] | None = None, house: str = HOUSE) -> PolicyError:
    """The refusal of a small policy that was broken on purpose."""
    path = write_policy(folder, policy, files, house)
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    return caught.value


def changed(old: str, new: str) -> str:
    """The small policy with one piece of text exchanged; the piece must be there."""
    if old not in POLICY:
        raise LookupError(old)
    return POLICY.replace(old, new, 1)
