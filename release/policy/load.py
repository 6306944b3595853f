"""`load_policy`: from a file to a checked and completed policy."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from release.errors import PolicyError
from release.policy.checks import document_faults
from release.policy.completion import Completion, complete
from release.policy.csv_text import CodeFiles
from release.policy.document import HouseDocument, PolicyDocument
from release.policy.exact_checks import earlier_faults, exact_faults
from release.policy.model_faults import capped, read_model
from release.policy.policy import EarlierRelease, Policy
from release.policy.table_checks import Known, completed_faults
from release.policy.yaml_text import Place, PolicyText, read_policy_text
from release.shipped import shipped

EARLIER = "earlier"
"""Folder in a public folder that holds what is needed of the earlier releases it names."""


def load_policy(
    path: Path,
    *,
    code_folders: Sequence[Path] = (),
    house: Path | None = None,
    release_folders: Sequence[Path] = (),
) -> Policy:
    """Read, check and complete a release policy; PolicyError with all its faults at once.

    code_folders: where code lists may lie besides the policy's own folder, such as the delivery's. release_folders:
    where earlier releases may lie besides.
    house: the office's ceilings; else `house.yaml` beside the policy, else the shipped one.
    """
    text = read_policy_text(path)
    document = read_model(PolicyDocument, text)
    house_text = read_policy_text(house or _house_beside(path))
    ceilings = read_model(HouseDocument, house_text)
    files = CodeFiles(path.parent, code_folders, _delivered(document))
    done = complete(document, files, Place(text))
    _raise_faults(document, ceilings, done, text)
    folders = [path.parent, path.parent / EARLIER, *code_folders, *release_folders]
    earlier = tuple(_earlier(n, place, folders, Place(text)) for n, place in enumerate(document.earlier))
    found = earlier_faults(earlier, done.attributes, Place(text) / "earlier")
    if found:
        raise PolicyError(found)
    return Policy(
        document=document,
        house=ceilings,
        attributes=MappingProxyType(done.attributes),
        replace=MappingProxyType(done.replace),
        possible=tuple(done.possible),
        text=text.raw,
        files=MappingProxyType(files.used),
        path=path,
        house_text=house_text.raw,
        earlier=earlier,
    )


def _earlier(number: int, place: str, folders: Sequence[Path], policy: Place) -> EarlierRelease:
    """An earlier release's public folder, looked up in the folders in turn."""
    found = next((folder / place for folder in folders if (folder / place / "policy.yaml").is_file()), None)
    if found is None:
        (policy / "earlier" / number).refuse(
            f'there is no public folder of a release at "{place}".',
            "name it below the policy's folder, the delivery's, or the one that releases are written to",
        )
    return EarlierRelease(place, load_policy(found / "policy.yaml"), found)


def load_house(path: Path) -> HouseDocument:
    """Read the office's ceilings; PolicyError if they are unclear."""
    return read_model(HouseDocument, read_policy_text(path))


def _house_beside(path: Path) -> Path:
    beside = path.parent / "house.yaml"
    return beside if beside.is_file() else shipped("policies/house.yaml")


def _delivered(document: PolicyDocument) -> frozenset[str]:
    return frozenset(PurePosixPath(words.file).name for words in document.inputs.values())


def _raise_faults(document: PolicyDocument, house: HouseDocument, done: Completion, text: PolicyText) -> None:
    known = Known(document, house, done.attributes)
    found = [
        *document_faults(document, Place(text)),
        *done.faults,
        *completed_faults(known, Place(text)),
        *exact_faults(known, Place(text) / "tables"),
    ]
    faults = list(dict.fromkeys(found))
    if faults:
        raise PolicyError(capped(faults, len(faults)))
