"""Named entities: stretches of a text, each with the name of its category; no index stands on the line.

A class index is the place of the category in ``labels``, which repeats the job's category list on every line.
"""

from manifest_tools.groundtruth.label_kinds.boxes import matched
from manifest_tools.groundtruth.record import Row


def indices(row: Row) -> tuple[int, ...]:
    """Return the category of every entity; raises ValueError for one that ``labels`` does not have."""
    spans = row.label.annotations
    places = {category.label: at for at, category in enumerate(spans.labels)}
    try:
        return tuple([places[entity.label] for entity in spans.entities])
    except KeyError as error:
        raise ValueError(f"an entity is a {error.args[0]!r:.100}, which its labels do not list") from error


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the categories in their order."""
    return tuple((at, category.label) for at, category in enumerate(row.label.annotations.labels))


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of every entity, None where the metadata has none for it."""
    spans = row.label.annotations
    return matched(row.metadata.entities if row.metadata else None, len(spans.entities))
