"""Pictures and masks of a container get files of their own, in folders beside their manifest."""

import contextlib
import os

from msgspec.structs import replace

from manifest_tools.base.errors import Refused
from manifest_tools.formats.safe_names import UniqueNames, file_name
from manifest_tools.groundtruth.annotations import Picture
from manifest_tools.io.folder_sink import Folder, folder_sink
from manifest_tools.io.sinks import STDOUT, Publication

ENDING = ".manifest"
"""Of a manifest that the way back writes."""


class Extracted:
    """Gives pictures and masks a file that have none, in folders beside the manifest."""

    def __init__(
        self, manifest: str, prefix: str, publication: Publication, folders: contextlib.ExitStack
    ) -> None:
        self._base = manifest.removesuffix(".gz").removesuffix(ENDING)
        self._prefix, self._publication, self._folders = prefix, publication, folders
        self._sinks: dict[str, tuple[Folder, UniqueNames]] = {}

    def of(self, picture: Picture) -> Picture:
        """Return a picture that, with its mask, stands in a file of its own."""
        if picture.content is not None and not self._prefix:
            ref = self._written("images", picture, picture.ref, picture.content())
            picture = replace(picture, ref=ref, content=None)
        mask = picture.mask
        if mask is not None and mask.content is not None:
            stem = os.path.splitext(picture.ref)[0]
            ref = self._written("masks", picture, f"{stem}.png", mask.content())
            picture = replace(picture, mask=replace(mask, ref=ref, content=None))
        return picture

    def _written(self, what: str, picture: Picture, name: str, data: bytes) -> str:
        folder = f"{self._base}.{what}"
        if what not in self._sinks:
            if self._base == STDOUT:
                raise Refused(f"-o {STDOUT}: its {what} need a folder beside the manifest; type -o FILE")
            made = os.path.exists(self._base + ENDING)
            opened = folder_sink(folder, self._publication, report=self._base + ENDING, is_ours=made)
            self._sinks[what] = self._folders.enter_context(opened), UniqueNames()
        sink, names = self._sinks[what]
        path = file_name(name, picture.number, names)
        sink.write(path, data)
        ref = f"{os.path.basename(folder)}/{path}"
        return f"{self._prefix.rstrip('/')}/{ref}" if self._prefix else ref
