"""The way back: a data set of another format becomes a manifest, or one for each of its parts."""

from collections.abc import Mapping

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import Refused
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.table import base_name, format_row, module_of
from manifest_tools.groundtruth.annotations import DataSet
from manifest_tools.groundtruth.classes import ClassTable, classes_from
from manifest_tools.groundtruth.write_line import manifest_lines
from manifest_tools.io import s3uri
from manifest_tools.io.sinks import STDOUT, check_apart, check_key, output_file, publishing
from manifest_tools.io.sources import folder_of
from manifest_tools.io.staging import staged
from manifest_tools.verbs.convert.convert import Converted

_ENDING = ".manifest"


def convert_from(
    place: AnyPath,
    from_: str,
    output: AnyPath | None = None,
    *,
    source_prefix: str = "",
    label_attribute: str | None = None,
    classes: ClassTable | AnyPath | None = None,
    force: bool = False,
    kms_key: str | None = None,
) -> Converted:
    """Write the manifest of a data set in the format ``from_``: a key of ``formats.FORMATS``.

    ``output`` is the manifest, or for a data set of several parts the folder of their manifests; None is
    beside ``place``. ``source_prefix`` says where the pictures lie in S3, as ``s3://bucket/prefix``; without
    it they are named as the data set names them. What a manifest cannot hold is counted in ``lost``.
    """
    data, outputs = plan_manifests(
        as_text(place),
        from_,
        None if output is None else as_text(output),
        source_prefix=source_prefix,
        label_attribute=label_attribute,
        classes=classes_from(classes),
    )
    return write_manifests(data, outputs, force=force, kms_key=kms_key)


def plan_manifests(
    place: str,
    source_format: str,
    output: str | None = None,
    *,
    source_prefix: str = "",
    label_attribute: str | None = None,
    classes: ClassTable | None = None,
) -> tuple[DataSet, dict[str, str]]:
    """Return the data set that stands at ``place``, and the path of a manifest for each of its parts."""
    row = format_row("--from", source_format)
    if source_prefix:
        _check_prefix(source_prefix)
    beside = output is None
    if output is None:
        if place == STDOUT or place.startswith("s3://") or folder_of(place) == place.rstrip("/"):
            raise Refused(f"{place}: expected a place for the manifest; type -o FILE")
        output = base_name(row, place)[0]
    data: DataSet = module_of(row).read(place, ReadOptions(source_prefix, label_attribute, classes))
    if list(data.parts) == [""]:
        name = base_name(row, place)[0].rpartition("/")[2] + _ENDING
        outputs = {"": output + _ENDING if beside else output_file(output, name)}
    elif output == STDOUT or output.endswith((_ENDING, ".gz")):
        raise Refused(f"-o {output}: {place} has the parts {', '.join(data.parts)}; type -o FOLDER for them")
    else:
        outputs = {part: f"{output.rstrip('/')}/{part}{_ENDING}" for part in data.parts}
    check_apart(place, list(outputs.values()))
    return data, outputs


def _check_prefix(source_prefix: str) -> None:
    try:
        s3uri.parse(f"{source_prefix.rstrip('/')}/1.jpg")
    except ValueError as error:
        raise Refused(
            f"--source-prefix {source_prefix}: expected s3://BUCKET or s3://BUCKET/PREFIX"
        ) from error


def write_manifests(
    data: DataSet, outputs: Mapping[str, str], *, force: bool = False, kms_key: str | None = None
) -> Converted:
    """Write the manifest of every part, all or none."""
    check_key(kms_key, list(outputs.values()))
    count = local = 0
    with publishing(force=force, kms_key=kms_key) as publication:
        for part, path in outputs.items():
            with staged(publication.open(path), path) as stream:
                for line in manifest_lines(data, data.parts[part]):
                    stream.write(line)
                    count += 1
                    local += not line.startswith(_IN_S3)
    published = tuple(publication.published)
    return Converted(
        published, count, table=data.table, lost=data.lost, on_this_disk=local, remarks=data.remarks
    )


_IN_S3 = b'{"source-ref":"s3://'  # how the lines begin that name an object
