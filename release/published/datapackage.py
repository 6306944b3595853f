"""`datapackage.json`: the CSV files described for machines (Frictionless Tabular Data Package, version 1)."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from release.protected.reasons import REASONS, statuses_of
from release.protected.safe import FIGURES, KeyColumn, SafeTable
from release.protected.words import EXACT, LANGUAGES, key_title, statistic_meaning, told_of_figures, translated
from release.published.about import About
from release.published.columns import Coded, columns_of
from release.published.layout import DATAPACKAGE, csv_path, write_json

Json = dict[str, object]

_FIGURE_WORDS: Mapping[str, str] = {
    "value": "the figure; empty where it isn't shown",
    "lower": "lower end of its 95 % interval",
    "upper": "upper end of its 95 % interval",
    "standard_error": "its standard error",
}


def write_datapackage(tables: Sequence[SafeTable], public: Path, about: About) -> None:
    """Describe the CSV files, which must lie below `public` already (their digests are part of the description)."""
    package: Json = {
        "profile": "tabular-data-package",
        "name": about.name,
        "title": about.title_in("en"),
        "titles": dict(about.title),
        "description": _description(tables),
        "resources": [_resource(table, public) for table in tables],
    }
    if about.licence:
        package["licenses"] = [{"name": about.licence}]
    write_json(public / DATAPACKAGE, package)


def _description(tables: Sequence[SafeTable]) -> str:
    exact = [table.name for table in tables if table.protection != "dp"]
    if not exact:
        return "Long tables of figures protected by differential privacy, each with its interval and status."
    if len(exact) == len(tables):
        return "Long tables of exact, changed or rounded figures with their status; not differentially private."
    return (
        "Long tables of figures, each with its status: protected by differential privacy, with intervals, "
        f"but for these, which are not: {', '.join(exact)}."
    )


def _resource(table: SafeTable, public: Path) -> Json:
    content = (public / csv_path(table.name)).read_bytes()
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "title": translated(table.title, "en", table.name),
        "titles": dict(table.title),
        "description": f"Unit: {table.unit}. {told_of_figures(table.covers, 'en').capitalize()}."
        if table.covers in EXACT
        else f"Unit: {table.unit}. {told_of_figures(table.covers, 'en')}.",
        "path": Path(csv_path(table.name)).name,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\n", "quoteChar": '"', "doubleQuote": True, "header": True},
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": _schema(table),
    }


def _schema(table: SafeTable) -> Json:
    keys = [_key(key, coded) for key, coded in zip(table.keys, columns_of(table).keys, strict=True)]
    return {
        "fields": [*keys, _statistic(table), *(_figure(name) for name in FIGURES), _status(table), _note()],
        "missingValues": [""],
        "primaryKey": [*(key.name for key in table.keys), "statistic"],
    }


def _key(key: KeyColumn, coded: Coded) -> Json:
    return {
        "name": key.name,
        "type": "string",
        "title": key_title(key, "en"),
        "titles": {language: key_title(key, language) for language in LANGUAGES},
        "description": f'Codes of level "{key.level}", explained in codebook.json. "all": all codes together.',
        "constraints": {"required": True, "enum": list(coded.codes)},
    }


def _statistic(table: SafeTable) -> Json:
    meanings = " ".join(f"{name}: {statistic_meaning(name, 'en')}" for name in table.statistics)
    constraints = {"required": True, "enum": list(table.statistics)}
    return {"name": "statistic", "type": "string", "description": meanings, "constraints": constraints}


def _figure(name: str) -> Json:
    return {"name": name, "type": "number", "description": _FIGURE_WORDS[name]}


def _status(table: SafeTable) -> Json:
    known = statuses_of(table.protection)
    meanings = "; ".join(f"{status.value}: {REASONS[status].en}" for status in known)
    constraints = {"required": True, "enum": [status.value for status in known]}
    description = f"Whether and why the figure is shown or not. {meanings}"
    return {"name": "status", "type": "string", "description": description, "constraints": constraints}


def _note() -> Json:
    return {"name": "note", "type": "string", "description": "What else a reader must know of this figure"}
