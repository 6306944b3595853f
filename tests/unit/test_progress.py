"""Progress of the draws: two public numbers, told in words of our own, and nothing else that a message may carry."""

import pytest

from release.runner.vet import progress_in
from release.shown import PROGRESS_TYPE, show_progress


def message(said, kind="update_display_data"):
    return {"msg_type": kind, "content": {"data": {PROGRESS_TYPE: said, "text/plain": "ID-123456"}}}


def test_progress_is_told_in_our_own_words():
    assert progress_in(message({"done": 40_000, "total": 1_200_000})) == "40 000 of 1 200 000 noisy values drawn"


@pytest.mark.parametrize(
    "said", [None, "text", {"done": "ID-123456", "total": 3}, {"done": True, "total": 2}, {"done": 1}]
)
def test_anything_else_is_not_progress(said):
    assert progress_in(message(said)) is None
    assert progress_in(message({"done": 1, "total": 2}, kind="stream")) is None


def test_outside_a_notebook_progress_goes_to_standard_error(capsys):
    show_progress(3, 10)
    out, err = capsys.readouterr()
    assert out == ""
    assert "3 of 10" in err
