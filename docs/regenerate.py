"""``make docs``: writes the pages that tables and commands say, and runs the README's console blocks.

Every command's help goes into docs/commands.md, every code of ``validate`` into docs/codes.md, and what is
known of failed jobs into docs/known-failures.md; what each format gives back into docs/what-survives.md.

The console blocks of the README and of all pages are run, see ``docs.consoles``. With ``--check`` nothing is
written, and the exit code is 1 where something differs.
"""

import sys
from collections.abc import Iterable, Sequence

from docs.consoles import ROOT, replayed

README = ROOT / "README.md"
COMMANDS = ROOT / "docs" / "commands.md"
CODES = ROOT / "docs" / "codes.md"
FAILURES = ROOT / "docs" / "known-failures.md"
SURVIVES = ROOT / "docs" / "what-survives.md"

# The README, and every page that is written by hand.
WRITTEN = (README, *sorted({*(ROOT / "docs").rglob("*.md")} - {COMMANDS, CODES, FAILURES, SURVIVES}))


def commands() -> str:
    """Return docs/commands.md: the help of every word."""
    from typer.testing import CliRunner

    from manifest_tools.cli.app import SUBWORDS, WORDS, app

    parts = ["# Commands\n\nWhat `mtool WORD --help` prints; written by `make docs`.\n"]
    behind = {word: [word, *(f"{word} {one}" for one in SUBWORDS.get(word, ()))] for word in WORDS}
    for word in ("", *(one for words in behind.values() for one in words)):
        arguments = [*word.split(), "--help"]
        done = CliRunner().invoke(app, arguments, env={"COLUMNS": "100", "NO_COLOR": "1"})
        title = f"mtool {word}".strip()
        parts.append(f"## {title}\n\n```text\n{done.stdout.rstrip()}\n```\n")
    return "\n".join(parts)


def codes() -> str:
    """Return docs/codes.md: every rule of validate."""
    from manifest_tools.verbs.validate.rules import RULES

    text = "# Codes\n\nWhat `mtool validate` looks for; `mtool explain CODE` says more. By `make docs`.\n"
    rows = [
        (rule.code, rule.severity, rule.reason, ", ".join(rule.purposes), rule.fix, _linked(rule.source))
        for rule in RULES
    ]
    return f"{text}\n{_table(('code', '', 'what is asked for', 'only for', 'what to do', 'source'), rows)}"


def failures() -> str:
    """Return docs/known-failures.md: every row, with the codes that find it, or why none can."""
    from manifest_tools.known_failures import FAILURES as known

    text = (
        "# Known failures\n\nWhat people met on the way from a manifest to a model, and which code of"
        " `mtool validate` finds it\nbefore anything is billed; where there is none, no file and no request"
        " can show it. Written by `make docs`.\n"
    )
    rows = [
        (
            str(one.row),
            one.title,
            one.cause,
            ", ".join(one.codes) or one.why_not,
            one.fix,
            " ".join(map(_linked, one.sources)),
        )
        for one in known
    ]
    headers = ("row", "what happens", "cause", "found by", "what to do", "source")
    return f"{text}\n{_table(headers, rows)}"


def survives() -> str:
    """Return docs/what-survives.md: what of a manifest comes back from each format."""
    from tests.survival import page

    return page()


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _linked(source: str) -> str:
    return f"<{source}>" if source.startswith("https://") and " " not in source else source


def main() -> None:
    """Write the files, or with ``--check`` say whether they are up to date."""
    wanted = {page: replayed(page.read_text("utf-8")) for page in WRITTEN}
    wanted |= {COMMANDS: commands(), CODES: codes(), FAILURES: failures(), SURVIVES: survives()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        print(
            f"{path.relative_to(ROOT)}: {'differs; type: make docs' if '--check' in sys.argv else 'written'}"
        )
        if "--check" not in sys.argv:
            path.write_text(wanted[path], "utf-8")
    raise SystemExit(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    main()
