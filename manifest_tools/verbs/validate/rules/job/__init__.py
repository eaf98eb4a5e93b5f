"""Rules of a training job: channels, hyperparameters, the request."""
