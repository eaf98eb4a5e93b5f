"""The law of the side-car: a manifest that went out with one comes back as it was, byte for byte."""

from pathlib import Path
from typing import Any

import pytest

from manifest_tools.groundtruth.annotations import PictureLabelKind
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from manifest_tools.verbs.convert.loss import WouldLose
from tests.rich_manifest import manifest_of
from tests.survival import held, main_output

HELD = [pytest.param(*found, id=", ".join(found)) for found in held()]


@pytest.mark.parametrize(("name", "kind"), HELD)
def test_with_its_side_car_a_manifest_comes_back_byte_for_byte(
    in_folder: Path, name: str, kind: PictureLabelKind
) -> None:
    manifest = manifest_of(in_folder, kind)
    options: dict[str, Any] = {"resize": 20, "square": True} if name == "npy" else {}
    done = convert(manifest, name, "out/ds", images=["raw"], label_attribute="kind", side_car=True, **options)
    assert (done.pictures, done.problems, done.lost) == (5, (), {})
    back = convert_from(main_output(done, name), name, "back.manifest")
    assert Path("back.manifest").read_bytes() == Path(manifest).read_bytes(), back.remarks


@pytest.mark.parametrize(("name", "kind"), HELD)
def test_what_a_format_cannot_hold_is_said_before_anything_is_written(
    in_folder: Path, name: str, kind: PictureLabelKind
) -> None:
    manifest = manifest_of(in_folder, kind)
    with pytest.raises(WouldLose) as refused:
        convert(manifest, name, "out/ds", images=["raw"], label_attribute="kind")
    assert refused.value.counts["key worker"] == 5
    assert refused.value.counts["label attribute other"] == 1
    told = "type --side-car to keep them beside it, or --allow-loss to go on without"
    assert str(refused.value).endswith(told)
    assert not Path("out").exists()


@pytest.mark.parametrize(("name", "kind"), HELD)
def test_a_part_without_a_line_stays_a_part(in_folder: Path, name: str, kind: PictureLabelKind) -> None:
    manifest = manifest_of(in_folder, kind)
    Path("none.manifest").touch()
    options: dict[str, Any] = {"resize": 20, "square": True} if name == "npy" else {}
    done = convert(
        [manifest, "none.manifest"],
        name,
        "out/ds",
        images=["raw"],
        label_attribute="kind",
        side_car=True,
        **options,
    )
    assert (done.pictures, "no picture in none" in done.remarks) == (5, True)
    convert_from("out/ds", name, "back")
    assert Path("back/all.manifest").read_bytes() == Path(manifest).read_bytes()
    assert Path("back/none.manifest").read_bytes() == b""
