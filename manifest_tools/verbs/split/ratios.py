"""The parts of a split with their ratios, exactly as they were typed."""

import re
from collections.abc import Mapping
from fractions import Fraction

from manifest_tools.base.errors import Refused

Ratio = Fraction | float | str

DEFAULT_PARTS: dict[str, Ratio] = {"train": "0.8", "validation": "0.2"}
MOST_PARTS = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SMALLEST_STEP = 10**9  # the largest denominator of a ratio


def parts_of(ratio: Ratio | None, parts: Mapping[str, Ratio] | None) -> Mapping[str, Ratio]:
    """Return the parts that were asked for: train and validation, unless others are named.

    Raises Refused for both, and for a ratio of train that leaves nothing.
    """
    if ratio is None:
        return parts or DEFAULT_PARTS
    if parts:
        raise Refused("--ratio and --part cannot be combined; type one of them")
    try:
        rest = 1 - Fraction(str(ratio))
    except (ValueError, ZeroDivisionError):
        rest = Fraction(0)
    if not 0 < rest < 1:
        raise Refused(f"--ratio {ratio}: expected a number between 0 and 1, such as 0.8")
    return {"train": ratio, "validation": rest}


def exact_ratios(parts: Mapping[str, Ratio]) -> dict[str, Fraction]:
    """Return the ratio of each part as a fraction: 0.7 is exactly seven tenths.

    Raises Refused for a name that cannot be a file's, for names that differ in upper and lower case only,
    for too many parts, and for ratios that do not add up to 1.
    """
    ratios = {name: _exact_ratio(name, ratio) for name, ratio in parts.items()}
    if sum(ratios.values()) != 1:
        total = decimal(Fraction(sum(ratios.values())))
        raise Refused(f"expected the ratios of all parts to add up to 1, found {total}")
    if len(ratios) > MOST_PARTS:
        raise Refused(f"expected at most {MOST_PARTS} parts, found {len(ratios)}")
    if len({name.lower() for name in ratios}) < len(ratios):
        raise Refused("two parts have names that differ only in upper and lower case; type another name")
    return ratios


def _exact_ratio(name: str, ratio: Ratio) -> Fraction:
    if not _NAME.fullmatch(name):
        raise Refused(f"expected a part's name of letters, digits, '.', '_' and '-', found {name!r}")
    try:
        exact = Fraction(str(ratio))
    except (ValueError, ZeroDivisionError) as error:
        raise Refused(f"expected a number between 0 and 1 for {name}, found {ratio!r}") from error
    if not 0 < exact <= 1 or exact.denominator > _SMALLEST_STEP:
        raise Refused(f"expected a number between 0 and 1 for {name}, found {ratio}")
    return exact


def train_index(parts: Mapping[str, object]) -> int:
    """Return the index of the part called train, or 0 if there is none; small classes go to this part."""
    return list(parts).index("train") if "train" in parts else 0


def decimal(ratio: Fraction) -> str:
    """Return the ratio as a decimal number, or as a fraction if it is not one.

    >>> decimal(Fraction(4, 5)), decimal(Fraction(1, 3))
    ('0.8', '1/3')
    """
    text = f"{float(ratio):.9f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == ratio else str(ratio)
