"""Disclosures outside of ε: how the ledger notes them, and what stands beside noisy releases."""

from fractions import Fraction

import pytest
from helpers.exact_cases import EXCEPTION, HOUSE, exact_policy, protected_sets

from release.audit.exact import ledger_objections, track_objections
from release.errors import BudgetError, PolicyError
from release.ledger import Ledger, digest_of, verify_ledger
from release.outside import notice_of_exact, outside_facts, refuse_mixed_tracks, refuse_other_pattern
from release.published.exact_files import write_exact

EXACT = "  persons: {by: [place, cohort], protection: {suppression: {rules: {minimum: 3}, effort: fast}}}\n"
NAMED = EXACT.replace("protection: {", "protection: {exception: law, ")
REQUEST, FILES = digest_of("request"), digest_of("files")
OUTSIDE = {"noisy": False, "delivery": digest_of("d"), "sets": [{"tables": ["t"], "over": ["place"], "figures": "x"}]}


@pytest.fixture
def ledger(tmp_path):
    with Ledger.create(tmp_path / "a.ledger", population="nobody", by="test") as book:
        yield book


def commit(ledger):
    ledger.grant(Fraction(1), by="director", reason="test")
    ledger.reserve(REQUEST, rho=Fraction(1, 2), details={"release": "r"})
    ledger.commit(REQUEST, answer=digest_of("answer"))


def test_a_release_without_noise_is_noted_by_its_publication_alone(ledger):
    ledger.publish(REQUEST, release="r", files=FILES, outside=OUTSIDE)
    assert ledger.standing().spent == 0
    assert ledger.entries()[-1].body["outside"] == OUTSIDE
    assert verify_ledger(ledger.path).ok


def test_the_same_publication_again_adds_no_entry(ledger):
    first = ledger.publish(REQUEST, release="r", files=FILES, outside=OUTSIDE)
    assert ledger.publish(REQUEST, release="r", files=FILES, outside=OUTSIDE).number == first.number


@pytest.mark.parametrize("outside", [None, {"noisy": True, "sets": []}])
def test_a_noisy_release_needs_its_commit(ledger, outside):
    with pytest.raises(BudgetError, match="committed"):
        ledger.publish(REQUEST, release="r", files=FILES, outside=outside)


def test_the_verifier_objects_to_a_publication_that_was_never_committed(ledger):
    with ledger._appending("publish", {"request": REQUEST, "release": "r", "files": FILES}):
        pass
    assert [str(o) for o in verify_ledger(ledger.path).objections] == [
        "entry 1: it publishes a request that has no committed answer"
    ]


def test_only_publications_disclose_outside(ledger):
    grant = {"rho": "1", "millionths": 1_000_000, "by": "b", "reason": "r"}
    with ledger._appending("grant", grant | {"outside": OUTSIDE}):
        pass
    assert not verify_ledger(ledger.path).ok


def test_exact_tables_are_refused_where_noisy_ones_were_published(tmp_path, ledger):
    commit(ledger)
    with pytest.raises(PolicyError, match="voids the promise"):
        refuse_mixed_tracks(ledger, exact_policy(tmp_path / "p", EXACT))
    refuse_mixed_tracks(ledger, exact_policy(tmp_path / "q", NAMED, house=HOUSE + EXCEPTION))


def test_a_noisy_run_says_what_was_disclosed_before(tmp_path, ledger):
    noisy = exact_policy(tmp_path / "p", "  noisy: {by: [sex]}\n")
    assert notice_of_exact(ledger, noisy) == ""
    ledger.publish(REQUEST, release="r", files=FILES, outside=OUTSIDE)
    assert notice_of_exact(ledger, noisy) == "The ledger notes exact tables of the same persons, outside of ε: t."


@pytest.fixture
def published(tmp_path):
    policy = exact_policy(tmp_path / "policy", EXACT)
    ((protected, _),) = protected_sets(tmp_path, policy)
    write_exact([protected], tmp_path)
    return policy, tmp_path


def test_the_same_figures_may_be_published_again(published, ledger):
    policy, public = published
    facts = outside_facts(policy, public, delivery="d")
    ledger.publish(REQUEST, release="r", files=FILES, outside=facts)
    refuse_other_pattern(ledger, policy, facts)


def test_other_figures_of_the_same_delivery_are_refused(published, ledger):
    policy, public = published
    facts = outside_facts(policy, public, delivery="d")
    ledger.publish(REQUEST, release="r", files=FILES, outside=facts)
    other = {**facts, "sets": [{**facts["sets"][0], "figures": digest_of("others")}]}
    with pytest.raises(PolicyError, match="with other cells hidden"):
        refuse_other_pattern(ledger, policy, other)
    refuse_other_pattern(ledger, policy, {**other, "delivery": digest_of("another delivery")})
    refuse_other_pattern(ledger, policy, {**other, "sets": [{**other["sets"][0], "over": ["sex"]}]})


def test_the_audit_compares_ledger_and_promise(published):
    policy, public = published
    facts = outside_facts(policy, public, delivery="d")
    assert list(ledger_objections(facts, facts)) == []
    assert list(ledger_objections({**facts, "noisy": True}, facts))
    assert list(ledger_objections(None, facts))
    told = {"exact_tables": ["persons"], "outside_epsilon": [{"table": "persons", "exception": ""}]}
    assert list(track_objections(public, policy, {"promise": told})) == []
    assert list(track_objections(public, policy, {"promise": told | {"exact_tables": []}}))
    assert list(track_objections(public, policy, {"promise": told | {"outside_epsilon": []}}))


def test_an_exact_table_that_the_policy_doesnt_name_is_noticed(published):
    policy, public = published
    path = public / "exact" / "persons.json"
    (public / "exact" / "more.json").write_text(path.read_text().replace('"persons"', '"more"'))
    assert any("other tables" in told for told in track_objections(public, policy, None))


def test_how_exact_tables_are_counted_is_no_part_of_a_noisy_request(monkeypatch):
    from pathlib import Path

    from release import request

    assert all((Path(request.__file__).parent / name).is_file() for name in request.NOT_MEASURING)
    without = request.core_digest()
    monkeypatch.setattr(request, "NOT_MEASURING", ())
    assert request.core_digest() != without
