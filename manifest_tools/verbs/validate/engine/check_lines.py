"""Checks some lines: what the shortcut proves clean, and the rest line by line."""

from dataclasses import dataclass

import numpy as np

from manifest_tools.base.hashing import hash_texts
from manifest_tools.base.problem import Finding
from manifest_tools.groundtruth.rows import line_offsets
from manifest_tools.verbs.validate.engine.file_facts import Facts, LineKeys, label_key
from manifest_tools.verbs.validate.engine.run_rules import run_rules
from manifest_tools.verbs.validate.engine.shortcut.prove import Proof, prove
from manifest_tools.verbs.validate.engine.shortcut.shape_verdicts import Purpose
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


def check_lines(
    data: bytes, expected: tuple[str, ...], told: str | None, purpose: str = "", shortcut: bool = True
) -> CheckedLines:
    """Return what the rules of a line find; without the shortcut the same, only later.

    ``expected`` are the label attributes of the file.
    """
    starts, ends = line_offsets(data)
    facts = Facts(requested=told)
    proof = Proof(np.zeros(len(starts), bool), [None] * len(starts))
    if shortcut:
        proof = prove(data, starts, ends, Purpose(expected, told, purpose), facts)
    found: list[tuple[int, Rule, Finding]] = []
    for number in np.flatnonzero(~proof.clean).tolist():
        line = data[starts[number] : ends[number]]
        proof.refs[number] = None
        if line.strip():
            found += [(number, *one) for one in _judge(number, line, expected, told, purpose, facts, proof)]
        else:
            facts.skip(number)
    facts.ends = data.endswith(b"\n")
    facts.keys.append(_keys(proof))
    return CheckedLines(len(starts), found, facts)


def _judge(
    number: int,
    line: bytes,
    expected: tuple[str, ...],
    told: str | None,
    purpose: str,
    facts: Facts,
    proof: Proof,
) -> list[tuple[Rule, Finding]]:
    """Run every rule on one line, and remember of it what the proof does of others."""
    found, read = run_rules(line, expected, told, purpose)
    if read is None:
        facts.objects += 1
        return found
    facts.add(number, read)
    ref = read.value.get("source-ref")
    proof.refs[number] = ref if isinstance(ref, str) else None
    for label in read.labels:
        if key := label_key(label):
            if label.name not in proof.labels:
                proof.labels[label.name] = np.zeros(len(proof.refs), np.uint64)
            proof.labels[label.name][number] = key
    return found


def _keys(proof: Proof) -> LineKeys:
    sources, labels = hash_texts(proof.refs), proof.labels
    lines = np.arange(len(sources))
    if None in proof.refs:
        lines = lines[[ref is not None for ref in proof.refs]]
        sources = sources[lines]
        labels = {name: column[lines] for name, column in labels.items()}
    return LineKeys(sources, lines, labels)
