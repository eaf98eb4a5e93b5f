"""What one types with Datumaro: a COCO file of boxes in, another one out, no pictures."""

import shutil
import sys
import tempfile
from pathlib import Path

from datumaro.components.dataset import Dataset  # type: ignore[import-not-found]

source, output = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    annotations = Path(folder, "annotations")
    annotations.mkdir()
    Path(folder, "images").mkdir()
    (annotations / "instances_default.json").symlink_to(Path(source).resolve())
    found = Dataset.import_from(folder, "coco_instances")
    shutil.rmtree(output, ignore_errors=True)
    found.export(output, "coco_instances", save_media=False)
