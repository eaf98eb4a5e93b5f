"""Named entities: parts of a text, each with the name of its category.

``labels`` has all categories of the labeling job on every line. The class index of an entity is the position
of its category in that list; no index stands on the line.
"""

from manifest_tools.groundtruth.label_kinds.boxes import item_confidences
from manifest_tools.groundtruth.record import Row


def indices(row: Row) -> tuple[int, ...]:
    """Return the class index of every entity; raises ValueError for a class that ``labels`` does not have."""
    spans = row.label.annotations
    positions = {category.label: at for at, category in enumerate(spans.labels)}
    try:
        return tuple([positions[entity.label] for entity in spans.entities])
    except KeyError as error:
        raise ValueError(f"expected an entity of a class in labels, found {error.args[0]!r:.100}") from error


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the categories with their positions."""
    return tuple((at, category.label) for at, category in enumerate(row.label.annotations.labels))


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of every entity, None where the metadata has none for it."""
    spans = row.label.annotations
    return item_confidences(row.metadata.entities if row.metadata else None, len(spans.entities))
