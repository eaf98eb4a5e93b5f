"""The split of the workshop's notebook, in our own words: everything in memory, shuffled, encoded again."""

import json
import random
import sys

source, train, validation = sys.argv[1:]
with open(source) as file:
    lines = [json.loads(line) for line in file.readlines()]
random.shuffle(lines)
cut = int(len(lines) * 0.8)
for name, part in ((train, lines[:cut]), (validation, lines[cut:])):
    with open(name, "w") as file:
        for line in part:
            file.write(json.dumps(line) + "\n")
