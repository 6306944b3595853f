"""Public bins of a number: edges that are the same on every machine, their codes and texts."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise

from release.policy.document import Bins
from release.policy.yaml_text import Place

LARGEST_EDGE = 10**12
_EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)


def bin_edges(bins: Bins, place: Place) -> tuple[Decimal, ...]:
    """`number + 1` rising edges, in whole units when every bin stays at least 2 wide, else to 2 decimals.

    Computed in decimal arithmetic (its exp and ln are correctly rounded), so that no machine differs.
    """
    low, high = Decimal(repr(bins.from_)), Decimal(repr(bins.to))
    _check_ends(bins, low, high, place)
    exact = [_edge(bins, low, high, i) for i in range(bins.number + 1)]
    whole = tuple(edge.quantize(Decimal(1), context=_EXACT) for edge in exact)
    ends_kept = whole[0] == low and whole[-1] == high
    if ends_kept and all(upper - lower >= 2 for lower, upper in pairwise(whole)):
        return whole
    fine = tuple(edge.quantize(Decimal("0.01"), context=_EXACT) for edge in exact)
    if any(upper <= lower for lower, upper in pairwise(fine)):
        place.refuse(f"{bins.number} bins are too many between {low} and {high}.", "write fewer bins, or wider ends")
    return fine


def _check_ends(bins: Bins, low: Decimal, high: Decimal, place: Place) -> None:
    if low >= high:
        place.refuse(f"the bins don't rise from {bins.from_} to {bins.to}.", "write the smaller number under `from`")
    if max(abs(low), abs(high)) > LARGEST_EDGE:
        place.refuse("the bins reach beyond 1 000 000 000 000.", "choose a larger unit, such as thousands")
    if bins.spacing == "log" and low <= 0:
        place.refuse("bins with log spacing start above 0.", "write `spacing: even`, or a `from` such as 1")
    if low != round(low, 2) or high != round(high, 2):
        place.refuse("the ends of the bins have more than 2 decimals.", "round them, or choose a smaller unit")


def _edge(bins: Bins, low: Decimal, high: Decimal, i: int) -> Decimal:
    if i in (0, bins.number):
        return high if i else low
    part = _EXACT.divide(Decimal(i), Decimal(bins.number))
    if bins.spacing == "even":
        return _EXACT.fma(high - low, part, low)
    logs = _EXACT.fma(_EXACT.subtract(high.ln(_EXACT), low.ln(_EXACT)), part, low.ln(_EXACT))
    return logs.exp(_EXACT)


def bin_codes(edges: Sequence[Decimal]) -> list[str]:
    """under-800, 800-881, …, 8000-and-over: one more than there are edges."""
    said = [_said(edge) for edge in edges]
    return [f"under-{said[0]}", *(f"{a}-{b}" for a, b in pairwise(said)), f"{said[-1]}-and-over"]


def bin_texts(edges: Sequence[Decimal]) -> Iterator[dict[str, str]]:
    """The codes in words; a bin holds its lower edge and not its upper one."""
    said = [_said(edge) for edge in edges]
    yield {"en": f"Under {said[0]}", "fi": f"Alle {said[0]}", "sv": f"Under {said[0]}"}
    for a, b in pairwise(said):
        yield {"en": f"{a} to under {b}", "fi": f"{a} – alle {b}", "sv": f"{a} till under {b}"}
    yield {"en": f"{said[-1]} and over", "fi": f"{said[-1]} tai enemmän", "sv": f"{said[-1]} och över"}


def _said(edge: Decimal) -> str:
    """800, 0.5, 12.25: no exponent, no closing zeros, no minus before zero."""
    text = f"{abs(edge) if edge == 0 else edge:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
