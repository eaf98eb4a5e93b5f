"""Problems of what stands for a manifest name the picture: nobody has seen its lines."""

from dataclasses import dataclass, field, replace

import msgspec

from manifest_tools.base.problem import Problem
from manifest_tools.io.sources import Source


class _Ref(msgspec.Struct, rename={"ref": "source-ref"}, gc=False):
    ref: str = ""


@dataclass(slots=True)
class PictureNames:
    """The pictures of the lines of some sources, read when a problem asks for one."""

    _sources: dict[str, Source] = field(default_factory=dict)
    _refs: dict[str, list[str]] = field(default_factory=dict)

    def add(self, source: Source) -> None:
        """Remember a source whose lines were made from something else; others name their lines."""
        if source.stands_in:
            self._sources[source.name] = source

    def named(self, problem: Problem) -> Problem:
        """Return the problem with the picture as its file, where its line is one that nobody has seen."""
        source = self._sources.get(problem.file)
        if source is None or not problem.line:
            return problem
        if problem.file not in self._refs:
            self._refs[problem.file] = _refs(source)
        file, line = source.where(problem.line, self._refs[problem.file][problem.line - 1])
        return replace(problem, file=file, line=line)


def _refs(source: Source) -> list[str]:
    decoder = msgspec.json.Decoder(_Ref)
    return [one.ref for block in source.blocks() for one in decoder.decode_lines(block.read())]
