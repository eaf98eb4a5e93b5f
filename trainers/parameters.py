"""The numbers of a local training run as JSON: what ``mtool tune`` writes and ``train --params`` takes."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from trainers.config import TrainConfig

# The name of each, and what it is: str, int, float or bool.
PARAMETER_TYPES: dict[str, type] = {one.name: type(one.default) for one in fields(TrainConfig)}


def read_parameters(path: str) -> dict[str, Any]:
    """Return the parameters in a JSON file, by the names of TrainConfig's fields.

    Raises Refused for a file that is not there, and for a parameter that is none, or of the wrong kind.
    """
    try:
        found = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise Refused(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path}: expected JSON, found {error}") from error
    if not isinstance(found, dict):
        raise Refused(f'{path}: expected an object such as {{"learning_rate": 0.01}}')
    try:
        return parse_values(found)
    except Refused as error:
        raise Refused(f"{path}: {error}") from error


def parse_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters, texts among them read as what they should be.

    >>> checked({"learning_rate": "0.01", "epochs": 5, "augment": "true"})
    {'learning_rate': 0.01, 'epochs': 5, 'augment': True}
    """
    return {name: _checked(name, value) for name, value in values.items()}


def _checked(name: str, value: Any) -> Any:
    if name not in PARAMETER_TYPES:
        raise Refused(f"expected parameters among {', '.join(PARAMETER_TYPES)}; found {shown(name)}")
    kind = PARAMETER_TYPES[name]
    read: Any
    if kind is bool:
        read = {"true": True, "false": False}.get(str(value).lower())
    elif kind is str:
        read = value if isinstance(value, str) else None
    else:
        read = None if isinstance(value, bool) else _number(value, kind)
    if read is None:
        raise Refused(f"{name}: expected {_WORDS[kind]}, found {shown(value)}")
    return read


_WORDS = {bool: "true or false", str: "a text", int: "a whole number", float: "a number"}


def _number(value: Any, kind: type) -> int | float | None:
    try:
        number: int | float = kind(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == float(value) else None
