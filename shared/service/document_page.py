"""The AsyncAPI document as one page for people: no scripts, nothing loaded from elsewhere."""

from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid #8884; }
code { font-size: .9em; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: .25rem 0; }
"""


def page(document: dict[str, Any]) -> str:
    """HTML of a document made by ``documents.document``."""
    info = document["info"]
    title, about, number = (escape(info[key]) for key in ("title", "description", "version"))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style><h1>{title}</h1><p>{about}</p>"
        f'<p>Version {number}; for machines: <a href="asyncapi.json">asyncapi.json</a>.</p>'
        f"{''.join(_topics(document))}</html>\n"
    )


def _topics(document: dict[str, Any]) -> Iterator[str]:
    actions: dict[str, list[str]] = {}
    for operation in document["operations"].values():
        topic = operation["channel"]["$ref"].rpartition("/")[2]
        actions.setdefault(topic, []).append("writes" if operation["action"] == "send" else "reads")
    for topic, channel in document["channels"].items():
        does = " and ".join(actions[topic])
        yield f'<h2 id="{escape(topic)}">{escape(topic)}</h2>'
        yield f"<p>This service {does} <code>{escape(channel['address'])}</code></p>"
        for key in channel["messages"]:
            message = document["components"]["messages"][key]
            schema = document["components"]["schemas"][key]
            yield f"<details><summary><code>{escape(key)}</code> {escape(message['summary'])}"
            yield f"</summary>{_fields(schema)}</details>"


def _fields(schema: dict[str, Any]) -> str:
    rows = (
        f"<tr><td><code>{escape(name)}</code><td>{escape(_kind(field))}"
        f"<td>{escape(field.get('description', ''))}"
        for name, field in schema["properties"].items()
    )
    return f"<table><tr><th>field<th>text<th>meaning{''.join(rows)}</table>"


def _kind(field: dict[str, Any]) -> str:
    """What a field's text is, in a few words."""
    if "anyOf" in field:
        return f"empty, or {_kind(field['anyOf'][-1])}"
    if "const" in field:
        return f"always {field['const']}"
    if "enum" in field:
        return " | ".join(field["enum"])
    if "contentSchema" in field:
        kind = field["contentSchema"].get("type", "value")
        return "JSON" if kind in {"array", "object"} else str(kind)
    return "text"
