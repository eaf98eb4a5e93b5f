"""Bytes of manifests, as they are and as hypothesis draws them."""

from hypothesis import strategies as st

contents = st.lists(
    st.sampled_from(
        [b"\n", b"\r\n", b"\r", b"{}\n", b" \n", b'{"a": 1}', b"\xc3\xa9\n", b"x" * 40, b"\n\n\n"]
    ),
    max_size=12,
).map(b"".join)
LABELLED = (
    b'{"source-ref": "s3://b/%d.jpg", "k": 0, "k-metadata": {"type": "groundtruth/image-classification"}}\n'
)
MANIFEST = b"".join(LABELLED % number for number in range(3)) + b'\r\n{"source-ref": "s3://b/x.jpg"}'
REAL = {
    "empty.manifest": "an empty file",
    "not-augmented-s3prefix.manifest": "S3Prefix",
}
