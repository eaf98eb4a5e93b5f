"""The pictures of a manifest, as a list for a transform job, which reads no augmented manifests.

The form is that of ``ManifestFile`` in
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html.
"""

import json
import os
from hashlib import blake2b

from manifest_tools.base.errors import BadData, InvalidLine
from manifest_tools.io import s3
from manifest_tools.io.sinks import Published, publishing
from trainers.predicted_lines import numbered_lines, source_ref


def list_place(output: str, name: str) -> str:
    """Return where the list of a job's pictures lies: beside its answers.

    >>> list_place("s3://out/birds/", "birds-1")
    's3://out/birds-1.pictures.json'
    """
    folder = output.rstrip("/")
    bucket_only = folder.count("/") == 2
    return f"{folder if bucket_only else folder.rpartition('/')[0]}/{name}.pictures.json"


def common_prefix(manifest: str) -> str:
    """Return the S3 prefix that all pictures of a manifest have; raises BadData where there is none."""
    prefix: str | None = None
    for number, line in numbered_lines(manifest):
        if ref := source_ref(manifest, number, line):
            if not ref.startswith("s3://"):
                raise InvalidLine(manifest, number, f"expected a picture in S3, found {ref[:60]!r}")
            prefix = ref if prefix is None else os.path.commonprefix([prefix, ref])
    if prefix is None:
        raise BadData(f"{manifest}: no line names a picture")
    folder = prefix.rpartition("/")[0] + "/"
    if folder.count("/") < 3:
        raise BadData(f"{manifest}: expected pictures of one bucket, as a job asks for, found several")
    return folder


def write_list(
    manifest: str, place: str, *, force: bool = False, kms_key: str | None = None
) -> tuple[Published, ...]:
    """Write the pictures of a manifest as the JSON array that a transform job reads as ``ManifestFile``."""
    prefix = common_prefix(manifest)
    with publishing(force=force, kms_key=kms_key) as publication:
        stream = publication.open(place)
        stream.write(b"[" + json.dumps({"prefix": prefix}).encode())
        seen: set[bytes] = set()
        for number, line in numbered_lines(manifest):
            ref = source_ref(manifest, number, line)
            digest = blake2b(ref.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            if ref and digest not in seen:
                seen.add(digest)
                stream.write(b",\n" + json.dumps(ref.removeprefix(prefix)).encode())
        stream.write(b"]\n")
    return tuple(publication.published)


def prefix_of_list(uri: str) -> str:
    """Return the prefix that a list names in its first element; raises BadData for anything else."""
    head, _, _ = s3.first_bytes(uri, 8192)
    try:
        first = json.JSONDecoder().raw_decode(head.decode(errors="replace").lstrip()[1:].lstrip())[0]
        return str(first["prefix"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadData(f"{uri}: expected a list of pictures that begins with their prefix") from error
