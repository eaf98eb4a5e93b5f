"""The same with pandas and scikit-learn, stratified."""

import sys

import pandas as pd
from sklearn.model_selection import train_test_split

source, attribute, train, validation = sys.argv[1:]
frame = pd.read_json(source, lines=True)
parts = train_test_split(frame, test_size=0.2, random_state=0, stratify=frame[attribute])
for name, part in zip((train, validation), parts, strict=True):
    part.to_json(name, orient="records", lines=True)
