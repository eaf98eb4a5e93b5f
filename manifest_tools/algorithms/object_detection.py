"""Object Detection - MXNet: a single shot detector, trained from Ground Truth's boxes."""

from functools import partial

from manifest_tools.algorithms.schema import Algorithm, Hyperparameter, Input, Metric, Only, Tunable

_PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection-api-config.html"
_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection.html"
_TUNING = "https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection-tuning.html"
_LOG = "https://github.com/aws/amazon-sagemaker-examples/issues/713"

_int = partial(Hyperparameter, kind="int", source=_PAGE, low=1)
_fraction = partial(Hyperparameter, kind="float", source=_PAGE, low=0, high=1)
_choice = partial(Hyperparameter, kind="choice", source=_PAGE)
_STOPPING = Only("early_stopping", ("True",))
_OPTIMIZERS = ("sgd", "adam", "rmsprop", "adadelta")

HYPERPARAMETERS = (
    _int("num_classes", reason="Outputs of the network: the highest class_id + 1.", required=True),
    _int("num_training_samples", reason="Lines of train; schedules are computed from it.", required=True),
    _choice(
        "base_network",
        reason="Network that extracts the features of the picture.",
        choices=("vgg-16", "resnet-50"),
        default="vgg-16",
    ),
    Hyperparameter(
        "early_stopping",
        "bool",
        "May stop before the last epoch.",
        _PAGE,
        choices=("True", "False"),
        default="False",
    ),
    _int(
        "early_stopping_min_epochs",
        reason="Epochs before it may stop early.",
        default="10",
        only=_STOPPING,
    ),
    _int("early_stopping_patience", reason="Epochs without improvement.", default="5", only=_STOPPING),
    _fraction(
        "early_stopping_tolerance",
        reason="Smallest improvement that counts.",
        default="0.0",
        only=_STOPPING,
    ),
    # The upper limit is on no page, but in the message of the container about a refused value
    # (https://github.com/awsdocs/amazon-sagemaker-developer-guide/issues/44).
    _int(
        "image_shape", reason="Pixels of each side of the square input.", low=300, high=10000, default="300"
    ),
    _int("epochs", reason="Passes over the training data.", default="30"),
    Hyperparameter(
        "freeze_layer_pattern",
        "text",
        "Regular expression; layers that match keep their weights.",
        _PAGE,
        form="a regular expression",
    ),
    _choice(
        "kv_store",
        reason="How several machines synchronize the weights.",
        choices=("dist_sync", "dist_async"),
    ),
    _int("label_width", reason="Numbers in a label: 5 x the most boxes on a picture + 2.", default="350"),
    _fraction(
        "learning_rate",
        reason="Initial learning rate.",
        above_low=True,
        default="0.001",
        tunable=Tunable("continuous", "1e-6", "0.5"),
    ),
    _fraction(
        "lr_scheduler_factor",
        reason="Factor for the learning rate at each step.",
        above_low=True,
        below_high=True,
        default="0.1",
        only=Only("lr_scheduler_step"),
    ),
    Hyperparameter(
        "lr_scheduler_step",
        "text",
        "Epochs at which the learning rate is reduced.",
        _PAGE,
        pattern=r"[1-9]\d*( ?, ?[1-9]\d*)*",
        form="epochs such as 10,20",
    ),
    _int(
        "mini_batch_size",
        reason="Pictures in a batch, which is divided among the GPUs.",
        default="32",
        tunable=Tunable("integer", "8", "64"),
    ),
    _fraction(
        "momentum",
        reason="Momentum of the optimizer.",
        above_low=True,
        default="0.9",
        only=Only("optimizer", ("sgd",)),
        tunable=Tunable("continuous", "0.0", "0.999"),
    ),
    _fraction("nms_threshold", reason="Overlap that makes two boxes one.", above_low=True, default="0.45"),
    Hyperparameter(
        "nms_topk",
        "int",
        "Number of predicted boxes that are kept; a default of the container, on no page.",
        _LOG,
        low=1,
        default="400",
    ),
    _choice(
        "optimizer",
        reason="Algorithm that updates the weights.",
        choices=_OPTIMIZERS,
        default="sgd",
        tunable=Tunable("categorical", choices=_OPTIMIZERS),
    ),
    _fraction("overlap_threshold", reason="Overlap that makes a box correct.", above_low=True, default="0.5"),
    Hyperparameter(
        "use_pretrained_model",
        "bool",
        "Starts with weights from ImageNet.",
        _PAGE,
        choices=("0", "1"),
        default="1",
    ),
    _fraction(
        "weight_decay",
        reason="Coefficient of L2 regularization.",
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
        # The guide also names image content types; reports say that they fail, and that this one works.
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
