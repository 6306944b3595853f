"""The whole job: from registers to a published release. The only module outside that may reach the confidential side.

The notebooks do the work, step by step; the functions of the second half of this file are what their cells call.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from release.charging import Request, charged_answer
from release.errors import BudgetError, DataError, LedgerError, UsageError, VerificationError
from release.ledger import Ledger, delivery_key
from release.outside import notice_of_exact, outside_facts, refuse_mixed_tracks, refuse_other_pattern
from release.plan import Plan, make_plan
from release.policy import Policy, load_policy
from release.policy.load import EARLIER
from release.policy.policy import EarlierRelease
from release.request import code_digest, core_digest, release_id, request_of
from release.residuals import downward_closure
from release.shown import Shown, show_progress
from release.staging import Stage, check_out_folder, staged

if TYPE_CHECKING:
    from release.charging import Answer
    from release.confidential.counts import Counts
    from release.confidential.inputs import Delivery
    from release.confidential.link import Linked
    from release.confidential.notes import CheckReport
    from release.measurements import Measurements
    from release.protected.exact.forecast import Line
    from release.protected.exact.protect import OfficeReport

Say = Callable[[str], None]

CONFIDENTIAL_NOTEBOOKS = ("1-link", "2-measure")
PUBLIC_NOTEBOOKS = ("3-tables", "4-synthetic", "5-publish", "6-audit")
SYNTHETIC_NOTEBOOK = "4-synthetic"
LINKED_FILE = "linked.parquet"
CHECKS_FILE = "checks.json"
DELIVERY_FILE = "delivery.json"
REQUEST_FILE = "request.json"
MEASUREMENTS = "measurements"
EXACT = "exact"


@dataclass(frozen=True)
class Job:
    """What a run is given: files and folders, nothing of their content."""

    policy: Path
    data: Path
    out: Path
    ledger: Path


@dataclass(frozen=True)
class Published:
    """A finished run: the release's folder, what it was charged (exact text), and what the user should know."""

    release: str
    folder: Path
    request: str
    charged: str
    notices: tuple[str, ...] = ()

    def as_json(self) -> str:
        """For programs."""
        return json.dumps({**asdict(self), "folder": str(self.folder)}, indent=2)

    def as_text(self) -> str:
        """For a terminal: where to look."""
        public = self.folder / "public"
        places = {"site": "site/index.html", "tables": "tables", "synthetic": "synthetic", "promise": "promise.md"}
        return "\n".join(
            [
                f"Published {self.release}; charged ρ = {self.charged}.",
                *self.notices,
                *(
                    f"  {name + ':':<10} {public / place}"
                    for name, place in places.items()
                    if (public / place).exists()
                ),
                f"  {'check it:':<10} utfall audit {self.folder}",
            ]
        )


def run(job: Job, *, say: Say) -> Published:
    """Produce one release: link, measure, judge, publish, audit; then let it appear whole."""
    check_out_folder(job.out)
    policy = load_policy(job.policy, code_folders=[job.data], release_folders=[job.out])
    plan = make_plan(policy)
    with Ledger.open(job.ledger, population=policy.document.privacy.population) as ledger:
        request = request_of(policy, plan, delivery=digest_of_delivery(policy, job.data, job.ledger))
        release = release_id(request, policy)
        if (job.out / release).exists():
            return _already_there(job.out / release, request, ledger, policy)
        refuse_mixed_tracks(ledger, policy)
        if notice := notice_of_exact(ledger, policy):
            say(notice)
        _refuse_over_grant(ledger, request, say)
        with staged(job.out, release) as stage:
            spent = ledger.standing().spent
            _prepare(stage, policy, request)
            _run_notebooks(stage, job, policy, say)
            finish(stage, policy, request, ledger)
            stage.appear()
        _note_publication(ledger, request, job.out / release, policy)
        charged = ledger.standing().spent - spent
    return Published(release, job.out / release, request.id, str(charged))


def check(policy_file: Path, data: Path) -> "tuple[Policy, CheckReport]":
    """Policy and delivery, nothing spent: raises with every fault found, or gives the checks' report."""
    policy = load_policy(policy_file, code_folders=[data])
    make_plan(policy)
    delivery = open_delivery(policy, data)
    if not policy.exact:
        return policy, delivery.report
    return policy, replace(delivery.report, lines=(*delivery.report.lines, *_check_exact(policy, delivery)))


def _check_exact(policy: Policy, delivery: "Delivery") -> "list[Line]":
    """Whether the rules of exact tables fit their cells, and what they hide; what is hidden with it the run finds."""
    from release.confidential.exact import exact_counts
    from release.confidential.link import link as link_rows
    from release.protected.exact.protect import check_set
    from release.protected.exact.sets import table_sets

    sets = table_sets(policy)
    linked = link_rows(delivery, policy, secret=os.urandom(32) if policy.needs_record_keys else None)
    counted = zip(sets, exact_counts(linked, sets, policy), strict=True)
    return [line for tables, counts in counted for line in check_set(tables, counts, policy)]


def digest_of_delivery(policy: Policy, data: Path, ledger: Path) -> str:
    """Keyed digest of the delivery's files; the key lies beside the ledger."""
    from release.confidential.inputs import delivery_digest

    if not data.is_dir():
        raise UsageError("there is no such folder", where="--data", now="name the folder that holds the delivery")
    return delivery_digest(policy, data, delivery_key(ledger))


def _refuse_over_grant(ledger: Ledger, request: Request, say: Say) -> None:
    """Say no before the long work; the reservation itself checks again."""
    if not request.rho:
        return
    if ledger.state(request.id).stage not in ("absent", "forfeited"):
        return
    before = _measured_by_another_version(ledger, request)
    standing = ledger.standing()
    if request.rho > standing.left:
        raise BudgetError(
            f"The release needs ρ = {float(request.rho):.6g}, and of the grant ρ = {float(standing.left):.6g} is left.",
            where=f'ledger of population "{standing.population}"',
            now=f"{ANOTHER_VERSION} Run it with that version, which charges nothing, or have more granted."
            if before
            else "Lower privacy.rho in the policy, or have more granted: utfall ledger grant --rho …",
        )
    if before:
        say(f"{ANOTHER_VERSION} This run is charged anew.")


ANOTHER_VERSION = "The same was measured on this delivery before, by another version of the program."


def _measured_by_another_version(ledger: Ledger, request: Request) -> bool:
    """Whether the ledger holds a request that differs in nothing but the program's trusted core."""
    asked = {name: digest for name, digest in request.details()["parts"].items() if name != "core"}
    reserved = (entry.body["details"].get("parts", {}) for entry in ledger.entries() if entry.kind == "reserve")
    return any({name: digest for name, digest in parts.items() if name != "core"} == asked for parts in reserved)


def _already_there(folder: Path, request: Request, ledger: Ledger, policy: Policy) -> Published:
    """The same release was made before: nothing is touched, only a publication that a killed run didn't note."""
    from release.published.manifest import check_manifest

    public = folder / "public"
    if not public.is_dir() or check_manifest(public):
        raise UsageError(
            "the release's folder is there already, with other content than it was published with",
            where=f"--out, {folder.name}",
            now="move that folder away, or name another --out; nothing was charged",
        )
    _note_publication(ledger, request, folder, policy)
    notice = "This release was there already, unchanged; nothing was charged."
    return Published(folder.name, folder, request.id, "0", (notice,))


def _note_publication(ledger: Ledger, request: Request, folder: Path, policy: Policy) -> None:
    from release.published.manifest import manifest_digest

    if request.rho and ledger.state(request.id).stage != "committed":
        raise LedgerError(
            "The release's measurements aren't in this ledger.", now="Name the ledger that the release was made with."
        )
    public = folder / "public"
    outside = outside_facts(policy, public, delivery=request.parts["delivery"])
    ledger.publish(request.id, release=folder.name, files=manifest_digest(public), outside=outside)


def _prepare(stage: Stage, policy: Policy, request: Request) -> None:
    """Policy, house policy and code lists, as they will be published: from here on all notebooks read these copies."""
    from release.published.layout import HOUSE, POLICY, write_file

    write_file(stage.public / POLICY, policy.text)
    write_file(stage.public / HOUSE, policy.house_text)
    for name, content in policy.files.items():
        write_file(stage.public / "codes" / name, content)
    for earlier in policy.earlier:
        _keep_earlier(earlier, stage.public / EARLIER / earlier.place)
    (stage.confidential / REQUEST_FILE).write_text(json.dumps({"request": request.id}))


def _keep_earlier(release: EarlierRelease, place: Path) -> None:
    """What is needed of an earlier release to check this one: its policy, code lists and exact figures."""
    from release.published.manifest import check_manifest

    if check_manifest(release.folder):
        raise VerificationError(
            f'the earlier release "{release.name}" isn\'t as it was published',
            where=f"earlier: {release.place}",
            now="take its folder anew from where it was published; nothing was charged",
        )
    for name in ("policy.yaml", "house.yaml", "codes", EXACT, EARLIER):
        source = release.folder / name
        if source.is_dir():
            shutil.copytree(source, place / name)
        elif source.is_file():
            place.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place / name)


def notebooks_of(policy: Policy) -> tuple[str, ...]:
    """The notebooks of a run, in order; the one about synthetic records only where the policy asks for them."""
    left_out = () if policy.document.synthetic.records else (SYNTHETIC_NOTEBOOK,)
    return tuple(name for name in (*CONFIDENTIAL_NOTEBOOKS, *PUBLIC_NOTEBOOKS) if name not in left_out)


def _run_notebooks(stage: Stage, job: Job, policy: Policy, say: Say) -> None:
    """Notebook 1 knows where the registers lie, 1 and 2 where the ledger is; 3 to 6, in the public folder, neither."""
    from release.runner.run import run_notebook
    from release.shipped import shipped

    ledger, data = {"UTFALL_LEDGER": str(job.ledger.resolve())}, {"UTFALL_DATA": str(job.data.resolve())}
    known = {"1-link": ledger | data, "2-measure": ledger}
    inside = {"policy": "../public/policy.yaml", "ledger": "$UTFALL_LEDGER", "work": "."}
    given = {"1-link": {**inside, "data": "$UTFALL_DATA"}, "2-measure": inside}
    for name in notebooks_of(policy):
        private = name in CONFIDENTIAL_NOTEBOOKS
        folder = stage.confidential if private else stage.public
        run_notebook(
            shipped("notebooks") / f"{name}.ipynb",
            output=(folder if private else folder / "notebooks") / f"{name}.ipynb",
            folder=folder,
            parameters=given.get(name, {"release": "."}),
            environment=known.get(name, {}),
            progress=say,
        )
        if name == "2-measure":
            _hand_over_measurements(stage)


def _hand_over_measurements(stage: Stage) -> None:
    """Noisy measurements and protected tables go public, the linked rows go; then nothing has seen a register."""
    (stage.confidential / MEASUREMENTS).rename(stage.public / MEASUREMENTS)
    if (stage.confidential / EXACT).exists():
        (stage.confidential / EXACT).rename(stage.public / EXACT)
    for left_over in (LINKED_FILE, DELIVERY_FILE, REQUEST_FILE):
        (stage.confidential / left_over).unlink()


def finish(stage: Stage, policy: Policy, request: Request, ledger: Ledger) -> None:
    """Write the manifest, then audit the release as an outsider would; a release that fails isn't published."""
    from release.audit import audit
    from release.published.manifest import write_manifest

    write_manifest(stage.public, facts=manifest_facts(policy, request, ledger))
    for path in (stage.public, *stage.public.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    report = audit(stage.public, ledger=ledger.path)
    if report.failed:
        raise VerificationError(
            "the release doesn't pass its own audit and wasn't published: "
            + "; ".join(f"{claim.name}: {claim.detail}" for claim in report.failed),
            now="this is a fault of ours: keep the policy and the version, and report it",
        )


def manifest_facts(policy: Policy, request: Request, ledger: Ledger) -> dict[str, object]:
    """What the manifest says besides the files: request and its parts, code, promise in numbers, ledger's entry."""
    from release import version
    from release.tables import promise_of

    entry = ledger.state(request.id).entry
    if entry is None and request.rho:
        raise LedgerError("The release's measurements aren't in the ledger.", now="Run `utfall ledger verify`.")
    noted = {} if entry is None else {"entry": entry.number, "hash": entry.hash}
    asked = {"id": request.id, "population": request.population, "rho": str(request.rho), "parts": request.parts}
    return {
        "release": release_id(request, policy),
        "request": asked,
        "code": {"version": version(), "core": core_digest(), "whole": code_digest()},
        "promise": promise_of(policy, request.rho).facts(),
        "ledger": {"id": ledger.ledger_id, **noted},
    }


# What the notebooks' cells call


def read_policy(policy: str, *, data: str = "") -> Policy:
    """The policy, with code lists found beside it or in the delivery's folder."""
    return load_policy(_place(policy), code_folders=[_place(data)] if data else [])


def open_delivery(policy: Policy, data: str | Path) -> "Delivery":
    """Read the delivery's files and check them against the policy."""
    from release.confidential import inputs

    folder = _place(str(data))
    if not folder.is_dir():
        raise UsageError("there is no such folder", where="--data", now="name the folder that holds the delivery")
    return inputs.open_delivery(policy, folder)


def link(delivery: "Delivery", policy: Policy, *, ledger: str = "") -> "Linked":
    """One row per person by the policy's rule; with record keys where a table needs them, by the ledger's secret."""
    from release.confidential import link as linking

    return linking.link(delivery, policy, secret=_secret(ledger) if policy.needs_record_keys else None)


def _secret(ledger: str) -> bytes:
    """The office's secret of cell keys, made from the key beside the ledger: the same in every release and year."""
    return hashlib.blake2b(b"record keys of exact tables", key=delivery_key(_place(ledger)), digest_size=32).digest()


def keep_linked(linked: "Linked", policy: Policy, *, data: str, ledger: str, work: str) -> None:
    """Lay the linked rows aside for the next notebook, with the keyed digest of the delivery they come from."""
    folder = _place(work)
    digest = digest_of_delivery(policy, _place(data), _place(ledger))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    linked.save(folder / LINKED_FILE)
    (folder / DELIVERY_FILE).write_text(json.dumps({"delivery": digest}))


def keep_reports(delivery: "Delivery", linked: "Linked", *, work: str) -> None:
    """Lay down every line of the check and link reports, in banded numbers; they stay in the office."""
    reports = [json.loads(report.as_json()) for report in (delivery.report, linked.report)]
    path = _place(work) / CHECKS_FILE
    path.write_text(json.dumps(reports, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    path.chmod(0o600)


def count(policy: Policy, plan: Plan, *, work: str) -> "Counts":
    """Exact counts of the linked rows for all that the plan measures."""
    from release.confidential.counts import count as count_rows
    from release.confidential.link import read_linked

    linked = read_linked(_place(work) / LINKED_FILE)
    wanted = downward_closure(plan.combinations) if plan.residuals else ()
    return count_rows(linked, wanted, policy.attributes)


@dataclass(frozen=True, repr=False)
class ExactTables(Shown):
    """What protecting the exact tables came to, for the office; numbers of cells are banded."""

    reports: tuple["OfficeReport", ...]

    def _plain(self) -> str:
        return "\n".join(report._plain() for report in self.reports) or "The policy has no exact tables."

    def _repr_html_(self) -> str:
        return "".join(report._repr_html_() for report in self.reports) or f"<p>{escape(self._plain())}</p>"


def protect(policy: Policy, *, ledger: str, work: str) -> ExactTables:
    """Count the exact tables, protect them, and lay down what may leave the office; nothing if one isn't certified."""
    if not policy.exact:
        return ExactTables(())
    from release.confidential.exact import exact_counts
    from release.confidential.link import read_linked
    from release.protected.exact.protect import protect_sets
    from release.protected.exact.sets import table_sets
    from release.published.exact_files import write_exact

    sets = table_sets(policy)
    counts = exact_counts(read_linked(_place(work) / LINKED_FILE), sets, policy)
    done = protect_sets(sets, counts, policy, secret=_secret(ledger))
    write_exact([protected for protected, _ in done], _place(work))
    _refuse_other_pattern(policy, ledger=ledger, work=work)
    return ExactTables(tuple(report for _, report in done))


def _refuse_other_pattern(policy: Policy, *, ledger: str, work: str) -> None:
    """The ledger knows how these counts were protected before; if otherwise, that is seen before any charge."""
    delivery = json.loads((_place(work) / DELIVERY_FILE).read_text())["delivery"]
    with Ledger.open(_place(ledger), population=policy.document.privacy.population) as book:
        refuse_other_pattern(book, policy, outside_facts(policy, _place(work), delivery=delivery))


@dataclass(frozen=True, repr=False)
class Measured(Shown):
    """What was charged, and the answer's files. answer: None where no table is noisy, so that nothing was drawn."""

    answer: "Answer | None"
    files: Mapping[str, bytes] = field(default_factory=dict)

    def _plain(self) -> str:
        if self.answer is None:
            return "No table is noisy: nothing was measured with noise, and nothing was charged."
        charged = float(self.answer.charged)
        return f"Charged: ρ = {charged:.6g}. Ledger entry {self.answer.entry.number}. {self.answer.notice}".strip()

    def _repr_html_(self) -> str:
        return f"<p>{escape(self._plain())}</p>"


def measure(counts: "Counts", policy: Policy, plan: Plan, *, ledger: str, work: str) -> Measured:
    """Charge the ledger, then draw the noise; or take the stored answer if this was measured before."""
    from release.confidential.measure import check_ready, crew, draw, mechanisms_of
    from release.measurements import to_files

    delivery = json.loads((_place(work) / DELIVERY_FILE).read_text())["delivery"]
    request = request_of(policy, plan, delivery=delivery)
    _refuse_other_request(request, _place(work) / REQUEST_FILE)
    if not plan.residuals:
        return Measured(None, to_files(plan, {}, mechanisms={}, request=request.id))
    mechanisms = mechanisms_of(plan)
    check_ready(counts, plan)
    with Ledger.open(_place(ledger), population=request.population) as book:
        measured_before = book.state(request.id).stage == "committed"
        with crew(0 if measured_before else plan.draws) as pool:

            def drawn() -> Mapping[str, bytes]:
                values = draw(counts, plan, pool=pool, progress=show_progress)
                return to_files(plan, values, mechanisms=mechanisms, request=request.id)

            answer = charged_answer(book, request, drawn)
            return Measured(answer, answer.files)


def _refuse_other_request(request: Request, announced: Path) -> None:
    """A run says beforehand what it will ask; by hand there is no such file."""
    if announced.exists() and json.loads(announced.read_text())["request"] != request.id:
        raise DataError(
            "the delivery's files, or the program itself, changed while the release was made",
            now="let them come to rest, then run again; nothing was charged",
        )


def keep_measurements(measured: Measured, *, work: str) -> "Measurements":
    """Lay the noisy measurements down for all that follows."""
    from release.measurements import read_measurements
    from release.published.layout import write_file

    folder = _place(work) / MEASUREMENTS
    for name, content in measured.files.items():
        write_file(folder / name, content)
    return read_measurements(folder)


def _place(text: str) -> Path:
    """A path from a notebook's parameter; "$NAME" stands for an environment variable, so that no notebook holds it."""
    if not text.startswith("$"):
        return Path(text)
    value = os.environ.get(text[1:], "")
    if not value:
        raise UsageError(
            f"the environment variable {text[1:]} isn't set",
            now="set it, or give the path in the notebook's parameters cell",
        )
    return Path(value)
