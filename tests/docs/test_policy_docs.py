"""docs/policy.md names every field, its tour is a policy that is accepted, and the committed schemas are current."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel

from release.policy import document, load_policy
from release.policy.schema import schemas, write_schemas
from release.policy.yaml_text import read_policy_text

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
SECTIONS = {
    "PolicyDocument": "Top level", "Privacy": "privacy", "Column": "inputs", "Rule": "inputs", "Periods": "inputs",
    "Input": "inputs", "Link": "link", "Dimension": "dimensions", "Bins": "outcomes", "Outcome": "outcomes",
    "Amount": "outcomes", "Withhold": "withhold", "Table": "tables", "Possible": "possible", "Synthetic": "synthetic",
    "HouseDocument": "The house policy", "TrackException": "The house policy",
    **dict.fromkeys(("Dominance", "PriorPosterior", "Holders", "PrimaryRules", "Suppression", "CellKey", "Rounding",
                     "SumChange", "Protection"), "Exact tables"),
}  # fmt: skip


def models() -> dict[str, type[BaseModel]]:
    found = {
        name: thing
        for name, thing in vars(document).items()
        if isinstance(thing, type) and issubclass(thing, BaseModel)
    }
    return {name: model for name, model in found.items() if model.model_fields}


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_model_has_its_section():
    assert set(models()) == set(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_every_field_is_in_a_table_of_its_section(name):
    first_cells = " ".join(re.findall(r"^\|([^|]*)\|", section(SECTIONS[name]), re.MULTILINE))
    told = set(re.findall(r"[a-z_-]+", " ".join(re.findall(r"`([^`]*)`", first_cells))))
    fields = {field.alias or key for key, field in models()[name].model_fields.items()}
    assert fields <= told, fields - told


def test_the_tour_is_accepted(tmp_path):
    tour = re.search(r"```yaml\n(.*?)```", section("A tour"), re.DOTALL).group(1)
    example = re.search(r"```\n(region,.*?)```", section("Code lists"), re.DOTALL).group(1)
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "school.csv").write_text(example, encoding="utf-8")
    (tmp_path / "tour.yaml").write_text(tour, encoding="utf-8")
    policy = load_policy(tmp_path / "tour.yaml")
    assert policy.special("pay") == {"not-found"}
    assert policy.followed("pay").all()


@pytest.mark.parametrize("name", schemas())
def test_the_committed_schema_is_current(name, tmp_path):
    write_schemas(tmp_path)
    committed = (ROOT / "policies" / name).read_text(encoding="utf-8")
    assert committed == (tmp_path / name).read_text(encoding="utf-8"), "run: python -m release.policy.schema"


@pytest.mark.parametrize("path", sorted((ROOT / "policies").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_policies_agree_with_the_schemas(path):
    name = "house.schema.json" if path.stem == "house" else "policy.schema.json"
    schema = json.loads(schemas()[name])
    data = json.loads(json.dumps(read_policy_text(path).data))
    jsonschema.Draft202012Validator(schema).validate(data)
    data["tabels"] = {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(data)
