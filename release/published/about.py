"""What a release says of itself on its pages and in its packages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from release.protected.words import translated


@dataclass(frozen=True)
class About:
    """Name, title and office of a release; texts by language. `licence` is a name such as "CC-BY-4.0", if any.

    synthetic: whether the release has synthetic records.
    """

    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    office: Mapping[str, str] = field(default_factory=dict)
    contact: str | None = None
    licence: str | None = None
    synthetic: bool = False

    def title_in(self, language: str) -> str:
        """The title in a language, or the release's name."""
        return translated(self.title, language, self.name)
