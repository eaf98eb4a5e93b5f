"""The report beside an output: what was made, from what and how, which decides what the next run may do."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from manifest_tools.base.errors import Exists, Refused
from manifest_tools.base.version import __version__
from manifest_tools.io import s3
from manifest_tools.verbs.convert.plan import ConversionPlan


def report_text(
    plans: Sequence[ConversionPlan],
    said: Mapping[str, Any],
    dropped: Mapping[str, int],
    lost: Mapping[str, int],
) -> bytes:
    """Return the report of a conversion; ``said`` is what the format says of its files."""
    report = {
        **description_of(plans),
        **said,
        "dropped": dict(sorted(dropped.items())),
        "left_out": left_out_of(plans),
        **({"lost": dict(lost)} if lost else {}),
    }
    return json.dumps(report, indent=2).encode() + b"\n"


def check_made_alike(plans: Sequence[ConversionPlan]) -> None:
    """Raise Exists for outputs of other things, or made in another way: before the work, and not after it."""
    wanted, found = description_of(plans), report_at(plans[0].report)
    if found is not None and {key: found.get(key) for key in wanted} == wanted:
        return
    outputs = [
        f"{one.output}/{one.part}{one.ending}" if one.part else one.output + one.ending for one in plans
    ]
    taken = [path for path in outputs if os.path.isfile(path) or (os.path.isdir(path) and os.listdir(path))]
    if taken and plans[0].retried:
        raise Refused(
            f"{taken[0]}: is there, and --retry makes a data set of its own; type -o for another place"
        )
    if taken:
        raise Exists(taken)


def was_made_as(report: str, to: str) -> bool:
    """Say whether a report is of a conversion to a format."""
    value = report_at(report)
    return value is not None and value.get("format") == to


def report_at(path: str) -> dict[str, Any] | None:
    """Return the report of a conversion; None where there is none."""
    try:
        if path.startswith("s3://"):
            value = json.loads(s3.read(path)) if s3.exists(path) else None
        else:
            with open(path, encoding="utf-8") as file:
                value = json.load(file)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def description_of(plans: Sequence[ConversionPlan]) -> dict[str, Any]:
    """Return what decides the bytes of the outputs; several manifests are described under their parts."""
    made_by = {"made_by": f"mtool {__version__}"}
    if len(plans) == 1:
        return made_by | plans[0].description()
    described = {planned.part: planned.description() for planned in plans}
    own = ("manifest", "sha256", "label_attribute")
    shared = {key: value for key, value in plans[0].description().items() if key not in own}
    parts = {part: {key: value[key] for key in own} for part, value in described.items()}
    return {**made_by, **shared, "parts": parts}


def left_out_of(plans: Sequence[ConversionPlan]) -> dict[str, int]:
    """Return how many lines of all manifests have no label, by state."""
    states = dict.fromkeys(state for planned in plans for state in planned.left_out)
    return {state: sum(planned.left_out.get(state, 0) for planned in plans) for state in states}


def is_current(plan: ConversionPlan) -> bool:
    """Say whether the outputs of ``plan`` are there, whole and made of the same things in the same way.

    Goes by the report beside them, and by the sizes of pictures and outputs; no picture is read. Never true
    of a folder, whose many files the report does not list.
    """
    try:
        with open(plan.report, encoding="utf-8") as file:
            report = json.load(file)
        sizes = {name: os.path.getsize(os.path.join(plan.folder, name)) for name in report["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    description = plan.description()
    made = {key: report.get(key) for key in description}
    same_files = bool(sizes) and sizes == report["files"]
    return made == description and same_files and not report.get("dropped")
