"""What SageMaker itself would say of a request, from the service's own model that botocore carries.

botocore checks types, names of fields and lower limits. The upper limits, patterns and lists of values are in
the model as well, and the service checks them; so do we.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator


@cache
def service(name: str = "sagemaker") -> ServiceModel:
    return botocore.session.get_session().get_service_model(name)


def input_shape(operation: str) -> Shape:
    """Return the shape of what boto3's method ``operation`` takes."""
    from botocore import xform_name

    found = {xform_name(one): one for one in service().operation_names}
    shape = service().operation_model(found[operation]).input_shape
    assert shape is not None
    return shape


def problems(operation: str, body: dict[str, Any]) -> list[str]:
    """Return what the service would not take; nothing is sent."""
    shape = input_shape(operation)
    report = ParamValidator().validate(body, shape)
    return [report.generate_report()] if report.has_errors() else list(_beyond(body, shape, operation))


def _beyond(value: Any, shape: Any, where: str) -> Iterator[str]:
    """Yield what is above a limit, outside a pattern, or none of the values."""
    if shape.type_name == "structure":
        for name, one in value.items():
            yield from _beyond(one, shape.members[name], f"{where}.{name}")
    elif shape.type_name == "map":
        for key, one in value.items():
            yield from _beyond(key, shape.key, f"{where} key")
            yield from _beyond(one, shape.value, f"{where}.{key}")
    elif shape.type_name == "list":
        for one in value:
            yield from _beyond(one, shape.member, f"{where}[]")
    yield from _limits(value, shape.metadata, where)


def _limits(value: Any, limits: dict[str, Any], where: str) -> Iterator[str]:
    size = value if isinstance(value, int | float) else len(value) if hasattr(value, "__len__") else 0
    if "max" in limits and size > limits["max"]:
        yield f"{where}: {size} is above {limits['max']}"
    if "enum" in limits and value not in limits["enum"]:
        yield f"{where}: {value!r} is none of the {len(limits['enum'])} values"
    if "pattern" in limits and isinstance(value, str) and not _matches(limits["pattern"], value):
        yield f"{where}: {value!r} does not match {limits['pattern']}"


def _matches(pattern: str, text: str) -> bool:
    r"""Match as Java does, by standing in for its Unicode classes: each character of one becomes an ``a``."""
    if r"\p{L}" in pattern:
        text = "".join("a" if unicodedata.category(one)[0] in "LZN" else one for one in text)
        pattern = pattern.replace(r"\p{L}\p{Z}\p{N}", "a")
    return re.fullmatch(pattern, text) is not None
