"""Somebody installs the wheel: notebooks, policies, code lists and templates come with it and are found."""

import os
import subprocess
import sys
import zipfile

import pytest
from helpers.journey import ROOT

INSIDE = {"notebooks": "release/_shipped/notebooks", "policies": "release/_shipped/policies"}


def ours(folder):
    """Files of the project under a folder that git knows of, or would take in."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel, unpacked as an installer does, apart from the checkout."""
    place = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place)
    return place


def python(installed, *arguments):
    """This interpreter and its libraries, with the installed program before the checkout's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UTFALL_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=installed.parent,
        env=environment | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_all_of_the_program(wheel):
    with zipfile.ZipFile(wheel) as packed:
        there = set(packed.namelist())
    expected = {name for folder in ("release", "synthetic") for name in ours(folder)}
    expected |= {name.replace(old, new, 1) for old, new in INSIDE.items() for name in ours(old)}
    assert len(expected) > 100
    assert expected - there == set()
    assert {name.split("/")[0] for name in there if ".dist-info/" not in name} == {"release", "synthetic"}


def test_the_installed_program_finds_what_comes_with_it(installed):
    told = python(
        installed, "-c", "from release.shipped import shipped; print(shipped('notebooks'), shipped('policies'))"
    )
    assert told.stdout.split() == [str(installed / place) for place in INSIDE.values()], told.stderr


def test_the_installed_program_makes_a_demo_and_checks_it(installed, tmp_path):
    demo = tmp_path / "demo"
    made = python(installed, "-m", "release.cli", "demo", demo, "--persons", "300")
    assert made.returncode == 0, made.stderr
    checked = python(installed, "-m", "release.cli", "check", demo / "graduates-demo.yaml", "--data", demo)
    assert checked.returncode == 0, checked.stderr
    assert "clean" in checked.stdout


def test_the_command_and_the_engine_are_announced(installed):
    entry_points = next(installed.glob("*.dist-info")) / "entry_points.txt"
    assert "utfall = release.cli:main" in entry_points.read_text()
    assert "[papermill.engine]\nutfall = release.runner.engine:VettedEngine" in entry_points.read_text()


def test_git_does_not_hide_our_own_folders():
    """Common ignore files hide a folder called release/."""
    folders = [
        "release",
        "notebooks",
        "policies",
        "synthetic",
        "tests",
        "release/__init__.py",
        "policies/codes/field.csv",
    ]
    hidden = subprocess.run(["git", "check-ignore", *folders], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (hidden.returncode, hidden.stdout) == (1, "")
    ignored = subprocess.run(["git", "check-ignore", ".venv", "demo/x"], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode == 0
