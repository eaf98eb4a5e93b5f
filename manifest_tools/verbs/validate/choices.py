"""The choices of ``mtool validate``; importing them imports nothing else."""

from typing import Literal

Purpose = Literal["builtin", "semantic-segmentation", "object-detection", "rekognition"]
"""What manifests are checked for: a built-in algorithm of SageMaker, or Rekognition Custom Labels."""

FormatName = Literal["text", "json", "sarif", "github"]
"""How a report is printed."""
