"""Pascal VOC: an annotation in XML for each picture, the pictures, and lists of the names of each part."""

import os
from dataclasses import dataclass, field
from typing import Any

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import counted, shown
from manifest_tools.formats.frames import other_shape_remark, same_shape
from manifest_tools.formats.protocol import Copied, WriteOptions
from manifest_tools.formats.safe_names import UniqueNames, file_name
from manifest_tools.formats.voc_places import SETS, WHOLE
from manifest_tools.formats.voc_read import read
from manifest_tools.formats.voc_xml import Frame, annotation_text, is_between_pixels
from manifest_tools.formats.xml_values import is_held
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.folder_sink import Folder

__all__ = ["read", "write"]


def check(data: DataSet) -> None:
    """Raise BadData for the name of a class that XML has no way to write."""
    for _, name in data.table.names:
        if not is_held(name):
            raise BadData(f"XML cannot hold the class name {shown(name)}; `mtool rewrite` gives it another")


def write(data: DataSet, sink: Folder, options: WriteOptions) -> dict[str, Any]:
    """Write pictures, annotations and a list of names for each part."""
    names = dict(enumerate(data.table.labels))
    paths, seen, count = _Paths(options.recipe.pass_through), _Seen(), 0
    for folder in ("Annotations", "JPEGImages", SETS):
        sink.make_folder(folder)
    if label_map := label_map_of(data.table):
        sink.write("labelmap.txt", label_map.encode())
    for part in data.parts:
        with sink.open(f"{SETS}/{part or WHOLE}.txt") as listed:
            for picture, copied in options.copied(part, paths.of):
                stem = os.path.splitext(os.path.basename(copied.path))[0]
                frame = seen.frame(picture, copied)
                text = annotation_text(frame, picture.boxes, names, _own(data.attribute, picture))
                sink.write(f"Annotations/{stem}.xml", text.encode())
                listed.write(f"{stem}\n".encode())
                count += 1
    return {"pictures": count, "files": {}, "remarks": seen.remarks()}


def label_map_of(table: ClassTable) -> str:
    """Return ``labelmap.txt``, without which Datumaro and CVAT know VOC's own classes alone.

    Nothing where a name cannot stand in it.

    >>> label_map_of(ClassTable(((0, "cat"), (1, "dog"))))
    '# label:color_rgb:parts:actions\\ncat:::\\ndog:::\\n'
    """
    names = [name for _, name in table.names]
    if any(":" in name or name[0] == "#" or [name.strip()] != name.splitlines() for name in names):
        return ""
    return "# label:color_rgb:parts:actions\n" + "".join(f"{name}:::\n" for name in names)


def _own(attribute: str, picture: Picture) -> dict[str, Any]:
    """Return what VOC has no element for."""
    found = picture.provenance
    texts = {
        "job-name": found.job_name,
        "human-annotated": found.human_annotated,
        "creation-date": found.creation_date,
    }
    known = {key: value for key, value in texts.items() if value is not None}
    return {"label_attribute": attribute} | known


@dataclass(slots=True)
class _Paths:
    """Where pictures go: all parts into one folder, no two with one annotation.

    Names have no blanks: in a list of names some readers take what follows one for something else.
    """

    as_they_are: bool
    stems: UniqueNames = field(default_factory=UniqueNames)

    def of(self, picture: Picture) -> str:
        """Return the path of a picture from the output folder."""
        name = file_name(picture.ref, picture.number, UniqueNames(), self.as_they_are)
        stem, ending = os.path.splitext(name)
        stem = "_".join(stem.replace("#", "_").split())
        return f"JPEGImages/{self.stems.unique(stem, '', picture.number)}{ending}"


@dataclass(slots=True)
class _Seen:
    """What is to be said of pictures and boxes."""

    rounded: int = 0
    scaled: int = 0
    other_shape: int = 0

    def frame(self, picture: Picture, copied: Copied) -> Frame:
        """Return the picture as it was copied, and what its boxes are multiplied by to fit.

        A picture of another shape than its line says keeps its boxes as they are: nobody knows what it was.
        """
        width, height = copied.size
        scale: tuple[float, float] = (1, 1)
        if picture.size is not None and min(picture.size) > 0 and picture.size != copied.size:
            across, down = width / picture.size[0], height / picture.size[1]
            if same_shape(picture.size, copied.size):
                scale = (across, down)
                self.scaled += 1
            else:
                self.other_shape += 1
        self.rounded += sum(is_between_pixels(box, scale) for box in picture.boxes)
        return Frame(copied.path, width, height, picture.depth, scale)

    def remarks(self) -> list[str]:
        """Return a sentence each."""
        said = []
        if self.rounded:
            boxes = f"{counted(self.rounded, 'box')} with edges between pixels"
            said.append(f"{boxes}: rounded, by half a pixel at most")
        if self.scaled:
            said.append(
                f"{counted(self.scaled, 'picture')} of another size than image_size says: their boxes are"
                " scaled to fit"
            )
        if self.other_shape:
            said.append(other_shape_remark(self.other_shape))
        return said
