"""Utfall: what became of graduates, published so that nobody can learn about a person."""


def version() -> str:
    """The installed version."""
    from importlib.metadata import version as installed

    return installed("utfall")
