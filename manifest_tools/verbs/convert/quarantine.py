"""The quarantine: a file of the lines whose pictures could not be used.

JSON Lines, an object for each of them: ``manifest``, ``line`` (its number), ``text`` (the line itself; absent
for another data set), ``ref``, ``code``, ``reason`` and ``stage``.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import msgspec

from manifest_tools.verbs.convert.left_out_pictures import LeftOutPictures, Spool
from manifest_tools.verbs.convert.line_texts import line_texts
from manifest_tools.verbs.convert.plan import ConversionPlan
from manifest_tools.verbs.convert.retry import Entry


def write_quarantine(out: BinaryIO, plans: Sequence[ConversionPlan], left_out: LeftOutPictures) -> None:
    """Write every picture that is left out, with the line that names it, by part and line."""
    for plan in plans:
        if left_out.spools and (spool := left_out.spools.get(plan.part)):
            for entry in _entries(plan, spool):
                out.write(msgspec.json.encode(entry) + b"\n")


def _entries(plan: ConversionPlan, spool: Spool) -> Iterator[Entry]:
    found = spool.sorted()
    texts = line_texts(plan.source) if plan.source else None
    for one in found:
        text = texts(one.number) if texts else None
        yield Entry(plan.manifest, one.number, one.code, one.message, one.stage, one.ref, text)
