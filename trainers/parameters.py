"""The parameters of a training run as JSON: ``mtool tune`` writes them, ``train --params`` reads them."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from trainers.config import TrainConfig

PARAMETER_TYPES: dict[str, type] = {one.name: type(one.default) for one in fields(TrainConfig)}
"""The type of each field of TrainConfig: str, int, float or bool."""


def read_parameters(path: str) -> dict[str, Any]:
    """Return the parameters in a JSON file, by the names of TrainConfig's fields.

    Raises Refused for a file that cannot be read, an unknown parameter, and a value of another type.
    """
    try:
        found = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise Refused(
            f"{path}: {(error.strerror or str(error)).lower()}; --params takes a JSON file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path}: expected JSON, found {error}") from error
    if not isinstance(found, dict):
        raise Refused(f'{path}: expected an object such as {{"learning_rate": 0.01}}')
    try:
        return parse_values(found)
    except Refused as error:
        raise Refused(f"{path}: {error}") from error


def parse_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with each value in its type; a text such as "0.01" is read as a number.

    Raises Refused for an unknown parameter, and for a value of another type.

    >>> parse_values({"learning_rate": "0.01", "epochs": 5, "augment": "true"})
    {'learning_rate': 0.01, 'epochs': 5, 'augment': True}
    """
    return {name: _parse(name, value) for name, value in values.items()}


def _parse(name: str, value: Any) -> Any:
    if name not in PARAMETER_TYPES:
        raise Refused(f"expected parameters such as {', '.join(PARAMETER_TYPES)}; found {shown(name)}")
    wanted = PARAMETER_TYPES[name]
    read: Any
    if wanted is bool:
        read = {"true": True, "false": False}.get(str(value).lower())
    elif wanted is str:
        read = value if isinstance(value, str) else None
    else:
        read = None if isinstance(value, bool) else _number(value, wanted)
    if read is None:
        raise Refused(f"{name}: expected {_EXPECTED[wanted]}, found {shown(value)}")
    return read


_EXPECTED = {bool: "true or false", str: "a text", int: "a whole number", float: "a number"}


def _number(value: Any, wanted: type) -> int | float | None:
    try:
        number: int | float = wanted(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == float(value) else None
