"""``validate --for``: what a training job would say of manifests, settings and pictures."""
