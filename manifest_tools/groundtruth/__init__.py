"""What a line of a manifest means: its label attributes, classes, confidences and annotations."""
