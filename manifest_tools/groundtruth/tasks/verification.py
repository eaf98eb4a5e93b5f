"""Label verification: one class a line, what a worker thought of another label, perhaps with a comment.

Documentation writes the index as a string. ``worker-feedback`` is there only where somebody commented.
"""

from manifest_tools.groundtruth.tasks.single_label import CLASS_FIELDS as CLASS_FIELDS
from manifest_tools.groundtruth.tasks.single_label import CONFIDENCE_FIELDS as CONFIDENCE_FIELDS
from manifest_tools.groundtruth.tasks.single_label import ITEM as ITEM
from manifest_tools.groundtruth.tasks.single_label import LABEL as LABEL
from manifest_tools.groundtruth.tasks.single_label import confidences as confidences
from manifest_tools.groundtruth.tasks.single_label import indices as indices
from manifest_tools.groundtruth.tasks.single_label import names as names
