"""Which cells exist and which sums hold in exact tables: trees, crossed, overlapping and linked."""

import numpy as np
import pytest

from release.errors import DataError, PolicyError
from release.protected.suppression.structure import Hierarchy, crossed, folded

title = "The structure of exact tables"

SEX = Hierarchy.flat("sex", ["F", "M"])
PROVIDER = Hierarchy.from_edges(
    "provider", [("Total", "R1"), ("Total", "R2"), ("R1", "P1"), ("R1", "P2"), ("R2", "P3")]
)
OWNER = Hierarchy.from_edges(
    "owner", [("Total", "public"), ("Total", "private"), ("public", "P1"), ("private", "P2"), ("private", "P3")]
)
ROWS = {"provider": ["P1", "P1", "P2", "P3"], "sex": ["F", "M", "F", "M"]}
INNER = np.array([4, 1, 2, 3])


def sums(system, values):
    """Every sum as text: total = parts, by codes."""
    lines = set()
    for row in system.relations.toarray():
        total = "/".join(system.key(int(np.flatnonzero(row == -1)[0])))
        lines.add(total + " = " + " + ".join("/".join(system.key(int(i))) for i in np.flatnonzero(row == 1)))
    assert not (system.relations @ values).any()
    return lines


def test_a_flat_list_and_its_total():
    system = crossed({"sex": [SEX]}, leaves={"sex": ["F", "M"]})
    assert sums(system, folded(system, np.array([4, 1]))) == {"Total = F + M"}


def test_empty_combinations_are_no_cells():
    """P2 has no men and P3 no women: those cells don't exist, and the sums leave them out."""
    system = crossed({"provider": [PROVIDER], "sex": [SEX]}, leaves=ROWS)
    values = folded(system, INNER)
    by_key = {system.key(i): int(v) for i, v in enumerate(values)}
    assert ("P2", "M") not in by_key
    assert by_key["R1", "F"] == 6
    assert by_key["Total", "Total"] == 10
    assert "P2/Total = P2/F" in sums(system, values)


def test_all_combinations_when_none_are_given():
    system = crossed({"provider": [PROVIDER], "sex": [SEX]})
    assert len(system) == 6 * 3
    assert system.relations.shape[0] == 6 * 1 + 3 * 3


def test_overlapping_trees_share_leaves_and_total():
    system = crossed({"provider": [PROVIDER, OWNER]}, leaves={"provider": ["P1", "P2", "P3"]})
    assert sums(system, folded(system, np.array([5, 2, 3]))) == {
        "Total = R1 + R2", "R1 = P1 + P2", "R2 = P3", "Total = public + private", "public = P1", "private = P2 + P3",
    }  # fmt: skip


def test_linked_tables_share_cells_by_key():
    """Region by sex, and provider alone: the regions' totals are one and the same cell."""
    system = crossed(
        {"provider": [PROVIDER], "sex": [SEX]}, leaves=ROWS, tables=[{"provider": 1, "sex": 1}, ["provider"]]
    )
    found = sums(system, folded(system, INNER))
    assert found == {
        "R1/Total = P1/Total + P2/Total", "R2/Total = P3/Total", "Total/Total = R1/Total + R2/Total",
        "R1/Total = R1/F + R1/M", "R2/Total = R2/M", "Total/Total = Total/F + Total/M",
        "Total/F = R1/F", "Total/M = R1/M + R2/M",
    }  # fmt: skip


def test_places_of_cells_by_codes():
    system = crossed({"provider": [PROVIDER], "sex": [SEX]}, leaves=ROWS)
    at = system.places({"provider": ["R1", "P2"], "sex": ["F", "M"]})
    assert system.key(at[0]) == ("R1", "F")
    assert at[1] == -1


@pytest.mark.parametrize(
    ("edges", "says"),
    [
        ([("Total", "A"), ("B", "C"), ("C", "B")], "circle"),
        ([("Total", "A"), ("Other", "B")], "several totals"),
        ([("Total", "A"), ("Total", "B"), ("B", "A")], "two parents"),
        ([], "no codes"),
    ],
)
def test_trees_that_are_no_trees_are_refused(edges, says):
    with pytest.raises(PolicyError, match=says):
        Hierarchy.from_edges("field", edges)


def test_rows_at_a_total_or_an_unknown_code_are_refused():
    with pytest.raises(DataError, match="both leaf and total: R1"):
        crossed({"provider": [PROVIDER]}, leaves={"provider": ["P1", "R1"]})
    with pytest.raises(DataError, match="in no tree: P9"):
        crossed({"provider": [PROVIDER]}, leaves={"provider": ["P1", "P9"]})


def test_trees_of_different_leaves_or_meanings_are_refused():
    few = Hierarchy.flat("few", ["P1", "P2"])
    with pytest.raises(PolicyError, match="different leaves: P3"):
        crossed({"provider": [PROVIDER, few]})
    swapped = Hierarchy.from_edges("swapped", [("Total", "R1"), ("Total", "P1"), ("R1", "P2"), ("R1", "P3")])
    with pytest.raises(PolicyError, match="different things by the codes R1"):
        crossed({"provider": [PROVIDER, swapped]})
    with pytest.raises(PolicyError, match="did you mean"):
        crossed({"provider": [PROVIDER]}, tables=[["providr"]])
