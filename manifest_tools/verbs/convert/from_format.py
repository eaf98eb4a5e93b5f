"""The way back: a data set of another format becomes a manifest, or one for each of its parts."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import Refused
from manifest_tools.formats.class_contract import read_data_set
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.safe_names import safe_name
from manifest_tools.formats.table import Format, base_name, format_row
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.groundtruth.classes import ClassTable, agree, classes_from
from manifest_tools.io import s3uri
from manifest_tools.io.sinks import (
    STDOUT,
    check_apart,
    check_key,
    output_file,
    publishing,
)
from manifest_tools.io.sources import folder_of
from manifest_tools.io.staging import staged
from manifest_tools.verbs.convert.extracted import ENDING, Extracted
from manifest_tools.verbs.convert.loss import WouldLose, lost_of_data_set
from manifest_tools.verbs.convert.measured import Measured, measured
from manifest_tools.verbs.convert.restore import Restored, restored_lines
from manifest_tools.verbs.convert.result import Converted
from manifest_tools.verbs.convert.side_car import SideCar, find_side_car
from manifest_tools.verbs.convert.written import Written, written, written_pictures


@dataclass(frozen=True, slots=True)
class ManifestPlan:
    """What becomes of a data set that was read."""

    place: str
    row: Format
    data: DataSet
    outputs: Mapping[str, str]
    """The path of a manifest for each part."""

    measured: Measured
    source_prefix: str = ""
    side_car: SideCar | None = None
    part: str = ""
    """Which part of the side-car stands at ``place``, where it is one of several."""

    lost: dict[str, int] = field(default_factory=dict)
    """What a manifest cannot hold, in words, with how often."""


def convert_from(
    place: AnyPath,
    from_: str,
    output: AnyPath | None = None,
    *,
    images: AnyPaths = (),
    source_prefix: str = "",
    label_attribute: str | None = None,
    classes: ClassTable | AnyPath | None = None,
    allow_loss: bool = False,
    force: bool = False,
    kms_key: str | None = None,
) -> Converted:
    """Write the manifest of a data set in the format ``from_``: a key of ``formats.table.FORMATS``.

    ``output`` is the manifest, or for a data set of several parts the folder of their manifests; None is
    beside ``place``. ``source_prefix`` says where the pictures lie in S3, as ``s3://bucket/prefix``; without
    it they are named as the data set names them. ``images`` says where they lie on this disk: boxes need the
    size of their picture, which its header has where the data set does not. A side-car beside ``place`` gives
    the lines back that it has. Pictures and masks that stand in no file of their own get one, in a folder
    beside the manifest.
    Raises WouldLose for what a manifest cannot hold, unless ``allow_loss`` is set.
    """
    planned = plan_manifests(
        as_text(place),
        from_,
        None if output is None else as_text(output),
        images=as_texts(images),
        source_prefix=source_prefix,
        label_attribute=label_attribute,
        classes=classes_from(classes),
    )
    check_losses(planned, allow_loss)
    return write_manifests(planned, force=force, kms_key=kms_key)


def plan_manifests(
    place: str,
    source_format: str,
    output: str | None = None,
    *,
    images: Sequence[str] = (),
    source_prefix: str = "",
    label_attribute: str | None = None,
    classes: ClassTable | None = None,
) -> ManifestPlan:
    """Return what ``convert_from`` would do: the data set that stands at ``place``, and its manifests."""
    row = format_row("--from", source_format)
    if source_prefix:
        _check_prefix(source_prefix)
    if classes is not None and not row.labels:
        raise Refused(f"--classes: --from {source_format} reads no labels; leave it out")
    beside = output is None
    if output is None:
        if place == STDOUT or place.startswith("s3://") or folder_of(place) == place.rstrip("/"):
            raise Refused(f"{place}: expected a place for the manifest; type -o FILE")
        output = base_name(row, place)[0]
    side_car, part = find_side_car(row, place) or (None, "")
    if side_car is not None:
        label_attribute, classes = _known(side_car, source_prefix, label_attribute, classes)
    data = read_data_set(row, place, ReadOptions(source_prefix, label_attribute, classes))
    if list(data.parts) == [""]:
        name = base_name(row, place)[0].rpartition("/")[2] + ENDING
        outputs = {"": output + ENDING if beside else output_file(output, name)}
    elif output == STDOUT or output.endswith((ENDING, ".gz")):
        raise Refused(f"-o {output}: {place} has the parts {', '.join(data.parts)}; type -o FOLDER for them")
    else:
        outputs = {name: f"{output.rstrip('/')}/{safe_name(name, 'part')}{ENDING}" for name in data.parts}
    check_apart(place, list(outputs.values()))
    lost = lost_of_data_set(data, None)
    sizes = measured(data, folder_of(place), images)
    return ManifestPlan(place, row, data, outputs, sizes, source_prefix, side_car, part, lost)


def _known(
    side_car: SideCar, source_prefix: str, label_attribute: str | None, classes: ClassTable | None
) -> tuple[str, ClassTable]:
    """Return attribute and class table of a side-car; raises Refused where something else was typed."""
    name, path = side_car.head.label_attribute, side_car.path
    if label_attribute not in (None, name):
        raise Refused(f"--label-attribute {label_attribute}: {path} has {name}; leave it out")
    if source_prefix:
        raise Refused(f"--source-prefix: {path} says where the pictures lie; leave it out")
    table = side_car.table
    return name, table if classes is None else agree({path: table, "--classes": classes})


def check_losses(planned: ManifestPlan, allow_loss: bool) -> None:
    """Raise WouldLose for what a manifest cannot hold, where nobody has agreed to lose it."""
    if planned.lost and not allow_loss:
        raise WouldLose(planned.place, "a manifest", planned.lost, side_car=False)


def _check_prefix(source_prefix: str) -> None:
    try:
        s3uri.parse(f"{source_prefix.rstrip('/')}/1.jpg")
    except ValueError as error:
        raise Refused(
            f"--source-prefix {source_prefix}: expected s3://BUCKET or s3://BUCKET/PREFIX"
        ) from error


def write_manifests(planned: ManifestPlan, *, force: bool = False, kms_key: str | None = None) -> Converted:
    """Write the manifest of every part, all or none."""
    data = planned.data
    check_key(kms_key, list(planned.outputs.values()))
    count = local = 0
    restored = Restored()
    with publishing(force=force, kms_key=kms_key) as publication, contextlib.ExitStack() as folders:
        for part, path in planned.outputs.items():
            extracted = Extracted(path, planned.source_prefix, publication, folders)
            with staged(publication.open(path), path) as stream:
                for found in _lines(planned, part, restored, _chain(extracted, planned.measured)):
                    stream.write(found.text)
                    count += found.lines
                    local += found.on_this_disk
    remarks = [*data.remarks, *planned.measured.remarks()]
    if planned.side_car is not None:
        remarks += restored.remarks(planned.side_car.path)
    return Converted(
        tuple(publication.published),
        count,
        table=data.table,
        lost=planned.lost,
        on_this_disk=local,
        remarks=tuple(remarks),
    )


def _chain(extracted: Extracted, sizes: Measured) -> Callable[[Picture], Picture]:
    return lambda picture: extracted.of(sizes.of(picture))


def _lines(
    planned: ManifestPlan, part: str, restored: Restored, extract: Callable[[Picture], Picture]
) -> Iterable[Written]:
    data, side_car = planned.data, planned.side_car
    of = part or planned.part
    if side_car is None or of not in side_car.head.parts:
        return written_pictures(data, data.parts[part], extract)
    return written(restored_lines(side_car, data, part, of, planned.row, restored, extract))
