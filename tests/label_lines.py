"""Lines of every task type without a mistake, but for the requested changes; GONE removes a field."""

from typing import Any

from manifest_tools.groundtruth.record import METADATA

SIZE = {"width": 640, "height": 480, "depth": 3}
BOX = {"class_id": 0, "left": 10, "top": 20, "width": 100, "height": 50}
CUBOID = {"class-id": 0, "center-x": 0.1, "center-y": 2, "center-z": 0, "length": 4, "width": 2, "height": 2}
ADA = {"label": "Person", "startOffset": 0, "endOffset": 3}
COLOURS = {
    "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0},
    "1": {"class-name": "road", "hex-color": "#2ca02c", "confidence": 0.5},
}
CONFIDENCE = {"confidence": 0.9}
GONE: Any = object()


def line(kind: str, label: Any, source: str = "s3://lab3-rawdata/1.JPG", **fields: Any) -> dict[str, Any]:
    """Return a line whose label attribute is called x, or x-ref where it is a URI."""
    name = "x-ref" if isinstance(label, str) and label.startswith("s3://") else "x"
    metadata = {key.replace("__", "-"): value for key, value in fields.items() if value is not GONE}
    common = {"type": f"groundtruth/{kind}", "human-annotated": "yes", "job-name": "labeling-job/x"}
    return {"source-ref": source, name: label, name + METADATA: {**common, **metadata}}


def boxes(*found: Any, size: Any = (SIZE,), objects: Any = None, named: Any = None) -> dict[str, Any]:
    """Return a line with boxes; each of ``found`` is laid over a usual one, GONE takes a field out."""
    parts = [_over(BOX, one) if isinstance(one, dict) else one for one in found]
    label = {"image_size": list(size) if isinstance(size, tuple) else size, "annotations": parts}
    confidences = [CONFIDENCE] * len(found) if objects is None else objects
    return line("object-detection", label, objects=confidences, class__map=named or {"0": "bolt"})


def cuboids(*found: Any, **fields: Any) -> dict[str, Any]:
    label = {"annotations": [_over(CUBOID, one) for one in found]}
    usual = {"objects": [], "class_map": {"0": "Car"}}
    return line("point_cloud_object_detection", label, "s3://lab3-rawdata/1.txt", **usual | fields)


def entities(*found: Any, text: Any = "Ada was born in London", **fields: Any) -> dict[str, Any]:
    spans = {"labels": [{"label": "Person"}], "entities": [_over(ADA, one) for one in found]}
    usual = {"entities": [CONFIDENCE] * len(found)}
    value = line("text-span", {"annotations": spans}, **usual | fields)
    del value["source-ref"]
    return {"source": text, **value}


def mask(key: str = "0.png", colours: Any = COLOURS, **road: Any) -> dict[str, Any]:
    fields = {name.replace("_", "-"): value for name, value in road.items()}
    if isinstance(colours, dict) and road:
        colours = {**colours, "1": _over(COLOURS["1"], fields)}
    return line("semantic-segmentation", f"s3://lab3-out/{key}", **{"internal-color-map": colours})


def cloud(key: str = "1.zlib", colours: Any = COLOURS) -> dict[str, Any]:
    kind = "point_cloud_single_frame_semantic_segmentation"
    return line(kind, f"s3://lab3-out/{key}", "s3://lab3-rawdata/1.bin", **{"color-map": colours})


def frames(source: str = "seq0.json", key: str = "SeqLabel.json", named: Any = None) -> dict[str, Any]:
    label, ref = f"s3://lab3-out/0/{key}", f"s3://lab3-rawdata/{source}"
    return line("video-object-tracking", label, ref, class__map={"0": "car"} if named is None else named)


def verified(**fields: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"class__name": "bad", "confidence": 0.9}
    return line("label-verification", "1", **usual | fields)


def _over(usual: dict[str, Any], changes: Any) -> Any:
    if not isinstance(changes, dict):
        return changes
    return {key: value for key, value in {**usual, **changes}.items() if value is not GONE}


# What no rule has anything to say of.
GOOD = {
    "boxes": boxes({}, {"class_id": "0"}),
    "no box at all": boxes(named={}),
    "boxes that touch the edges": boxes({"left": 0, "top": 0, "width": 640, "height": 480}),
    "a box half a pixel off": boxes({"left": -0.5, "top": 430.5}),
    "a box in fractions": boxes({"left": 164.60000000000002, "height": 1.5, "width": 0.9}),
    "a size without depth": boxes({}, size=({"width": 640, "height": 480},)),
    "a mask": mask(),
    "a mask in capitals": mask("0.PNG", hex_color="#2CA02C"),
    "a mask of a URI with a query's sign": mask("a?b.png"),
    "a mask without confidence": mask(confidence=GONE),
    "points": cloud(),
    "entities": entities({}, {"startOffset": 16, "endOffset": 22}),
    "no entity": entities(),
    "an entity at the end of a text with a pictogram, as a browser counts": entities(
        {"startOffset": 0, "endOffset": 5}, text="Ada\U0001f529"
    ),
    "entities without confidences": entities({}, entities=GONE),
    "entities of a text that is elsewhere": entities({"endOffset": 10**6}, text=None)
    | {"source-ref": "s3://b/t"},
    "cuboids": cuboids({}, {"yaw": -1.5, "roll": None}),
    "cuboids with their confidences": cuboids({}, objects=[CONFIDENCE]),
    "cuboids with a class-map": cuboids({}, class_map=GONE, class__map={"0": "Car"}),
    "frames": frames(),
    "frames of an adjustment": frames(key="annotations/SEQLABEL.JSON"),
    "a verification": verified(),
    "a verification with comments": verified(worker__feedback=[{"comment": "too wide"}, {"comment": ""}]),
    "a name in another script": boxes({}, named={"0": "\u5de6 \u270b\ufe0f \u0645\u06cc\u200c"}),
}
