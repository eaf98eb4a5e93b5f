"""``mtool predict`` as a function."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import BadData, Refused
from manifest_tools.groundtruth.classes import ClassTable, classes_from
from manifest_tools.groundtruth.survey import survey
from manifest_tools.verbs.convert.missing_pictures import fetcher, missing
from manifest_tools.verbs.convert.plan import ConversionPlan, plan_pictures
from trainers.frameworks import check_predictor
from trainers.model_archive import Model, is_nameless, read_model
from trainers.predicted_lines import numbered_lines, of_manifest, source_ref
from trainers.prediction import Prediction, Unread
from trainers.prediction import predict as predict_here
from trainers.prediction_inputs import PredictionInputs, Truth, inputs_of_files, inputs_of_manifest, truth_of
from trainers.prepare import plan_against
from trainers.sagemaker.client.retry import Notify, notify_nobody
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
    loaded = load(model, endpoint, classes, multi_label)
    planned = None
    if manifest is not None:
        folders = () if pictures else as_texts(images)
        planned = labelled_lines(as_text(manifest), label_attribute, folders, loaded.table)
        if planned is not None and is_nameless(loaded.table):
            loaded = replace(loaded, table=planned.table)
    if pictures:
        inputs = inputs_of_files(list(map(as_text, pictures)))
    elif manifest is not None:
        every = plan_predicted(as_text(manifest), "", planned, as_texts(images))
        fetch = fetcher(every)
        missing(every, fetch is not None)
        inputs = inputs_of_manifest(every, fetch)
    else:
        raise Refused("expected pictures, or a manifest for its own; found neither")
    found = tuple(predictions(loaded, inputs, concurrency))
    return Predicted(found, loaded.table, truth_of(planned.lines) if planned is not None else None)


def load(
    model: AnyPath, endpoint: str | None, classes: ClassTable | AnyPath | None, multi_label: bool
) -> Model | EndpointInfo:
    """Return the endpoint that is named, or else the model; both with the names of ``classes``."""
    table = classes_from(classes)
    if endpoint is not None:
        return find_endpoint(endpoint, table, multi_label)
    found = read_model(as_text(model), table)
    check_predictor(found)
    return found


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


def plan_predicted(
    manifest: str, attribute: str, planned: ConversionPlan | None, images: Sequence[str]
) -> ConversionPlan:
    """Return all lines that name a picture; those that are ``planned`` where these are all.

    Raises BadData where no line names one, Refused for a line that has ``attribute`` already.
    """
    if planned is not None and (manifest == "-" or not (planned.left_out or attribute)):
        return planned
    if attribute:
        refs = [(number, ref) for number, (ref, _) in enumerate(of_manifest(manifest, attribute), 1) if ref]
    else:
        found = ((number, source_ref(manifest, number, line)) for number, line in numbered_lines(manifest))
        refs = [(number, ref) for number, ref in found if ref]
    if not refs:
        raise BadData(f"{manifest}: expected a source-ref on its lines, found none")
    return plan_pictures(manifest, refs, images)


def predictions(
    loaded: Model | EndpointInfo, inputs: PredictionInputs, concurrency: int, notify: Notify = notify_nobody
) -> Iterator[Prediction | Unread]:
    """Yield what a model, or an endpoint by requests at the same time, says of each picture."""
    if isinstance(loaded, Model):
        return predict_here(loaded, inputs.names, inputs.read)
    return invoke(loaded, inputs.names, inputs.read, at_once=concurrency, notify=notify)
