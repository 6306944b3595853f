"""Linking and counting agree with their slow, obvious twin to the last count, on random small registers."""

from itertools import product

import numpy as np
import pytest
from helpers.plain_link import plain_count, plain_link
from helpers.random_registers import REGISTERS
from helpers.small_registers import counted, small_policy
from hypothesis import Phase, given, settings

FEW = settings(max_examples=5, deadline=None, phases=(Phase.explicit, Phase.generate))
MANY = settings(FEW, max_examples=100)
VARIANTS = [(1, "highest-then-latest"), (1, "latest"), (2, "highest-then-latest"), (3, "latest")]


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda v: f"{v[0]}-{v[1]}")
def policy(request, tmp_path_factory):
    records, keep = request.param
    return small_policy(tmp_path_factory.mktemp("policy"), records=records, keep=keep)


def agree(policy, folder, registers):
    counts = counted(policy, folder, registers)
    linked = plain_link(policy, registers)
    for combination, table in counts.tables.items():
        plain = plain_count(linked, combination, policy.attributes)
        assert {key: int(table[key]) for key in product(*map(range, table.shape)) if table[key]} == dict(plain)


@FEW
@given(registers=REGISTERS)
def test_every_count_is_the_twins(policy, tmp_path_factory, registers):
    agree(policy, tmp_path_factory.mktemp("delivery"), registers)


@pytest.mark.slow
@MANY
@given(registers=REGISTERS)
def test_every_count_is_the_twins_in_many_registers(policy, tmp_path_factory, registers):
    agree(policy, tmp_path_factory.mktemp("delivery"), registers)


@settings(FEW, max_examples=2)
@given(registers=REGISTERS)
def test_the_order_of_rows_changes_nothing(policy, tmp_path_factory, registers):
    turned = {name: rows[::-1] for name, rows in registers.items()}
    counts = counted(policy, tmp_path_factory.mktemp("a"), registers)
    again = counted(policy, tmp_path_factory.mktemp("b"), turned)
    assert all(np.array_equal(counts.tables[c], again.tables[c]) for c in counts.tables)
