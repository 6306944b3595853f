"""Templates of the published pages: read from the package, filled in by Jinja, strict about unknown names."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **content: object) -> str:
    """A template of `release/published/templates`, filled in. HTML templates escape what they are given."""
    return _templates().get_template(template).render(**content)


def template_text(name: str) -> str:
    """A file of the templates folder as it is (style sheet, script)."""
    return (files("release.published") / "templates" / name).read_text(encoding="utf-8")


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=PackageLoader("release.published"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
