"""Checks some lines: what the shortcut proves clean, and the rest line by line."""

from dataclasses import dataclass

import numpy as np

from manifest_tools.base.hashing import hash_texts
from manifest_tools.base.problem import Finding
from manifest_tools.groundtruth.rows import line_offsets
from manifest_tools.verbs.validate.engine.file_facts import Facts, LineKeys, label_key, source_of
from manifest_tools.verbs.validate.engine.run_rules import RuleContext, RuleFinding, run_rules
from manifest_tools.verbs.validate.engine.shortcut.prove_clean import CleanLines, prove_clean
from manifest_tools.verbs.validate.rules.rule import Rule


@dataclass(slots=True)
class CheckedLines:
    """What the rules of a line found in some lines."""

    lines: int
    """How many lines there are, blank ones included."""

    found: list[tuple[int, Rule, Finding]]
    """What is wrong: the number of the line from 0, the rule, and the finding."""

    facts: Facts
    """What is remembered of the lines for the rules of a file."""


def check_lines(data: bytes, context: RuleContext, shortcut: bool = True) -> CheckedLines:
    """Return what the rules of a line find in some lines; without the shortcut the same, only later."""
    starts, ends = line_offsets(data)
    facts = Facts(requested=context.requested)
    if shortcut:
        proven = prove_clean(data, starts, ends, context, facts)
    else:
        proven = CleanLines(np.zeros(len(starts), bool), [None] * len(starts))
    found: list[tuple[int, Rule, Finding]] = []
    for number in np.flatnonzero(~proven.clean).tolist():
        line = data[starts[number] : ends[number]]
        proven.sources[number] = None
        if line.strip():
            found += [(number, *one) for one in _check_line(number, line, context, facts, proven)]
        else:
            facts.skip(number)
    facts.ends = data.endswith(b"\n")
    facts.keys.append(_line_keys(proven))
    return CheckedLines(len(starts), found, facts)


def _check_line(
    number: int, line: bytes, context: RuleContext, facts: Facts, proven: CleanLines
) -> list[RuleFinding]:
    """Run every rule on one line, and remember of it what the shortcut does of others."""
    found, read = run_rules(line, context)
    if read is None:
        facts.objects += 1
        return found
    facts.add(number, read)
    proven.sources[number] = source_of(read.value)
    for label in read.labels:
        if key := label_key(label):
            if label.name not in proven.labels:
                proven.labels[label.name] = np.zeros(len(proven.sources), np.uint64)
            proven.labels[label.name][number] = key
    return found


def _line_keys(proven: CleanLines) -> LineKeys:
    sources, labels = hash_texts(proven.sources), proven.labels
    lines = np.arange(len(sources))
    if None in proven.sources:
        lines = lines[[source is not None for source in proven.sources]]
        sources = sources[lines]
        labels = {name: column[lines] for name, column in labels.items()}
    return LineKeys(sources, lines, labels)
