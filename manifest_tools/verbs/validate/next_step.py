"""What to type about a problem: the command that ends it where there is one, and else what explains it."""

import shlex

from manifest_tools.verbs.validate.fix import DONE

# By code, with the manifest to come; what a person has to fill in is in capitals.
COMMANDS = {
    **dict.fromkeys(DONE, "mtool validate --fix {}"),
    **dict.fromkeys(
        ("MT203", "MT505", "MT506", "MT702", "MT703"), "mtool filter --labelled {} -o labelled.manifest"
    ),
    "MT114": "mtool rewrite --lab LAB {}",
    "MT302": "mtool merge {} -o merged.manifest",
    "MT303": "mtool merge --on-conflict newest {} -o merged.manifest",
}


def next_step(code: str, manifest: str) -> str:
    """Return the command to type about a problem of a manifest.

    >>> next_step("MT104", "my file.manifest"), next_step("MT307", "a.manifest"), next_step("MT104", "-")
    ("mtool validate --fix 'my file.manifest'", 'mtool explain MT307', 'mtool explain MT104')
    """
    command = COMMANDS.get(code)
    if command is None or manifest == "-" or (code in DONE and manifest.endswith(".gz")):
        return f"mtool explain {code}"
    return command.format(shlex.quote(manifest))
