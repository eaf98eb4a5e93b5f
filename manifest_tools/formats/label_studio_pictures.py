"""Reads exports of Label Studio as pictures."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import parse_qs, unquote, urlsplit

from manifest_tools.base.text import shown
from manifest_tools.formats.label_studio_controls import Choice, choose, count_lost, remarks_of, table_of
from manifest_tools.formats.label_studio_export import TaskFile, files_of, ground_truth_of, survey
from manifest_tools.formats.label_studio_regions import box_of, size_of
from manifest_tools.formats.label_studio_tasks import (
    LOCAL_FILES,
    GroundTruth,
    ImageSize,
    Result,
    TaskRead,
    choices_of,
    family_of,
)
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.safe_names import leaves_folder
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, Provenance, StreamedPictures

_UPLOADS = "/data/"


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of an export of Label Studio, full or JSON-MIN, or of each ``*.json`` of a folder.

    Classes are numbered as the labelling config beside it has them (NAME.config.xml), as ``options.classes``
    has them, or by their sorted names. ``options.label_attribute`` says which control counts where a project
    has several. A picture that nobody has answered is not labelled; one whose answer has no region is.
    Raises BadData for what is no export, Refused where several controls could be meant.
    """
    files = [survey(part, path) for part, path in files_of(place)]
    chosen = choose(place, files, options.label_attribute)
    table = table_of(files, chosen, options.classes)
    indices = {name: index for index, name in table.names}
    lost: dict[str, int] = {}
    for file in files:
        count_lost(file, chosen, lost)
    prefix = options.source_prefix
    parts = {file.part: StreamedPictures(partial(_pictures, file, chosen, indices, prefix)) for file in files}
    return DataSet(table, chosen.kind, parts, chosen.attribute, lost, remarks=remarks_of(files))


def _pictures(file: TaskFile, chosen: Choice, indices: Mapping[str, int], prefix: str) -> Iterator[Picture]:
    file.source.check_unchanged()  # since it was surveyed
    for number, task in file.tasks():
        ref = _ref(file, number, task, prefix)
        stated = ground_truth_of(file, number, task)
        try:
            yield _picture(number, ref, task, stated, _counted(file.results(task), chosen), chosen, indices)
        except ValueError as error:
            raise file.bad(number, str(error)) from error


def _counted(results: Sequence[Result], chosen: Choice) -> list[Result]:
    return [one for one in results if one.from_name in chosen.names and family_of(one) == chosen.family]


def _picture(
    number: int,
    ref: str,
    task: TaskRead,
    stated: GroundTruth,
    results: Sequence[Result],
    chosen: Choice,
    indices: Mapping[str, int],
) -> Picture:
    """Return the picture of a task; raises ValueError for an answer that cannot be."""
    size = stated.image_size or ImageSize()
    known = partial(
        Picture,
        number if stated.line is None else stated.line,
        ref,
        depth=size.depth,
        provenance=_provenance(task, stated),
        labelled=task.answer is not None,
    )
    sides = None if size.width is None or size.height is None else (size.width, size.height)
    if chosen.kind == "boxes":
        return known(size=size_of(results) or sides, boxes=_boxes(results, indices))
    names = list(dict.fromkeys(choices_of(results)))
    sure = tuple((stated.confidence or {}).get(name) for name in names)
    confidences = () if set(sure) <= {None} else sure
    return known(size=sides, classes=tuple(indices[name] for name in names), confidences=confidences)


def _boxes(results: Sequence[Result], indices: Mapping[str, int]) -> tuple[Box, ...]:
    size = size_of(results)
    named = [(result, names[0]) for result in results if result.value and (names := result.value.names())]
    if named and size is None:
        raise ValueError("expected original_width and original_height beside a region, found neither")
    return tuple(box_of(result, size or (1, 1), indices[name]) for result, name in named)


def _provenance(task: TaskRead, stated: GroundTruth) -> Provenance:
    """Return where a label comes from: as a manifest said, unless a person has answered a model since."""
    answer = task.answer
    made = stated.label_attribute is not None
    if made and (task.by_model or answer is None or stated.human_annotated != "no"):
        return Provenance(stated.job_name, stated.human_annotated, stated.creation_date)
    if answer is None:
        return Provenance()
    return Provenance(None, "no" if task.by_model else "yes", answer.updated_at or answer.created_at)


def _ref(file: TaskFile, number: int, task: TaskRead, prefix: str) -> str:
    """Return a picture as a source-ref: a URI in S3, or a path from the folder of the file."""
    url = task.text(file.image_key)
    if not url:
        raise file.bad(number, f"expected a picture under {shown(file.image_key)}, found none")
    if url.startswith("s3://"):
        return url
    name = path_of(url)
    if name is None and prefix:
        name = unquote(urlsplit(url).path).lstrip("/")
    if name is None:
        raise file.bad(
            number,
            f"expected an s3:// URI or a path, found {shown(url)}; type --source-prefix s3://BUCKET/PREFIX if"
            " its pictures lie there",
        )
    name = name.replace("\\", "/")
    if leaves_folder(name):
        raise file.bad(number, f"expected a picture below a folder, found {shown(url)}")
    return f"{prefix.rstrip('/')}/{name}" if prefix else name


def path_of(url: str) -> str | None:
    """Return the path of a picture that Label Studio serves itself; None for one from elsewhere.

    >>> path_of("/data/local-files/?d=left/a%20b.jpg"), path_of("/data/upload/3/1.jpg"), path_of("a b#.jpg")
    ('left/a b.jpg', 'upload/3/1.jpg', 'a b#.jpg')
    """
    if "://" in url:
        return None
    if url.startswith(LOCAL_FILES):
        return next(iter(parse_qs(urlsplit(url).query).get("d", [])), "")
    return unquote(url.removeprefix(_UPLOADS)) if url.startswith(_UPLOADS) else url
