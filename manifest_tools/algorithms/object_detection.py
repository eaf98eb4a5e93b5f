"""Object Detection - MXNet: a single shot detector; a label is Ground Truth's boxes."""

from functools import partial

from manifest_tools.algorithms.schema import Algorithm, Hyperparameter, Input, Metric, Only, Tunable

_PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection-api-config.html"
_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection.html"
_TUNING = "https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection-tuning.html"
_LOG = "https://github.com/aws/amazon-sagemaker-examples/issues/713"

_int = partial(Hyperparameter, kind="int", source=_PAGE, low=1)
_share = partial(Hyperparameter, kind="float", source=_PAGE, low=0, high=1)
_choice = partial(Hyperparameter, kind="choice", source=_PAGE)
_STOPPING = Only("early_stopping", ("True",))
_OPTIMIZERS = ("sgd", "adam", "rmsprop", "adadelta")

HYPERPARAMETERS = (
    _int("num_classes", reason="Outputs of the network: the highest class_id and one.", required=True),
    _int("num_training_samples", reason="Lines of the training data; paces the schedule.", required=True),
    _choice(
        "base_network",
        reason="The network that looks at the picture.",
        choices=("vgg-16", "resnet-50"),
        default="vgg-16",
    ),
    Hyperparameter(
        "early_stopping",
        "bool",
        "Stop before the last epoch.",
        _PAGE,
        choices=("True", "False"),
        default="False",
    ),
    _int("early_stopping_min_epochs", reason="Epochs before it may.", default="10", only=_STOPPING),
    _int("early_stopping_patience", reason="Epochs without gain.", default="5", only=_STOPPING),
    _share("early_stopping_tolerance", reason="What counts as gain.", default="0.0", only=_STOPPING),
    # The upper limit is in no page, but in what the container says of a value that it refuses
    # (https://github.com/awsdocs/amazon-sagemaker-developer-guide/issues/44).
    _int("image_shape", reason="Pixels of each side of the square.", low=300, high=10000, default="300"),
    _int("epochs", reason="Passes over the training data.", default="30"),
    Hyperparameter(
        "freeze_layer_pattern",
        "text",
        "A regular expression; layers that it finds keep their weights.",
        _PAGE,
        form="a regular expression",
    ),
    _choice("kv_store", reason="How several machines share weights.", choices=("dist_sync", "dist_async")),
    _int("label_width", reason="At least 5 numbers a box of the fullest picture, and 2.", default="350"),
    _share(
        "learning_rate",
        reason="How far a step goes at first.",
        above_low=True,
        default="0.001",
        tunable=Tunable("continuous", "1e-6", "0.5"),
    ),
    _share(
        "lr_scheduler_factor",
        reason="What the rate is multiplied by at each step.",
        above_low=True,
        below_high=True,
        default="0.1",
        only=Only("lr_scheduler_step"),
    ),
    Hyperparameter(
        "lr_scheduler_step",
        "text",
        "Epochs at which the rate falls.",
        _PAGE,
        pattern=r"[1-9]\d*( ?, ?[1-9]\d*)*",
        form="epochs such as 10,20",
    ),
    _int(
        "mini_batch_size",
        reason="Pictures a step; shared out among the GPUs.",
        default="32",
        tunable=Tunable("integer", "8", "64"),
    ),
    _share(
        "momentum",
        reason="How much of the last step goes on.",
        above_low=True,
        default="0.9",
        only=Only("optimizer", ("sgd",)),
        tunable=Tunable("continuous", "0.0", "0.999"),
    ),
    _share("nms_threshold", reason="Overlap that makes two answers one.", above_low=True, default="0.45"),
    Hyperparameter(
        "nms_topk",
        "int",
        "Boxes that are kept; in the container's own defaults, on no page.",
        _LOG,
        low=1,
        default="400",
    ),
    _choice(
        "optimizer",
        reason="How a step is found.",
        choices=_OPTIMIZERS,
        default="sgd",
        tunable=Tunable("categorical", choices=_OPTIMIZERS),
    ),
    _share("overlap_threshold", reason="Overlap that counts as found.", above_low=True, default="0.5"),
    Hyperparameter(
        "use_pretrained_model",
        "bool",
        "Begin with weights from ImageNet.",
        _PAGE,
        choices=("0", "1"),
        default="1",
    ),
    _share(
        "weight_decay",
        reason="Pulls weights towards nothing.",
        above_low=True,
        below_high=True,
        default="0.0005",
        only=Only("optimizer", ("sgd", "rmsprop")),
        tunable=Tunable("continuous", "0.0", "0.999"),
    ),
)

ALGORITHM = Algorithm(
    name="object-detection",
    title="Object Detection - MXNet",
    label="boxes: image_size and annotations",
    hyperparameters=HYPERPARAMETERS,
    inputs=(
        # The guide also names image content types here; reports of them failing led it to this one.
        Input(
            "augmented-manifest",
            modes=("Pipe",),
            data_type="AugmentedManifestFile",
            channels=("train", "validation"),
            content_types=("application/x-recordio",),
            wrapper="RecordIO",
        ),
        Input(
            "recordio",
            modes=("File", "Pipe"),
            data_type="S3Prefix",
            channels=("train", "validation"),
            content_types=("application/x-recordio",),
        ),
        Input(
            "image",
            modes=("File",),
            data_type="S3Prefix",
            channels=("train", "validation", "train_annotation", "validation_annotation"),
            content_types=("application/x-image", "image/jpeg", "image/png"),
        ),
    ),
    metrics=(Metric("validation:mAP", "Maximize", "Mean average precision."),),
    families=("p2", "p3", "g4dn", "g5"),
    several_machines=True,
    same_as_model=("base_network", "num_classes"),
    pretrained_ignored_with_model=False,
    sources=(_PAGE, _GUIDE, _TUNING, _LOG),
    unconfirmed=(
        "the default of use_pretrained_model: the page has 1, a log of the container 0; set it",
        "the tuning page recommends momentum and weight_decay from 0.0, which the table excludes",
        "g4dn and g5: stored editions of the guide name p2 and p3 only",
    ),
)
