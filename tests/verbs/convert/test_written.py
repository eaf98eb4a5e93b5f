"""Lines are the same, whoever makes them."""

from dataclasses import replace

from hypothesis import given

from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.groundtruth.write_line import manifest_lines
from manifest_tools.verbs.convert.written import written, written_pictures
from tests.data_sets import data_sets


def as_it_is(picture: Picture) -> Picture:
    return picture


@given(data_sets("single_label", "multi_label", "boxes", "segmentation"))
def test_lines_of_batches_are_those_of_their_pictures(data: DataSet) -> None:
    for pictures in data.parts.values():
        one_by_one = list(written(manifest_lines(data, pictures)))
        found = list(written_pictures(data, pictures, as_it_is))
        assert b"".join(one.text for one in found) == b"".join(one.text for one in one_by_one)
        assert sum(one.lines for one in found) == len(list(pictures))
        assert sum(one.on_this_disk for one in found) == 0


def test_a_picture_that_is_not_ready_is_made_so_first() -> None:
    pictures = [
        Picture(1, "1.jpg", boxes=(Box(0, 1, 1, 1, 1),), content=b"".join),  # type: ignore[arg-type]
        Picture(2, "s3://b/2.jpg", (9, 9)),
    ]
    asked: list[str] = []

    def extract(picture: Picture) -> Picture:
        asked.append(picture.ref)
        return Picture(picture.number, f"made/{picture.ref}", (9, 9))

    parts = {"": StreamedPictures(pictures.copy)}
    data = DataSet(ClassTable(((0, "a"),)), "boxes", parts)
    found = list(written_pictures(data, parts[""], extract))
    assert asked == ["1.jpg", "s3://b/2.jpg"]
    assert (sum(one.lines for one in found), sum(one.on_this_disk for one in found)) == (2, 2)
    ready = replace(data, parts={"": StreamedPictures(lambda: pictures[1:])})
    (one,) = written_pictures(ready, ready.parts[""], extract)
    assert (one.lines, one.on_this_disk, len(asked)) == (1, 0, 2)
