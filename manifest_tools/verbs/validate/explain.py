"""Which rule a code of ``validate`` is, and which codes a beginning such as MT2 selects."""

from manifest_tools.base.errors import Refused
from manifest_tools.verbs.validate.rules import RULES
from manifest_tools.verbs.validate.rules.rule import Rule


def explain(code: str) -> Rule:
    """Return the rule of a code; raises Refused for an unknown code.

    >>> explain("mt110").reason
    'A line has a source-ref or a source.'
    """
    table = {rule.code: rule for rule in RULES}
    found = table.get(code.upper())
    if found is None:
        near = [known for known in table if known[:4] == code.upper()[:4]][:3]
        advice = f"did you mean {' or '.join(near)}?" if near else "type: mtool validate --list"
        raise Refused(f"unknown code {code[:40]!r}; {advice}")
    return found


def chosen(select: tuple[str, ...], ignore: tuple[str, ...]) -> frozenset[str]:
    """Return the codes that are selected and not ignored; a beginning such as MT2 selects many.

    Raises Refused for a beginning that no code has.

    >>> sorted(chosen(("MT10",), ("MT100", "MT104", "MT105", "MT106")))
    ['MT101', 'MT102', 'MT103', 'MT107', 'MT108', 'MT109']
    """
    codes = [rule.code for rule in RULES]
    for prefix in (*select, *ignore):
        if not prefix or not any(code.startswith(prefix.upper()) for code in codes):
            raise Refused(f"no code begins with {prefix[:40]!r}; type: mtool validate --list")
    wanted = tuple(prefix.upper() for prefix in select) or ("",)
    unwanted = tuple(prefix.upper() for prefix in ignore)
    return frozenset(code for code in codes if code.startswith(wanted) and not code.startswith(unwanted))
