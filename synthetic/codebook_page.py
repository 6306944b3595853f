"""The codebook as a page: one language, small bar charts, nothing but itself; strict about what a browser may load."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from release.protected.words import written
from synthetic.certificate_page import render
from synthetic.codebook_words import LANGUAGES, words

MANY = 30
"""Lists longer than this are folded away."""


def codebook_page(facts: Mapping[str, Any], language: str, pages: Mapping[str, str]) -> str:
    """The page of a codebook's facts. pages: file name of each language's page."""
    w = words(language)
    return render(
        "codebook.html.j2",
        w=w,
        language=language,
        pages=[(code, LANGUAGES[code], pages[code]) for code in LANGUAGES],
        book=facts,
        style=_style(),
        policy=_security(),
        title=facts["title"].get(language) or facts["title"].get("en") or facts["release"],
        records=written(facts["records"], 0),
        promise=w["costless"].format(promise=_promised(facts["promise"])),
        columns=[_column(column, language, facts["records"]) for column in facts["columns"]],
    )


def _promised(promise: Mapping[str, Any]) -> str:
    return f"zCDP, ρ = {promise['rho']}; ε = {promise['epsilon']}, δ = {promise['delta']}"


def _column(column: Mapping[str, Any], language: str, records: int) -> dict[str, Any]:
    """What the page says of a column, in one language."""
    w, codes = words(language), column.get("codes", [])
    most = max((code["records"] for code in codes), default=0)
    return {
        "name": column["name"],
        "type": w[f"{column['type']}_type"],
        "title": column["title"][language],
        "level": column.get("level"),
        "unit": column.get("unit"),
        "notes": [note[language] for note in column["notes"]],
        "many": len(codes) > MANY,
        "fold": w["bins" if column["kind"] == "number" else "codes"].format(n=len(codes)),
        "codes": [_code(code, language, records, most) for code in codes],
        "together": "; ".join(f"{name} ({_levels(levels)})" for name, levels in column.get("together", {}).items()),
        "by_rule": ", ".join(column.get("by_rule", [])),
        "apart": ", ".join(column.get("apart", [])),
    }


def _levels(levels: list[list[str]]) -> str:
    return ", ".join(" × ".join(references) for references in levels)


def _code(code: Mapping[str, Any], language: str, records: int, most: int) -> dict[str, Any]:
    share = code["records"] / max(records, 1)
    return {
        "code": code["code"],
        "text": code[language],
        "records": written(code["records"], 0),
        "share": f"{written(100 * share, 1)}\u00a0%",
        "bar": round(100 * code["records"] / max(most, 1), 1),
    }


@cache
def _style() -> str:
    return (files("synthetic") / "templates" / "codebook.css").read_text(encoding="utf-8")


def _security() -> str:
    """Nothing may be loaded; the one style sheet is named by its digest."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
