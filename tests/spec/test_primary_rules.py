"""Which cells of an exact table may not be shown: every rule on a table small enough to check by hand."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.drawn_cells import columns, contributions, whole

from release.errors import DataError, PolicyError
from release.protected.suppression.primary import judge, not_far_enough
from release.protected.suppression.rules import (
    CellFacts,
    Dominance,
    KDisclosure,
    MinimumContributors,
    MinimumFrequency,
    MinimumHolders,
    MinimumRespondents,
    PPercent,
    PriorPosterior,
    ResponseRate,
)
from release.protected.suppression.rules.facts import NOBODY
from release.protected.suppression.rules.groups import with_complements
from release.protected.suppression.rules.ratios import (
    numerators,
    percentile_sides,
    ratio_hidden,
    unsafe_percentiles,
    unsafe_shares,
)
from release.protected.suppression.rules.weights import largest_with_weights


def hidden(names, facts, *rules) -> dict[str, int]:
    """Cells that the rules hide, with the width demanded."""
    primary = judge(facts, rules)
    return {name: int(primary.width[i]) for i, name in enumerate(names) if primary.flags[i]}


def test_fewer_than_five_persons():
    """1 to 4 are hidden; 0 and 5 are shown. Two possible tables must differ by 1 there."""
    names, drawn = columns("""
        cell    | counts
        --------+-------
        none    |      0
        one     |      1
        four    |      4
        five    |      5
    """)
    facts = CellFacts(**drawn)
    assert hidden(names, facts, MinimumFrequency(5)) == {"one": 1, "four": 1}
    assert hidden(names, facts, MinimumFrequency(5, width=2)) == {"one": 2, "four": 2}


def test_zeros_too():
    """With `zeros` an empty cell is hidden like a small one, and hidden counts may be 0 for all that readers know."""
    names, drawn = columns("""
        cell    | counts
        --------+-------
        none    |      0
        one     |      1
        three   |      3
    """)
    facts = CellFacts(**drawn)
    assert hidden(names, facts, MinimumFrequency(3, zeros=True)) == {"none": 1, "one": 1}
    assert judge(facts, [MinimumFrequency(3, zeros=True)]).lower == 0
    assert judge(facts, [MinimumFrequency(3)]).lower == 1


def test_up_to_the_threshold():
    """A hidden count may be 5 or more for all that readers know: 1 + 4, or 0 + 5 where it may be empty. All alike."""
    facts = CellFacts(counts=whole([1, 4]))
    assert judge(facts, [MinimumFrequency(5, up_to_threshold=True)]).width.tolist() == [4, 4]
    assert judge(facts, [MinimumFrequency(5, zeros=True, up_to_threshold=True)]).width.tolist() == [5, 5]


def test_a_weighted_count_is_judged_by_persons():
    """Two persons of weight 20 are two persons; forty of weight 1 are forty."""
    names, drawn = columns("""
        cell    | counts | respondents
        --------+--------+------------
        heavy   |     40 |           2
        light   |     40 |          40
    """)
    assert hidden(names, CellFacts(**drawn), MinimumFrequency(5)) == {"heavy": 1}
    assert hidden(names, CellFacts(**drawn), MinimumRespondents(30)) == {"heavy": 1}


def test_response_rate():
    """Exactly a quarter is enough; a thousandth less isn't; nobody asked is no answer to judge."""
    names, drawn = columns("""
        cell    | counts | respondents | asked
        --------+--------+-------------+------
        quarter |    250 |         250 |  1000
        less    |    249 |         249 |  1000
        nobody  |      0 |           0 |     0
    """)
    assert hidden(names, CellFacts(**drawn), ResponseRate("25")) == {"less": 1}


DRAWN = """
    cell   | holding | value
    -------+---------+------
    even   | a       |    40
    even   | b       |    35
    even   | c       |    25
    big    | a       |    80
    big    | b       |    15
    big    | c       |     5
    two    | a       |    50
    two    | b       |    50
    one    | d       |    70
"""


def test_dominance():
    """(1, 70): the largest holds more than 70 %. At exactly 70 % it is shown.

    big: 80 of 100. Were the sum 115 it would hold 69.6 %, at 114 still 70.2 %: upper protection 15.
    one: 70 of 70; 70 is 70 % of 100, so 30.
    """
    names, facts = contributions(DRAWN)
    assert hidden(names, facts, Dominance(1, 70)) == {"big": 15, "one": 30}
    assert "big" not in hidden(names, facts, Dominance(1, 80))
    assert hidden(names, facts, Dominance(1, "79.999"))["big"] == 1


def test_dominance_of_two():
    """(2, 85). even: 75 % is shown; big: 95 is 85 % of 111.8, so 12; two: 100 of 100, so 18."""
    names, facts = contributions(DRAWN)
    assert hidden(names, facts, Dominance(2, 85)) == {"big": 12, "two": 18, "one": 13}


def test_p_percent():
    """b subtracts his own from the sum and knows a to within what the others have.

    even: 25 left, 10 % of 40 is 4: shown. big: 5 left, 10 % of 80 is 8: 3 too little. two: nothing left, 5 needed.
    """
    names, facts = contributions(DRAWN)
    assert hidden(names, facts, PPercent(10)) == {"big": 3, "two": 5, "one": 7}
    assert "big" not in hidden(names, facts, PPercent("6.25")), "5 is exactly 6.25 % of 80"


def test_prior_posterior():
    """(p, q) = (10, 50): what the others have counts for half, so 20 % of the largest must be left. q = 100 is p %."""
    names, facts = contributions(DRAWN)
    assert hidden(names, facts, PriorPosterior(10, 50)) == {"big": 11, "two": 10, "one": 14}
    assert hidden(names, facts, PriorPosterior(10, 100)) == hidden(names, facts, PPercent(10))


def test_a_coalition_of_two():
    """40, 30, 20, 10: b alone leaves 30 unknown, b and c together only 10, less than 50 % of 40: 10 too little."""
    names, facts = contributions("""
        cell   | holding | value
        -------+---------+------
        four   | a       |    40
        four   | b       |    30
        four   | c       |    20
        four   | d       |    10
    """)
    assert hidden(names, facts, PPercent(50)) == {}
    assert hidden(names, facts, PPercent(50, coalition=2)) == {"four": 10}
    assert hidden(names, facts, PriorPosterior(50, 100, coalition=2)) == {"four": 10}
    assert judge(facts, [PPercent(50, coalition=2)]).reasons(0) == (
        "2 contributors together could work out the largest to within 50 %",
    )


def test_the_highest_possible_sum_is_what_counts():
    """big (100) may be 102 at most for readers, 103 is asked for; two (100) may be 105. even isn't hidden."""
    _, facts = contributions(DRAWN)
    primary = judge(facts, [PPercent(10), MinimumContributors(3)])
    highest = np.array([100, 102, 105, 77])
    assert not_far_enough(primary, facts.sums, highest).tolist() == [False, True, False, False]


def test_contributors_of_one_holding_are_one():
    """Three firms, two of them of holding a: two contributors, and together they dominate."""
    names, facts = contributions("""
        cell   | holding | value
        -------+---------+------
        firms  | a       |    30
        firms  | a       |    40
        firms  | b       |    30
        apart  | a       |    30
        apart  | b       |    40
        apart  | c       |    30
    """)
    assert hidden(names, facts, MinimumContributors(3)) == {"firms": 1}
    assert hidden(names, facts, Dominance(1, 60)) == {"firms": 17}


def test_two_providers():
    """Persons of a single provider aren't shown, however many: the provider would know them all."""
    names, drawn = columns("""
        cell    | counts | provider
        --------+--------+---------
        mixed   |     50 |        2
        single  |     50 |        1
        empty   |      0 |        0
    """)
    facts = CellFacts(counts=drawn["counts"], holders={"provider": drawn["provider"]})
    assert hidden(names, facts, MinimumHolders("provider", 2)) == {"single": 1}


ANSWERS = """
    cell          | counts | class
    --------------+--------+------
    total         |     42 |
    class-a       |     20 |
    class-a-yes   |     20 |    20
    class-a-no    |      0 |    20
    class-b       |     22 |
    class-b-yes   |     21 |    22
    class-b-no    |      1 |    22
"""


def answers() -> tuple[list[str], CellFacts]:
    names, drawn = columns(ANSWERS)
    return names, CellFacts(counts=drawn["counts"], groups={"class": drawn["class"]})


def test_everyone_of_a_group_shares_an_answer():
    """All 20 of class a said yes: who knows somebody of that class knows his answer."""
    names, facts = answers()
    assert hidden(names, facts, KDisclosure("class")) == {"class-a-yes": 1}


def test_one_member_knows_himself():
    """k = 1: the one of class b who said no knows that all others said yes."""
    names, facts = answers()
    assert hidden(names, facts, KDisclosure("class", k=1)) == {"class-a-yes": 1, "class-b-yes": 1}
    assert hidden(names, facts, KDisclosure("class", k=1, largest=20)) == {"class-a-yes": 1}


def test_the_complement_is_hidden_as_a_cell_of_its_own():
    """What must stay uncertain is whether somebody of class a said anything else: 0 must not be known to be 0."""
    from scipy.sparse import csr_array

    names, facts = answers()
    primary = judge(facts, [KDisclosure("class", k=1)])
    assert [names[i] for i in primary.complements()] == ["class-a-yes", "class-b-yes"]
    assert primary.complement_width().tolist() == [2, 2]
    assert primary.lower == 0
    relations = csr_array(
        np.array([[-1, 1, 0, 0, 1, 0, 0], [0, -1, 1, 1, 0, 0, 0], [0, 0, 0, 0, -1, 1, 1]], np.int8),
    )
    totals = whole([names.index("class-a"), names.index("class-b")])
    wide, values = with_complements(relations, facts.counts, primary.complements(), totals=totals)
    assert wide.shape == (5, 9)
    assert values[-2:].tolist() == [0, 1]
    assert not (wide @ values).any()


def test_whom_the_question_doesnt_concern_isnt_part_of_the_complement():
    """30 in all, 10 of them not asked, 20 said yes: nobody else is left, not ten."""
    from scipy.sparse import csr_array

    relations, values = csr_array(np.array([[-1, 1, 1, 1]], np.int8)), whole([30, 10, 20, 0])
    wide, extended = with_complements(relations, values, whole([2]), totals=whole([0]), besides=whole([1]))
    assert extended.tolist() == [30, 10, 20, 0, 0]
    assert not (wide @ extended).any()
    assert wide.toarray()[1].tolist() == [-1, 1, 1, 0, 1]
    assert with_complements(relations, values, whole([2]), totals=whole([0]))[1][-1] == 10


def test_sampling_weights():
    """100 of weight 4 and 10 of weight 7 are 100, 100, 100, 100, 10, …: the two largest hold 200 of 470."""
    largest = largest_with_weights(np.array([[100, 10]]), np.array([[4, 7]]), top=2)
    assert largest.tolist() == [[100, 100]]
    facts = CellFacts(counts=whole([11]), sums=whole([470]), largest=largest)
    assert not judge(facts, [Dominance(2, 85)]).flags.any(), "without weights 110 of 110"


def test_weights_with_decimals():
    """100 of weight 1.5 and 10 of weight 2: the largest is 100, the second half of 100 and half of 10. In tenths."""
    largest = largest_with_weights(np.array([[100, 10]]), np.array([[15, 20]]), top=3, scale=10)
    assert largest.tolist() == [[1000, 550, 100]]
    facts = CellFacts(counts=whole([2]), sums=whole([1700]), largest=largest, scale=10)
    assert judge(facts, [PPercent(20)]).width.tolist() == [5], "20 of 100 asked for, 15 left"


NEGATIVE = """
    cell   | holding | value
    -------+---------+------
    loss   | a       |   -80
    loss   | b       |    70
    loss   | c       |    15
"""


def test_negative_values_are_refused():
    """The sum of 5 says nothing about who dominates it."""
    _, facts = contributions(NEGATIVE)
    with pytest.raises(DataError, match=r"negative contributions[\s\S]*absolute"):
        judge(facts, [PPercent(10)])


def test_negative_values_as_absolute_values():
    """|a| = 80, |b| = 70, and 15 left: 20 % of 80 is 16, one more than is left; 10 % is 8."""
    names, facts = contributions(NEGATIVE)
    assert hidden(names, facts, PPercent(20, negatives="absolute")) == {"loss": 1}
    assert hidden(names, facts, PPercent(10, negatives="absolute")) == {}


def test_several_rules_and_their_reasons():
    """A cell knows every rule it breaks, in plain words; its width is the largest that any of them asks for."""
    names, facts = contributions(DRAWN)
    primary = judge(facts, [MinimumContributors(3), PPercent(10), Dominance(1, 70)])
    assert dict(zip(names, map(primary.reasons, range(4)), strict=True)) == {
        "even": (),
        "big": (
            "a contributor could work out the largest to within 10 %",
            "the largest contributor holds more than 70 % of the sum",
        ),
        "two": ("fewer than 3 contributors", "a contributor could work out the largest to within 10 %"),
        "one": (
            "fewer than 3 contributors",
            "a contributor could work out the largest to within 10 %",
            "the largest contributor holds more than 70 % of the sum",
        ),
    }
    assert primary.width.tolist() == [0, 15, 5, 30]
    assert primary.by_rule()["fewer than 3 contributors"] == 2


def test_who_is_alone():
    """Only a sole contributor knows himself; the same holding in two cells has one number."""
    _, facts = contributions("""
        cell   | holding | value
        -------+---------+------
        x      | a       |     5
        y      | a       |     7
        z      | b       |     1
        both   | a       |     5
        both   | b       |     1
    """)
    assert judge(facts, [MinimumContributors(3)]).alone.tolist() == [0, 0, 1, NOBODY]
    assert judge(CellFacts(counts=whole([1, 2, 1])), [MinimumFrequency(3)]).alone.tolist() == [0, NOBODY, 2]


# --- shares, means, percentiles


def test_13_percent_of_15_is_2():
    """A printed share and its base give the numerator back; of a large base they don't."""
    assert list(numerators("0.133", 15)) == [2]
    assert list(numerators("0.13", 15)) == [2]
    assert list(numerators("0.133", 1500)) == [199, 200]
    assert list(numerators("1.0", 3)) == [3]


def test_a_share_is_judged_by_numerator_base_and_rest():
    """2 of 15 is hidden for the 2; 13 of 15, shown alone, for the 2 who are left; 8 of 15 is shown."""
    numerator, base = CellFacts(counts=whole([2, 13, 8, 3])), CellFacts(counts=whole([15, 15, 15, 3]))
    assert unsafe_shares(numerator, base, [MinimumFrequency(5)]).tolist() == [True, False, False, True]
    assert unsafe_shares(numerator, base, [MinimumFrequency(5)], alone=True).tolist() == [True, True, False, True]


def test_a_share_of_a_hidden_count_is_hidden():
    """Whatever hid the numerator or the base, the primary rule or the protection of another cell."""
    assert ratio_hidden(np.array([True, False, False]), np.array([False, True, False])).tolist() == [True, True, False]


def test_percentiles_need_persons_on_both_sides():
    """A p10 of 40 persons has 4 at or below it; of 50 it has 5. The median of 10 has 5 on either side."""
    base = CellFacts(counts=whole([40, 50]))
    assert percentile_sides(base.counts, 10)[0].tolist() == [4, 5]
    assert unsafe_percentiles(base, 10, [MinimumFrequency(5)]).tolist() == [True, False]
    assert unsafe_percentiles(CellFacts(counts=whole([9, 10])), 50, [MinimumFrequency(5)]).tolist() == [True, False]


# --- what is refused


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([], "no rule is given"),
        ([MinimumFrequency(3), MinimumFrequency(5)], "given 2 times"),
        ([PPercent(10), PriorPosterior(10, 50)], "one rule in two spellings"),
        ([Dominance(1, 80), Dominance(2, 75)], "don't go together"),
        ([PPercent(10), Dominance(1, 80, negatives="absolute")], "negative contributions"),
    ],
)
def test_rules_that_contradict(rules, words):
    _, facts = contributions(DRAWN)
    with pytest.raises(PolicyError, match=words):
        judge(facts, rules)


def test_contributors_missing_for_dominance():
    with pytest.raises(PolicyError, match="needs largest"):
        judge(CellFacts(counts=whole([3]), sums=whole([10])), [Dominance(1, 80)])
    with pytest.raises(PolicyError, match="needs the 3 largest"):
        judge(CellFacts(counts=whole([3]), sums=whole([10]), largest=np.array([[5, 3]])), [Dominance(3, 80)])


def test_contributions_that_exceed_their_sum():
    with pytest.raises(DataError, match=r"exceed the sum in fewer than 10 cells"):
        judge(CellFacts(counts=whole([2]), sums=whole([7]), largest=np.array([[5, 3]])), [PPercent(10)])


@pytest.mark.parametrize(
    "make",
    [
        lambda: MinimumFrequency(1),
        lambda: Dominance(0, 80),
        lambda: Dominance(1, 100),
        lambda: Dominance(1, 0.8),
        lambda: PPercent("ten"),
        lambda: PPercent(0),
        lambda: PPercent(10, coalition=0),
        lambda: PriorPosterior(50, 10),
        lambda: MinimumContributors(1),
        lambda: KDisclosure("class", k=-1),
        lambda: ResponseRate("120"),
    ],
)
def test_parameters_that_mean_nothing(make):
    with pytest.raises(PolicyError):
        make()


def test_facts_that_dont_fit_together_are_all_listed():
    with pytest.raises(DataError) as refused:
        CellFacts(counts=whole([1, 2]), sums=whole([1]), largest=np.array([[1.5], [2]]))
    assert len(refused.value.faults) == 2
    with pytest.raises(DataError, match="not sorted"):
        CellFacts(counts=whole([2]), largest=np.array([[1, 2]]))


def test_facts_and_verdict_dont_show_figures():
    _, facts = contributions(DRAWN)
    assert "confidential" in repr(facts)
    assert "confidential" in repr(judge(facts, [PPercent(10)]))


def test_sums_beyond_what_a_machine_word_holds_when_multiplied():
    """9 * 10^17 cents times 100 overflows 64 bits; the verdict is exact all the same."""
    total = 9 * 10**17
    largest = np.array([[total * 8 // 10, total // 10], [total * 8 // 10 + 1, total // 10], [total, 0]], np.int64)
    facts = CellFacts(counts=whole([9, 9, 9]), sums=whole([total] * 3), largest=largest)
    assert judge(facts, [Dominance(1, Fraction(80))]).flags.tolist() == [False, True, True]
