"""The codes of what only the objects themselves show, with reason, fix, severity and source."""

from typing import NamedTuple

from manifest_tools.base.problem import Severity

DENIED, NOT_INSPECTED, MISNAMED, UNUSUAL_FORMAT, ROTATED, UNUSUAL_COLOURS, SMALL, LONG_AND_THIN = (
    "MT410",
    "MT411",
    "MT412",
    "MT413",
    "MT414",
    "MT415",
    "MT416",
    "MT417",
)
IMAGE_SIZE, NO_PNG, MASK_SIZE, WRONG_CONTENT, SAME_BYTES = "MT418", "MT419", "MT420", "MT421", "MT422"
NO_SEQUENCE, FRAME_COUNT, PREFIX, MANY_FRAMES, NO_SUCH_CLASS, UNKNOWN_FRAME, NO_OBJECT_ID = (
    "MT430",
    "MT431",
    "MT432",
    "MT433",
    "MT434",
    "MT435",
    "MT436",
)


class Code(NamedTuple):
    """What a code stands for."""

    reason: str
    """What is right."""

    fix: str
    """What to do where it is not."""

    severity: Severity
    source: str
    """Where the rule is from."""


_LIMITS = "https://docs.aws.amazon.com/sagemaker/latest/dg/input-data-limits.html"
_FORMATS = "https://docs.aws.amazon.com/sagemaker/latest/dg/sms-supported-data-formats.html"
_CLASSIFIER = "https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html"
_OUTPUT = "https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html"
_VIDEO = "https://docs.aws.amazon.com/sagemaker/latest/dg/sms-video-manual-data-setup.html"
_REKOGNITION = "https://docs.aws.amazon.com/rekognition/latest/customlabels-dg/limits.html"

CODES: dict[str, Code] = {
    DENIED: Code(
        "An object can be read: it is neither forbidden nor archived",
        "Give the role s3:GetObject and s3:ListBucket on the bucket, set AWS_PROFILE to another, or restore"
        " the object from Glacier.",
        "error",
        "https://github.com/aws/amazon-sagemaker-examples/issues/2331",
    ),
    NOT_INSPECTED: Code(
        "Every object that a line names can be read",
        "Say where they lie on this disk with --images s3://bucket/prefix=FOLDER, or set AWS credentials.",
        "warning",
        "mtool's own: what was not checked may be wrong",
    ),
    MISNAMED: Code(
        "A picture's name says which format it is in",
        "Rename the object, or convert it to the format of its name; readers that go by the name fail on it.",
        "warning",
        _FORMATS,
    ),
    UNUSUAL_FORMAT: Code(
        "A picture is a JPEG or a PNG",
        "Convert it to JPEG; Ground Truth and the built-in algorithms take no other formats.",
        "warning",
        _FORMATS,
    ),
    ROTATED: Code(
        "A picture is stored upright, without an orientation flag to turn it by",
        "Turn the pixels and take the flag out, as `exiftran -a` or `mogrify -auto-orient` do: some readers"
        " turn by the flag (OpenCV, browsers), others do not (Pillow, TensorFlow), and boxes then lie askew.",
        "warning",
        "https://docs.opencv.org/4.x/d4/da8/group__imgcodecs.html (IMREAD_IGNORE_ORIENTATION)",
    ),
    UNUSUAL_COLOURS: Code(
        "A picture is RGB or grey, with 8 bits a channel",
        "Convert it to 8-bit RGB; what becomes of alpha, palettes, CMYK and 16 bits depends on the reader.",
        "warning",
        _CLASSIFIER,
    ),
    SMALL: Code(
        "A picture is no smaller than the job's image_shape",
        "Leave the picture out, or set resize so that its shorter side is enlarged first.",
        "error",
        _CLASSIFIER,
    ),
    LONG_AND_THIN: Code(
        "One side of a picture is at most 20 times the other",
        "Cut the picture into pieces; a square cut or a shrink to one leaves nothing of it.",
        "warning",
        _REKOGNITION,
    ),
    IMAGE_SIZE: Code(
        "The image_size of boxes is the size of the picture",
        "Find the picture that was labelled: this one was resized or replaced since; boxes lie askew.",
        "error",
        _OUTPUT,
    ),
    NO_PNG: Code(
        "A segmentation mask is a PNG",
        "Point the label to the PNG that the job wrote; a JPEG changes the colours that the classes have.",
        "error",
        _OUTPUT,
    ),
    MASK_SIZE: Code(
        "A segmentation mask is as large as its picture",
        "Find the picture that was labelled: this one was resized or replaced since.",
        "error",
        "https://docs.aws.amazon.com/sagemaker/latest/dg/semantic-segmentation.html",
    ),
    WRONG_CONTENT: Code(
        "An object that is no picture is what it is named and used as, and not empty",
        "Fetch or write it again; often it is the error page of a download that failed.",
        "error",
        _FORMATS,
    ),
    SAME_BYTES: Code(
        "The same bytes do not stand under two names",
        "Keep one of them: copies count twice, and shared by training and validation they flatter.",
        "warning",
        "https://docs.aws.amazon.com/rekognition/latest/customlabels-dg/md-create-manifest-file.html",
    ),
    NO_SEQUENCE: Code(
        "A sequence file and a SeqLabel.json are JSON of their form",
        "Write the file again as the guide shows it.",
        "error",
        _VIDEO,
    ),
    FRAME_COUNT: Code(
        "The number-of-frames of a sequence is how many frames it lists",
        "Correct number-of-frames, or list the frames that are missing.",
        "error",
        _VIDEO,
    ),
    PREFIX: Code(
        "The prefix of a sequence ends in a slash",
        "Add the slash: prefix and frame are joined as they stand.",
        "error",
        _VIDEO,
    ),
    MANY_FRAMES: Code(
        "A sequence has at most 2,000 frames",
        "Cut the sequence into several, a line each.",
        "warning",
        _LIMITS,
    ),
    NO_SUCH_CLASS: Code(
        "Every class-id of a SeqLabel.json is in the class-map of its line",
        "Add the class to the class-map, or correct the class-id.",
        "error",
        _OUTPUT,
    ),
    UNKNOWN_FRAME: Code(
        "The frames of a SeqLabel.json are those of the sequence file",
        "Point the label to the SeqLabel.json of this sequence.",
        "error",
        _OUTPUT,
    ),
    NO_OBJECT_ID: Code(
        "What is tracked has an object-id, once a frame",
        "Give each object one object-id of its own in all frames.",
        "error",
        _OUTPUT,
    ),
}
