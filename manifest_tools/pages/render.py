"""One HTML file: the template with its style and script inside, and a policy that lets nothing else run.

Everything that a template prints is escaped; a script is known by its hash, so that a text from outside
could not run even if it got into the page as HTML.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from manifest_tools.base.version import __version__
from manifest_tools.pages.charts import Section
from manifest_tools.pages.gallery import Gallery
from manifest_tools.pages.words import plain

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


def page(
    title: str,
    sections: Sequence[Section] = (),
    gallery: Gallery | None = None,
    *,
    subtitle: str = "",
    notes: Sequence[str] = (),
    group_notes: Sequence[str] = (),
    served: bool = False,
) -> str:
    """Return a page as HTML: sections with charts and tables, and below them a gallery.

    ``notes`` stand above the pictures, ``group_notes`` above those that are repeated; ``served`` pages may
    ask the server that they come from.
    """
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            subtitle=subtitle,
            sections=sections,
            gallery=gallery,
            notes=notes,
            group_notes=group_notes,
            style=_file("page.css"),
            scripts=[_file(name) for name in _scripts(served)],
            policy=policy(served=served),
            data=_json(gallery) if gallery else "",
            version=__version__,
        )
    )


def policy(*, served: bool = False) -> str:
    """Return the content policy of a page: its own style and script, and pictures that it carries."""
    own = " 'self'" if served else ""
    parts = {
        "default-src": "'none'",
        "img-src": f"data:{own}",
        "style-src": _hash(_file("page.css")),
        "script-src": " ".join(_hash(_file(name)) for name in _scripts(served)),
        "connect-src": "'self'" if served else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())


def _scripts(served: bool) -> tuple[str, ...]:
    return ("page.js", "marks.js") if served else ("page.js",)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@lru_cache
def _file(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _json(gallery: Gallery) -> str:
    """Return a gallery as JSON that can stand in a script element: no sign in it ends one."""
    text = json.dumps(gallery.to_json(), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@lru_cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.lstrip_blocks = True
    made.filters |= {"plain": plain, "number": _number}
    return made


def _number(value: object) -> str:
    """Return a cell of a table: numbers with commas for thousands."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return plain(str(value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
