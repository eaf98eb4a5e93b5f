import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from manifest_tools.base.errors import InvalidLine, Refused
from manifest_tools.base.problem import Problem
from manifest_tools.images.unusable import Unusable
from manifest_tools.pages.gallery import Card
from manifest_tools.verbs.look.look import look
from manifest_tools.verbs.look.report import look_page, look_sheets, sections
from manifest_tools.verbs.look.s3_pictures import S3Pictures
from tests.label_lines import GOOD
from tests.pictures import jpeg, row

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Write = Callable[..., str]

_TYPE = "type --images FOLDER, or fetch them: mtool fetch MANIFEST -o FOLDER"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with pictures 1.jpg, 2.jpg and 3.jpg, the last one on its side."""
    for number in (1, 2):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(40 * number))
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (60, 40), "red").save(tmp_path / "3.jpg", exif=turned)
    return tmp_path


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(lines: list[dict[str, Any]], name: str = "a.manifest") -> str:
        path = tmp_path / name
        path.write_text("".join(json.dumps(value) + "\n" for value in lines))
        return str(path)

    return write


def picture_of(card: Card) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(card.picture.partition("base64,")[2])))


def boxed(ref: str, *boxes: tuple[int, int, int, int], size: tuple[int, int] = (60, 40)) -> dict[str, Any]:
    found = [dict(zip(("left", "top", "width", "height"), box, strict=True), class_id=0) for box in boxes]
    label = {"image_size": [{"width": size[0], "height": size[1], "depth": 3}], "annotations": found}
    metadata = {"type": "groundtruth/object-detection", "class-map": {"0": "bolt"}, "objects": []}
    return {"source-ref": f"s3://raw/{ref}", "x": label, "x-metadata": metadata}


def test_a_line_is_shown_with_its_picture_its_classes_and_its_problems(folder: Path, write: Write) -> None:
    manifest = write([row("1.jpg", 0), row("2.jpg", 1)])
    problem = Problem("MT999", "error", manifest, 2, "", "too red")
    first, second = look(manifest, images=[str(folder)], problems=[problem], jobs=1).gallery.cards
    assert (first.line, first.problems) == (2, (("MT999", "too red"),))
    assert (second.line, second.name, second.labels[0].classes) == (1, "s3://raw/1.jpg", ((0, None, 1),))
    assert picture_of(second).size == (240, 160)


def test_a_picture_is_upright(folder: Path, write: Write) -> None:
    found = look(write([row("3.jpg", 0)]), images=[str(folder)], jobs=1)
    assert picture_of(found.gallery.cards[0]).size == (160, 240)
    assert found.sizes == {"40 × 60": 1}


def test_boxes_are_drawn_where_they_are(folder: Path, write: Write) -> None:
    plain, drawn = look(
        write([boxed("1.jpg"), boxed("1.jpg", (15, 10, 30, 20))]), images=[str(folder)], pictures=9, jobs=1
    ).gallery.cards
    (_, _, many) = drawn.labels[0].classes[0]
    before, after = picture_of(plain), picture_of(drawn)
    assert many == 1
    assert before.getpixel((60, 80)) != after.getpixel((60, 80)), "the left edge"
    assert before.getpixel((120, 80)) == after.getpixel((120, 80)), "the middle"


def test_a_mask_lies_over_its_picture_in_its_own_colours(folder: Path, write: Write) -> None:
    Image.new("RGB", (60, 40), "#2ca02c").save(folder / "mask.png")
    colours = {
        "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"},
        "1": {"class-name": "road", "hex-color": "#2ca02c", "confidence": 0.5},
    }
    metadata = {"type": "groundtruth/semantic-segmentation", "internal-color-map": colours}
    line = {"source-ref": "s3://raw/1.jpg", "x-ref": "s3://raw/mask.png", "x-ref-metadata": metadata}
    with_mask = look(write([line]), images=[str(folder)], jobs=1)
    without = look(write([row("1.jpg", 0)], "b.manifest"), images=[str(folder)], jobs=1)
    card = with_mask.gallery.cards[0]
    assert card.labels[0].colours == ("#2ca02c",) and card.doubtful
    assert picture_of(card).getpixel((9, 9)) != picture_of(without.gallery.cards[0]).getpixel((9, 9))


def test_a_picture_that_is_not_here_says_what_to_type(folder: Path, write: Write) -> None:
    found = look(write([row("1.jpg", 0), row("gone.jpg", 0)]), images=[str(folder)], jobs=1)
    assert "1 of 2 pictures are not on this disk" in found.missing and "--images" in found.missing
    assert [bool(card.picture) for card in found.gallery.cards] == [True, False]
    assert isinstance(found.pictures[1], Unusable) and found.gallery.cards[1].missing


def test_a_picture_that_is_in_s3_alone_is_fetched(s3: "S3Client", folder: Path, write: Write) -> None:
    s3.create_bucket(Bucket="far")
    s3.put_object(Bucket="far", Key="2.jpg", Body=(folder / "2.jpg").read_bytes())
    manifest = write([row("1.jpg", 0), *({"source-ref": f"s3://far/{number}.jpg"} for number in (2, 7))])
    found = look(manifest, images=[f"s3://raw={folder}"], fetch=S3Pictures(), jobs=1)
    assert [bool(card.picture) for card in found.gallery.cards] == [True, True, False]
    assert "no such object" in found.gallery.cards[2].missing
    assert (found.fetched, "1 of 3 pictures" in found.missing) == (1, True)


def test_where_s3_fails_the_page_is_made_all_the_same_and_says_so(write: Write) -> None:
    fetch = S3Pictures()
    found = look(write([row(f"{number}.jpg", 0) for number in range(40)]), fetch=fetch, jobs=1)
    assert found.fetched == 0 and fetch.failed
    assert f"40 of 40 pictures are not on this disk; {_TYPE}; S3 failed: {fetch.failed}" == found.missing


def test_classes_stand_in_the_order_of_their_indices(folder: Path, write: Write) -> None:
    assert look(write([row("1.jpg", 1), row("2.jpg", 0)]), jobs=1).gallery.classes == ("RH", "LH")


def test_a_damaged_picture_is_shown_as_such_and_does_not_stop_the_rest(folder: Path, write: Write) -> None:
    (folder / "1.jpg").write_bytes(b"no picture")
    found = look(write([row("1.jpg", 0), row("2.jpg", 0)]), images=[str(folder)], jobs=1)
    broken, whole = found.gallery.cards
    assert "expected a picture" in broken.missing and whole.picture and not found.missing


def test_several_files_stand_side_by_side(folder: Path, write: Write) -> None:
    train = write([row("1.jpg", 0), row("2.jpg", 0)], "train.manifest")
    validation = write([row("1.jpg", 1)], "validation.manifest")
    found = look(train, validation, images=[str(folder)], jobs=1)
    (chart,) = [bars for one in sections(found, {}) for bars in one.bars if bars.title == "Classes, in lines"]
    assert chart.series == (train, validation)
    assert {bar.label: bar.counts for bar in chart.bars} == {"RH": (2, 0), "LH": (0, 1)}
    (group,) = found.gallery.groups
    assert "in several files" in group.title and [card.part for card in group.cards] == [0, 1]


def test_the_same_class_of_two_files_is_one_class(folder: Path, write: Write) -> None:
    one, two = write([row("1.jpg", 1)], "a.manifest"), write([row("2.jpg", 0), row("3.jpg", 1)], "b.manifest")
    assert look(one, two, jobs=1).gallery.classes == ("LH", "RH")


@pytest.mark.parametrize("name", GOOD)
def test_a_line_of_every_type_is_shown_with_what_it_has(name: str, write: Write) -> None:
    found = look(write([GOOD[name]]), jobs=1)
    assert len(found.gallery.cards) == 1
    assert "</html>" in look_page(found)


def test_a_text_is_shown_in_place_of_a_picture(write: Write) -> None:
    (card,) = look(write([GOOD["entities"]]), jobs=1).gallery.cards
    assert card.text == "Ada was born in London" and not card.missing
    assert card.labels[0].classes == ((0, 0.9, 2),)


def test_the_same_lines_give_the_same_page_for_any_number_of_workers(folder: Path, write: Write) -> None:
    manifest = write([row(f"{at % 4}.jpg", at % 2) for at in range(40)])
    pages = {look_page(look(manifest, images=[str(folder)], jobs=jobs)) for jobs in (1, 2, 3)}
    assert len(pages) == 1


def test_the_still_picture_has_the_same_lines(folder: Path, write: Write) -> None:
    found = look(write([row("1.jpg", 0), row("gone.jpg", 1)]), images=[str(folder)], jobs=1)
    (sheet,) = look_sheets(found)
    with Image.open(io.BytesIO(sheet)) as picture:
        assert picture.format == "PNG" and picture.width > picture.height


def test_a_line_that_cannot_be_read_is_named(write: Write, tmp_path: Path) -> None:
    manifest = write([row("1.jpg", 0)])
    Path(manifest).write_text(Path(manifest).read_text() + "{oops\n")
    with pytest.raises(InvalidLine, match="a.manifest:2"):
        look(manifest, jobs=1)


def test_an_attribute_that_no_line_has_is_refused(write: Write) -> None:
    with pytest.raises(Refused, match="nope"):
        look(write([row("1.jpg", 0)]), label_attribute="nope", jobs=1)


def test_one_label_attribute_can_be_looked_at_alone(sample: Path) -> None:
    found = look(str(sample / "good" / "chained-two-attributes.manifest"), label_attribute="finish", jobs=1)
    assert {label.attribute for card in found.gallery.cards for label in card.labels} == {"finish"}
    assert [one.name for one in found.contents[0].attributes] == ["finish"]
