"""What killed commands left: uploads that nobody completed, prefixes that are not whole, temporary files."""

import json
import shlex
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from manifest_tools.cli.shared.job_table import duration_text
from manifest_tools.cli.shared.screen import clean, note, printing, table

if TYPE_CHECKING:
    from manifest_tools.io.s3 import Leftover

_SHOWN = 20  # commands to type; a rule of the bucket removes any number
_RULE = {
    "Rules": [
        {
            "ID": "unfinished-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
    ]
}


def list_leftovers(prefix: str, as_json: bool) -> None:
    """Print what is unfinished under a prefix, and what is left in the folder of temporary files."""
    from manifest_tools.base.local_files import left_in
    from manifest_tools.io import s3
    from manifest_tools.io.s3_folder import is_unfinished

    uploads = list(s3.leftovers(prefix, sizes=True))
    half = bool(prefix.removeprefix("s3://").rstrip("/").count("/")) and is_unfinished(prefix)
    files = sorted(path for path in left_in(Path(tempfile.gettempdir())) if path.is_file())
    if as_json:
        _print_json(uploads, [prefix] if half else [], files)
        return
    if uploads:
        now = datetime.now(UTC)
        rows = [(clean(one.uri), duration_text(now - one.begun), one.size or 0) for one in uploads]
        print(table(rows, ("upload", "age", "bytes")))
    note("\n".join(_advice(prefix, uploads, half, files)) or f"{clean(prefix)}: nothing is unfinished")


def _advice(prefix: str, uploads: "Sequence[Leftover]", half: bool, files: Sequence[Path]) -> list[str]:
    """Return what to type to remove it."""
    said = []
    if half:
        said.append(f"{clean(prefix)}: not whole, a run that wrote there was stopped or is at work")
    if files:
        paths = " ".join(shlex.quote(str(path)) for path in files[:_SHOWN])
        said.append(f"temporary files of processes that are gone: rm {paths}")
    if uploads:
        said.append("S3 charges for their parts; of those that no command is writing now, type")
        said += [_abort(one) for one in uploads[:_SHOWN]]
        bucket = shlex.quote(uploads[0].uri.removeprefix("s3://").partition("/")[0])
        said += [
            "or let S3 remove all after a week; this takes the place of other rules of the bucket:",
            f"aws s3api put-bucket-lifecycle-configuration --bucket {bucket}"
            f" --lifecycle-configuration {shlex.quote(json.dumps(_RULE))}",
        ]
    return said


def _abort(one: "Leftover") -> str:
    bucket, _, key = one.uri.removeprefix("s3://").partition("/")
    words = ["--bucket", bucket, "--key", key, "--upload-id", one.upload]
    return clean(f"aws s3api abort-multipart-upload {shlex.join(words)}")


def _print_json(uploads: "Sequence[Leftover]", half: Sequence[str], files: Sequence[Path]) -> None:
    with printing(for_a_program=True) as print_line:
        for one in uploads:
            value = {"uri": one.uri, "upload": one.upload, "begun": one.begun.isoformat(), "bytes": one.size}
            print_line(json.dumps(value))
        for prefix in half:
            print_line(json.dumps({"not_whole": prefix}))
        for path in files:
            print_line(json.dumps({"file": str(path), "bytes": path.stat().st_size}))
