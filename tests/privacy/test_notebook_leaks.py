"""Ways in which a notebook could quote a person, tried with a planted identifier and a planted rare income.

Every byte that a run leaves anywhere is searched: work folder, output, the kernel's own folders as they were before
they were removed, standard output and error, log records, and the raised error with all it carries.
"""

import json
import logging
import os
import shutil
import stat
import time
from pathlib import Path

import pytest
from helpers.notebooks import bytes_under, everything, leaks, notebook, write

from release.errors import DataError, UtfallError
from release.runner import client, private
from release.runner.run import Job, run_job, run_notebook
from release.runner.vet import FAILED, HIDDEN, NOT_SHOWN

PERSON = "KANARIA-77319054-X"
INCOME = "91827.43"
FOLDER = "salaiset-rekisterit"
SECRETS = (PERSON, INCOME, "91827", "77319054", FOLDER)

READ = "import os, sys, logging, warnings\nperson, income = open(data + '/register.txt').read().split()"

QUIET_WAYS = {
    "print": "print(person, income)",
    "standard error": "print(person, income, file=sys.stderr)",
    "file descriptors": "os.write(1, person.encode()); os.write(2, income.encode());",
    "C library": "import ctypes; c = ctypes.CDLL(None); c.puts(person.encode()); c.fflush(None);",
    "logging": "logging.getLogger('x').error('%s %s', person, income); logging.basicConfig(); logging.error(person)",
    "warning": "warnings.warn(f'{person} has {income}')",
    "plain value": "(person, income)",
    "HTML": "from IPython.display import *\ndisplay(HTML(person + income))",
    "frame": "class Frame:\n    def _repr_html_(self): return person\n    __repr__ = _repr_html_\nFrame()",
    "picture": "display({'image/svg+xml': person, 'image/png': income, 'text/plain': person}, raw=True)",
    "chart": "display({'application/vnd.vegalite.v6+json': {'data': [person, income]}}, raw=True)",
    "display metadata": "display({'text/plain': '1'}, metadata={'who': person}, raw=True)",
    "update of a display": "one = display('x', display_id=person); one.update(person + income)",
    "clear output": "from IPython.display import clear_output\nprint(person); clear_output(); clear_output(wait=True)",
    "JavaScript, markdown": "display(Javascript(person), Markdown(income))",
    "page of text": "from IPython.core.page import page\npage(person)\n"
    "get_ipython().payload_manager.write_payload({'source': 'page', 'data': {'text/plain': person}})",
    "next input": "get_ipython().set_next_input(person)",
    "widget": "import comm\nwidget = {'state': {'_model_name': person, '_model_module': income}}\n"
    "comm.create_comm(target_name='jupyter.widget', data=widget).send({'state': {'v': person}})",
    "thread after the cell": "import threading, time\nthreading.Timer(0.05, lambda: print(person, income)).start()",
    "failing thread": "threading.Thread(target=lambda: {}[person]).start(); time.sleep(0.1)",
    "child process": "import subprocess\nsubprocess.run(['echo', person]); os.system('echo ' + income + ' >&2');",
    "IPython's own shell": "!echo {person}",
    "swallowed error": "try:\n    {}[person]\nexcept KeyError as error:\n    print(error)",
    "marked, with more than we let through": "from release.shown import *\n"
    "display({SHOWN_TYPE: {'kind': person, 'who': person}, 'image/png': income, 'text/markdown': person,"
    " 'text/html': {'a': person}, 'text/latex': income}, metadata={'who': person}, raw=True)",
    "list of shown things": "class Table(Shown):\n    def _repr_html_(self): return '<b>fine</b>'\n[Table(), person]",
}
SHOWN_AT_THE_END = "Table()"

LOUD_WAYS = {
    "failed cast": "int(person)",
    "missing key": "{}[person]",
    "text of an exception": "raise ValueError(f'{person} earns {income}')",
    "chained": "try:\n    {}[person]\nexcept KeyError as first:\n    raise RuntimeError(income) from first",
    "repr of a value": "class Row:\n    def __repr__(self): return person\nraise TypeError(Row())",
    "notes": "error = OSError('x'); error.add_note(person); raise error",
    "group": "raise ExceptionGroup(person, [ValueError(income)])",
    "our class, quoting": "from release.errors import DataError\nraise DataError(f'{person} earns {income}')",
    "another DataError": "class DataError(Exception): pass\nraise DataError(person)",
    "bad syntax": "exec(person + ' ' + income)",
    "asking": "input(person)",
    "unknown magic": "get_ipython().run_line_magic(person, income)",
    "text that fails": "class Odd(Exception):\n    def __str__(self): raise KeyError(person)\nraise Odd()",
}


@pytest.fixture
def office(tmp_path, monkeypatch, caplog, capfd):
    """A work folder, a register outside it, and all places that a run could leave something in."""
    register = tmp_path / FOLDER
    register.mkdir()
    (register / "register.txt").write_text(f"{PERSON} {INCOME}", encoding="utf-8")
    caplog.set_level(logging.DEBUG)
    return Office(tmp_path, register, monkeypatch, caplog, capfd)


class Office:
    def __init__(self, folder, register, monkeypatch, caplog, capfd):
        self.top, self.register, self.caplog, self.capfd = folder, register, caplog, capfd
        self.desk, self.kernels = folder / "desk", folder / "kernels"
        self.desk.mkdir()
        self.kernels.mkdir()
        self.output = self.desk / "out" / "1-test.ipynb"
        self.failed = self.desk / "out" / "1-test.failed.ipynb"
        self.mirror = private.shutil.rmtree
        monkeypatch.setattr(private.shutil, "rmtree", self.keep_a_copy)

    def keep_a_copy(self, folder, **options):
        for file in Path(folder).rglob("*"):
            if file.is_file():
                shutil.copyfile(file, self.kernels / f"{len(list(self.kernels.iterdir()))}-{file.name}")
        self.mirror(folder, **options)

    def run(self, *steps, seconds=60):
        """Run a notebook; the error it ended with, or None."""
        path = write(self.top / "1-test.ipynb", notebook(READ, *steps))
        job = Job(path, self.output, self.desk / "work", {"data": str(self.register)}, {}, seconds=seconds)
        try:
            run_job(job)
        except UtfallError as error:
            return error
        return None

    def leaks(self, error=None):
        logs = "\n".join(f"{record.getMessage()} {record.exc_text} {vars(record)!r}" for record in self.caplog.records)
        said = "".join(self.capfd.readouterr())
        carried = b"" if error is None else everything(error)
        return leaks(SECRETS, *bytes_under(self.desk, self.kernels), logs.encode(), said.encode(), carried)

    def cells(self, path):
        return json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_no_quiet_way_out(office):
    """All ways at once: none stops the notebook, none is stored; the release's own object at the end is."""
    error = office.run(*QUIET_WAYS.values(), SHOWN_AT_THE_END)
    assert error is None
    assert office.leaks() == []
    outputs = office.cells(office.output)[-1]["outputs"]
    assert outputs[0]["data"]["text/html"] == ["<b>fine</b>"]
    noted = [cell for cell in office.cells(office.output) if NOT_SHOWN in json.dumps(cell.get("outputs", ""))]
    assert len(noted) >= 12


def test_the_search_sees_a_leak_when_nothing_is_vetted(office, monkeypatch):
    """The twin: with the rewriting switched off, the same cells leak."""
    monkeypatch.setattr(client, "vetted", dict)
    office.run(*QUIET_WAYS.values())
    assert {PERSON, INCOME} <= set(office.leaks())


def test_no_loud_way_out(office):
    """Errors that a cell shows by itself, many in one notebook: none is stored, and the run counts as failed."""
    shown = [
        f"try:\n{_indent(way)}\nexcept BaseException:\n    get_ipython().showtraceback()" for way in LOUD_WAYS.values()
    ]
    error = office.run(*shown)
    assert type(error) in (UtfallError, DataError)
    assert office.leaks(error) == []
    assert not office.output.exists()
    errors = [output for cell in office.cells(office.failed) for output in cell.get("outputs", [])]
    assert {output["evalue"].split("\n")[0] for output in errors if output["output_type"] == "error"} == {
        FAILED,
        HIDDEN,
    }
    assert all(output.get("traceback", []) == [] for output in errors)


@pytest.mark.parametrize("way", ["missing key", "another DataError", "chained"])
def test_a_failing_cell_says_nothing_but_where(office, way):
    error = office.run("print(person)", LOUD_WAYS[way], "print('never reached')")
    assert type(error) is UtfallError
    assert 'notebook "1-test", cell 4 of 5' in str(error)
    assert office.leaks(error) == []
    assert error.__context__ is None
    assert not office.output.exists()
    assert "cell 4 of 5" in office.cells(office.failed)[0]["source"][0]


def test_ordinary_slips_with_a_real_frame(office):
    """A frame at the end of a cell, its summary, a row, and a failed cast, with pandas itself."""
    build = "import pandas as pd\nframe = pd.DataFrame({'person': [person] * 2, 'pay': [float(income)] * 2})"
    slips = ("frame", "frame.describe()", "frame.iloc[0]", "frame.info()", "frame.groupby('person').pay.mean()")
    error = office.run(build, *slips, "frame.person.astype('int64')")
    assert "cell 9 of 9" in str(error)
    assert office.leaks(error) == []
    assert sum(NOT_SHOWN in json.dumps(cell.get("outputs", "")) for cell in office.cells(office.failed)) == len(slips)


def test_debugger_and_exit_are_failures(office):
    error = office.run("get_ipython().run_line_magic('debug', '')", "sys.exit(0)", "1")
    assert "cell 4 of 5" in str(error)
    assert office.leaks(error) == []
    assert not office.output.exists()


def test_our_error_keeps_its_class_and_text_across_the_process(office):
    raising = (
        "from release.errors import *\n"
        "def refuse():\n    income_here = income\n"
        "    raise DataError([Fault('fewer than 10 of about 41 000 rows break a rule', 'column pay', 'correct it'),"
        " Fault('and another')])\nrefuse()"
    )
    error = office.run(raising)
    assert type(error) is DataError
    assert [fault.what for fault in error.faults] == ["fewer than 10 of about 41 000 rows break a rule", "and another"]
    assert error.faults[0].where == "column pay"
    assert office.leaks(error) == []


def test_our_error_that_quotes_a_person_keeps_its_class_only(office):
    error = office.run(LOUD_WAYS["our class, quoting"])
    assert type(error) is DataError
    assert HIDDEN in str(error)
    assert office.leaks(error) == []


@pytest.mark.parametrize("death", ["os._exit(1)", "os.kill(os.getpid(), 9)", "os.abort()"])
def test_a_dead_kernel_leaves_no_notebook_that_looks_complete(office, death):
    """Nor a core dump, nor a worker process that it had started."""
    worker = "if os.fork() == 0:\n    open('worker', 'w').write(str(os.getpid()))\n    time.sleep(60)"
    wait = "while not os.path.exists('worker'): time.sleep(0.01)\ntime.sleep(0.05)"
    error = office.run("import time\nprint(person)", f"{worker}\n{wait}\n{death}", "1")
    assert type(error) is UtfallError
    assert "ended suddenly" in str(error)
    assert "cell 4 of 5" in str(error)
    assert office.leaks(error) == []
    assert not office.output.exists()
    assert not list(office.top.rglob("core*"))
    assert "cell 4 of 5" in office.cells(office.failed)[0]["source"][0]
    assert _gone(int((office.desk / "work" / "worker").read_text()))


def test_a_notebook_that_takes_too_long_is_stopped(office):
    error = office.run("print(person)", "import time\ntime.sleep(60)", seconds=2.0)
    assert "took longer" in str(error)
    assert office.leaks(error) == []
    assert not office.output.exists()


def test_what_is_kept_is_private_and_the_kernel_is_shut_in(office):
    """Folders, sockets, environment, core dumps and history as they are inside the kernel."""
    os.environ["UTFALL_SECRET_OF_THE_SHELL"] = PERSON
    inside = (
        "import json, resource, pathlib, stat\n"
        "from release.shown import Shown\n"
        "class Seen(Shown):\n    def _repr_html_(self): return json.dumps(self.facts)\n    facts = dict("
        "core=resource.getrlimit(resource.RLIMIT_CORE), names=sorted(os.environ), sockets="
        "[stat.S_IMODE(p.stat().st_mode) for p in pathlib.Path(os.environ['JUPYTER_RUNTIME_DIR']).iterdir()],"
        "folder=os.stat(os.environ['JUPYTER_RUNTIME_DIR']).st_mode & 0o777,"
        "transport=json.load(open(os.environ['JUPYTER_RUNTIME_DIR'] + '/kernel.json'))['transport'],"
        "history=get_ipython().history_manager.enabled,"
        "out=os.readlink('/proc/self/fd/1'), err=os.readlink('/proc/self/fd/2'))"
    )
    try:
        assert office.run(inside, "Seen()") is None
    finally:
        del os.environ["UTFALL_SECRET_OF_THE_SHELL"]
    facts = json.loads("".join(office.cells(office.output)[-1]["outputs"][0]["data"]["text/html"]))
    assert facts["core"] == [0, 0]
    assert facts["folder"] == 0o700
    assert facts["transport"] == "ipc"
    assert facts["history"] is False
    assert facts["out"] == facts["err"] == os.devnull
    assert "UTFALL_SECRET_OF_THE_SHELL" not in facts["names"]
    assert stat.S_IMODE(office.output.stat().st_mode) == 0o600
    assert stat.S_IMODE((office.desk / "work").stat().st_mode) == 0o700
    assert list((office.desk / "work").iterdir()) == []


def test_start_up_files_and_loggers_are_left_alone(office, monkeypatch):
    """A user's own IPython start-up file isn't run; loggers are as before; papermill's own is mute meanwhile."""
    home = office.top / "home"
    (home / "profile_default" / "startup").mkdir(parents=True)
    (home / "profile_default" / "startup" / "0.py").write_text("started = True")
    monkeypatch.setenv("IPYTHONDIR", str(home))
    monkeypatch.setenv("PYTHONSTARTUP", str(home / "profile_default" / "startup" / "0.py"))
    before = logging.getLogger("papermill").disabled, logging.getLogger("papermill").handlers
    assert office.run("if 'started' in globals(): raise ValueError") is None
    assert (logging.getLogger("papermill").disabled, logging.getLogger("papermill").handlers) == before


def test_the_same_run_elsewhere_gives_the_same_bytes(tmp_path):
    steps = (
        "print(policy)",
        "from release.shown import Shown\nclass T(Shown):\n    def _repr_html_(self): return 'x'\nT()",
    )
    written = []
    for name in ("here", "elsewhere"):
        folder = tmp_path / name
        folder.mkdir()
        path = write(folder / "5-publish.ipynb", notebook(*steps))
        parameters = {"policy": str(folder / "policy.yaml")}
        out = folder / "out.ipynb"
        run_notebook(path, output=out, folder=folder / "work", parameters=parameters, environment={"UTFALL_X": name})
        written.append(out.read_bytes())
    assert written[0] == written[1]
    assert b"elsewhere" not in written[1]


def test_papermill_itself_with_our_engine_is_vetted_too(office):
    """Somebody runs `papermill --engine utfall`: papermill saves as it goes, and saves nothing but vetted outputs."""
    import papermill

    path = write(office.top / "1-test.ipynb", notebook(READ, "print(person)", "(person, income)", "int(person)"))
    office.output.parent.mkdir()
    options = {"engine_name": "utfall", "kernel_name": "python3", "language": "python", "progress_bar": False}
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        papermill.execute_notebook(path, office.output, {"data": str(office.register)}, **options)
    assert leaks((PERSON, INCOME), office.output.read_bytes(), everything(caught.value)) == []
    assert caught.value.evalue == FAILED


def _gone(process, patience=5.0):
    """Whether a killed process is gone; on a busy machine its end takes a moment."""
    until = time.monotonic() + patience
    while _alive(process) and time.monotonic() < until:
        time.sleep(0.05)
    return not _alive(process)


def _alive(process):
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().split(")")[-1].split()[0] != "Z"


def _indent(text):
    return "\n".join("    " + line for line in text.splitlines())
