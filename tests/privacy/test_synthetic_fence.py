"""Synthetic records come from the public folder alone: registers deleted, confidential side locked, the same bytes."""

import hashlib
import json
import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq

LOCKED = """
import sys

class Lock:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("release.confidential"):
            raise ImportError("the confidential side is locked")

sys.meta_path.insert(0, Lock())
for absent in ("opendp", "duckdb", "ibis", "papermill"):
    sys.modules[absent] = None
"""

MAKE = """
import sys
from pathlib import Path
from synthetic.publish import make_records

make_records(Path(sys.argv[1]), Path(sys.argv[2]), rows=2000, replicates=2)
"""

OPENED = """
seen = []
sys.addaudithook(lambda event, of: seen.append(str(of[0])) if event == "open" else None)
"""

TELL = """
places = {str(Path(name).resolve()) for name in seen if not name.isdigit()}
print("\\n".join(place for place in places if place.startswith(sys.argv[3])))
"""


def python(program, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made(program, public, folder):
    folder.mkdir()
    python(program, public, folder / "graduates.parquet")
    found = contents(folder)
    assert len(found) >= 2
    return found


def test_without_registers_and_confidential_side_the_same_bytes_come_out(office, tmp_path):
    """`office` is a copy of an office with its release: first all is there, then nothing but the public folder."""
    public = next(office.out.iterdir()) / "public"
    with_all = made(MAKE, public, tmp_path / "with-all")
    elsewhere = tmp_path / "researcher"
    shutil.copytree(public, elsewhere)
    shutil.rmtree(office.folder)
    assert made(LOCKED + MAKE, elsewhere, tmp_path / "public-only") == with_all


def test_nothing_of_the_office_is_opened_but_the_public_folder(office, tmp_path):
    """Seen by the interpreter itself, which tells of every file that is opened."""
    public = next(office.out.iterdir()) / "public"
    program = "import sys\n" + OPENED + MAKE + TELL
    opened = python(program, public, tmp_path / "graduates.parquet", office.folder.resolve()).split()
    assert opened, "the public folder lies in the office, so the hook must have seen it"
    assert [place for place in opened if not place.startswith(str(public.resolve()))] == []


def with_other_measurements(public):
    """The same release with a hundred persons more in every noisy value that is the number of all, and its digest."""
    values, facts = public / "measurements" / "noisy.parquet", public / "measurements" / "measurement.json"
    table = pq.read_table(values)
    changed = pa.array(
        [value + 100 * (residual == 0) for residual, value in zip(*table.to_pydict().values(), strict=True)]
    )
    pq.write_table(table.set_column(1, "value", changed), values)
    said = json.loads(facts.read_text())
    said["values"]["sha256"] = hashlib.sha256(values.read_bytes()).hexdigest()
    facts.write_text(json.dumps(said))


def test_other_measurements_give_other_records(office, tmp_path):
    """The twin: records depend on the measurements, so equal bytes mean something."""
    public = next(office.out.iterdir()) / "public"
    before = made(MAKE, public, tmp_path / "before")
    with_other_measurements(public)
    after = made(MAKE, public, tmp_path / "after")
    assert before.keys() == after.keys()
    assert [name for name in before if name.endswith(".parquet") and before[name] == after[name]] == []
