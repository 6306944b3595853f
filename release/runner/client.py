"""Our papermill engine and notebook client: each message of the kernel is vetted before anything stores or logs it.

Imports papermill, so import it late.
"""

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine

from release.runner.private import kernel_environment, kernel_manager, private_place
from release.runner.quiet import mute_logger
from release.runner.vet import our_error, progress_in, vetted, vetted_error
from release.runner.watch import Watch


class VettedNotebooks(NBClientEngine):  # type: ignore[misc]
    """papermill's engine with our client in place of its own."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, _kernel: str, watch: Watch | None = None, **_: Any) -> Any:
        """Run all cells. watch: the run as `run_notebook` sees it; without it (papermill's own command) a plain one.

        The notebook manager saves as it goes when papermill was given an output path: vetted outputs only.
        """
        if watch is not None:
            return run_cells(nb_man, watch)
        with tempfile.TemporaryDirectory() as work, private_place(Path(work)) as place:
            return run_cells(nb_man, Watch("notebook", place))


def run_cells(nb_man: Any, watch: Watch) -> Any:
    """Start the kernel, run every cell, stop the kernel and all that it started."""
    watch.notebook = nb_man.nb
    client = VettedClient(nb_man, watch)
    try:
        return client.execute(
            env=kernel_environment(watch.place, watch.environment),
            cwd=str(watch.place.work),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    finally:
        client.end_leftovers()


class VettedClient(PapermillNotebookClient):  # type: ignore[misc]
    """A notebook client that stores nothing but what `release.runner.vet` lets through."""

    def __init__(self, nb_man: Any, watch: Watch) -> None:
        super().__init__(
            nb_man,
            log=mute_logger(),
            timeout_func=lambda _cell: watch.seconds_left(),
            force_raise_errors=True,
            skip_cells_with_tag="",
            store_widget_state=False,
            record_timing=False,
            on_cell_execute=watch.reached,
            on_cell_executed=_vet_reply,
        )
        self.watch = watch
        self.group: int | None = None

    def create_kernel_manager(self) -> Any:
        self.km = kernel_manager(self.watch.place, self.log)
        return self.km

    def start_new_kernel(self, **options: Any) -> None:
        super().start_new_kernel(**options)
        self.group = self.km.provisioner.pgid

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Vet, then let nbclient and papermill go on with what is left."""
        if msg["msg_type"] == "error":
            self.watch.failed(our_error(msg["content"].get("ename"), msg["content"].get("evalue")))
        if line := progress_in(msg):
            self.watch.progress(f"{self.watch.name}: {line}")
            return None
        safe = vetted(msg)
        return None if safe is None else super().process_message(safe, cell, cell_index)

    def end_leftovers(self) -> None:
        """End what is left of the kernel's own process group: workers of a kernel that died would stay for ever."""
        if self.group is not None and self.group != os.getpgrp():
            try:
                os.killpg(self.group, signal.SIGKILL)
            except OSError:
                self.group = None


def _vet_reply(execute_reply: Any, **_: Any) -> None:
    """The reply to a cell repeats the exception's text and traceback, and may carry pages of text."""
    content = execute_reply["content"]
    vetted_part = vetted_error(content) if content.get("status") == "error" else {}
    kept = {"status": content.get("status"), "execution_count": content.get("execution_count")}
    execute_reply["content"] = {**kept, **vetted_part}
