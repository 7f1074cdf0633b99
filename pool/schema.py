"""The pool's JSON Schema: editors complete and check `streams.yaml` with it, and fault texts quote its ranges."""

from __future__ import annotations

from functools import cache
from typing import Any

from contracts.algorithms import ALGORITHMS
from contracts.pool import Pool
from contracts.problems import Location

Schema = dict[str, Any]

TITLE = "CityVision streams.yaml"


@cache
def json_schema() -> Schema:
    """JSON Schema (2020-12) of a pool file, each algorithm's parameters included. Shared: do not change it."""
    schema = Pool.model_json_schema(by_alias=True, mode="validation")
    definitions: Schema = schema["$defs"]
    algorithms: Schema = {}
    for name, model in ALGORITHMS.items():
        own = model.model_json_schema(by_alias=True, mode="validation")
        definitions |= own.pop("$defs", {})
        definitions[model.__name__] = own
        algorithms[name] = {"anyOf": [{"$ref": f"#/$defs/{model.__name__}"}, {"type": "null"}]}
    definitions.pop("AlgorithmParameters", None)
    place: Schema = definitions["Camera"]["properties"]["algorithms"]
    definitions["Camera"]["properties"]["algorithms"] = {
        "description": place.get("description", ""),
        "type": "object",
        "properties": algorithms,
        "additionalProperties": False,
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = TITLE
    return schema


def schema_at(location: Location) -> Schema:
    """The part of the schema that describes the value at `location` (from the pool), {} where nothing does.

    Of an alternative with null, the other side is given.
    """
    node = _followed(json_schema())
    for step in location:
        node = _followed(_step(node, step))
    return node


def _followed(node: Schema) -> Schema:
    described = {key: node[key] for key in ("description", "default") if key in node}
    while True:
        if "$ref" in node:
            node = json_schema()["$defs"][node["$ref"].rsplit("/", 1)[1]]
        elif len(sides := [side for side in node.get("anyOf", []) if side.get("type") != "null"]) == 1:
            node = sides[0]
        else:
            return node | described


def _step(node: Schema, step: str | int) -> Schema:
    found: object
    if isinstance(step, int):
        corners = node.get("prefixItems", [])
        found = corners[step] if step < len(corners) else node.get("items")
    else:
        found = node.get("properties", {}).get(step)
    return found if isinstance(found, dict) else {}
