"""Privacy budgets as exact fractions of ρ (zCDP), how they are shown, and what they mean as (ε, δ).

Nothing here rounds in our favour: spent rounds up, left rounds down, ε rounds up.
"""

import math
from collections.abc import Callable
from fractions import Fraction

from release.errors import BudgetError, UsageError

MILLION = 1_000_000
_GOLDEN = (math.sqrt(5) - 1) / 2


def exact_rho(text: str) -> Fraction:
    """The budget that a person typed: "1/2" or "2". Decimals are refused with the right spelling (UsageError)."""
    try:
        rho = Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        raise UsageError("A budget is an exact fraction of ρ.", now='Write it like "1/2" or "2".') from None
    if rho <= 0:
        raise UsageError("A budget is more than zero.", now='Write it like "1/2" or "2".')
    if not set(text.strip()) <= set("0123456789/"):
        raise UsageError("A budget is an exact fraction of ρ, not a decimal number.", now=f'Write "{rho}".')
    if len(text) > 40:
        raise UsageError("A budget has at most 40 characters.", now='Write it like "1/2" or "2".')
    return rho


def checked_rho(rho: Fraction) -> Fraction:
    """The same ρ, if it is an exact fraction over zero; else BudgetError."""
    if not isinstance(rho, Fraction):
        raise BudgetError("A budget is an exact fraction, never a float.", now='Write it like Fraction("1/2").')
    if rho <= 0:
        raise BudgetError("A budget is more than zero.", now='Write it like Fraction("1/2").')
    return rho


def rho_in_millionths(rho: Fraction) -> int:
    """Cost in whole millionths of ρ, rounded up: one third costs 333,334."""
    return math.ceil(checked_rho(rho) * MILLION)


def spent_text(rho: Fraction) -> str:
    """ρ with six decimals, rounded up: for what is spent or asked."""
    return _six_decimals(math.ceil(rho * MILLION))


def left_text(rho: Fraction) -> str:
    """ρ with six decimals, rounded down: for what is granted or left."""
    return _six_decimals(math.floor(rho * MILLION))


def _six_decimals(millionths: int) -> str:
    sign = "-" if millionths < 0 else ""
    whole, rest = divmod(abs(millionths), MILLION)
    return f"{sign}{whole}.{rest:06d}"


def epsilon_at(rho: Fraction, delta: Fraction) -> float:
    """Smallest known ε such that ρ-zCDP gives (ε, δ)-differential privacy, rounded up to five decimals.

    Any order α > 1 gives a true promise, so a search that misses the best one only promises less.
    Source: Canonne, Kamath, Steinke 2020, corollary 13; docs/proofs/zcdp.md. Errors: BudgetError.
    """
    if not isinstance(delta, Fraction) or not 0 < delta < 1:
        raise BudgetError("δ is an exact fraction over zero and under one.", now='Write it like Fraction("1e-9").')
    cost = float(checked_rho(rho))
    log_inverse_delta = _log_inverse(delta)

    def epsilon(log_t: float) -> float:
        return epsilon_of_order(math.exp(log_t), cost, log_inverse_delta)

    return _rounded_up(epsilon(_lowest(epsilon, low=-60.0, high=60.0)))


def _log_inverse(delta: Fraction) -> float:
    if delta > Fraction(1, 2):
        return -math.log1p(-float(1 - delta))
    return math.log(delta.denominator) - math.log(delta.numerator)


def epsilon_of_order(t: float, rho: float, log_inverse_delta: float) -> float:
    """ε that Rényi order α = 1 + t gives: αρ + (ln(1/δ) + (α−1)ln(1−1/α) − ln α)/(α−1)."""
    return (1 + t) * rho + (log_inverse_delta - math.log1p(t)) / t - math.log1p(1 / t)


def _lowest(function: Callable[[float], float], *, low: float, high: float) -> float:
    """Where the function is lowest: the best of 481 points, then golden section between its neighbours."""
    step = (high - low) / 480
    best = min((low + i * step for i in range(481)), key=function)
    low, high = best - step, best + step
    for _ in range(80):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if function(left) < function(right) else (left, high)
    return (low + high) / 2


def _rounded_up(epsilon: float) -> float:
    """Up to five decimals, after a margin of one part in 10^11 for the rounding of float arithmetic."""
    return max(0.0, math.ceil((epsilon + 1e-11 * max(1.0, abs(epsilon))) * 1e5) / 1e5)
