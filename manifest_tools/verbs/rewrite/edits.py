"""The edits that are asked for by the options of rewrite."""

from collections.abc import Iterable

from manifest_tools.base.errors import Refused
from manifest_tools.edits.rename import (
    FromLab,
    LineEdit,
    Move,
    Placeholder,
    Prefix,
    RenameAttribute,
    RenameClass,
    check_lab,
)

Pairs = Iterable[tuple[str, str]]
"""Old and new texts."""


def edits_of(
    *,
    lab: str | None = None,
    placeholder: str = "lab#",
    from_lab: str | None = None,
    everywhere: bool = False,
    move: Pairs = (),
    prefix: str | None = None,
    rename_attribute: Pairs = (),
    rename_class: Pairs = (),
    label_attribute: str | None = None,
) -> list[LineEdit]:
    """Return the edits in the order in which they are made; raises Refused for what changes nothing."""
    renamed = tuple(rename_class)
    if label_attribute is not None and not renamed:
        raise Refused("--label-attribute has no effect without --rename-class or --from-marks; type both")
    edits = _lab_edits(lab, placeholder, from_lab, everywhere)
    edits += (_move(old, new) for old, new in move)
    if prefix is not None:
        if not prefix.removeprefix("s3://").strip("/") or not prefix.startswith("s3://"):
            raise Refused(f"expected --prefix s3://bucket/folder, found {prefix!r}")
        edits.append(Prefix(prefix))
    edits += (RenameAttribute(old, new) for old, new in rename_attribute)
    edits += (RenameClass(old, new, label_attribute) for old, new in renamed)
    return edits


def _lab_edits(lab: str | None, placeholder: str, from_lab: str | None, everywhere: bool) -> list[LineEdit]:
    if from_lab is not None and lab is None:
        raise Refused("--from-lab has no effect without the new lab ID; type --lab ID")
    if everywhere and from_lab is None:
        raise Refused("--everywhere has no effect without --from-lab; type both")
    if lab is None:
        return []
    check_lab(lab)
    if not placeholder:
        raise Refused("expected a text for --placeholder, found an empty one")
    return [FromLab(from_lab, lab, everywhere) if from_lab else Placeholder(placeholder, lab)]


def _move(old: str, new: str) -> Move:
    if old.startswith("s3://") and new.startswith("s3://"):
        return Move(old, new)
    relative = "; --prefix s3://new/prefix goes in front of relative paths"
    more = "" if old.startswith("s3://") or not new.startswith("s3://") else relative
    raise Refused(f"expected --move s3://old/prefix=s3://new/prefix, found {old}={new}{more}")
