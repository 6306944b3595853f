"""The worked example of docs/synthetic-inference.md runs on replicates of a small demo, word for word."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from helpers.outcome_policies import measured

from release.demo.make import make_demo
from release.plan import make_plan
from release.policy import load_policy
from release.protected.estimates import estimate
from synthetic import Combined
from synthetic.make import Release, fit_release, synthesise
from synthetic.replicates import replicate_fits
from synthetic.table import record_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "synthetic-inference.md"
BY = ["field:broad", "cohort", "sex"]
TABLES = {
    "graduates": {"by": ["field"], "show": ["count"]},
    "activity": {"by": BY, "of": "activity-1", "show": ["count"]},
    "pay": {"by": [*BY], "of": "pay-1", "show": ["p50"], "minimum": 30},
}


@pytest.fixture(scope="module")
def truth_and_folder(tmp_path_factory):
    """6,000 persons, measured with a test's noise; their records and three replicates where the example reads them."""
    folder = tmp_path_factory.mktemp("inference")
    make_demo(folder / "registers", persons=6_000)
    asked = yaml.safe_load((folder / "registers" / "graduates-demo.yaml").read_text())
    asked["tables"], asked["synthetic"] = TABLES, {"records": True}
    asked["privacy"] |= {"rho": "2", "delta": "1/1000000000"}
    (folder / "registers" / "policy.yaml").write_text(yaml.safe_dump(asked, allow_unicode=True))
    policy = load_policy(folder / "registers" / "policy.yaml")
    truth = pd.read_parquet(folder / "registers.truth" / "graduates.parquet")
    measurements = measured(make_plan(policy), leaves_of(truth, policy), random=np.random.default_rng(1))
    release = Release(policy, measurements, estimate(measurements))
    (folder / "synthetic").mkdir()
    for number, fit in enumerate((fit_release(release), *replicate_fits(release, 3, seed=1))):
        table = record_table(synthesise(fit, seed=number), seed=number, replicate=number)
        name = f"graduates-{number}.parquet" if number else "graduates.parquet"
        pq.write_table(table, folder / "synthetic" / name)
    return truth, folder


def leaves_of(truth, policy):
    found = {name: truth[name].map(policy.attributes[name].leaves.index) for name in ("field", "cohort", "sex")}
    found["activity-1"] = truth["activity-1"].map(policy.attributes["activity-1"].leaves.index)
    pay, codes = truth["pay-1"], policy.attributes["pay-1"].leaves.index
    at_work = truth["activity-1"].isin(["10", "13"])
    none = np.where(at_work, codes["not-found"], codes["not-applicable"])
    found["pay-1"] = np.where(pay.isna(), none, np.searchsorted(policy.attributes["pay-1"].edges, pay, side="right"))
    return {name: np.asarray(values, np.int64) for name, values in found.items()}


def test_the_example_runs_and_tells_the_truth(truth_and_folder, monkeypatch, capsys):
    truth, folder = truth_and_folder
    monkeypatch.chdir(folder)
    said: dict = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, said)  # noqa: S102
    assert len(said["replicates"]) == 3
    assert re.match(
        r"\d\d\.\d% \(\d\d\.\d% to \d\d\.\d%\)\n\d,\d{3} \(\d,\d{3} to \d,\d{3}\) euro", capsys.readouterr().out
    )
    women = truth[truth["sex"] == "2"]
    close(said["share"], women["activity-1"].isin(["10", "13"]).mean())
    close(said["pay"], truth["pay-1"].mean())
    close(said["of_these_graduates"], said["women_less"](truth)[0])
    assert said["of_any_such_graduates"].standard_error > said["of_these_graduates"].standard_error


def close(found: Combined, truth: float) -> None:
    """Within three times the interval: the seeds are fixed, and coverage is tested elsewhere."""
    assert abs(found.point - truth) < 3 * (found.upper - found.point)
