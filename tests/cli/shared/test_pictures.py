import pytest

from manifest_tools.cli.shared.pictures import picture_progress


def test_without_a_terminal_pictures_that_take_long_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(picture_progress(range(2), 2000, "pictures", every=0)) == [0, 1]
    assert capsys.readouterr().err == "pictures made ready: 1 of 2,000\npictures made ready: 2 of 2,000\n"
    assert list(picture_progress(range(2), 2, "pictures")) == [0, 1]
    assert capsys.readouterr().err == ""
