"""Divides a manifest into parts, stratified by class, without changing a byte of a line."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import Refused
from manifest_tools.base.hashing import mix
from manifest_tools.base.parallel import Jobs, pool
from manifest_tools.base.version import __version__
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.groundtruth.line_columns import STATES, ClassArrays, Lines, read_lines, read_together
from manifest_tools.groundtruth.survey import label_attribute, survey
from manifest_tools.io.sinks import Publication, Published, check_apart, check_key, publishing
from manifest_tools.io.sources import BLOCK, Source, decompressed, open_source
from manifest_tools.verbs.split.assign import assign
from manifest_tools.verbs.split.write import NOWHERE, write_parts

Ratio = Fraction | float | str

DEFAULT_PARTS: dict[str, Ratio] = {"train": "0.8", "validation": "0.2"}
REPORT = "split.json"
MOST_PARTS = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Split:
    """What ``split`` did: the parts with their counts, and what was left out.

    ``counts`` has for each class index its lines in each part, in the order of ``parts``; ``empty`` likewise
    the labels that have no class: images without a box. ``attributes`` are several where the classes of
    several label attributes were dealt out together.
    """

    input: str
    digest: str
    size: int
    seed: int
    parts: dict[str, Fraction]
    files: dict[str, str]
    lines: dict[str, int]
    counts: dict[int, tuple[int, ...]]
    empty: tuple[int, ...]
    left_out: dict[str, int]
    attributes: tuple[LabelAttribute, ...]
    table: ClassTable
    small_classes: tuple[int, ...]
    published: tuple[Published, ...] = ()

    @property
    def attribute(self) -> LabelAttribute:
        """The label attribute, or the first of several."""
        return self.attributes[0]

    @property
    def home(self) -> str:
        """The part called train, or else the first: small classes go there."""
        return list(self.parts)[_home(self.parts)]

    @property
    def empty_parts(self) -> tuple[str, ...]:
        """Parts that no line went to, in the order of ``parts``."""
        return tuple(name for name, lines in self.lines.items() if not lines)

    @property
    def num_training_samples(self) -> int:
        """Lines of the part called train, or else of the first."""
        return self.lines[self.home]

    def to_json(self) -> dict[str, Any]:
        """Return what stands in split.json: nothing in it changes when nothing else did."""
        names = list(self.parts)
        return {
            "mtool": __version__,
            "inputs": [{"manifest": self.input, "sha256": self.digest, "bytes": self.size}],
            "seed": self.seed,
            "label_attribute": self.attribute.name,
            "type": self.attribute.type,
            **({"label_attributes": [one.name for one in self.attributes]} if self.attributes[1:] else {}),
            "parts": {
                name: {
                    "manifest": os.path.basename(self.files[name]),
                    "ratio": _ratio(self.parts[name]),
                    "lines": self.lines[name],
                    "classes": {
                        str(index): counts[at] for index, counts in self.counts.items() if counts[at]
                    },
                    **({"empty": self.empty[at]} if any(self.empty) else {}),
                }
                for at, name in enumerate(names)
            },
            "left_out": self.left_out,
            "num_training_samples": self.num_training_samples,
            "num_classes": self.table.num_classes,
            "class_table": self.table.to_json(),
        }


def split(
    manifest: str,
    output: str | None = None,
    *,
    parts: Mapping[str, Ratio] | None = None,
    seed: int = 0,
    label_attribute_name: str | Sequence[str] | None = None,
    classes: ClassTable | None = None,
    rejects: str | None = None,
    shuffle: bool = False,
    force: bool = False,
    kms_key: str | None = None,
    dry_run: bool = False,
    jobs: Jobs = None,
) -> Split:
    """Write ``train.manifest``, ``validation.manifest`` (or other ``parts``) and ``split.json``.

    They go beside the input, or into the folder or ``s3://`` prefix ``output``. Every class is within one
    line of its share, every part's total is the nearest line; lines of one picture stay together. Failed
    and unlabelled lines go to ``rejects``, or nowhere; they are counted either way. Memory: about
    40 bytes a line.

    With several ``label_attribute_name``, or ``sport*``, a line has the classes of all of them, by name.
    ``kms_key`` encrypts what goes to S3.
    """
    shares = _shares(parts or DEFAULT_PARTS)
    targets = _targets(manifest, output, list(shares), rejects)
    check_key(kms_key, list(targets.values()))
    source = decompressed(open_source(manifest))
    with pool(jobs, many=(source.size or 0) > BLOCK) as workers:
        attributes = _attributes(source, label_attribute_name, workers)
        lines = _read(source, attributes, classes or ClassTable(), workers)
        part = _assign(lines, list(shares.values()), _home(shares), seed, rejects is not None)
        result = _count(manifest, source, seed, shares, targets, lines, part, attributes)
        if dry_run:
            return replace(result, digest=source.digest())
        if output is not None and not output.startswith("s3://"):
            os.makedirs(output, exist_ok=True)
        with publishing(force=force, kms_key=kms_key) as publication:
            ranks = _ranks(lines, seed) if shuffle else None
            files = list(targets.values())
            digest = write_parts(source, lines.lengths, part, files, publication, ranks, workers)
            result = replace(result, digest=digest)
            source.check_unchanged()
            _write_report(result, publication)
    return replace(result, published=tuple(publication.published))


def _attributes(source: Source, told: str | Sequence[str] | None, jobs: Jobs) -> tuple[LabelAttribute, ...]:
    """Return the label attributes that were told, ``*`` standing for any text, or the only one there is."""
    if told is None or isinstance(told, str):
        told = () if told is None else (told,)
    if not told:
        try:
            return (label_attribute(source, None, jobs),)
        except Refused as several:
            raise Refused(f"{several}; repeat it to stratify over several") from several
    names: dict[str, None] = {}
    for name in told:
        there = survey(source, jobs).attributes if "*" in name else {}
        matching = [one for one in there if fnmatchcase(one, name)]
        names |= dict.fromkeys(matching or [name])
    return tuple(label_attribute(source, name, jobs) for name in names)


def _read(source: Source, attributes: tuple[LabelAttribute, ...], given: ClassTable, jobs: Jobs) -> Lines:
    if len(attributes) == 1:
        return read_lines(source, attributes[0], given, jobs)
    return read_together(source, attributes, given, jobs)


def _assign(
    lines: Lines, shares: list[Fraction], home: int, seed: int, keep_rejects: bool
) -> NDArray[np.uint8]:
    """Return the part of every line of the file; 255 is nowhere, the number after the last part rejects.

    ``home`` is the part that takes the classes too small to be parted.
    """
    part = np.full(len(lines.states), NOWHERE, np.uint8)
    if keep_rejects:
        part[np.isin(lines.states, [STATES.index("failed"), STATES.index("unlabelled")])] = len(shares)
    labels = lines.labels
    if not labels.counts.all():
        labels = _with_empty_class(labels)
    order = [home, *(at for at in range(len(shares)) if at != home)]
    dealt = assign(labels, lines.keys, [shares[at] for at in order], seed)
    part[lines.states == 0] = np.array(order, np.uint8)[dealt]
    return part


def _with_empty_class(labels: ClassArrays) -> ClassArrays:
    """Return the labels with a class of its own for those without any: an image without a box, say."""
    empty = labels.counts == 0
    counts = np.where(empty, 1, labels.counts).astype(np.int32)
    flat = np.full(int(counts.sum()), labels.flat.max(initial=-1) + 1, np.int32)
    flat[np.repeat(~empty, counts)] = labels.flat
    return ClassArrays(flat, counts)


def _ranks(lines: Lines, seed: int) -> NDArray[np.uint64]:
    return mix(np.arange(len(lines.states), dtype=np.uint64), seed + 1)


def _shares(parts: Mapping[str, Ratio]) -> dict[str, Fraction]:
    """Return the share of each part, exactly as it was written: 0.7 is seven tenths."""
    shares = {name: _share(name, share) for name, share in parts.items()}
    if sum(shares.values()) != 1:
        total = _ratio(Fraction(sum(shares.values())))
        raise Refused(f"expected parts that add up to 1, found {total}")
    if len(shares) > MOST_PARTS:
        raise Refused(f"expected at most {MOST_PARTS} parts, found {len(shares)}")
    if len({name.lower() for name in shares}) < len(shares):
        raise Refused("two parts have one name where upper and lower case are the same")
    return shares


def _share(name: str, share: Ratio) -> Fraction:
    if not _NAME.fullmatch(name):
        raise Refused(f"expected a part's name of letters, digits, '.', '_' and '-', found {name!r}")
    try:
        exact = Fraction(str(share))
    except (ValueError, ZeroDivisionError) as error:
        raise Refused(f"expected a number between 0 and 1 for {name}, found {share!r}") from error
    if not 0 < exact <= 1 or exact.denominator > 10**9:
        raise Refused(f"expected a number between 0 and 1 for {name}, found {share}")
    return exact


def _home(parts: Mapping[str, object]) -> int:
    """Return the place of the part called train, or else of the first."""
    return list(parts).index("train") if "train" in parts else 0


def _ratio(share: Fraction) -> str:
    """Return a share as a decimal where it is one.

    >>> _ratio(Fraction(4, 5)), _ratio(Fraction(1, 3))
    ('0.8', '1/3')
    """
    text = f"{float(share):.9f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == share else str(share)


def _targets(manifest: str, output: str | None, parts: list[str], rejects: str | None) -> dict[str, str]:
    """Return the file of each part, and of the rejects; none of them may be the input."""
    if output is None and (manifest == "-" or manifest.startswith("s3://")):
        raise Refused(f"split {manifest} needs a place for the parts; type -o FOLDER")
    folder = os.path.dirname(manifest) if output is None else output
    targets = {name: _join(folder, f"{name}.manifest") for name in parts}
    if rejects is not None:
        targets[""] = rejects
    check_apart(manifest, [*targets.values(), _join(folder, REPORT)])
    return targets


def _join(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder else name


def _count(
    manifest: str,
    source: Source,
    seed: int,
    shares: dict[str, Fraction],
    targets: dict[str, str],
    lines: Lines,
    part: NDArray[np.uint8],
    attributes: tuple[LabelAttribute, ...],
) -> Split:
    """Return the report, but for what is known only after writing."""
    mine = part[lines.states == STATES.index("labelled")]
    holder = np.repeat(mine, lines.labels.counts)
    indices, at = _numbered(lines.labels.flat)
    table = np.bincount(at * len(shares) + holder, minlength=len(indices) * len(shares))
    rows = table.reshape(len(indices), len(shares)).tolist()
    counts = {int(index): tuple(row) for index, row in zip(indices, rows, strict=True)}
    empty = np.bincount(mine[lines.labels.counts == 0], minlength=len(shares)).tolist()
    totals = np.bincount(mine, minlength=len(shares)).tolist()
    states = np.bincount(lines.states, minlength=len(STATES)).tolist()
    return Split(
        input=manifest,
        digest="",
        size=source.size or 0,
        seed=seed,
        parts=shares,
        files={name: targets[name] for name in shares},
        lines=dict(zip(shares, totals, strict=True)),
        counts=counts,
        empty=tuple(empty) if any(one.kind.has_classes for one in attributes) else (),
        left_out={state: n for state, n in zip(STATES[1:], states[1:], strict=True) if n},
        attributes=attributes,
        table=lines.table,
        small_classes=tuple(index for index, row in counts.items() if sum(row) < len(shares)),
    )


def _numbered(classes: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the classes that occur, in order, and the place of each line's class among them."""
    occurring = np.bincount(classes) > 0
    return np.flatnonzero(occurring), (np.cumsum(occurring) - 1)[classes]


def _write_report(result: Split, publication: Publication) -> None:
    first = next(iter(result.files.values()))
    text = json.dumps(result.to_json(), indent=2, ensure_ascii=False)
    publication.open(_join(os.path.dirname(first), REPORT)).write(
        text.encode("utf-8", "backslashreplace") + b"\n"
    )
