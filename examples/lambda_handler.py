"""A Lambda handler: keeps the lines of a labeling job that are sure enough, and splits them.

The event names the manifest and where to write:

    {"manifest": "s3://bucket/output.manifest", "output": "s3://bucket/ready", "min_confidence": 0.8}

What it returns is what the training step of a state machine asks for: the two manifests, the label
attribute, ``num_classes`` and ``num_training_samples``.
"""

from typing import Any

import manifest_tools


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Filter and split ``event["manifest"]`` into the S3 prefix ``event["output"]``."""
    sure = f"{event['output']}/sure.manifest"
    kept = manifest_tools.filter(
        event["manifest"],
        sure,
        min_confidence=event.get("min_confidence", 0.8),
        force=True,
    )
    parts = manifest_tools.split(sure, event["output"], seed=event.get("seed", 0), force=True)
    return {
        "train": parts.files["train"],
        "validation": parts.files["validation"],
        "label_attribute": parts.attribute.name,
        "num_classes": parts.table.num_classes,
        "num_training_samples": parts.num_training_samples,
        "dropped": kept.reasons,
    }
