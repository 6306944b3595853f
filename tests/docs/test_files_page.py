"""The page about published files names every status, mark, column, statistic and file."""

from pathlib import Path

import pytest

from release.policy.synthetic_checks import MARK, STATUS
from release.protected.reasons import REASONS, Status
from release.protected.safe import FIGURES
from release.published import layout
from synthetic.codebook import codebook_paths
from synthetic.columns import ID
from synthetic.files import notes_path
from synthetic.publish import CERTIFICATE, FOLDER, record_paths

PAGE = (Path(__file__).resolve().parents[2] / "docs/files.md").read_text("utf-8")


@pytest.mark.parametrize("status", Status)
def test_every_status_is_documented_with_its_marks(status):
    reason = REASONS[status]
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{status.value}` "))
    mark = f"`{reason.px}`" if reason.px else ""
    assert line.split("|")[3].strip() == mark
    assert line.split("|")[4].split() == [reason.sdmx_observation, reason.sdmx_confidentiality]


@pytest.mark.parametrize("name", [*FIGURES, "statistic", "status", "note", "count", "share", "mean", "response-rate"])
def test_every_column_and_statistic_is_documented(name):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize(
    "path",
    [
        layout.MANIFEST,
        layout.PROMISE,
        layout.POLICY,
        layout.DATAPACKAGE,
        layout.CODEBOOK,
        f"{layout.MEASUREMENTS}/",
        layout.csv_path("<table>"),
        layout.parquet_path("<table>"),
        f"{layout.SITE_DATA}/",
        "site/index.html",
        f"{FOLDER}/",
        *(path.name for path in record_paths(Path(), 2)[0]),
        record_paths(Path(), 2)[1][0].name,
        notes_path(record_paths(Path(), 1)[0][1]).name,
        CERTIFICATE,
        *(path.name for path in codebook_paths(Path())),
        ID,
        MARK,
        STATUS,
    ],
)
def test_every_file_is_documented(path):
    assert f"`{path}`" in PAGE
