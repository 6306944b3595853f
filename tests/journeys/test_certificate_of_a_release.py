"""From a finished release to certified records: what the notebook does, and what an auditor does with the file."""

import json

import pytest

from release.tables import make_tables
from synthetic.certificate import certify, certify_table
from synthetic.charts import question_charts
from synthetic.make import fit_release, open_release, seeds, synthesise
from synthetic.score import score, score_against_truth
from synthetic.table import record_table


@pytest.fixture(scope="module")
def made(released, tmp_path_factory):
    """The release, records of it, their certificate, and the file that holds them."""
    import pyarrow.parquet as pq

    release = open_release(released.public)
    seed = next(seeds(release.measurements.request, 1))
    records = synthesise(fit_release(release), seed=seed)
    file = tmp_path_factory.mktemp("records") / "graduates.parquet"
    pq.write_table(record_table(records, seed=seed), file)
    return release, records, certify(records, release, seed=seed), file


def test_records_of_a_release_are_certified(made, released):
    _, records, certificate, _ = made
    tables = make_tables(released.public)
    assert [table.name for table in certificate.tables] == [table.name for table in tables]
    assert certificate.impossible.records == 0
    assert certificate.rows == len(records)
    assert certificate.total_exact
    for table, safe in zip(certificate.tables, tables, strict=True):
        assert table.shown == (safe.cells["status"] == "shown").sum()
        assert table.shown == 0 or table.share_inside > 0.85
        assert table.fit.mean < 1.5
    assert ("match", "pay-1") in {tuple(sorted(pair)) for pair in certificate.relations.no_pairs}


def test_the_file_alone_gives_the_same_certificate(made):
    release, _, certificate, file = made
    again = certify_table(file, release, seed=certificate.seed)
    for one, other in zip(certificate.tables, again.tables, strict=True):
        assert (one.name, one.shown, one.measured) == (other.name, other.shown, other.measured)
        assert [(s.statistic, s.inside) for s in one.published] == [(s.statistic, s.inside) for s in other.published]
    assert (again.rows, again.persons, again.impossible) == (
        certificate.rows,
        certificate.persons,
        certificate.impossible,
    )
    assert again.relations == certificate.relations


def test_certificate_page_and_charts_are_whole(made):
    release, records, certificate, _ = made
    facts = json.loads(certificate.as_json())
    assert facts["request"] == release.measurements.request
    for language in ("en", "fi", "sv"):
        assert certificate.request in certificate.page(language)
    assert all("<svg" in chart.svg for chart in question_charts(certificate, score(records, release)))


def test_records_are_near_the_known_truth(made, released):
    release, _, _, file = made
    truth = next(released.office.folder.glob("*.truth")) / "graduates.parquet"
    found = score_against_truth(file, truth, release.policy)
    assert found.distances[0].mean < 0.1
    assert found.distances[1].measured < 0.25
    assert found.distances[0].mean < found.distances[1].mean < found.distances[2].mean
    json.loads(found.as_json())
