"""The fence between the confidential side and the rest, as it holds in a running program, not only in its source."""

import json
import pkgutil
import subprocess
import sys

import pytest

import release

OUTER = (*(f"release.{module.name}" for module in pkgutil.iter_modules(release.__path__)), "synthetic")
HEAVY = ("pandas", "duckdb", "ibis", "opendp", "papermill", "pyarrow", "altair", "scipy", "nbclient", "IPython")

LOCKED = """
import importlib, pkgutil, sys

class Lock:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("release.confidential"):
            raise ImportError("the confidential side is locked")

sys.meta_path.insert(0, Lock())

def everything(name):
    module = importlib.import_module(name)
    for inner in pkgutil.walk_packages(getattr(module, "__path__", []), name + "."):
        if not inner.name.endswith("__main__"):
            importlib.import_module(inner.name)
"""


def python(program, *arguments):
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)


def test_all_but_the_confidential_side_works_without_it():
    """Every outer module, down to the last file, is imported with release.confidential locked away."""
    outer = [name for name in OUTER if name != "release.confidential"]
    assert len(outer) > 20
    done = python(LOCKED + f"for name in {outer!r}: everything(name)")
    assert done.returncode == 0, done.stderr


def test_the_lock_locks():
    """And the pipeline, which may reach the confidential side, does so only when it is called."""
    assert python(LOCKED + "import release.confidential.link").returncode != 0
    called = "from release.pipeline import link\nlink(None, None)"
    assert "the confidential side is locked" in python(LOCKED + called).stderr


def test_audit_and_tables_of_a_release_without_the_confidential_side(released, tmp_path):
    """An auditor's machine may lack that folder altogether, and OpenDP, DuckDB and Ibis too."""
    program = LOCKED + (
        "for absent in ('opendp', 'duckdb', 'ibis', 'papermill'): sys.modules[absent] = None\n"
        "from pathlib import Path\n"
        "from release.audit import audit\n"
        "report = audit(Path(sys.argv[1]), ledger=Path(sys.argv[2]))\n"
        "print(report.as_json())"
    )
    done = python(program, str(released.public), str(released.office.ledger))
    assert done.returncode == 0, done.stderr
    assert {claim["result"] for claim in json.loads(done.stdout)["claims"]} == {"pass"}


@pytest.mark.parametrize(
    "call",
    ["import release, synthetic", "from release.cli import main; main()", "import release.pipeline"],
    ids=["packages", "help", "pipeline"],
)
def test_light_imports(call):
    """What comes first must be there at once: no heavy library is loaded before it is needed."""
    program = f"import sys\nsys.argv = ['utfall', '--help']\ntry:\n    {call}\nexcept SystemExit: pass\n"
    done = python(program + f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)")
    assert done.stderr.strip() == "[]"


def test_a_plan_is_light(released):
    """No data frame, engine or sampler is needed to know what a release will cost."""
    program = "import sys\nfrom release.cli import main\ntry:\n    main()\nexcept SystemExit: pass\n"
    tell = f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{tell}", "plan", released.office.policy],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "graduates-by-region" in done.stdout
    assert done.stderr.strip() == "[]"
