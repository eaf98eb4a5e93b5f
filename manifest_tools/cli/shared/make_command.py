"""How a function becomes a command: its options come from dataclasses, and its help has sections."""

import functools
import inspect
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import MISSING, Field, dataclass, fields
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_type_hints

import typer
import typer.main
from typer.core import TyperCommand

from manifest_tools.cli.shared import screen
from manifest_tools.cli.shared.completion import complete_values


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was typed for a command; a subclass has a field for each option, annotated as Typer wants it.

    A subclass of a subclass has the options of both. ``SECTION`` is the heading of a class's own options in
    the help; a ``rich_help_panel`` of one option counts for more, and an empty one means no section.
    """

    SECTION: ClassVar[str] = ""

    typed: frozenset[str] = frozenset()
    """The names of the options that were typed, and are not at their defaults."""


_Kind = TypeVar("_Kind", bound=Options)


@dataclass(frozen=True, kw_only=True)
class Talk(Options):
    """How much a command says, and where: every command has these options."""

    quiet: Annotated[
        bool,
        typer.Option(
            "-q", "--quiet", help="Print no remarks and no progress; results, warnings and errors stay."
        ),
    ] = False
    verbose: Annotated[
        bool,
        typer.Option(
            "-v", "--verbose", help="Say what is read, written and asked of AWS, and how long it takes."
        ),
    ] = False
    log_file: Annotated[
        str | None,
        typer.Option("--log-file", metavar="FILE", help="Append what is said to FILE, with the time."),
    ] = None


def make_command(word: str, function: Callable[..., None]) -> Any:
    """Return the command ``word``; a parameter of ``function`` that is Options stands for its fields.

    It has the options of ``Talk`` too, which the function does not see.
    """
    settings = {"help_option_names": ["-h", "--help"]}
    one = typer.Typer(rich_markup_mode=None, context_settings=settings, add_completion=False)
    one.command(name=word, cls=_Command)(_flat(function))
    command = typer.main.get_command(one)
    complete_values(command)
    return command


def typed_names(context: typer.Context) -> frozenset[str]:
    """Return the parameters that were typed, and are not at their defaults."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")


class _Command(TyperCommand):
    """A command whose help lists its options by section; those without one come last."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words after the command's own; every error knows whose they are."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "ctx", ctx) is None:  # Click forgets it for an option without its value
                error.ctx = ctx  # type: ignore[attr-defined]
            raise

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
    """Return the function with a parameter for each field of the Options that it takes, and of Talk."""
    signature = inspect.signature(function, eval_str=True)
    taken = {name: kind for name, kind in get_type_hints(function).items() if _is_options(kind)}
    own = [one for name, one in signature.parameters.items() if name not in {*taken, "context"}]

    @functools.wraps(function)
    def run(context: typer.Context, **values: Any) -> None:
        typed = typed_names(context)
        talk = _filled(Talk, values, typed)
        screen.set_up(talk.quiet, talk.verbose, talk.log_file)
        given = {name: _filled(kind, values, typed) for name, kind in taken.items()}
        given |= {one.name: values[one.name] for one in own}
        function(**given, **({"context": context} if "context" in signature.parameters else {}))

    parameters = {one.name: one for one in [_parameter("context", typer.Context), *map(_by_name, own)]}
    for kind in (*taken.values(), Talk):
        parameters |= {one.name: one for one in _parameters(kind) if one.name not in parameters}
    run.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
    return run


def _by_name(parameter: inspect.Parameter) -> inspect.Parameter:
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _is_options(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Options)


def _filled(kind: type[_Kind], values: dict[str, Any], typed: frozenset[str]) -> _Kind:
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
