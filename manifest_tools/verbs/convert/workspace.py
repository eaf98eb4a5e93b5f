"""The hidden folder beside an output in which the pieces of it are made."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from manifest_tools.base.errors import MtoolError
from manifest_tools.base.local_files import make_folder, remove_empty, temporary_prefix


@contextlib.contextmanager
def workspace(output: str) -> Iterator[str]:
    """Yield a folder for the pieces of ``output``, which goes when the block ends.

    It stands beside the output, so that a piece becomes a file of it by a rename; of one in S3, where
    temporary files stand.
    """
    if output.startswith("s3://"):
        with tempfile.TemporaryDirectory(prefix="mtool-") as folder:
            yield folder
        return
    target = Path(os.path.realpath(output))
    made = make_folder(target.parent, output)
    try:
        folder = tempfile.mkdtemp(dir=target.parent, prefix=temporary_prefix(target))
    except OSError as error:
        remove_empty(made)
        raise MtoolError(f"{output}: cannot be written: {error.strerror}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        remove_empty(made)
