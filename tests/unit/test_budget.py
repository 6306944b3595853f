"""Budgets are exact, every rounding goes against us, and (ε, δ) agrees with two other accountants."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.budget import MILLION, checked_rho, epsilon_at, exact_rho, left_text, rho_in_millionths, spent_text
from release.errors import BudgetError, UsageError

rhos = st.fractions(min_value=Fraction(1, 10**9), max_value=100, max_denominator=10**9)


@pytest.mark.parametrize(("text", "rho"), [("1/2", Fraction(1, 2)), (" 2 ", Fraction(2)), ("2/6", Fraction(1, 3))])
def test_exact_text_is_read(text, rho):
    assert exact_rho(text) == rho


@pytest.mark.parametrize(
    "text", ["0", "-1/2", "0/5", "1/0", "half", "", "nan", "inf", "1e-3", "1_0", "1/2/3", "9" * 41]
)
def test_other_text_is_refused(text):
    with pytest.raises(UsageError):
        exact_rho(text)


def test_a_decimal_is_refused_with_the_right_spelling():
    with pytest.raises(UsageError, match='Write "1/8"'):
        exact_rho("0.125")


@pytest.mark.parametrize("rho", [0.5, 1, "1/2", None])
def test_only_fractions_are_budgets(rho):
    with pytest.raises(BudgetError, match="exact fraction"):
        checked_rho(rho)


@given(rhos)
def test_millionths_round_up_by_less_than_one(rho):
    assert 0 <= rho_in_millionths(rho) - rho * MILLION < 1


@given(rhos)
def test_spent_is_shown_rounded_up_and_left_rounded_down(rho):
    assert Fraction(left_text(rho)) <= rho <= Fraction(spent_text(rho))
    assert Fraction(spent_text(rho)) - Fraction(left_text(rho)) <= Fraction(1, MILLION)


def test_one_third():
    assert (spent_text(Fraction(1, 3)), left_text(Fraction(1, 3))) == ("0.333334", "0.333333")
    assert left_text(Fraction(-1, 3)) == "-0.333334"


def test_epsilon_of_the_known_example():
    """ρ = 0.5, δ = 1e-10: 6.83933 (OpenDP), 6.83935 (dp-accounting)."""
    assert epsilon_at(Fraction(1, 2), Fraction("1e-10")) == 6.83933


GRID = [
    (rho, delta)
    for rho in ("1/1000000", "1/1000", "1/50", "1/8", "1/2", "1", "7", "100")
    for delta in ("1e-3", "1e-6", "1e-9", "1e-15")
]


@pytest.mark.parametrize(("rho", "delta"), GRID)
def test_epsilon_agrees_with_opendp(rho, delta):
    import opendp.prelude as dp

    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T=float)
    gaussian = space >> dp.m.then_gaussian((1 / (2 * float(Fraction(rho)))) ** 0.5)
    theirs = dp.c.make_zCDP_to_approxDP(gaussian).map(1.0).epsilon(float(delta))
    assert epsilon_at(Fraction(rho), Fraction(delta)) == pytest.approx(theirs, abs=2.1e-5, rel=2e-6)


@pytest.mark.parametrize(("rho", "delta"), GRID)
def test_epsilon_is_never_above_dp_accounting_nor_far_below(rho, delta):
    """Theirs tries a fixed list of orders, so it may promise a little less than ours, never more."""
    from dp_accounting.dp_event import ZCDpEvent
    from dp_accounting.rdp import RdpAccountant

    orders = [1 + 10 ** (k / 40) for k in range(-200, 280)]
    theirs = RdpAccountant(orders).compose(ZCDpEvent(rho=float(Fraction(rho)))).get_epsilon(float(delta))
    ours = epsilon_at(Fraction(rho), Fraction(delta))
    assert theirs * (1 - 2e-3) - 1e-4 <= ours <= theirs + 1.1e-5


def test_a_wrong_formula_would_be_seen():
    """The simple formula ρ + 2 sqrt(ρ ln(1/δ)) is far off, so the comparisons above can fail."""
    assert epsilon_at(Fraction(1, 2), Fraction("1e-10")) + 0.4 < 0.5 + 2 * (0.5 * 23.0259) ** 0.5


@settings(max_examples=25, deadline=None)
@given(rhos, st.integers(1, 300))
def test_epsilon_promises_the_stated_delta(rho, digits):
    """Put back into δ = exp((α−1)(αρ−ε)) / (α−1) · (1−1/α)^α with 40 digits: some order reaches δ or less."""
    epsilon = epsilon_at(rho, Fraction(1, 10**digits))
    with localcontext() as context:
        context.prec = 40
        exact = Decimal(rho.numerator) / Decimal(rho.denominator)
        wanted = -digits * Decimal(10).ln()
        assert epsilon == 0 or _lowest_log_delta(exact, Decimal(epsilon), wanted) <= wanted + Decimal("1e-9")
        slightly_less = Decimal(epsilon) * Decimal("0.999") - Decimal("1e-4")
        assert epsilon == 0 or _lowest_log_delta(exact, slightly_less, wanted) > wanted


def _lowest_log_delta(rho, epsilon, wanted):
    """The lowest log δ over α, by four ever finer searches over t = α − 1."""
    best, ratio = (-wanted / rho).sqrt(), Decimal(2)
    for _ in range(5):
        best = min((best * ratio ** Decimal(k) for k in range(-15, 16)), key=lambda t: _log_delta(rho, epsilon, t))
        ratio = ratio ** (Decimal(1) / 10)
    return _log_delta(rho, epsilon, best)


def _log_delta(rho, epsilon, t):
    alpha = 1 + t
    return t * (alpha * rho - epsilon) - t.ln() + alpha * (1 - 1 / alpha).ln()


def test_extremes_of_epsilon():
    assert epsilon_at(Fraction("1e-30"), Fraction("1e-10")) == 0
    assert epsilon_at(Fraction(1, 2), Fraction(1, 10**400)) > epsilon_at(Fraction(1, 2), Fraction("1e-300"))
    assert epsilon_at(Fraction(10**6), Fraction("1e-9")) > 10**6
    assert epsilon_at(Fraction(1, 2), 1 - Fraction(1, 10**30)) >= 0


@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1), Fraction(-1, 2), 1e-9, "1e-9"])
def test_delta_is_an_exact_fraction_between_zero_and_one(delta):
    with pytest.raises(BudgetError):
        epsilon_at(Fraction(1, 2), delta)
