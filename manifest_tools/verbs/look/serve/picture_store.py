"""Pictures for a page, made when they are asked for: always our own JPEG, never the bytes of a file."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from manifest_tools.base.parallel import cores
from manifest_tools.images.unusable import Unusable
from manifest_tools.verbs.look.choose import Place
from manifest_tools.verbs.look.look import Looked
from manifest_tools.verbs.look.pictures import SIDE

LARGE = 1200
"""Pixels of the longer edge of a larger picture."""

SIDES = {"small": SIDE, "large": LARGE}


@dataclass(slots=True)
class PictureStore:
    """Makes pictures of lines, and keeps the last ones."""

    looked: Looked
    most: int = 64 << 20
    """Bytes of pictures that are kept."""

    kept: OrderedDict[tuple[Place, str], bytes] = field(default_factory=OrderedDict)
    size: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    workers: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(max(cores(), 2))
    )
    """Decoding takes memory, so only so many pictures are decoded at once."""

    def jpeg(self, place: Place, size: str) -> bytes:
        """Return the picture of a line in one of SIDES, upright, with its labels; raises Unusable."""
        key = (place, size)
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
                return self.kept[key]
        with self.workers:
            made = self.looked.small(place, SIDES[size])
        if isinstance(made, Unusable):
            raise made
        self._keep(key, made.jpeg)
        return made.jpeg

    def _keep(self, key: tuple[Place, str], jpeg: bytes) -> None:
        with self.lock:
            if key not in self.kept:
                self.kept[key] = jpeg
                self.size += len(jpeg)
            while self.size > self.most:
                self.size -= len(self.kept.popitem(last=False)[1])
