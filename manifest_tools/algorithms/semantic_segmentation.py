"""Semantic Segmentation: every pixel of a picture has a class; the label is a mask, another picture.

The defaults are those of the current guide. Earlier editions had others: crop_size 480, epochs 30, and 4 for
both batch sizes.
"""

from functools import partial

from manifest_tools.algorithms.schema import Algorithm, Hyperparameter, Input, Metric, Only, Tunable

_PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/segmentation-hyperparameters.html"
_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/semantic-segmentation.html"
_TUNING = "https://docs.aws.amazon.com/sagemaker/latest/dg/semantic-segmentation-tuning.html"

_int = partial(Hyperparameter, kind="int", source=_PAGE, low=1)
_fraction = partial(Hyperparameter, kind="float", source=_PAGE, low=0, high=1)
_choice = partial(Hyperparameter, kind="choice", source=_PAGE)
_flag = partial(Hyperparameter, kind="bool", source=_PAGE, choices=("True", "False"))
_STOPPING = Only("early_stopping", ("True",))
_STEP = Only("lr_scheduler", ("step",))
_OPTIMIZERS = ("adam", "adagrad", "nag", "rmsprop", "sgd")

HYPERPARAMETERS = (
    _choice(
        "backbone",
        reason="Network that extracts the features of the picture.",
        choices=("resnet-50", "resnet-101"),
        default="resnet-50",
    ),
    _flag("use_pretrained_model", reason="Starts with a backbone from ImageNet.", default="True"),
    _choice(
        "algorithm", reason="Network that makes the mask.", choices=("fcn", "psp", "deeplab"), default="fcn"
    ),
    _int("num_classes", reason="Classes of pixels, with the background.", low=2, high=254, required=True),
    _int("num_training_samples", reason="Lines of train; schedules are computed from it.", required=True),
    _int("base_size", reason="Mean pixels of the longer side before cropping.", low=17, default="520"),
    _int("crop_size", reason="Pixels of each side of the square input.", low=17, default="240"),
    _flag("early_stopping", reason="May stop before the last epoch.", default="False"),
    _int("early_stopping_min_epochs", reason="Epochs before it may stop early.", default="5", only=_STOPPING),
    _int("early_stopping_patience", reason="Epochs without improvement.", default="4", only=_STOPPING),
    _fraction(
        "early_stopping_tolerance",
        reason="Smallest improvement that counts.",
        default="0.0",
        only=_STOPPING,
    ),
    _int("epochs", reason="Passes over the training data.", default="10"),
    _fraction(
        "gamma1",
        reason="Decay rate of the squared gradient.",
        default="0.9",
        only=Only("optimizer", ("rmsprop",)),
    ),
    _fraction("gamma2", reason="Momentum of rmsprop.", default="0.9", only=Only("optimizer", ("rmsprop",))),
    _fraction(
        "learning_rate",
        reason="Initial learning rate.",
        above_low=True,
        default="0.001",
        tunable=Tunable("continuous", "1e-4", "1e-1"),
    ),
    _choice(
        "lr_scheduler",
        reason="How the learning rate is reduced.",
        choices=("step", "poly", "cosine"),
        default="poly",
    ),
    _fraction(
        "lr_scheduler_factor", reason="Factor for the learning rate at each step.", default="0.1", only=_STEP
    ),
    Hyperparameter(
        "lr_scheduler_step",
        "text",
        "Epochs after which the learning rate is reduced; required by lr_scheduler=step.",
        _PAGE,
        pattern=r"[1-9]\d*( ?, ?[1-9]\d*)*",
        form="epochs such as 10,20",
        only=_STEP,
    ),
    _int(
        "mini_batch_size",
        reason="Pictures in a batch.",
        default="16",
        tunable=Tunable("integer", "1", "128"),
    ),
    _fraction(
        "momentum",
        reason="Momentum of the optimizer.",
        above_low=True,
        default="0.9",
        only=Only("optimizer", ("sgd",)),
        tunable=Tunable("continuous", "0.9", "0.999"),
    ),
    _choice(
        "optimizer",
        reason="Algorithm that updates the weights.",
        choices=_OPTIMIZERS,
        default="sgd",
        tunable=Tunable("categorical", choices=_OPTIMIZERS),
    ),
    _flag("syncbn", reason="Batches are normalized over all GPUs.", default="False"),
    _int(
        "validation_mini_batch_size",
        reason="Pictures in a batch of validation; with 1 they are not cropped.",
        default="16",
    ),
    _fraction(
        "weight_decay",
        reason="Coefficient of L2 regularization.",
        above_low=True,
        below_high=True,
        default="0.0001",
        only=Only("optimizer", ("sgd",)),
        tunable=Tunable("continuous", "1e-5", "1e-3"),
    ),
)

ALGORITHM = Algorithm(
    name="semantic-segmentation",
    title="Semantic Segmentation",
    label="a mask: the s3:// URI of a PNG, in an attribute whose name ends in -ref",
    hyperparameters=HYPERPARAMETERS,
    inputs=(
        Input(
            "augmented-manifest",
            modes=("Pipe",),
            data_type="AugmentedManifestFile",
            channels=("train", "validation"),
            content_types=("application/x-recordio",),
            wrapper="RecordIO",
        ),
        Input(
            "image",
            modes=("File",),
            data_type="S3Prefix",
            channels=("train", "validation", "train_annotation", "validation_annotation"),
            content_types=("image/jpeg", "image/png"),
            optional=("model", "label_map"),
        ),
    ),
    metrics=(
        Metric("validation:mIOU", "Maximize", "Mean intersection over union of the classes."),
        Metric("validation:pixel_accuracy", "Maximize", "Share of correct pixels."),
    ),
    families=("p2", "p3", "g4dn", "g5"),
    several_machines=False,
    same_as_model=("backbone", "algorithm", "crop_size", "num_classes"),
    pretrained_ignored_with_model=False,
    sources=(_PAGE, _GUIDE, _TUNING),
    unconfirmed=(
        "which optimizers can be tuned: editions of the tuning page differ, and one has adadelta, which"
        " is not on the hyperparameter page",
        "g4dn and g5: stored editions of the guide name p2 and p3 only",
        "the pages give early_stopping_min_epochs and _patience as integers; from 1 is our reading",
    ),
)
