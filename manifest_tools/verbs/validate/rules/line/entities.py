"""Named entities: that each is a stretch of the text, of a category that the label lists."""

from typing import Any

from manifest_tools.groundtruth.tasks import entities
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.references import OUTPUT
from manifest_tools.verbs.validate.rules.rule import rule

_ROOM = ("entities",)
_ADA = {"label": "Person", "startOffset": 0, "endOffset": 3}


def _line(*changes: dict[str, Any], **metadata: Any) -> str:
    """Return a line with an entity for each of ``changes``, which are of the name at its beginning."""
    label = {"labels": [{"label": "Person"}], "entities": [_ADA | one for one in changes]}
    usual = {"entities": [{"confidence": 0.9} for _ in changes]}
    line = labelled("names", {"annotations": label}, "text-span", **usual | metadata)
    del line["source-ref"]
    return lines({"source": "Ada was born in London", **line})


RULES = (
    rule(
        "MT260",
        "error",
        "label",
        entities.has_spans,
        breaks=_line({"startOffset": "0"}),
        keeps=_line({}),
        fix="Write annotations with labels and entities; each entity has label, startOffset and endOffset.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT261",
        "error",
        "label",
        entities.entities_end_after_they_start,
        breaks=_line({"endOffset": 0}),
        keeps=_line({}),
        fix="Count from 0; endOffset is that of the first character behind the entity.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT262",
        "error",
        "line",
        entities.entities_are_in_the_text,
        breaks=_line({"endOffset": 23}),
        keeps=_line({"startOffset": 16, "endOffset": 22}),
        fix="Count characters, not bytes, in the very text of source.",
        source=OUTPUT,
    ),
    rule(
        "MT263",
        "error",
        "label",
        entities.entities_are_of_a_category,
        breaks=_line({"label": "Place"}),
        keeps=_line({}),
        fix="Add the category to labels; its place there is the index of the class.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
    rule(
        "MT264",
        "error",
        "label",
        entities.a_confidence_for_each_entity,
        breaks=_line({}, entities=[]),
        keeps=_line({}),
        fix="Give every entity one confidence, in the order of the entities.",
        source=OUTPUT,
        rooms=_ROOM,
    ),
)
