"""JSON Schemas of events as they stand in a stream entry.

In an entry every field is text. A field whose schema has ``contentMediaType`` holds the JSON text
of a value by ``contentSchema``: read it with any JSON parser. Every other field is the text itself.

``python -m shared.events.schemas`` says whether ``docs/schemas`` is true to the models, with
``--write`` it makes it so; it refuses a change within a version that a reader could not survive.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from shared.events.base import AsJson, Event, OrUnset
from shared.events.codec import PUBLIC_EVENTS
from shared.events.compatibility import breaks

Schema = dict[str, Any]

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
_ON_THE_WIRE = (
    "In a stream entry: flat field names and values, type and v first, the rest in the order given "
    "here. Every value is text; where contentMediaType is application/json it is the JSON text of "
    "a value by contentSchema. Pass over fields that are not named here: a newer writer may send "
    "them."
)


def wire_schema(model: type[Event]) -> Schema:
    """The JSON Schema (2020-12) of a type's stream entries, seen as an object of texts."""
    values = _inlined(model.model_json_schema())
    properties: Schema = {
        "type": {"const": model.TYPE},
        "v": {"const": str(model.VERSION)},
    }
    for name, field in model.model_fields.items():
        properties[name] = _as_text(values["properties"][name], field.metadata)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:tideline:event:{model.TYPE}:v{model.VERSION}",
        "title": model.TYPE,
        "description": f"{values.get('description', '')}\n\n{_ON_THE_WIRE}".lstrip(),
        "type": "object",
        "properties": properties,
        "required": ["type", "v", *values["required"]],
    }


def _inlined(schema: Schema) -> Schema:
    """A model's own schema without references, titles and what it forbids its builders."""
    models = schema.pop("$defs", {})

    def read(part: Any) -> Any:
        if isinstance(part, list):
            return [read(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return read(models[part["$ref"].removeprefix("#/$defs/")])
        kept = {name: read(one) for name, one in part.items()}
        if isinstance(kept.get("title"), str):  # a field may be called title: that is a dict
            del kept["title"]
        if kept.get("additionalProperties") is False:
            del kept["additionalProperties"]
        if isinstance(kept.get("description"), str):
            kept["description"] = kept["description"].replace("``", "")
        return kept

    inlined: Schema = read(schema)
    return inlined


def _as_text(value: Schema, metadata: Sequence[object]) -> Schema:
    """The schema of a field's text, from the schema of its value."""
    remarks = {"description": value["description"]} if "description" in value else {}
    value = {key: part for key, part in value.items() if key not in remarks}
    if AsJson not in metadata:
        if value.get("type") == "string":
            return value | remarks
        if value.get("type") == "boolean":
            return {"enum": ["0", "1"]} | remarks
    if OrUnset in metadata:
        (value,) = (one for one in value["anyOf"] if one != {"type": "null"})
        return {"anyOf": [{"const": ""}, _json_text(value)]} | remarks
    return _json_text(value) | remarks


def _json_text(value: Schema) -> Schema:
    return {"type": "string", "contentMediaType": "application/json", "contentSchema": value}


def file_of(model: type[Event], folder: Path = FOLDER) -> Path:
    """Where the schema of a type's present version is kept."""
    return folder / f"{model.TYPE}.v{model.VERSION}.json"


def text_of(schema: Schema) -> bytes:
    """A schema as it stands in its file."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def outdated(folder: Path, models: Sequence[type[Event]]) -> list[str]:
    """What keeps a folder from being true to the models, one sentence a line."""
    lines = []
    for model in models:
        path = file_of(model, folder)
        if not path.exists():
            lines.append(f"{path.name} is missing")
        elif path.read_bytes() != text_of(wire_schema(model)):
            lines.append(f"{path.name} is not true to {model.__name__} any more")
    return lines


def breaking(folder: Path, models: Sequence[type[Event]]) -> list[str]:
    """How the models break readers of the versions that a folder holds, one sentence a line."""
    return [
        f"{file_of(model, folder).name}: {line}, which breaks readers; "
        f"raise {model.__name__}.VERSION and lift version {model.VERSION}"
        for model in models
        if file_of(model, folder).exists()
        for line in breaks(orjson.loads(file_of(model, folder).read_bytes()), wire_schema(model))
    ]


def write(folder: Path, models: Sequence[type[Event]]) -> None:
    """Make a folder true to the models.

    Raises:
        ValueError: that would break readers of a version; nothing is written then.
    """
    broken = breaking(folder, models)
    if broken:
        raise ValueError("\n".join(broken))
    folder.mkdir(parents=True, exist_ok=True)
    for model in models:
        file_of(model, folder).write_bytes(text_of(wire_schema(model)))


def main(arguments: Sequence[str]) -> str:
    """What to tell: empty if all is well."""
    if list(arguments) not in ([], ["--write"]):
        return "usage: python -m shared.events.schemas [--write]"
    if arguments:
        try:
            write(FOLDER, PUBLIC_EVENTS)
        except ValueError as error:
            return str(error)
    found = outdated(FOLDER, PUBLIC_EVENTS)
    return "\n".join([*found, "mend it with: make schemas"] if found else [])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or None)
