import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from manifest_tools.base.errors import Refused
from manifest_tools.base.problem import Problem
from manifest_tools.io.recordio import MAGIC, ImageRecord, frame, pack
from manifest_tools.verbs.rec import picture_trouble
from manifest_tools.verbs.rec import verify as module
from manifest_tools.verbs.rec.verify import rec_verify
from manifest_tools.verbs.validate.rules import RULES
from tests.pictures import jpeg
from tests.record_files import PICTURES, image_records, write_rec

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result


def found(path: Path | str, **options: Any) -> list[tuple[int, str]]:
    return [(one.line, one.code) for one in rec_verify(path, jobs=1, **options).problems]


def encoded(form: str, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (32, 24)).save(out, form)
    return out.getvalue()


def with_picture(picture: bytes) -> list[ImageRecord]:
    """Return three records, the second with this picture."""
    first, _, last = image_records(3)
    return [first, ImageRecord(1, (1.0,), picture), last]


def test_what_was_packed_whole_has_no_problem(tmp_path: Path) -> None:
    shown = rec_verify(write_rec(tmp_path / "a.rec", image_records(7)), decode=True)
    assert (shown.records, shown.problems, shown.counts, shown.repeated) == (7, [], {}, None)
    assert [Path(path).name for path in shown.compared] == ["a.idx", "a.lst"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_report_is_the_same_for_any_number_of_workers(tmp_path: Path, jobs: int) -> None:
    records = image_records(3000)
    for at in (0, 700, 2999):
        records[at] = ImageRecord(at, (0.0,), PICTURES[0][:200])
    path = write_rec(tmp_path / "a.rec", records)
    shown = rec_verify(path, decode=True, jobs=jobs)
    assert [(one.line, one.code) for one in shown.problems] == [(1, "MT403"), (701, "MT403"), (3000, "MT403")]


@pytest.mark.parametrize(
    ("spoil", "codes"),
    [
        pytest.param(lambda data: data[:-3], [(0, "MT803"), (0, "MT814"), (3, "MT802")], id="torn"),
        pytest.param(lambda data: data + b"\0" * 8, [(4, "MT802")], id="zeros behind the end"),
        pytest.param(lambda data: b"", [(0, "MT801"), (0, "MT803"), (0, "MT814")], id="empty"),
    ],
)
def test_damage_of_the_framing_is_found(
    tmp_path: Path, spoil: Callable[[bytes], bytes], codes: list[tuple[int, str]]
) -> None:
    path = Path(write_rec(tmp_path / "a.rec", image_records(3)))
    path.write_bytes(spoil(path.read_bytes()))
    assert found(path) == codes


def test_records_behind_damage_are_read_too(tmp_path: Path) -> None:
    records = image_records(4)
    framed = [frame(pack(one)) for one in records]
    framed[1] = b"\xff" * len(framed[1])
    framed[3] = frame(pack(ImageRecord(3, (0.0,), b"<html>")))
    path = tmp_path / "a.rec"
    path.write_bytes(b"".join(framed))
    problems = rec_verify(path).problems
    assert [(one.line, one.code) for one in problems] == [(2, "MT802"), (3, "MT804")]
    assert "damaged after 1 record, at byte" in problems[0].message


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        pytest.param(b"x" * 23, "24 bytes or more", id="no room for a header"),
        pytest.param(struct.pack("<IfQQ", 99, 0, 1, 0), "too many for", id="more labels than bytes"),
        pytest.param(pack(ImageRecord(1, (1.0,), b"<html>")), "found an HTML page", id="a page"),
        pytest.param(pack(ImageRecord(1, (1.0,), b"")), "found nothing", id="no picture"),
        pytest.param(pack(ImageRecord(1, (1.0,), encoded("GIF"))), "found a GIF picture", id="a GIF"),
    ],
)
def test_a_record_without_a_picture_for_mxnet_is_named(tmp_path: Path, payload: bytes, message: str) -> None:
    path = tmp_path / "a.rec"
    path.write_bytes(b"".join(map(frame, [pack(image_records(1)[0]), payload])))
    (problem,) = rec_verify(path).problems
    assert (problem.line, problem.code, problem.severity) == (2, "MT804", "error")
    assert message in problem.message


def test_a_first_record_that_describes_the_others_is_a_warning(tmp_path: Path) -> None:
    records = [ImageRecord(0, (5.0, 9.0), b"", vector=True), *image_records(3, first=1)]
    shown = rec_verify(write_rec(tmp_path / "a.rec", records, names=None))
    assert [(one.line, one.code, one.severity) for one in shown.problems] == [(1, "MT807", "warning")]
    assert (shown.errors, shown.warnings) == (0, 1)


def test_numbers_that_repeat_are_said(tmp_path: Path) -> None:
    records = [*image_records(3), *image_records(2, first=2)]
    assert rec_verify(write_rec(tmp_path / "a.rec", records)).repeated == 2


def test_the_index_and_the_list_of_its_name_are_compared(tmp_path: Path) -> None:
    path = write_rec(tmp_path / "a.rec", image_records(3))
    (tmp_path / "a.idx").write_text("0\t0\n1\t8\n2\t16\n")
    (tmp_path / "a.lst").write_text("0\t2\ta.jpg\n1\t1\tb.jpg\n7\t1\tc.jpg\n")
    messages = {(one.line, one.code): one.message for one in rec_verify(path).problems}
    assert list(messages) == [(0, "MT803"), (0, "MT814"), (1, "MT814"), (3, "MT814")]
    assert "record begins at byte 8, but none does" in messages[0, "MT803"]
    assert "no record has the number 7" in messages[0, "MT814"]


def test_the_cases_of_the_field_are_answered(cases: Path) -> None:
    numbers = [1, 3, 4, 6, 7]
    assert found(cases / "rec-against-lst" / "m.rec", decode=True) == [(at, "MT814") for at in numbers]
    assert found(cases / "detection-header-4-5" / "h45.rec", decode=True) == []


def test_of_many_problems_the_first_are_kept_and_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_OF_A_CODE", 2)
    path = tmp_path / "a.rec"
    path.write_bytes(frame(b"x") * 9)
    shown = rec_verify(path)
    assert ([one.line for one in shown.problems], shown.counts) == ([1, 2], {"MT804": 9})


def test_codes_and_severities_are_those_of_validate() -> None:
    rules = {rule.code: rule.severity for rule in RULES}
    named = vars(module) | vars(picture_trouble)
    ours = [value for value in named.values() if str(value).startswith("MT8")]
    assert len(ours) == 6
    assert {code: module.SEVERITIES.get(code, "error") for code in ours} == {
        code: rules[code] for code in ours
    }


@pytest.mark.parametrize("name", ["nowhere.rec", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match=r"expected a \.rec, found"):
        rec_verify(tmp_path / name)


def test_a_list_that_was_named_in_place_of_its_rec_is_refused(tmp_path: Path) -> None:
    write_rec(tmp_path / "a.rec", image_records(1))
    with pytest.raises(Refused, match="found its list or index"):
        rec_verify(tmp_path / "a.lst")


def test_a_file_in_s3_is_read_there(s3: "S3Client", tmp_path: Path) -> None:
    records = image_records(700)
    records[600] = ImageRecord(600, (0.0,), b"GIF8")
    data = Path(write_rec(tmp_path / "a.rec", records)).read_bytes()
    s3.create_bucket(Bucket="lab3")
    s3.put_object(Bucket="lab3", Key="a.rec", Body=data)
    assert found("s3://lab3/a.rec") == [(601, "MT804")]


BROKEN = {
    "cut off in its header": jpeg(1)[:20],
    "cut off in its pixels": jpeg(1, (300, 200))[:900],
    "a page": b"<html>",
    "zeros": bytes(500),
    "nothing": b"",
    "a PNG cut off": encoded("PNG")[:40],
    "a JPEG without its tables": b"\xff\xd8\xff\xd9",
}
# What is found although MXNet makes a picture of it.
READ_WITH_GREY = {"cut off in its pixels", "a PNG cut off"}


@pytest.mark.parametrize("what", BROKEN)
def test_what_mxnet_cannot_decode_is_found(tmp_path: Path, what: str, mxnet: Any) -> None:
    picture = BROKEN[what]
    path = write_rec(tmp_path / "a.rec", with_picture(picture))
    assert [line for line, _ in found(path, decode=True)] == [2]
    reader = mxnet.recordio.MXIndexedRecordIO(str(tmp_path / "a.idx"), path, "r")
    fine = []
    for key in range(3):
        _, data = mxnet.recordio.unpack(reader.read_idx(key))
        try:
            fine.append(mxnet.image.imdecode(data).shape)
        except (mxnet.base.MXNetError, ValueError, AssertionError):
            fine.append(None)
    reader.close()
    assert fine[0] and fine[2]
    assert (fine[1] is None) == (what not in READ_WITH_GREY)


@pytest.mark.parametrize(
    "picture",
    [jpeg(7), encoded("JPEG", "L"), encoded("JPEG", "CMYK"), encoded("PNG"), encoded("PNG", "L")],
    ids=["JPEG", "grey JPEG", "CMYK JPEG", "PNG", "grey PNG"],
)
def test_what_has_no_problem_is_decoded_by_mxnet(tmp_path: Path, picture: bytes, mxnet: Any) -> None:
    path = write_rec(tmp_path / "a.rec", with_picture(picture + MAGIC * 2))  # in parts
    assert found(path, decode=True) == []
    reader = mxnet.recordio.MXRecordIO(path, "r")
    for _ in range(3):
        assert mxnet.image.imdecode(mxnet.recordio.unpack(reader.read())[1]).shape[2] == 3
    reader.close()


def test_the_command_prints_problems_and_ends_with_1(run: "Callable[..., Result]", in_folder: Path) -> None:
    write_rec(Path("a.rec"), with_picture(b"<html>"))
    done = run("rec", "verify", "a.rec")
    assert done.exit_code == 1
    message = "expected a JPEG or PNG after the labels, found an HTML page"
    assert done.stdout == f"{Problem('MT804', 'error', 'a.rec', 2, '', message)}\n"
    size = Path("a.rec").stat().st_size
    assert done.stderr.splitlines() == [
        f"a.rec: 3 records, {size:,} bytes, pictures not decoded, compared with a.idx and a.lst",
        "1 error",
    ]
