"""The same request again: no charge, no new noise; and what makes a request another one."""

import json
from pathlib import Path

from helpers.journey import changed_policy, snapshot

from release.pipeline import digest_of_delivery
from release.plan import make_plan
from release.policy import load_policy
from release.request import release_id, request_of


def public_bytes(release: Path) -> dict[str, bytes]:
    """All public files by name; of the manifest all but its times."""
    public = release / "public"
    files = {path.relative_to(public).as_posix(): path.read_bytes() for path in public.rglob("*") if path.is_file()}
    manifest = json.loads(files.pop("manifest.json"))
    del manifest["times"]
    return files | {"manifest.json": json.dumps(manifest).encode()}


def test_the_same_run_again_touches_nothing(office):
    before = snapshot(office.out), office.ledger.read_bytes()
    told = office.run()
    assert told.code == 0
    assert "nothing was charged" in told.out
    assert "charged ρ = 0" in told.out
    assert (snapshot(office.out), office.ledger.read_bytes()) == before


def test_the_same_run_to_another_folder_gives_the_same_bytes(office, released, tmp_path):
    """The stored answer is used: no noise is drawn again, and all is the same to the last byte, wherever it lies."""
    elsewhere = tmp_path / "julkaisut 2026 (ä)"
    told = office.run(out=elsewhere)
    assert told.code == 0, told.err
    assert "charged ρ = 0" in told.out
    (again,) = elsewhere.iterdir()
    assert again.name == released.folder.name
    assert public_bytes(again) == public_bytes(released.folder)
    assert office.spent() == "1/2"
    assert office.kinds() == ["genesis", "grant", "reserve", "commit", "publish"]


def test_a_new_title_is_a_new_release_of_the_same_measurements(office, released):
    """Titles, thresholds and the office's name may change at no charge; both releases stand side by side."""

    def told_anew(document):
        document["title"]["en"] = "Another title"
        document["withhold"]["below"] = 20

    told = office.run(policy=changed_policy(office.policy, told_anew))
    assert told.code == 0, told.err
    assert "charged ρ = 0" in told.out
    (new,) = set(office.out.iterdir()) - {office.out / released.folder.name}
    measured = ["measurements/noisy.parquet", "measurements/measurement.json"]
    first, second = public_bytes(released.folder), public_bytes(new)
    assert [first[name] for name in measured] == [second[name] for name in measured]
    assert "Another title" in second["promise.md"].decode()
    assert office.kinds() == ["genesis", "grant", "reserve", "commit", "publish", "publish"]


def asked(office, change=id):
    """What a run of a changed policy would ask: the request, and the release's name."""
    policy = load_policy(changed_policy(office.policy, change))
    delivery = digest_of_delivery(policy, office.registers, office.ledger)
    request = request_of(policy, make_plan(policy), delivery=delivery)
    return request.id, release_id(request, policy)


def test_what_makes_another_request(office):
    """Tables, budget, bins, rules of the link and the delivery itself: measured anew. Words and thresholds: not."""
    same = asked(office)
    told_otherwise = {
        "title": lambda d: d["title"].update(fi="Toinen"),
        "title of a table": lambda d: d["tables"]["match-by-sex"].update(title={"en": "Match"}),
        "title of a dimension": lambda d: d["dimensions"]["sex"]["title"].update(en="Gender"),
        "title of an outcome": lambda d: d["outcomes"]["match"]["title"].update(en="Match"),
        "unit": lambda d: d["outcomes"]["pay-1"].update(unit="euros"),
        "threshold": lambda d: d["withhold"].update(below=11),
        "minimum": lambda d: d["tables"]["pay-by-field"].update(minimum=40),
        "contact": lambda d: d.update(contact="somebody else"),
    }
    measured_otherwise = {
        "a table less": lambda d: d["tables"].pop("pay-by-field"),
        "importance": lambda d: d["tables"]["pay-by-field"].update(importance=9),
        "budget": lambda d: d["privacy"].update(rho="1/3"),
        "bins": lambda d: d["outcomes"]["pay-1"]["bins"].update(number=20),
        "link": lambda d: d["inputs"]["earnings"].update(repeated="lowest pay"),
        "rule": lambda d: d["inputs"]["earnings"]["rules"]["pay"].update(maximum=90000),
    }
    for what, change in told_otherwise.items():
        request, release = asked(office, change)
        assert (request == same[0], release == same[1]) == (True, False), what
    for what, change in measured_otherwise.items():
        assert asked(office, change)[0] != same[0], what
    (office.registers / "kysely.csv").open("a").write("\n")
    assert asked(office)[0] != same[0]


def test_another_house_policy_is_another_release(office):
    """The office's name stands in what is published."""
    same = asked(office)
    house = (Path(__file__).parents[2] / "policies" / "house.yaml").read_text(encoding="utf-8")
    (office.policy.parent / "house.yaml").write_text(house.replace("National statistics office", "Our office"))
    request, release = asked(office)
    assert (request == same[0], release == same[1]) == (True, False)


def test_the_house_policy_goes_with_the_release(office, tmp_path):
    """The release was checked under the office's own ceilings; whoever reads it again does so under the same."""
    from release import pipeline
    from release.staging import staged

    house = (Path(__file__).parents[2] / "policies" / "house.yaml").read_text(encoding="utf-8")
    (office.policy.parent / "house.yaml").write_text(house.replace('largest_rho: "2"', 'largest_rho: "9"'))
    policy = load_policy(changed_policy(office.policy, lambda d: d["privacy"].update(rho="5")))
    with staged(tmp_path / "out", "one") as stage:
        pipeline._prepare(stage, policy, request_of(policy, make_plan(policy), delivery=""))
        again = load_policy(stage.public / "policy.yaml")
    assert (again.house, again.house_text) == (policy.house, policy.house_text)
