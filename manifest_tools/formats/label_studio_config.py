"""Label Studio's labelling config: the XML that says what a project asks of each picture.

The index of a class stands in ``category``, which Label Studio's own exporters take as the id of a class.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from manifest_tools.base.errors import BadData
from manifest_tools.formats.xml_values import XmlEvents, as_attribute
from manifest_tools.groundtruth.annotations import PictureLabelKind
from manifest_tools.groundtruth.classes import ClassTable, class_table, is_index
from manifest_tools.io.sources import open_bytes

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Family = Literal["choices", "regions"]
"""What a control gives a picture: classes, or boxes and polygons."""

IMAGE_KEY = "image"
"""Where a task names its picture, unless a config says otherwise."""

_OUTLINES = "-outline"  # what the name of the control for polygons ends in, beside the one for boxes
_CONTROLS: dict[str, Family] = {
    "Choices": "choices",
    "RectangleLabels": "regions",
    "PolygonLabels": "regions",
    "Labels": "regions",
}
_CLASSES = ("Choice", "Label")


@dataclass(frozen=True, slots=True)
class Control:
    """Something that is asked of a picture."""

    name: str
    family: Family
    multiple: bool
    """Whether several classes may be chosen."""

    classes: tuple[tuple[int | None, str], ...]
    """Each class with the index that the config states, in its order."""

    @property
    def states_indices(self) -> bool:
        """Whether every class has its index beside it."""
        return all(index is not None for index, _ in self.classes)

    def table(self) -> ClassTable:
        """Return the class indices: as they are stated, or else in order. Raises BadData where they clash."""
        stated = self.states_indices
        return class_table(
            (index if stated and index is not None else place, name)
            for place, (index, name) in enumerate(self.classes)
        )


@dataclass(frozen=True, slots=True)
class Config:
    """What a labelling config asks."""

    path: str
    image_key: str
    controls: tuple[Control, ...]


def outlines_name(attribute: str) -> str:
    """Return the name of the control for polygons that stands beside the one for boxes."""
    return attribute + _OUTLINES


def image_name(attribute: str) -> str:
    """Return the name of the picture in a config: any but that of the control."""
    return "picture" if attribute == IMAGE_KEY else IMAGE_KEY


def config_xml(attribute: str, kind: PictureLabelKind, table: ClassTable, outlines: bool) -> bytes:
    """Return the config of a project whose only question is a label attribute, its classes in index order."""
    picture = as_attribute(image_name(attribute))
    names = {"RectangleLabels": attribute}
    item = "Label"
    more = ""
    if outlines:
        names["PolygonLabels"] = outlines_name(attribute)
    if kind != "boxes":
        names, item = {"Choices": attribute}, "Choice"
        more = f' choice="{"single" if kind == "single_label" else "multiple"}" showInline="true"'
    lines = ["<View>", f'  <Image name={picture} value="${IMAGE_KEY}"/>']
    for tag, name in names.items():
        lines.append(f"  <{tag} name={as_attribute(name)} toName={picture}{more}>")
        lines += [f'    <{item} value={as_attribute(name)} category="{at}"/>' for at, name in table.names]
        lines.append(f"  </{tag}>")
    return "\n".join([*lines, "</View>", ""]).encode()


def config_beside(place: str, endings: Iterable[str]) -> Config | None:
    """Return the config beside a file of tasks: ``NAME.config.xml`` beside NAME.json; None where none is."""
    for ending in endings:
        path = place.removesuffix(ending) + ".config.xml"
        if place.endswith(ending) and not place.startswith("s3://") and os.path.isfile(path):
            return read_config(path)
    return None


def read_config(path: str) -> Config:
    """Return what a config asks; raises BadData for what is no XML, or has a question without a name."""
    image_key, controls = "", []
    for event, element in XmlEvents(path, open_bytes(path).chunks()):
        if event == "start" and element.tag == "Image" and not image_key:
            image_key = element.get("value", "").removeprefix("$")
        elif event == "end" and element.tag in _CONTROLS:
            controls.append(_control(path, element))
    return Config(path, image_key or IMAGE_KEY, tuple(controls))


def _control(path: str, element: "Element") -> Control:
    name = element.get("name")
    if not name:
        raise BadData(f"{path}: expected a name of each {element.tag}, found one without")
    classes = tuple(
        (_index(item.get("category")), item.get("alias") or item.get("value") or "")
        for item in element.iter()
        if item.tag in _CLASSES
    )
    multiple = element.get("choice", "single").startswith("multiple")
    return Control(name, _CONTROLS[element.tag], multiple, classes)


def _index(category: str | None) -> int | None:
    return int(category) if category is not None and is_index(category) else None
