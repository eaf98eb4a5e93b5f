"""Libraries of the system that MXNet leans on, lent by the wheels beside it where they are missing."""

import ctypes
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = {"libgomp.so.1": "libgomp1", "libquadmath.so.0": "libquadmath0"}
"""What MXNet's wheel asks the system for, and the package of Debian that has it."""

# Their wheels bring such libraries for themselves, each under a name of its own: libgomp-e985bcbb.so.1.0.0.
_LENDERS = ("sklearn", "numpy", "scipy")


def lend_missing() -> None:
    """Load the libraries, from the system or else from a wheel; MXNet asks in vain for what is nowhere."""
    for library in LIBRARIES:
        any(_loads(path) for path in _candidates(library))


def what_to_install(error: OSError) -> str | None:
    """Return what to type where the system's loader did not find one of them."""
    if any(library in str(error) for library in LIBRARIES):
        return f"apt-get install {' '.join(LIBRARIES.values())}"
    return None


def _loads(path: str) -> bool:
    try:
        ctypes.CDLL(path)
    except OSError:
        return False
    return True


def _candidates(library: str) -> Iterator[str]:
    yield library
    pattern = library.replace(".so", "-*.so", 1)
    for lender in _LENDERS:
        spec = find_spec(lender)
        if spec is not None and spec.origin is not None:
            for copy in sorted(Path(spec.origin).parents[1].glob(f"*.libs/{pattern}*")):
                yield renamed(copy, library)


def renamed(copy: Path, library: str) -> str:
    """Return the path of a file in memory: the copy, answering to the name that MXNet asks for.

    The loader goes by the name inside the file, where the wheel's is longer than the system's, and so can be
    written over. The file stays open, for the loader would take another of the same number for this one.
    """
    name = library.encode().ljust(len(copy.name.encode()), b"\0")
    memory = os.memfd_create(library)
    with open(memory, "wb", closefd=False) as file:
        file.write(copy.read_bytes().replace(copy.name.encode(), name))
    return f"/proc/self/fd/{memory}"
