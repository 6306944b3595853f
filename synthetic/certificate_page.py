"""The certificate as a page for people: short words, every number rounded for reading."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from release.protected.words import translated, written
from synthetic.agreement import Differences, TableAgreement
from synthetic.certificate_words import words
from synthetic.codebook_words import LANGUAGES, WORDS, in_language, page_name
from synthetic.impossible import Impossible
from synthetic.relations import Measured, Relations

if TYPE_CHECKING:
    from jinja2 import Environment

    from synthetic.certificate import Certificate, Sizes


def certificate_page(certificate: "Certificate", language: str = "en") -> str:
    """A whole page, self-contained."""
    content = certificate_html(certificate, language)
    pages = [(code, name, page_name("certificate", code)) for code, name in LANGUAGES.items()]
    w = {**words(language), "language": in_language(WORDS["language"], language)}
    return render("page.html.j2", w=w, language=language, pages=pages, release=certificate.release, content=content)


def certificate_html(certificate: "Certificate", language: str = "en") -> str:
    """What stands on the page, to be shown in a notebook as well."""
    w = words(language)
    between = certificate.relations
    return render(
        "certificate.html.j2",
        w=w,
        title=translated(certificate.title, language, certificate.release),
        request=certificate.request,
        seed=certificate.seed,
        rows=written(certificate.rows, 0),
        persons=written(certificate.persons, 0),
        impossible=_broken(certificate.impossible),
        unchecked=", ".join(certificate.impossible.unchecked),
        sizes=[{"name": f"{one.dimension}: {one.level}", "text": _size(one, w)} for one in certificate.sizes],
        tables=[{"name": table.name, "texts": list(_table(table, w))} for table in certificate.tables],
        columns=", ".join(f"{name}: {level}" if level != name else name for name, level in between.columns)
        or w["none"],
        no_columns=", ".join(between.no_columns) or w["none"],
        names=[name for name, _ in between.columns],
        pairs=list(_pairs(between)),
        triples="; ".join(" × ".join(three) for three in between.no_triples) or w["none"],
    )


def _broken(impossible: Impossible) -> str:
    rules = ", ".join(f"{rule}: {number}" for rule, number in impossible.by_rule if number)
    return f"{written(impossible.records, 0)} ({rules})" if rules else "0"


def _size(one: "Sizes", w: dict[str, str]) -> str:
    off = _rounded((one.fit or one.estimate).largest)
    return w["exact"] if one.exact else f"{w['off']} {off}"


def _table(table: TableAgreement, w: dict[str, str]) -> Iterator[str]:
    """The texts of a row."""
    if table.measured is None:
        yield f"{w['unchecked']}: {', '.join(table.unchecked)}"
        return
    apart = table.measured.differences
    yield _percent(table.share_inside)
    yield written(table.shown, 0)
    yield ", ".join(f"{one.statistic} {_percent(one.share_inside)}" for one in table.published)
    yield _rounded(apart.mean)
    yield _rounded(apart.largest)
    yield f"{_rounded(apart.mean_in_errors)}, {_rounded(apart.largest_in_errors)}"
    yield _mean_and_largest(table.fit)


def _mean_and_largest(apart: Differences | None) -> str:
    return "–" if apart is None else f"{_rounded(apart.mean)}, {_rounded(apart.largest)}"


def _percent(share: float | None) -> str:
    return "–" if share is None else written(share * 100, 1)


def _rounded(number: float | None) -> str:
    return "–" if number is None else written(number, 2 if abs(number) < 10 else 1)


def _pairs(between: Relations) -> Iterator[dict[str, object]]:
    """The matrix of columns: a mark where two were measured together, with the levels."""
    known = {pair.columns: pair for pair in between.pairs}
    names = [name for name, _ in between.columns]
    for first in names:
        cells = [_mark(known, between, first, second) for second in names]
        yield {"name": first, "cells": cells}


def _mark(known: dict[tuple[str, ...], Measured], between: Relations, first: str, second: str) -> dict[str, str]:
    if first == second:
        return {"mark": "·", "levels": ""}
    pair = known.get((first, second)) or known.get((second, first))
    if pair is not None:
        return {"mark": "●", "levels": "; ".join(" × ".join(levels) for levels in pair.levels)}
    ruled = (first, second) in between.by_rule or (second, first) in between.by_rule
    return {"mark": "○" if ruled else "", "levels": ""}


def render(template: str, **content: object) -> str:
    """A template of this package, filled in."""
    return _templates().get_template(template).render(**content)


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("synthetic"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
