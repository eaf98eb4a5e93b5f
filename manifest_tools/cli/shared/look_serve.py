"""``mtool look --serve``: the page in a browser, and what became of the marks."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from manifest_tools.base.text import counted
from manifest_tools.cli.shared.screen import clean, note

if TYPE_CHECKING:
    from manifest_tools.base.problem import Problem
    from manifest_tools.io.sources import Source
    from manifest_tools.verbs.look.serve.serve import Server


def serve(
    sources: "Sequence[Source]",
    *,
    label_attribute: str | None,
    images: Sequence[str],
    problems: "Iterable[Problem]",
    port: int,
    marks: str | None,
    jobs: int | None,
) -> None:
    """Serve the page until Ctrl-C, and say then which marks there are and what to type."""
    from manifest_tools.verbs.look.look import read
    from manifest_tools.verbs.look.s3_pictures import S3Pictures
    from manifest_tools.verbs.look.serve.serve import marks_beside, server
    from manifest_tools.verbs.validate.rules import RULES

    looked = read(
        sources,
        label_attribute=label_attribute,
        images=images,
        problems=problems,
        fetch=S3Pictures(),
        jobs=jobs,
    )
    path = marks or marks_beside([source.name for source in sources])
    made = server(looked, path, port=port, reasons={rule.code: rule.reason for rule in RULES})
    note(f"marks go to {clean(path)}; Ctrl-C ends")
    print(made.address, flush=True)
    _open(made.address)
    made.run()
    _summary(made)


def _open(address: str) -> None:
    """Open the page, where there is a screen to open it on."""
    if sys.stderr.isatty() and (sys.platform in ("darwin", "win32") or _has_display()):
        import webbrowser

        webbrowser.open(address)


def _has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _summary(made: "Server") -> None:
    found = made.book.summary()
    if not found["counts"]:
        note("no marks were made")
        return
    counts = ", ".join(f"{count:,} {what}" for what, count in found["counts"].items())
    note(clean(f"{found['file']}: {counted(sum(found['counts'].values()), 'mark')}: {counts}"))
    for command in found["commands"]:
        note(clean(f"type: {command}"))
