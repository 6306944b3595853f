"""What a release says of itself on its pages and in its packages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from release.protected.words import translated


@dataclass(frozen=True)
class About:
    """Name, title and office of a release; texts by language. `licence` is a name such as "CC-BY-4.0", if any.

    synthetic: whether the release has synthetic records. exact: whether "all" or "some" tables are exact, "" for none.
    """

    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    office: Mapping[str, str] = field(default_factory=dict)
    contact: str | None = None
    licence: str | None = None
    synthetic: bool = False
    exact: str = ""

    @property
    def intro(self) -> str:
        """Which introduction fits: of noisy tables, of exact ones, or of both."""
        return {"": "intro", "all": "intro_exact", "some": "intro_both"}[self.exact]

    def title_in(self, language: str) -> str:
        """The title in a language, or the release's name."""
        return translated(self.title, language, self.name)
