"""The office of the journeys and its one whole run, for tests of what it may have given away."""

import pytest
from helpers import journey


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """An office after one whole run, with planted secrets in its registers. To be looked at only."""
    return journey.the_release(tmp_path_factory)


@pytest.fixture
def office(released, tmp_path):
    """A copy of that office, with its release, to be changed."""
    return released.office.copied(tmp_path / "office")
