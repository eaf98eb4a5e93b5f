"""The data set formats: one file a format, one table of them."""

import os
from dataclasses import dataclass, field
from typing import Any

from manifest_tools.base.problem import Problem
from manifest_tools.groundtruth.example_columns import Example
from manifest_tools.groundtruth.examples import Examples
from manifest_tools.images.paths import ImagePaths
from manifest_tools.images.shrink import Recipe, decoder_version
from manifest_tools.images.unusable import Unusable


@dataclass(frozen=True, slots=True)
class PictureDefaults:
    """What a format does with pictures unless told: shrinks them to ``resize``, or copies where None."""

    resize: int | None
    accepted: tuple[str, ...]
    """The formats of pictures that may go into it as they are."""


@dataclass(frozen=True, slots=True)
class ConversionPlan:
    """A conversion, complete: lines and classes, where pictures lie and what becomes of them."""

    manifest: str
    to: str
    output: str
    """The name of the output without an ending."""

    examples: Examples
    image_paths: ImagePaths
    recipe: Recipe
    link: bool
    digest: str
    """SHA-256 of the lines' numbers, classes and source-refs, and of the sizes of the pictures."""

    pictures: dict[str, int] = field(default_factory=dict)
    """How many lines name a picture of each bucket (``.``: of this disk)."""

    absent: dict[str, int] = field(default_factory=dict)
    """How many of these are not on this disk."""

    to_fetch: int = 0
    """How many of the absent ones could be fetched: those that no ``--images`` covers."""

    @property
    def report(self) -> str:
        """The file beside the output that says what was made, from what, and how."""
        return f"{self.output}.json"

    @property
    def folder(self) -> str:
        """Where the outputs stand."""
        return os.path.dirname(self.output) or "."

    def problem(self, example: Example, why: Unusable) -> Problem:
        """Return what is wrong with the picture of a line."""
        return Problem(why.code, "error", self.manifest, example.number, "$.source-ref", why.message)

    def description(self) -> dict[str, Any]:
        """Return what decides the bytes of the output, as its .json keeps it."""
        recipe = self.recipe
        return {
            "manifest": os.path.basename(self.manifest),
            "sha256": self.digest,
            "format": self.to,
            "label_attribute": self.examples.attribute.name,
            "multi_label": self.examples.multi_label,
            "options": {
                "resize": None if recipe.pass_through else recipe.shorter,
                "quality": None if recipe.pass_through else recipe.quality,
                "square": recipe.square,
                "link": self.link,
            },
            "encoder": None if recipe.pass_through else decoder_version(),
            "classes": self.examples.table.to_json(),
        }
