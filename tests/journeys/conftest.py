"""The office and its one whole run, shared by all journeys (and by the test processes of one session)."""

import pytest
from helpers import journey


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """An office after one whole run. To be looked at; tests that change anything take `office`."""
    return journey.the_release(tmp_path_factory)


@pytest.fixture
def office(released, tmp_path):
    """A copy of that office, with its release, to be changed."""
    return released.office.copied(tmp_path / "office")
