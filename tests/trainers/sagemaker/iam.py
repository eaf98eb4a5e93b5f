"""IAM's own reading of a policy, as far as our documents go: wildcards, variables, conditions."""

import re

from trainers.sagemaker.account.policy import Document


def statements(document: Document | None) -> list[Document]:
    assert document is not None
    return list(document["Statement"])


def actions(document: Document | None) -> set[str]:
    return {action for one in statements(document) for action in one["Action"]}


def matches(pattern: str, text: str) -> bool:
    """Say what IAM says: * and ? are wildcards, ${*} and its like the characters themselves."""
    parts = re.split(r"(\$\{[*?$]\}|[*?])", pattern)
    wild = {"*": ".*", "?": "."}
    spelt = (wild.get(part) or re.escape(part[2] if part.startswith("${") else part) for part in parts)
    return re.fullmatch("".join(spelt), text, re.DOTALL) is not None


def allows(document: Document | None, action: str, resource: str, **values: str) -> bool:
    """Say whether a policy allows an action; ``values`` are condition keys, `__` standing for a colon."""
    given = {name.replace("__", ":"): value for name, value in values.items()}
    return any(
        action in one["Action"]
        and any(matches(pattern, resource) for pattern in one["Resource"])
        and all(
            name in given and any(matches(pattern, given[name]) for pattern in _listed(patterns))
            for test in one.get("Condition", {}).values()
            for name, patterns in test.items()
        )
        for one in statements(document)
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
