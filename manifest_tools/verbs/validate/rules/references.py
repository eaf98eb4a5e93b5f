"""Where the rules are from: the pages of AWS's documentation, of other specifications, and of reports."""

_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
_REKOGNITION = "https://docs.aws.amazon.com/rekognition/latest/customlabels-dg/"
_API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/"

# Ground Truth's manifests.
INPUT = f"{_GUIDE}sms-input-data-input-manifest.html"
OUTPUT = f"{_GUIDE}sms-data-output.html"
LIMITS = f"{_GUIDE}input-data-limits.html"
REUSE = f"{_GUIDE}sms-reusing-data.html"
VERIFY = f"{_GUIDE}sms-verification-data.html"
VIDEO = f"{_GUIDE}sms-video-manual-data-setup.html"
CREATE_LABELING_JOB = f"{_API}API_CreateLabelingJob.html"

# S3, JSON.
BUCKETS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
KEYS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"
JSON = "https://www.rfc-editor.org/rfc/rfc8259"
JSON_LINES = "https://jsonlines.org"

# Training jobs, and what goes on from a model.
AUGMENTED_MANIFEST = f"{_GUIDE}augmented-manifest.html"
IMAGE_CLASSIFICATION = f"{_GUIDE}image-classification.html"
SEMANTIC_SEGMENTATION = f"{_GUIDE}semantic-segmentation.html"
HYPERPARAMETERS = f"{_GUIDE}IC-Hyperparameter.html"
TUNING = f"{_GUIDE}IC-tuning.html"
INCREMENTAL_TRAINING = f"{_GUIDE}incremental-training.html"
SPOT = f"{_GUIDE}model-managed-spot-training.html"
CREATE_TRAINING_JOB = f"{_API}API_CreateTrainingJob.html"
TRANSFORM_SOURCE = f"{_API}API_TransformS3DataSource.html"

# Rekognition Custom Labels.
REKOGNITION_LINES = f"{_REKOGNITION}tm-debugging-json-line-errors.html"
REKOGNITION_RULES = f"{_REKOGNITION}md-create-manifest-file-validation-rules.html"

# Reports of failures; a rule adds the number.
SAGEMAKER_ISSUES = "https://github.com/aws/amazon-sagemaker-examples/issues/"
GUIDE_ISSUES = "https://github.com/awsdocs/amazon-sagemaker-developer-guide/issues/"
GUIDE_PULLS = "https://github.com/awsdocs/amazon-sagemaker-developer-guide/pull/"
SAGEMAKER_PULLS = "https://github.com/aws/amazon-sagemaker-examples/pull/"
MXNET_ISSUES = "https://github.com/apache/mxnet/issues/"

# What this tool asks for itself, because every one of its words needs it.
OURS = "ARCHITECTURE.md of mtool"
