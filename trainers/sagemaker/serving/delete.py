"""All that an endpoint consists of, found and deleted: itself, and what was made for it."""

from dataclasses import dataclass
from typing import Any

from manifest_tools.base.errors import MtoolError
from trainers.sagemaker.client import tags
from trainers.sagemaker.client.calls import Call, of_sagemaker
from trainers.sagemaker.client.client import Denied, NotThere, region, send
from trainers.sagemaker.requests import resources
from trainers.sagemaker.serving import api_gateway
from trainers.sagemaker.serving.deploy import CHANGING


@dataclass(frozen=True, slots=True)
class EndpointPart:
    """One thing that an endpoint consists of."""

    kind: str
    """A kind of ``resources.KINDS``, or API."""

    key: str
    """Its name; of an API its ID."""

    kept: str = ""
    """Why it is not deleted; empty where it is."""

    @property
    def title(self) -> str:
        """What a person calls it."""
        return f"{'API' if self.kind == API else resources.KINDS[self.kind].title} {self.key}"

    @property
    def deletion(self) -> Call:
        """The call that deletes it."""
        if self.kind == API:
            return api_gateway.deletion(self.key)
        return of_sagemaker(resources.delete(self.kind, self.key))


API = "api"


@dataclass(frozen=True, slots=True)
class EndpointParts:
    """An endpoint with all that it consists of."""

    name: str
    """The name of the endpoint."""

    parts: tuple[EndpointPart, ...]
    """The parts, in the order in which they are deleted."""

    state: str = ""
    """The state of the endpoint; empty where it is gone."""

    reminder: str = ""
    """The time of ``deploy --remind-after``; or empty."""

    notes: tuple[str, ...] = ()
    """What could not be looked at."""

    region: str = ""
    """Where all of it is."""

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that delete it, in order."""
        return tuple(part.deletion for part in self.parts if not part.kept)

    @property
    def changing(self) -> bool:
        """Whether the endpoint is on its way to another state, and cannot be deleted yet."""
        return self.state in CHANGING


def find_parts(name: str, *, everything: bool = False) -> EndpointParts:
    """Return what ``mtool delete NAME`` deletes; raises NotThere where there is nothing of the name.

    A configuration or a model that mtool did not make for this endpoint may serve others as well: it is
    kept, unless ``everything`` is asked for.
    """
    finder = _PartFinder()
    endpoint = describe_or_none("endpoint", name)
    known = finder.tags(endpoint["EndpointArn"]) if endpoint else {}
    config_name = endpoint["EndpointConfigName"] if endpoint else name
    config = finder.described("endpoint-config", config_name)
    variants = config["ProductionVariants"] if config else ()
    models = list(dict.fromkeys(one["ModelName"] for one in variants if "ModelName" in one)) or [name]
    parts = finder.apis(name) if endpoint is None or tags.API in known else []
    parts += [EndpointPart("endpoint", name)] if endpoint else []
    parts += finder.others("endpoint-config", [config_name], name, everything)
    parts += finder.others("model", models, name, everything)
    if not parts:
        raise NotThere(
            f"{name}: there is no endpoint of that name in {region()}, and nothing that one has left;"
            " type: mtool jobs --kind endpoint, or check AWS_REGION"
        )
    state = endpoint["EndpointStatus"] if endpoint else ""
    return EndpointParts(
        name,
        tuple(parts),
        state,
        known.get(tags.REMIND_AFTER, ""),
        tuple(dict.fromkeys(finder.notes)),
        region(),
    )


def describe_or_none(kind: str, name: str) -> dict[str, Any] | None:
    """Return the description of a thing; None where there is none."""
    try:
        return send(resources.describe(kind, name))
    except NotThere:
        return None


class _PartFinder:
    """Finds what an endpoint consists of; a part that may not be looked at stays, with a note."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def described(self, kind: str, name: str) -> dict[str, Any] | None:
        try:
            return describe_or_none(kind, name)
        except Denied as error:
            self.notes.append(
                f"{resources.KINDS[kind].title} {name}: may not be looked at, so it stays: {error}"
            )
            return None

    def tags(self, arn: str) -> dict[str, str]:
        try:
            return tags.read_tags(arn)
        except Denied as error:
            self.notes.append(f"what its parts were made for may not be looked at, so they stay: {error}")
            return {}

    def others(self, kind: str, names: list[str], endpoint: str, everything: bool) -> list[EndpointPart]:
        """Return configurations or models of the endpoint; those that were not made for it are kept."""
        found = []
        for name in names:
            if (description := self.described(kind, name)) is None:
                continue
            ours = (
                everything or self.tags(description[resources.KINDS[kind].arn]).get(tags.MADE_FOR) == endpoint
            )
            found.append(
                EndpointPart(kind, name, "" if ours else "not made by mtool deploy for this endpoint")
            )
        return found

    def apis(self, name: str) -> list[EndpointPart]:
        try:
            return [EndpointPart(API, one) for one in api_gateway.find(name)]
        except Denied as error:
            self.notes.append(f"whether there is an API in front of it may not be looked at: {error}")
            return []


def delete(part: EndpointPart) -> bool:
    """Delete it, and return whether it was there; raises what ``client.send`` raises."""
    try:
        part.deletion.send()
    except NotThere:
        return False
    return True


class PartsLeft(MtoolError):
    """Parts of an endpoint that could not be deleted."""

    def __init__(self, name: str, left: list[str]) -> None:
        super().__init__(f"{name}: could not be deleted: {'; '.join(left)}; type the same command again")
        self.left = tuple(left)
