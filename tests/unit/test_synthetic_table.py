"""Synthetic records as a table: columns and codes of the linked file, numbers inside their bins, plainly marked."""

import numpy as np
import pytest
from helpers.small_policy import changed, small_policy
from helpers.synthetic_cases import release_of, some_persons

from release.errors import PolicyError
from synthetic.blocks import block_sizes, record_blocks
from synthetic.columns import Kind, columns_of
from synthetic.make import fit_release, synthesise
from synthetic.numbers import UNSURE, number_shape, straight
from synthetic.table import record_layout, record_table

ROWS = 800


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return small_policy(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def fitted(policy):
    return fit_release(release_of(policy, some_persons(policy, ROWS), noise=1))


@pytest.fixture(scope="module")
def records(fitted):
    return synthesise(fitted, rows=ROWS, seed=4)


@pytest.fixture(scope="module")
def frame(records):
    return record_table(records, seed=4).to_pandas()


# Columns


def test_columns_are_those_of_the_linked_file_with_the_levels_above(frame):
    columns = "synthetic_id synthetic region provider field sex cohort activity pay pay-status match"
    assert list(frame) == columns.split()


def test_every_record_is_marked_and_numbered(frame):
    assert frame["synthetic"].all()
    assert list(frame["synthetic_id"][:2]) == ["SYN-000001-0", "SYN-000002-0"]
    assert frame["synthetic_id"].is_unique


def test_a_column_shows_the_finest_measured_level(frame, policy):
    """Activity was measured by group only: its statuses would be invented."""
    assert set(frame["activity"]) <= set(policy.attributes["activity"].levels[1].codes)
    assert set(frame["provider"]) <= {"A", "B", "C"}


def test_levels_above_agree_with_the_code_list(frame):
    assert set(zip(frame["provider"], frame["region"], strict=True)) <= {("A", "01"), ("B", "01"), ("C", "02")}


def test_names_that_are_taken_get_the_dimensions_name(tmp_path):
    """A level may be called as another dimension, or as the level of another one."""
    text = changed("[country, region, provider]", "[country, sex, provider]").replace("provider:region", "provider")
    named = small_policy(
        tmp_path,
        text,
        {"codes/provider.csv": "sex,provider\n01,A\n01,B\n02,C\n"},
    )
    assert [c.name for c in columns_of(named) if c.kind is Kind.ABOVE] == ["provider-sex"]


def test_the_policy_chooses_columns(tmp_path):
    chosen = small_policy(tmp_path, changed("withhold:", "synthetic: {records: true, columns: [pay, sex]}\nwithhold:"))
    assert [column.name for column in columns_of(chosen)] == ["sex", "pay", "pay-status"]


# Numbers


def test_numbers_lie_in_the_bins_of_their_records(records, policy):
    layout = record_layout(records.fit)
    leaf = records.leaves["pay"]
    numbers = layout.shapes["pay"].draw(leaf, np.random.default_rng(1))
    edges = np.array(policy.attributes["pay"].edges)
    real = leaf <= len(edges)
    assert (np.searchsorted(edges, numbers[real], side="right") == leaf[real]).all()
    assert np.isnan(numbers[~real]).all()
    assert not np.isnan(numbers[real]).any()


def test_a_number_and_its_status_agree(frame):
    assert (frame["pay"].notna() == (frame["pay-status"] == "number")).all()
    at_work = frame["activity"] == "employed"
    assert (frame.loc[~at_work & frame["pay"].isna(), "pay-status"] != "number").all()
    assert set(frame["pay-status"]) <= {"number", "not-found", "not-applicable"}
    assert (frame["pay"].dropna().round(2) == frame["pay"].dropna()).all()


def test_every_edge_of_every_bin_is_kept_strictly(policy):
    """Both ends of chance, in every bin: never the upper edge, never below the lower one."""
    shape = number_shape(policy, "pay", np.ones(27))
    leaves = np.arange(1, 25)

    class Ends:
        def __init__(self, value):
            self.value = value

        def random(self, number):
            return np.full(number, self.value)

    edges = np.array(policy.attributes["pay"].edges)
    assert (shape.draw(leaves, Ends(0.0)) == edges[:-1]).all()
    assert (shape.draw(leaves, Ends(1 - 1e-16)) < edges[1:]).all()
    assert shape.draw(np.array([0]), Ends(1 - 1e-16))[0] == 799.99
    assert shape.draw(np.array([25]), Ends(0.0))[0] == 8000


def test_the_density_is_continuous_and_keeps_each_bins_share(policy):
    persons = np.zeros(27)
    persons[1:25] = np.exp(-(((np.arange(24) - 12) / 5) ** 2)) * 1000
    shape = number_shape(policy, "pay", persons)
    width = np.diff(policy.attributes["pay"].edges)
    mass = (shape.edge[:-1] + 2 * shape.middle + shape.edge[1:]) / 4 * width
    assert mass == pytest.approx(persons[1:25])
    assert (shape.middle >= 0).all()
    random = np.random.default_rng(2)
    middle = shape.draw(np.repeat([10, 11], [int(persons[10]) * 40, int(persons[11]) * 40]), random)
    edge = policy.attributes["pay"].edges[10]
    below, above = ((middle > edge - 20) & (middle < edge)).sum(), ((middle >= edge) & (middle < edge + 20)).sum()
    assert below == pytest.approx(above, rel=0.12), "no step at the edge between two bins"


def test_numbers_spread_evenly_would_have_a_step(policy):
    """The twin: with even bins the test above would fail."""
    persons = np.exp(-(((np.arange(24) - 12) / 5) ** 2))
    height = persons / np.diff(policy.attributes["pay"].edges)
    assert abs(height[10] / height[9] - 1) > 0.12 or abs(height[20] / height[19] - 1) > 0.12


def test_tails_keep_to_the_rules_of_the_column(tmp_path):
    ruled = small_policy(tmp_path, changed("pay: {minimum: 0,", "pay: {minimum: 500, maximum: 9000,"))
    persons = np.ones(27) * 100
    shape = number_shape(ruled, "pay", persons)
    random = np.random.default_rng(3)
    low, high = shape.draw(np.zeros(5_000, int), random), shape.draw(np.full(5_000, 25), random)
    assert low.min() >= 500
    assert low.max() < 800
    assert high.min() >= 8000
    assert high.max() <= 9000


def test_below_the_bins_the_density_goes_on_from_the_first_bin(policy):
    """As many just below the first edge as just above it: low pays are rare, but few are near nothing."""
    persons = np.zeros(27)
    persons[:3] = 30_000, 14_500, 18_000
    shape = number_shape(policy, "pay", persons)
    random = np.random.default_rng(6)
    low, first = (shape.draw(np.full(int(persons[leaf]), leaf), random) for leaf in (0, 1))
    assert (low > 780).sum() == pytest.approx((first < 820).sum(), rel=0.1)
    assert 600 < low.mean() < 700
    assert low.min() >= 0


def test_replicates_draw_the_shape_and_keep_the_bins_shares(policy):
    persons = np.exp(-(((np.arange(27) - 12) / 5) ** 2)) * 1000
    width = np.diff(policy.attributes["pay"].edges)
    shapes = [number_shape(policy, "pay", persons, unsure=np.random.default_rng(seed)) for seed in range(200)]
    likely = number_shape(policy, "pay", persons)
    for shape in shapes:
        mass = (shape.edge[:-1] + 2 * shape.middle + shape.edge[1:]) / 4 * width
        assert mass == pytest.approx(persons[1:25])
    spread = np.std([np.log(shape.edge[8:16] / likely.edge[8:16]) for shape in shapes])
    assert spread == pytest.approx(UNSURE, rel=0.1)
    assert np.std([np.log(shape.tails) for shape in shapes]) > UNSURE / 2


def test_whole_numbers_stay_whole(tmp_path):
    whole = small_policy(tmp_path, changed("pay: {column: pay, type: number}", "pay: {column: pay, type: integer}"))
    drawn = number_shape(whole, "pay", np.ones(27)).draw(np.arange(26), np.random.default_rng(1))
    assert (drawn == np.rint(drawn)).all()


def test_a_straight_density():
    """Against the distribution function, and even where there is nothing."""
    chance = np.linspace(0, 1, 50)
    start, end = np.full(50, 1.0), np.full(50, 3.0)
    x = straight(start, end, chance)
    assert (start * x + (end - start) * x**2 / 2) / 2 == pytest.approx(chance)
    assert straight(np.zeros(2), np.zeros(2), np.array([0.25, 0.5])) == pytest.approx([0.25, 0.5])


# Determinism, order, blocks


def test_the_same_seed_gives_the_same_table_and_another_one_another(records):
    assert record_table(records, seed=7).equals(record_table(records, seed=7))
    assert not record_table(records, seed=7).equals(record_table(records, seed=8))


def test_order_means_nothing(frame):
    """Neighbouring records aren't of one cohort, as they are when they are drawn."""
    same = (frame["cohort"].to_numpy()[1:] == frame["cohort"].to_numpy()[:-1]).mean()
    assert same < 0.3


def test_blocks_are_even_and_add_up():
    assert block_sizes(1) == [1]
    assert block_sizes(1_000_000) == [1_000_000]
    assert sum(block_sizes(2_500_001)) == 2_500_001
    assert max(block_sizes(2_500_001)) - min(block_sizes(2_500_001)) <= 1


def test_the_last_block_makes_up_for_the_others(fitted, monkeypatch):
    """Several small blocks together agree with every table about as closely as one."""
    from synthetic import blocks
    from synthetic.agree import all_margins

    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 400)

    def off(parts):
        found = [[margin.difference for margin in all_margins(part)] for part in parts]
        return float(np.mean([np.abs(sum(same)).mean() for same in zip(*found, strict=True)]))

    several = list(record_blocks(fitted, rows=1600, seed=5))
    assert [len(block) for block in several] == [400] * 4
    one = synthesise(fitted, rows=1600, seed=5)
    plain = [blocks.draw_records(fitted, 400, np.random.default_rng(seed)) for seed in range(4)]
    assert off(plain) > 1.5 * off(several), "the test can tell refined blocks from others"
    assert off(several) < (off(plain) + off([one])) / 2, "one refined block of four does most of it"


# Policy


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("{records: true, columns: [pya]}", 'did you mean "pay"'),
        ("{records: true, columns: [activity-3]}", 'no table measures "activity-3"'),
        ("{records: true, columns: [pay, pay]}", "twice"),
        ("{records: true, columns: []}", "columns"),
        ("{records: true, rows: 0}", "rows"),
        ("{records: true, replicates: 0}", "replicates"),
        ("{record: true}", 'did you mean "records"'),
    ],
)
def test_what_the_policy_may_not_ask_for(tmp_path, section, words):
    with pytest.raises(PolicyError) as caught:
        small_policy(tmp_path, changed("withhold:", f"synthetic: {section}\nwithhold:"))
    assert words in str(caught.value)
    assert "synthetic" in str(caught.value)


def test_names_that_the_records_need_themselves(tmp_path):
    text = changed("  sex:\n", "  synthetic:\n    from: sex\n").replace("by: [sex]", "by: [synthetic]")
    with pytest.raises(PolicyError, match="meaning of its own"):
        small_policy(tmp_path, text.replace("withhold:", "synthetic: {records: true}\nwithhold:"))


def test_synthetic_records_are_no_part_of_what_is_charged(tmp_path):
    from release.plan import make_plan
    from release.request import linking_rule, request_of

    plain = small_policy(tmp_path / "a")
    asks = small_policy(tmp_path / "b", changed("withhold:", "synthetic: {records: true}\nwithhold:"))
    one, other = (request_of(p, make_plan(p), delivery="x") for p in (plain, asks))
    assert one.id == other.id
    assert linking_rule(plain) == linking_rule(asks)
