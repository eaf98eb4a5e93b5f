"""Image Classification - MXNet: the whole picture is of a class, or of several."""

from functools import partial

from manifest_tools.algorithms.schema import Algorithm, Hyperparameter, Input, Metric, Only, Tunable

_PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html"
_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html"
_TUNING = "https://docs.aws.amazon.com/sagemaker/latest/dg/IC-tuning.html"

_int = partial(Hyperparameter, kind="int", source=_PAGE, low=1)
_share = partial(Hyperparameter, kind="float", source=_PAGE, low=0, high=1)
_choice = partial(Hyperparameter, kind="choice", source=_PAGE)
_flag = partial(Hyperparameter, kind="bool", source=_PAGE, choices=("0", "1"), default="0")
_STOPPING = Only("early_stopping", ("True",))

HYPERPARAMETERS = (
    _int("num_classes", reason="Outputs of the network: the highest class index and one.", required=True),
    _int("num_training_samples", reason="Lines of the training data; paces the schedule.", required=True),
    _choice(
        "augmentation_type",
        reason="Random changes of the training pictures; all of them crop and mirror.",
        choices=("crop", "crop_color", "crop_color_transform"),
    ),
    _share(
        "beta_1",
        reason="Decay of the first moment.",
        default="0.9",
        only=Only("optimizer", ("adam",)),
        tunable=Tunable("continuous", "1e-6", "0.999"),
    ),
    _share(
        "beta_2",
        reason="Decay of the second moment.",
        default="0.999",
        only=Only("optimizer", ("adam",)),
        tunable=Tunable("continuous", "1e-6", "0.999"),
    ),
    _int("checkpoint_frequency", reason="Epochs from one saved model to the next; at most epochs."),
    _flag("early_stopping", reason="Stop before the last epoch.", choices=("True", "False"), default="False"),
    _int("early_stopping_min_epochs", reason="Epochs before it may.", default="10", only=_STOPPING),
    _int("early_stopping_patience", reason="Epochs without gain.", default="5", only=_STOPPING),
    _share("early_stopping_tolerance", reason="What counts as gain.", default="0.0", only=_STOPPING),
    _int("epochs", reason="Passes over the training data.", default="30"),
    _share(
        "eps",
        reason="Keeps a division from one by nothing.",
        default="1e-8",
        only=Only("optimizer", ("adam", "rmsprop")),
        tunable=Tunable("continuous", "1e-8", "1.0"),
    ),
    _share(
        "gamma",
        reason="Decay of the squared gradient.",
        default="0.9",
        only=Only("optimizer", ("rmsprop",)),
        tunable=Tunable("continuous", "1e-8", "0.999"),
    ),
    Hyperparameter(
        "image_shape",
        "text",
        "Channels, height and width of what the network sees.",
        _PAGE,
        default="3,224,224",
        pattern=r"[1-9]\d{0,4}, ?[1-9]\d{0,4}, ?[1-9]\d{0,4}",
        form="channels,height,width such as 3,224,224",
    ),
    _choice(
        "kv_store",
        reason="How several machines share weights.",
        choices=("dist_sync", "dist_async"),
    ),
    _share(
        "learning_rate",
        reason="How far a step goes at first.",
        default="0.1",
        tunable=Tunable("continuous", "1e-6", "0.5"),
    ),
    _share(
        "lr_scheduler_factor",
        reason="What the rate is multiplied by at each step.",
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
        tunable=Tunable("integer", "8", "512"),
    ),
    _share(
        "momentum",
        reason="How much of the last step goes on.",
        default="0.9",
        only=Only("optimizer", ("sgd", "nag")),
        tunable=Tunable("continuous", "0.0", "0.999"),
    ),
    _flag("multi_label", reason="A picture may be of several classes."),
    _choice(
        "num_layers",
        reason="Depth of the ResNet; the second five are for small pictures.",
        choices=("18", "34", "50", "101", "152", "200", "20", "32", "44", "56", "110"),
        default="152",
    ),
    _choice(
        "optimizer",
        reason="How a step is found.",
        choices=("sgd", "adam", "rmsprop", "nag"),
        default="sgd",
        tunable=Tunable("categorical", choices=("sgd", "adam", "rmsprop", "nag")),
    ),
    _choice("precision_dtype", reason="Of the weights.", choices=("float32", "float16"), default="float32"),
    _int("resize", reason="Pixels of the shorter side before the crop; at least image_shape's."),
    _int("top_k", reason="Also report how often the class is among so many.", low=2),
    _flag("use_pretrained_model", reason="Begin with weights from ImageNet."),
    _flag("use_weighted_loss", reason="Rare classes count for more; only where multi_label=1."),
    _share(
        "weight_decay",
        reason="Pulls weights towards nothing.",
        default="0.0001",
        only=Only("optimizer", ("sgd", "nag")),
        tunable=Tunable("continuous", "0.0", "0.999"),
    ),
)

ALGORITHM = Algorithm(
    name="image-classification",
    title="Image Classification - MXNet",
    label="a class index, or a list of them",
    hyperparameters=HYPERPARAMETERS,
    inputs=(
        Input(
            "augmented-manifest",
            modes=("Pipe",),
            data_type="AugmentedManifestFile",
            channels=("train", "validation"),
            content_types=("application/x-recordio",),
            wrapper="RecordIO",
            multi_label="application/x-recordio; label-format=class-id",
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
            channels=("train", "validation", "train_lst", "validation_lst"),
            content_types=("application/x-image",),
        ),
    ),
    metrics=(Metric("validation:accuracy", "Maximize", "Of pictures; with several classes, over classes."),),
    families=("p2", "p3", "g4dn", "g5"),
    several_machines=True,
    same_as_model=("num_classes", "num_layers", "image_shape"),
    pretrained_ignored_with_model=True,
    sources=(_PAGE, _GUIDE, _TUNING),
    unconfirmed=(
        "whether newer GPU families than g5 are taken, and whether p2 can still be had",
        "how the trainer takes a line without any class (multi_label=1)",
    ),
)
