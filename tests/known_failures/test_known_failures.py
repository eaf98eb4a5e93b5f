import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.known_failures import FAILURES, KnownFailure, recognise

ROWS = {one.row: one for one in FAILURES}

# What people saw, as their reports have it.
SEEN = {
    1: "ClientError: Got empty batch from pipe. Please check if the manifest file contains valid batches"
    " and the value of training job parameter AttributeNames matches attributes names in the augmented\n"
    " manifest.",
    2: "Algorithm Error: Internal Server Error\n(Input Error) Unable to parse record: The Record IO header"
    " does not start with the magic number.",
    3: "Unable to parse record. Please make sure input data is in correct recordio format",
    6: "[12/16/2018 16:39:16 ERROR] Algorithm Error: pos_cls_weights (caused by KeyError)",
    8: "Platform Error: SageMaker pipe channel timed out.",
    9: "ClientError: the path s3://b/0001 to 0017.jpg does not exist",
    10: "Invalid argument: Could not parse example input, value: 'x'",
    13: "ValidationException: No S3 objects found under S3 URL s3://b/train",
    14: "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
    15: "Status: Complete with labeling errors",
    18: "An error occurred (ValidationException) when calling the CreateLabelingJob operation: 1 error",
    19: "ClientError: Invalid parameter value 'label_width'",
    21: "Customer Error: Invalid lst file in the validation channel.",
    22: "Mismatch between number of labels in the multi-label data (5) and the num_classes parameter (5)",
    23: "The number of input images must be bigger or equal to the mini_batch_size",
    24: "cannot find the file my_data_train.lst",
    25: "Check failed: input image size smaller than input shape",
    27: "Check failed: p != end Bad ImageList format",
    28: "Unable to start training. Empty .rec file in train channel",
    29: "TypeError: object of type 'NoneType' has no len()",
    31: "label_width must be 1 unless an imglist is there or the rec is packed with multi dimensional label",
    32: "Not enough label packed in img_list or rec file.",
    33: "Not enough annotation packed in the list file or the RecordIO file: at least five numbers",
    34: "ImageDetRecordIter: label_pad_width: 350 smaller than estimated width: 380",
    37: "mxnet.base.MXNetError: Invalid RecordIO File",
    38: "The value 'crop_color_transformation' is not valid for the 'augmentation_type' hyperparameter",
    39: "ClientError: The value '3,416,416' is not valid for the 'image_shape' hyperparameter which expects"
    " one of the following: a string which matches the pattern '^[1-9][0-9]*$'; or an integer between 300"
    " and 10000 (caused by ValidationError)",
    40: "ClientError: No value(s) were specified for 'num_classes' which are required hyperparameter(s)",
    43: "The account-level service limit 'ml.p2.xlarge for training job usage' is 0 Instances, with",
    44: "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true",
    48: "413: HTTP content length exceeded 5246976 bytes.",
    50: "Unsupported content-type application/x-image",
}


def test_there_are_fifty_rows_in_order() -> None:
    assert [one.row for one in FAILURES] == list(range(1, 51))
    assert len({one.title for one in FAILURES}) == 50


@pytest.mark.parametrize("one", FAILURES, ids=lambda one: f"row {one.row}")
def test_a_row_says_cause_and_cure_in_sentences(one: KnownFailure) -> None:
    assert one.cause.endswith(".") and one.fix.endswith(".")
    assert one.why_not == "" or one.why_not.endswith(".")
    assert not one.title.endswith(".") and one.title[0].isalnum()
    assert one.checks and all(re.fullmatch("[A-Z0-9]+(_[A-Z0-9]+)*", check) for check in one.checks)
    assert one.sources and all(source.startswith("https://") for source in one.sources)
    assert "\n" not in one.cause + one.fix + one.title


def test_no_two_rows_have_a_sign_in_common() -> None:
    signs = [sign for one in FAILURES for sign in one.signs]
    assert len(signs) == len(set(signs))


@pytest.mark.parametrize("row", SEEN, ids=lambda row: f"row {row}")
def test_what_people_saw_names_its_row_and_no_other(row: int) -> None:
    assert [one.row for one in recognise(SEEN[row])] == [row]


def test_every_row_with_signs_has_been_seen() -> None:
    assert {one.row for one in FAILURES if one.signs} == set(SEEN)


@pytest.mark.parametrize(
    ("one", "sign"),
    [pytest.param(one, sign, id=f"row {one.row}: {sign}") for one in FAILURES for sign in one.signs],
)
def test_a_sign_is_found_in_the_middle_of_a_log(one: KnownFailure, sign: str) -> None:
    log = f"line one\n[ERROR] {sign.replace(' ', chr(10) + '  ', 1)}; and more\nlast line\n" + "x" * 5000
    assert recognise(log)[0] == one


def test_a_log_with_two_failures_names_both_the_longer_message_first() -> None:
    log = f"{SEEN[28]}\n{SEEN[23]}\n"
    assert [one.row for one in recognise(log)] == [23, 28]


def test_two_halves_of_a_message_that_lie_far_apart_are_none() -> None:
    assert (
        recognise("Got empty batch from pipe " + "x" * 1000 + " AttributeNames matches attributes names")
        == []
    )


# What a job says is a sign wherever it stands, so it must not be drawn.
SIGNS = {part.strip().lower() for one in FAILURES for sign in one.signs for part in sign.split("...")}


@given(st.text(max_size=200).filter(lambda text: not any(sign in text.lower() for sign in SIGNS)))
def test_other_texts_name_nothing(text: str) -> None:
    assert recognise(text) == []


@pytest.fixture(scope="module")
def reference(corpus: Path) -> dict[int, tuple[str, str, str]]:
    """The rows of the reference paper, which is not part of the project: symptom, check ids, sources."""
    path = corpus.parent / "reference" / "known-failures.md"
    if not path.is_file():
        pytest.skip(f"no reference at {path}")
    found = {}
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if cells[0].isdecimal():
            found[int(cells[0])] = (cells[1], cells[4], cells[5])
    return found


def test_the_table_has_the_rows_and_checks_of_the_reference(
    reference: dict[int, tuple[str, str, str]],
) -> None:
    assert sorted(reference) == sorted(ROWS)
    assert {row: checks for row, (_, checks, _) in reference.items()} == {
        row: ", ".join(one.checks) for row, one in ROWS.items()
    }


def test_every_message_that_the_reference_quotes_names_its_row(
    reference: dict[int, tuple[str, str, str]],
) -> None:
    # A person's words, and a key: no message of a job.
    no_messages = {"did not work", "0001 to 0017.jpg"}
    quoted = {
        (row, text)
        for row, (symptom, _, _) in reference.items()
        for text in re.findall('"([^"]+)"', symptom)
        if text not in no_messages
    }
    assert len(quoted) >= 30
    assert {(row, text): [one.row for one in recognise(text)] for row, text in quoted} == {
        (row, text): [row] for row, text in quoted
    }


def test_every_source_of_the_reference_is_kept(reference: dict[int, tuple[str, str, str]]) -> None:
    for row, (_, _, sources) in reference.items():
        assert len(ROWS[row].sources) >= len(re.findall(r"\[(\w+)\]", sources))
        for number in re.findall(r"\[(?!RP)[A-Z]*?(\d+)\]", sources):  # RP1 has no number of its own
            assert any(source.endswith(f"/{number}") for source in ROWS[row].sources), (row, number)
