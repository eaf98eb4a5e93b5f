"""The choices of an option, from a table of the library.

Where the library has a Literal whose module is imported at no cost, the option's type is that Literal:
Typer reads it. This is for the others.
"""

from collections.abc import Callable, Iterable

from manifest_tools.base.text import shown


def one_of(names: Callable[[], Iterable[str]]) -> Callable[[str], str]:
    """Return a ``parser`` for an option whose value is one of ``names``.

    ``names`` is called when the option is typed, and not before, so that it may import what is heavy.

    >>> one_of(lambda: ("adam", "sgd"))("sgd")
    'sgd'
    """

    def parse(text: str) -> str:
        known = tuple(names())
        if text not in known:
            raise ValueError(f"expected one of {', '.join(known)}; found {shown(text)}")
        return text

    return parse
