"""Runs one notebook with papermill: parameters checked, outputs vetted, saved only when it finished."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from release.errors import UtfallError
from release.runner.engine import ENGINE_NAME, VettedEngine
from release.runner.parameters import Notebook, Value, check_parameters, read_notebook
from release.runner.private import Place, private_place
from release.runner.quiet import quiet_libraries
from release.runner.saved import failed_path, normalise, save_notebook
from release.runner.watch import LONGEST_RUN, Watch, say


@dataclass(frozen=True)
class Job:
    """A notebook to run. See `run_notebook`; seconds: how long it may take."""

    notebook: Path
    output: Path
    folder: Path
    parameters: Mapping[str, Value] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    progress: Callable[[str], None] = say
    seconds: float = LONGEST_RUN

    @property
    def name(self) -> str:
        return self.notebook.stem


def run_notebook(
    notebook: Path,
    *,
    output: Path,
    folder: Path,
    parameters: Mapping[str, Value],
    environment: Mapping[str, str],
    progress: Callable[[str], None] = say,
) -> None:
    """Run a notebook and save it, executed and vetted, as `output` (mode 0600); the same run gives the same bytes.

    folder: the kernel's working folder, made private (0700) if it's new; its scratch files are removed afterwards.
    parameters: for the notebook's parameters cell. environment: variables for the kernel beyond a short fixed list.
    A cell that ends with one of our errors raises that error here. All else that goes wrong raises UtfallError, which
    names the notebook and the cell. Then there is no `output`, and what was run stands in `<output>.failed.ipynb`.
    """
    run_job(Job(notebook, output, folder, parameters, environment, progress))


def run_job(job: Job) -> None:
    """`run_notebook` with a time limit of one's own."""
    source = read_notebook(job.notebook)
    check_parameters(source, job.parameters, name=job.name)
    _clear_old(job)
    with private_place(job.folder) as place:
        watch, error = _execute(job, source, place)
    _save(job, watch, error)
    if error is not None:
        raise error


def _clear_old(job: Job) -> None:
    """An output of an earlier run would look like this one's."""
    job.output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    job.output.unlink(missing_ok=True)
    failed_path(job.output).unlink(missing_ok=True)


def _execute(job: Job, source: Notebook, place: Place) -> tuple[Watch, UtfallError | None]:
    """Run all cells; the error is handed back rather than raised, so that it carries nothing of the libraries' own."""
    watch = Watch(job.name, place, job.environment, job.progress, job.seconds)
    with quiet_libraries():
        try:
            _with_papermill(source, job.parameters, watch)
        except UtfallError as problem:
            return watch, problem
        except Exception as problem:  # noqa: BLE001 (whatever it is, its text may quote the data)
            return watch, watch.error or _in_plain_words(problem, watch)
    return watch, None if watch.finished else _stopped(watch)


def _with_papermill(source: Notebook, parameters: Mapping[str, Value], watch: Watch) -> None:
    """papermill gets the notebook itself and no output path, so it neither reads, writes nor autosaves any file."""
    import nbformat
    import papermill
    from papermill.engines import papermill_engines

    papermill_engines.register(ENGINE_NAME, VettedEngine)
    papermill.execute_notebook(
        nbformat.from_dict(source),
        None,
        parameters=dict(parameters),
        engine_name=ENGINE_NAME,
        kernel_name="python3",
        language="python",
        progress_bar=False,
        watch=watch,
    )


def _save(job: Job, watch: Watch, error: UtfallError | None) -> None:
    if watch.notebook is None:
        return
    stopped = "" if error is None else f"**This run stopped: {watch.where}.** It is not a finished notebook."
    saved = normalise(watch.notebook, parameters=tuple(job.parameters), stopped=stopped)
    save_notebook(saved, job.output if error is None else failed_path(job.output))


def _in_plain_words(problem: Exception, watch: Watch) -> UtfallError:
    """What happened, from the kind of the exception alone; its text isn't looked at."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    if watch.notebook is None or watch.cell == 0:
        return _not_started(watch)
    if isinstance(problem, DeadKernelError):
        return UtfallError(
            "the notebook's process ended suddenly",
            where=watch.where,
            now="the usual cause is too little memory: free some, or use a larger machine, and run again",
        )
    if isinstance(problem, CellTimeoutError):
        return _out_of_time(watch)
    return _stopped(watch) if isinstance(problem, PapermillExecutionError) else _unknown(problem, watch)


def _not_started(watch: Watch) -> UtfallError:
    return UtfallError(
        "the notebook's process did not start",
        where=f'notebook "{watch.name}"',
        now="check the installation: python -m ipykernel --version should print a version",
    )


def _out_of_time(watch: Watch) -> UtfallError:
    minutes = max(1, round(watch.seconds / 60))
    return UtfallError(
        f"the notebook took longer than {minutes} minutes and was stopped",
        where=watch.where,
        now="see what keeps the machine busy, and run again",
    )


def _stopped(watch: Watch) -> UtfallError:
    return UtfallError(
        "the notebook stopped in a cell; the reason is not shown, because it may quote the data",
        where=watch.where,
        now="run the notebook by hand in the office, up to that cell, to see why",
    )


def _unknown(problem: Any, watch: Watch) -> UtfallError:
    return UtfallError(
        f"the notebook could not be run to its end ({type(problem).__name__})", where=watch.where, now="run again"
    )
