"""Noisy figures: estimates, intervals, withholding; and exact tables: suppression and perturbation.

Never imports the confidential side. For people who want only cell suppression, pandas in and pandas out:

    from release.protected import suppress_table

The page docs/suppress-table.md tells how.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release.protected.pandas_api import Columns, How, Suppressed, suppress_table

__all__ = ["Columns", "How", "Suppressed", "suppress_table"]


def __getattr__(name: str) -> object:
    """The small public API is loaded when it is asked for, so that importing this package costs nothing."""
    if name in __all__:
        from release.protected import pandas_api

        return getattr(pandas_api, name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
