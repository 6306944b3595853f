"""Objects that may be shown in a notebook: the only output our notebook engine lets through.

A class that derives from `Shown` promises that its HTML holds no row, identifier, true small count or path.
"""

import sys
from typing import Any

SHOWN_TYPE = "application/vnd.utfall.shown+json"
PROGRESS_TYPE = "application/vnd.utfall.progress+json"


class Shown:
    """Mixin: give `_repr_html_`, and optionally `_plain`, and the object is marked as fit to be shown."""

    def _repr_html_(self) -> str:
        raise NotImplementedError

    def _plain(self) -> str:
        return f"<{type(self).__name__}>"

    def __repr__(self) -> str:
        return self._plain()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        return {
            SHOWN_TYPE: {"kind": type(self).__name__},
            "text/html": self._repr_html_(),
            "text/plain": self._plain(),
        }


def show_progress(done: int, total: int) -> None:
    """How many of a public number of steps are done: to the notebook's runner, or on standard error outside of one."""
    text = f"{done:,} of {total:,} noisy values drawn"
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        print(text, file=sys.stderr, flush=True)
    else:
        data = {PROGRESS_TYPE: {"done": done, "total": total}, "text/plain": text}
        shell.display_pub.publish(data, transient={"display_id": "progress"}, update=done > 0)


class Closed:
    """Mixin for objects that hold rows or true figures: their `repr` says nothing but their name."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: confidential>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return f"<p>{type(self).__name__}: confidential, not shown</p>"

    def __reduce__(self) -> str:
        raise TypeError(f"{type(self).__name__} is confidential and isn't copied out")
