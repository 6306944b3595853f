"""JSON Schemas of release policies and house policies, for editors. `python -m release.policy.schema` writes them."""

import json
from pathlib import Path

from pydantic import BaseModel

from release.policy.document import HouseDocument, PolicyDocument, schema_of

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """File name -> text of each schema."""
    models: dict[str, type[BaseModel]] = {"policy.schema.json": PolicyDocument, "house.schema.json": HouseDocument}
    return {
        name: json.dumps({"$schema": _DRAFT, **schema_of(model)}, indent=2, ensure_ascii=False) + "\n"
        for name, model in models.items()
    }


def write_schemas(folder: Path) -> None:
    """Write the schemas into a folder."""
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(__file__).resolve().parents[2] / "policies")
