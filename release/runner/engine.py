"""The engine that papermill knows as "utfall": runs a notebook with vetted outputs.

papermill loads this module through its entry point while papermill itself is still being imported, so nothing here
imports papermill before a notebook is run; a plain `import papermill` stays as light as it was.
"""

from typing import Any

ENGINE_NAME = "utfall"


class VettedEngine:
    """What papermill asks of an engine; the work is done by `VettedNotebooks`, a subclass of its NBClientEngine."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:
        """Run the notebook and give it back; see `papermill.engines.Engine.execute_notebook`."""
        from release.runner.client import VettedNotebooks

        return VettedNotebooks.execute_notebook(nb, kernel_name, **options)

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:  # noqa: ARG003
        """Always our own kernel, whatever the notebook or the machine names."""
        return "python3"

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:  # noqa: ARG003
        return "python"
