"""How a function becomes a command: its options come from dataclasses, and its help has sections."""

import functools
import inspect
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import MISSING, Field, dataclass, fields
from typing import Annotated, Any, ClassVar, get_args, get_type_hints

import typer
import typer.main
from typer.core import TyperCommand


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was typed for a command; a subclass has a field for each option, annotated as Typer wants it.

    A subclass of a subclass has the options of both. ``SECTION`` is the heading of a class's own options in
    the help; a ``rich_help_panel`` of one option counts for more, and an empty one means no section.
    """

    SECTION: ClassVar[str] = ""

    typed: frozenset[str] = frozenset()
    """The names of the options that were typed, and are not at their defaults."""


def make_command(word: str, function: Callable[..., None]) -> Any:
    """Return the command ``word``; a parameter of ``function`` that is Options stands for its fields."""
    settings = {"help_option_names": ["-h", "--help"]}
    one = typer.Typer(rich_markup_mode=None, context_settings=settings, add_completion=False)
    one.command(name=word, cls=_Command)(_flat(function))
    return typer.main.get_command(one)


def typed_names(context: typer.Context) -> frozenset[str]:
    """Return the parameters that were typed, and are not at their defaults."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")


class _Command(TyperCommand):
    """A command whose help lists its options by section; those without one come last."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the options."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        plain: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                is_argument = parameter.param_type_name == "argument"
                title = "Arguments" if is_argument else getattr(parameter, "rich_help_panel", None)
                (sections.setdefault(title, []) if title else plain).append(record)
        for title, rows in [*sections.items(), ("Options", plain)]:
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _flat(function: Callable[..., None]) -> Callable[..., None]:
    """Return the function with a parameter for each field of the Options that it takes."""
    taken = {name: kind for name, kind in get_type_hints(function).items() if _is_options(kind)}
    if not taken:
        return function
    wants_context = "context" in inspect.signature(function).parameters

    @functools.wraps(function)
    def run(context: typer.Context, **values: Any) -> None:
        given = {name: _filled(kind, values, typed_names(context)) for name, kind in taken.items()}
        function(**given, **({"context": context} if wants_context else {}))

    parameters = [_parameter("context", typer.Context)]
    for kind in taken.values():
        parameters += _parameters(kind)
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def _is_options(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Options)


def _filled(kind: type[Options], values: dict[str, Any], typed: frozenset[str]) -> Options:
    """Return the options of one kind; a list that was not typed is empty."""
    known = {one.name: values[one.name] for one in _options_of(kind)}
    lists = {one.name for one in _options_of(kind) if one.default_factory is not MISSING}
    given = {name: value for name, value in known.items() if value is not None or name not in lists}
    return kind(**given, typed=typed)


def _options_of(kind: type[Options]) -> Iterator[Field[Any]]:
    return (one for one in fields(kind) if one.name != "typed")


def _parameters(kind: type[Options]) -> Iterator[inspect.Parameter]:
    """Yield the parameters of a function that takes each field by itself, with its section."""
    hints = get_type_hints(kind, include_extras=True)
    for one in _options_of(kind):
        value, info = get_args(hints[one.name])
        info = copy(info)
        owner: Any = next(owner for owner in kind.__mro__ if one.name in owner.__dict__["__annotations__"])
        if info.rich_help_panel is None:
            info.rich_help_panel = owner.SECTION
        yield _parameter(one.name, Annotated[value, info], one)


def _parameter(name: str, annotation: Any, field: "Field[Any] | None" = None) -> inspect.Parameter:
    default: Any = inspect.Parameter.empty
    if field is not None and field.default is not MISSING:
        default = field.default
    elif field is not None and field.default_factory is not MISSING:
        default = None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
