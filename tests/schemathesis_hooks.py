"""What the document cannot say about requests that are right, put right before they are sent."""

import time
import uuid

import schemathesis

# What a change sets where nothing else does.
SET = {
    "change-label": {"name": "x"},
    "change-item": {"text": "x"},
    "change-board": {"title": "x"},
    "change-column": {"title": "x"},
    "change-card": {"title": "x"},
    "change-checklist": {"title": "x"},
}


def whole(value):
    """A number like 1.0 is an integer to JSON Schema, and none to the server."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(one) for one in value]
    if isinstance(value, dict):
        return {name: whole(one) for name, one in value.items()}
    return value


def opened(value):
    """A board that is archived takes nothing else any more: none is."""
    if isinstance(value, dict):
        if value.get("archived") is True and value.get("type", "board.set") == "board.set":
            value["archived"] = False
        for one in value.values():
            opened(one)
    if isinstance(value, list):
        for one in value:
            opened(one)


@schemathesis.hook
def before_call(ctx, case, kwargs):
    opened(case.body)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    headers = case.headers or {}
    # A key is for one request.
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = uuid.uuid4().hex
    body = case.body
    if not isinstance(body, dict):
        return
    body = case.body = whole(body)
    # An end lies in the future, and not far.
    if isinstance(body.get("expires"), int):
        body["expires"] = int(time.time() * 1000) + 60_000
    operation = case.operation.definition.raw.get("operationId")
    # Neighbours are those of a column.
    if operation == "change-card" and body.get("column") is None:
        body.pop("after", None)
        body.pop("before", None)
    # A change changes something.
    if all(value is None for value in body.values()):
        body.update(SET.get(operation, {}))
    # The tag of a board goes with a list that is applied as a whole.
    if body.get("mode") == "each":
        headers.pop("If-Match", None)
