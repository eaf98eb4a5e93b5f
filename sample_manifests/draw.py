"""Draw the sample: pictures of right-hand and left-hand brackets, and a manifest of their labels.

    python sample_manifests/draw.py [OUT] [--seed N]

writes `OUT/images/IMG_0001.JPG ...` and `OUT/output.manifest`; OUT is this folder unless given.
The same seed and the same Pillow give the same bytes.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeAlias

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point: TypeAlias = tuple[float, float]
Colour: TypeAlias = tuple[int, int, int]

PICTURES = 125
FATES = ["failed"] * 3 + ["unlabelled"] * 2 + ["blurry"] * 9 + ["sharp"] * (PICTURES - 14)
CLASS_NAMES = ("RH", "LH")
JOB = "lab#-labeling-job"
FAILURE = {
    "retry-count": 1,
    "failure-reason": "ClientError: Annotation tasks expired before enough workers had answered.",
    "human-annotated": "true",
}

FINISHES: dict[str, Colour] = {
    "zinc": (186, 192, 198),
    "yellow chromate": (206, 172, 92),
    "red primer": (164, 72, 58),
    "blue paint": (66, 104, 160),
    "black coat": (58, 60, 66),
}
BENCHES: dict[str, Colour] = {
    "wood": (178, 138, 96),
    "cutting mat": (66, 112, 92),
    "steel": (136, 144, 150),
    "cardboard": (196, 168, 130),
    "rubber": (82, 84, 90),
    "paper": (222, 220, 212),
}
FINE = 4  # everything is drawn at four times the size and then made small, for smooth edges

# The right-hand bracket, in units of half its height: x to the right, y down. The left-hand one is
# its mirror image, so a picture turned over left to right shows a part of the other class.
FLANGE = ((-0.66, -0.95), (-0.18, -0.95), (-0.18, 0.95), (-0.66, 0.95))
ARM = ((-0.40, -0.92), (0.62, -0.66), (0.70, -0.14), (-0.10, -0.28), (-0.40, -0.20))
GUSSET = ((-0.30, -0.40), (0.34, -0.30), (0.10, 0.02), (-0.12, 0.48), (-0.30, 0.55))
FOOT = ((-0.40, 0.62), (0.16, 0.68), (0.16, 0.95), (-0.40, 0.95))
RIB = ((-0.16, -0.62), (0.40, -0.48))
EYE, BOLTS, SLOT = (0.66, -0.40), ((-0.42, -0.68), (-0.42, 0.70)), ((-0.42, -0.12), (-0.42, 0.22))


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a part lies in the fine picture: pixels, radians, and which hand it is."""

    centre: Point
    unit: float
    turn: float
    slimness: float
    mirrored: bool

    def place(self, points: Sequence[Point]) -> list[Point]:
        """Return the pixels at which these points of the right-hand bracket come to lie."""
        cos, sin = math.cos(self.turn) * self.unit, math.sin(self.turn) * self.unit
        hand = -self.slimness if self.mirrored else self.slimness
        x0, y0 = self.centre
        return [(x0 + x * hand * cos - y * sin, y0 + x * hand * sin + y * cos) for x, y in points]


@dataclass(frozen=True, slots=True)
class Stencil:
    """One layer of a part: a mask, 255 where there is metal."""

    mask: Image.Image
    pose: Pose

    def polygon(self, points: Sequence[Point]) -> None:
        """Add a sheet of metal."""
        ImageDraw.Draw(self.mask).polygon(self.pose.place(points), fill=255)

    def disc(self, centre: Point, radius: float, fill: int = 255) -> None:
        """Add a disc, or with `fill=0` bore a hole."""
        self.bar((centre, centre), radius, fill)

    def bar(self, ends: Sequence[Point], radius: float, fill: int = 255) -> None:
        """Add a round-ended bar, or with `fill=0` mill a slot."""
        draw, wide = ImageDraw.Draw(self.mask), radius * self.pose.unit
        pixels = self.pose.place(ends)
        draw.line(pixels, fill=fill, width=round(2 * wide))
        for x, y in pixels:
            draw.ellipse((x - wide, y - wide, x + wide, y + wide), fill=fill)


def plate(size: tuple[int, int], pose: Pose, rng: Random) -> Image.Image:
    """Return the mask of the flat bracket, corners rounded and holes bored."""
    sheet = Stencil(Image.new("L", size), pose)
    for outline in (FLANGE, ARM, GUSSET, FOOT):
        sheet.polygon(outline)
    blurred = sheet.mask.filter(ImageFilter.GaussianBlur(0.07 * pose.unit))
    rounded = Stencil(blurred.point([0] * 128 + [255] * 128), pose)
    rounded.disc(EYE, rng.uniform(0.28, 0.32))
    rounded.disc(EYE, rng.uniform(0.12, 0.16), fill=0)
    for bolt in BOLTS:
        rounded.disc(bolt, rng.uniform(0.085, 0.115), fill=0)
    if rng.random() < 0.7:
        rounded.bar(SLOT, 0.06, fill=0)
    return rounded.mask


def raised(size: tuple[int, int], pose: Pose, rng: Random) -> Image.Image:
    """Return the mask of what stands up from the plate: a rib on the arm, a collar on the eye."""
    top = Stencil(Image.new("L", size), pose)
    if rng.random() < 0.8:
        top.bar(RIB, rng.uniform(0.05, 0.075))
    top.disc(EYE, 0.23)
    top.disc(EYE, 0.16, fill=0)
    return top.mask


def shifted(mask: Image.Image, by: Point) -> Image.Image:
    """Return the mask moved by so many pixels, with nothing coming in at the border."""
    return mask.transform(mask.size, Image.Transform.AFFINE, (1, 0, -by[0], 0, 1, -by[1]))


def ramp(size: tuple[int, int], angle: float, low: int, high: int) -> Image.Image:
    """Return a grey picture that goes from `low` to `high` along a direction in degrees."""
    table = [low + (high - low) * value // 255 for value in range(256)]
    middle = Image.linear_gradient("L").rotate(angle, Image.Resampling.BICUBIC).crop((45, 45, 210, 210))
    return middle.resize(size, Image.Resampling.BICUBIC).point(table)


def lay(scene: Image.Image, mask: Image.Image, colour: Colour, light: Point, high: float) -> None:
    """Lay a layer of metal `high` pixels thick into the scene: shadow, face and lit edges."""
    away = (-light[0] * high, -light[1] * high)
    shadow = shifted(mask, away).filter(ImageFilter.GaussianBlur(high * 0.7))
    scene.paste((14, 14, 20), mask=shadow.point([value * 55 // 100 for value in range(256)]))
    sheen = ramp(scene.size, math.degrees(math.atan2(light[0], light[1])), 190, 255).convert("RGB")
    scene.paste(ImageChops.multiply(Image.new("RGB", scene.size, colour), sheen), mask=mask)
    edge = mask.filter(ImageFilter.GaussianBlur(high * 0.3))
    for toward, shade in ((light, (255, 255, 250)), (away, (10, 10, 16))):
        length = math.hypot(*toward) / (high * 0.45)
        inner = shifted(edge, (-toward[0] / length, -toward[1] / length))
        rim = ImageChops.multiply(ImageChops.subtract(edge, inner), mask)
        scene.paste(shade, mask=rim.point([value * 70 // 100 for value in range(256)]))


def tinted(colour: Colour, factor: float) -> Colour:
    """Return the colour made lighter (factor above 1) or darker."""
    red, green, blue = (min(255, max(0, round(part * factor))) for part in colour)
    return red, green, blue


def bench(size: tuple[int, int], rng: Random) -> Image.Image:
    """Return the table that the part lies on, with planks or a grid where it has them."""
    name = rng.choice(list(BENCHES))
    colour = tinted(BENCHES[name], rng.uniform(0.85, 1.12))
    scene = Image.new("RGB", size, colour)
    if name == "wood":
        saw(scene, colour, rng)
    elif name == "cutting mat":
        rule(scene, colour, rng)
    elif name in ("steel", "cardboard"):
        scratch(scene, colour, rng)
    return scene.filter(ImageFilter.GaussianBlur(1.2))


def saw(scene: Image.Image, colour: Colour, rng: Random) -> None:
    """Draw the grain of wood, and gaps between planks."""
    draw, (width, height) = ImageDraw.Draw(scene), scene.size
    for y in range(rng.randrange(20), height, 5):
        grain = tinted(colour, rng.uniform(0.9, 1.06))
        draw.line((0, y, width, y + rng.randrange(-6, 7)), grain, 3)
    for y in range(rng.randrange(60, 120), height, 130):
        draw.line((0, y, width, y), tinted(colour, 0.6), 4)


def rule(scene: Image.Image, colour: Colour, rng: Random) -> None:
    """Draw the squares of a cutting mat."""
    draw, (width, height) = ImageDraw.Draw(scene), scene.size
    for at in range(rng.randrange(56), width, 56):
        draw.line((at, 0, at, height), tinted(colour, 1.22), 3)
        draw.line((0, at, width, at), tinted(colour, 1.22), 3)


def scratch(scene: Image.Image, colour: Colour, rng: Random) -> None:
    """Draw the fibres of cardboard, or the brushing of steel."""
    draw, (width, height) = ImageDraw.Draw(scene), scene.size
    for _ in range(26):
        x, y, long = rng.randrange(width), rng.randrange(height), rng.randrange(20, 160)
        draw.line((x, y, x + long, y), tinted(colour, rng.uniform(0.93, 1.07)), 2)


def grainy(picture: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Return the picture with the noise of a small camera."""
    width, height = picture.size
    noise = Image.frombytes("L", picture.size, rng.randbytes(width * height))
    return Image.blend(picture, Image.merge("RGB", (noise, noise, noise)), strength)


def posed(size: tuple[int, int], hand: str, rng: Random) -> Pose:
    """Return how a part of that hand is put down: near the middle, up to 20 degrees askew."""
    return Pose(
        centre=(size[0] * rng.uniform(0.46, 0.54), size[1] * rng.uniform(0.47, 0.53)),
        unit=size[1] * rng.uniform(0.36, 0.42),
        turn=math.radians(rng.uniform(-20, 20)),
        slimness=rng.uniform(0.9, 1.15),
        mirrored=hand == "LH",
    )


def picture(hand: str, blurry: bool, rng: Random) -> Image.Image:
    """Return one picture of a part of that hand, 96x72 to 128x96 pixels."""
    width = 4 * rng.randrange(24, 33)
    small = (width, width * 3 // 4)
    fine = (small[0] * FINE, small[1] * FINE)
    pose = posed(fine, hand, rng)
    scene = bench(fine, rng)
    towards = math.radians(rng.uniform(200, 340))  # the lamp is never below the part
    light = (math.cos(towards), math.sin(towards))
    colour = tinted(FINISHES[rng.choice(list(FINISHES))], rng.uniform(0.88, 1.1))
    lay(scene, plate(fine, pose, rng), colour, light, 9)
    lay(scene, raised(fine, pose, rng), tinted(colour, 1.06), light, 5)
    lamp = ramp(fine, rng.uniform(0, 360), rng.randrange(150, 205), 255).convert("RGB")
    lit = ImageChops.multiply(scene, lamp).resize(small, Image.Resampling.LANCZOS)
    soft = rng.uniform(1.5, 2.0) if blurry else rng.uniform(0.0, 0.5)
    return grainy(lit.filter(ImageFilter.GaussianBlur(soft)), rng.uniform(0.02, 0.06), rng)


def metadata(hand: str, blurry: bool, when: datetime, rng: Random) -> dict[str, object]:
    """Return what Ground Truth says of one label; workers were unsure of the blurry pictures."""
    sure = rng.choice((0.95, 0.95, 0.96, 0.97, rng.uniform(0.62, 0.94)))
    return {
        "confidence": round(rng.uniform(0.51, 0.59) if blurry else sure, 2),
        "job-name": f"labeling-job/{JOB}",
        "class-name": hand,
        "human-annotated": "no" if rng.random() < 0.12 and not blurry else "yes",
        "creation-date": when.isoformat(timespec="microseconds"),
        "type": "groundtruth/image-classification",
    }


def shuffled(items: list[str], rng: Random) -> list[str]:
    """Return the same items in another order."""
    return rng.sample(items, len(items))


def labelled(name: str, hand: str, fate: str, when: datetime, rng: Random) -> str:
    """Return the line that Ground Truth would write of one picture."""
    line: dict[str, object] = {"source-ref": f"s3://lab#-rawdata/{name}"}
    if fate == "failed":
        line[f"{JOB}-metadata"] = FAILURE
    elif fate != "unlabelled":
        line[JOB] = CLASS_NAMES.index(hand)
        line[f"{JOB}-metadata"] = metadata(hand, fate == "blurry", when, rng)
    return json.dumps(line, separators=(",", ":")) + "\n"


def draw(out: Path, seed: int) -> None:
    """Write the pictures and the manifest under `out`."""
    rng = Random(seed)
    (out / "images").mkdir(parents=True, exist_ok=True)
    both = [CLASS_NAMES[number % 2] for number in range(PICTURES)]
    lines: list[str] = []
    when = datetime(2024, 3, 4, 9, 12, 7)
    drawn = zip(shuffled(both, rng), shuffled(FATES, rng), strict=True)
    for number, (hand, fate) in enumerate(drawn, start=1):
        name = f"IMG_{number:04}.JPG"
        shot = picture(hand, fate == "blurry", Random(f"{seed} {number}"))
        shot.save(out / "images" / name, quality=82)
        when += timedelta(seconds=rng.randrange(2, 90), microseconds=rng.randrange(1_000_000))
        lines.append(labelled(name, hand, fate, when, rng))
    (out / "output.manifest").write_bytes("".join(lines).encode())


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description="Draw the sample pictures and their manifest.")
    parser.add_argument("out", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw(arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
