from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifest_tools.base.errors import MtoolError
from manifest_tools.io.record_list import RecordList
from manifest_tools.io.seekable import open_seekable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

rows = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.sampled_from(["a.jpg", "é/b c.jpg"])))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(rows, st.sampled_from(["", "no row\n", "x\t0\ty.jpg\n"]))
def test_a_row_is_found_by_its_number_of_several_the_first(
    tmp_path: Path, written: list[tuple[int, int, str]], odd: str
) -> None:
    path = tmp_path / "a.lst"
    path.write_text(odd + "".join(f"{key}\t{label}\t{name}\n" for key, label, name in written), "utf-8")
    found = RecordList(str(path))
    first = {key: (label, name) for key, label, name in reversed(written)}
    for key in range(10):
        row = found.row(key)
        assert (row and ([row.labels[0], row.path])) == (list(first[key]) if key in first else None)
    assert found.alone() == ("", 0)
    assert RecordList(str(path)).alone()[1] == len(first)
    assert found.row(None) is None and found.row(1 << 70) is None


def test_an_object_is_read_at_any_place_and_never_two_versions_of_it(s3: "S3Client") -> None:
    data = b"".join(at.to_bytes(4, "big") for at in range(2_500_000))  # three requests
    s3.create_bucket(Bucket="lab3")
    s3.put_object(Bucket="lab3", Key="a.rec", Body=data)
    with open_seekable("s3://lab3/a.rec", "a .rec") as opened:
        assert opened.size == len(data)
        for start in (0, 4 << 20, (4 << 20) - 3, len(data) - 5, 7):
            opened.stream.seek(start)
            assert opened.stream.read(10) == data[start : start + 10]
        s3.put_object(Bucket="lab3", Key="a.rec", Body=data[::-1])
        opened.stream.seek(6 << 20)
        with pytest.raises(MtoolError, match="was changed while it was read"):
            opened.stream.read(10)
