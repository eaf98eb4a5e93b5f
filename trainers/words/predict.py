"""``mtool predict`` as a function."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import BadData, Refused
from manifest_tools.groundtruth.classes import ClassTable, classes_from
from manifest_tools.groundtruth.survey import survey
from manifest_tools.verbs.convert.missing_pictures import fetcher, missing
from manifest_tools.verbs.convert.plan import ConversionPlan, plan_pictures
from trainers.model_archive import Model, is_nameless, read_model
from trainers.predicted_lines import numbered_lines, of_manifest, source_ref
from trainers.prediction import Prediction, Unread
from trainers.prediction import predict as predict_here
from trainers.prediction_inputs import PredictionInputs, Truth, inputs_of_files, inputs_of_manifest, truth_of
from trainers.prepare import plan_against
from trainers.sagemaker.serving.endpoint_info import EndpointInfo, find_endpoint
from trainers.sagemaker.serving.invoke import invoke


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a model predicts for pictures."""

    predictions: tuple[Prediction | Unread, ...]
    """In the order of the pictures; an Unread for one that could not be used."""

    table: ClassTable
    """What the indices of the classes mean."""

    truth: Truth | None = None
    """The labels of the manifest, where one was given."""

    def names(self, prediction: Prediction) -> tuple[str, ...]:
        """Return the names of the predicted classes."""
        return tuple(self.table.name(index) for index in prediction.classes)


def predict(
    *pictures: AnyPath,
    model: AnyPath = "model",
    manifest: AnyPath | None = None,
    images: AnyPaths = (),
    label_attribute: str | None = None,
    endpoint: str | None = None,
    classes: ClassTable | AnyPath | None = None,
    multi_label: bool = False,
    concurrency: int = 8,
) -> Predicted:
    """Return class and probability of pictures: files, folders of files, ``s3://`` URIs, or a manifest's own.

    ``endpoint`` asks SageMaker in place of a model here. Raises Refused where no picture can be had,
    BadModel for a model that cannot be used.
    """
    table = classes_from(classes)
    loaded = find_endpoint(endpoint, table, multi_label) if endpoint else read_model(as_text(model), table)
    planned = None
    if manifest is not None:
        folders = () if pictures else as_texts(images)
        planned = labelled_lines(as_text(manifest), label_attribute, folders, loaded.table)
        if planned is not None and is_nameless(loaded.table):
            loaded = replace(loaded, table=planned.table)
    if pictures:
        inputs = inputs_of_files(list(map(as_text, pictures)))
    elif manifest is not None:
        inputs = _inputs_of_manifest(as_text(manifest), planned, as_texts(images))
    else:
        raise Refused("expected pictures, or a manifest for its own; found neither")
    found = tuple(_predictions(loaded, inputs, concurrency))
    return Predicted(found, loaded.table, truth_of(planned.lines) if planned is not None else None)


def _inputs_of_manifest(
    manifest: str, planned: ConversionPlan | None, images: Sequence[str]
) -> PredictionInputs:
    lines = lines_to_predict(manifest, "", planned)
    every = plan_pictures(manifest, lines, images) if lines or planned is None else planned
    fetch = fetcher(every)
    missing(every, fetch is not None)
    return inputs_of_manifest(every, fetch)


def labelled_lines(
    manifest: str | None, label_attribute: str | None, images: Sequence[str], table: ClassTable
) -> ConversionPlan | None:
    """Return the labelled lines of a manifest and where their pictures lie; None where it has none."""
    if manifest is None:
        return None
    try:
        return plan_against(manifest, label_attribute, images, table, "the model")
    except (BadData, Refused):
        if manifest == "-" or label_attribute is not None or _is_labelled(manifest):
            raise
        return None


def _is_labelled(manifest: str) -> bool:
    from manifest_tools.formats.open_manifest import open_manifest

    return any(one.labelled for one in survey(open_manifest(manifest)).attributes.values())


def lines_to_predict(manifest: str, attribute: str, planned: ConversionPlan | None) -> list[tuple[int, str]]:
    """Return the number of each line that names a picture, and the picture; nothing where all are labelled.

    Raises BadData where no line names one, Refused for a line that has ``attribute`` already.
    """
    if manifest == "-" or (planned is not None and not planned.left_out and not attribute):
        return []
    if attribute:
        refs = [(number, ref) for number, (ref, _) in enumerate(of_manifest(manifest, attribute), 1) if ref]
    else:
        found = ((number, source_ref(manifest, number, line)) for number, line in numbered_lines(manifest))
        refs = [(number, ref) for number, ref in found if ref]
    if not refs:
        raise BadData(f"{manifest}: expected a source-ref on its lines, found none")
    return refs


def _predictions(
    loaded: Model | EndpointInfo, inputs: PredictionInputs, concurrency: int
) -> Iterator[Prediction | Unread]:
    if isinstance(loaded, Model):
        return predict_here(loaded, inputs.names, inputs.read)
    return invoke(loaded, inputs.names, inputs.read, at_once=concurrency)
