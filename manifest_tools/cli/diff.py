"""``mtool diff``."""

from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.screen import clean, note, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manifest_tools.verbs.diff.report import Diff

_LINES, _LINES_OF_PAGE = 10, 100  # of every kind of change, where nobody says how many


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A path, an s3:// URI, or - for standard input.")],
    new: Annotated[
        str | None, typer.Argument(metavar="NEW", help="The same; leave it out with --textconv.")
    ] = None,
    label_attribute: Annotated[
        str | None,
        typer.Option("--label-attribute", metavar="NAME", help="Compare this label and nothing else."),
    ] = None,
    as_json: options.Json = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the report as Markdown, for a pull request.")
    ] = False,
    as_text: Annotated[
        bool,
        typer.Option(
            "--textconv", help="Print one manifest as text, a line each: what git diff can compare."
        ),
    ] = False,
    as_page: Annotated[
        str | None,
        typer.Option(
            "--html", metavar="FILE", help="Write the report as a page, with changed lines side by side."
        ),
    ] = None,
    images: options.Images = None,
    max_lines: Annotated[
        int | None,
        typer.Option(
            "--max-lines",
            metavar="N",
            min=0,
            help="How many lines to show of every kind of change. [10; 100 with --html]",
        ),
    ] = None,
    force: options.Force = False,
    jobs: options.Jobs = None,
) -> None:
    """Say how two manifests differ.

    Shows lines added, gone and moved, changed labels, classes and confidences, and other keys; a line is
    found again by its picture. Exits with 1 when they differ, with 0 when they mean the same.

    \b
    For example:
      mtool diff old.manifest new.manifest
      mtool diff old.manifest new.manifest --markdown >> "$GITHUB_STEP_SUMMARY"
      mtool diff old.manifest new.manifest --html changes.html --images ./raw-data
      git config diff.manifest.textconv "mtool diff --textconv"
    """
    _check(new, as_text, {"--json": as_json, "--markdown": as_markdown, "--textconv": as_text})
    if as_page is not None:
        as_page = _page_file(old, new, as_page)
    if as_text or new is None:
        _print_text(old, label_attribute, jobs)
        return
    from manifest_tools.verbs.diff.diff import diff as diff_manifests

    most = (_LINES if as_page is None else _LINES_OF_PAGE) if max_lines is None else max_lines
    found = diff_manifests(old, new, label_attribute=label_attribute, max_lines=most, jobs=jobs)
    if as_page is not None:
        _write_page(found, as_page, label_attribute, images or (), force, jobs)
    if as_page is None or as_json or as_markdown:
        _print(found, as_json, as_markdown)
    _notes(found, as_json or as_markdown)
    if found.differs:
        raise typer.Exit(1)


def _check(new: str | None, as_text: bool, forms: dict[str, bool]) -> None:
    chosen = [option for option, given in forms.items() if given]
    if len(chosen) > 1:
        raise Refused(f"{' and '.join(chosen)} are two forms of output; type only one of them")
    if as_text and new is not None:
        raise Refused(
            "expected one manifest with --textconv, found two; type: mtool diff --textconv MANIFEST"
        )
    if not as_text and new is None:
        raise Refused("expected two manifests, found one; type: mtool diff OLD NEW")


def _page_file(old: str, new: str | None, path: str) -> str:
    """Return the file of the page; raises Refused, before the work, for one that could not be written."""
    if new is None:
        raise Refused("--textconv prints a text; leave --html out")
    if "-" in (old, new):
        raise Refused("--html reads a manifest twice, and standard input can be read once; save it as a file")
    return options.drawn_file(path, "diff.html", "--html", (".html",))


def _write_page(
    found: "Diff",
    path: str,
    label_attribute: str | None,
    images: "Sequence[str]",
    force: bool,
    jobs: int | None,
) -> None:
    from manifest_tools.cli.shared.diff_page import as_page
    from manifest_tools.cli.shared.pictures import write_picture

    page = as_page(found, label_attribute=label_attribute, images=images, jobs=jobs)
    published = write_picture("--html", path, page.encode(), force=force)
    note(f"{published.path}: {published.state}")


def _print_text(manifest: str, label_attribute: str | None, jobs: int | None) -> None:
    from manifest_tools.verbs.diff.textconv import textconv

    if label_attribute is not None:
        raise Refused("--textconv shows every label; leave --label-attribute out")
    for text in textconv(manifest, jobs):
        print(clean(text))


def _print(found: "Diff", as_json: bool, as_markdown: bool) -> None:
    from manifest_tools.cli.shared import diff_table

    if as_json:
        print_json(found.to_json())
    elif as_markdown:
        print(diff_table.as_markdown(found))
    elif found.differs:
        print(diff_table.as_text(found))


def _notes(found: "Diff", printed: bool) -> None:
    from manifest_tools.cli.shared.diff_table import summary

    for name, unread in ((found.old, found.old_unread), (found.new, found.new_unread)):
        if unread:
            lines = "1 line is not a JSON object" if unread == 1 else f"{unread:,} lines are not JSON objects"
            note(f"{name}: {lines} with a source-ref or source; compared by bytes")
    if not found.differs and not printed:
        note(summary(found))
