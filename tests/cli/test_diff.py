import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from shutil import which
from string import punctuation
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.cli.shared.markdown import OwnWords, code, table
from manifest_tools.cli.shared.screen import clean
from tests.conftest import REPOSITORY
from tests.ground_truth import line, write

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

Run = Callable[..., "Result"]

HOSTILE = "RH|\x1b[31m`<img src=x onerror=alert(1)>` @everyone\n# |\\|[x](http://x)"


@pytest.fixture
def pair(in_folder: Path) -> Path:
    """A folder with two manifests that differ in every way."""
    old = [line(at, at % 2, 0.5) for at in range(6)]
    new = [line(5, 1, 0.9), line(0, 1, 0.5), *old[1:4], line("new")]
    write(in_folder / "old.manifest", *old)
    write(in_folder / "new.manifest", *new)
    return in_folder


REPORT = """\
              lines
old.manifest      6
new.manifest      6
the same          3
changed           2
moved             1
added             1
gone              1

added
  new.manifest:6  s3://raw/new.jpg

gone
  old.manifest:5  s3://raw/4.jpg

moved
  old.manifest:6  new.manifest:1  s3://raw/5.jpg

label attribute kind of type image-classification

kind classes
  index  class  old  new
      0  RH       3    2
      1  LH       3    4

kind label flips
  from  to  labels
  RH    LH       1

kind confidence changes
  confidence of  rose  fell  mean change  median change
  all               1     0          0.4            0.4
  LH                1     0          0.4            0.4

kind lines with another label
  old.manifest:1  new.manifest:2  s3://raw/0.jpg  RH -> LH

kind lines with other confidences
  old.manifest:6  new.manifest:1  s3://raw/5.jpg  LH 0.5 -> 0.9
"""


def test_the_report_says_what_differs_and_where(pair: Path, run: Run) -> None:
    done = run("diff", "old.manifest", "new.manifest")
    assert done.exit_code == 1
    assert done.stderr == ""
    assert done.stdout == REPORT


def test_max_lines_limits_the_lines_and_not_the_counts(pair: Path, run: Run) -> None:
    write(pair / "new.manifest", line(0), *(line(f"new{at}") for at in range(5)))
    done = run("diff", "old.manifest", "new.manifest", "--max-lines", 2)
    assert (
        "added\n  new.manifest:2  s3://raw/new0.jpg\n  new.manifest:3  s3://raw/new1.jpg\n  and 3 more\n"
        in (done.stdout)
    )
    done = run("diff", "old.manifest", "new.manifest", "--max-lines", 0)
    assert "manifest:" not in done.stdout
    assert "added             5" in done.stdout


def test_json_is_one_object_with_everything(pair: Path, run: Run) -> None:
    done = run("diff", "old.manifest", "new.manifest", "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, done.stdout.count("\n"), found["differs"]) == (1, 1, True)
    assert found["attributes"][0]["flips"] == [{"old": "RH", "new": "LH", "count": 1}]
    assert found["samples"]["gone"] == [{"old": 5, "new": 0, "source": "s3://raw/4.jpg", "what": ""}]
    assert run("diff", "old.manifest", "new.manifest", "--json", "-j", 1).stdout == done.stdout


SAME = [
    pytest.param(lambda data: data, "no difference: the files have the same bytes\n", id="the same bytes"),
    pytest.param(
        lambda data: data.replace(b"\n", b"\r\n"),
        "no difference in meaning, only in blank lines or line ends\n",
        id="other line ends",
    ),
    pytest.param(
        lambda data: data.replace(b'": ', b'":'),
        "no difference in meaning; 6 of 6 lines are written differently "
        "(spacing, order of keys, or spelling of numbers)\n",
        id="other spacing",
    ),
]


@pytest.mark.parametrize(("change", "message"), SAME)
def test_manifests_that_mean_the_same_end_with_exit_code_0(
    pair: Path, run: Run, change: Callable[[bytes], bytes], message: str
) -> None:
    (pair / "new.manifest").write_bytes(change((pair / "old.manifest").read_bytes()))
    done = run("diff", "old.manifest", "new.manifest")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", message)
    assert run("diff", "old.manifest", "new.manifest", "-q").stderr == ""
    output = run("diff", "old.manifest", "new.manifest", "--markdown")
    assert (output.exit_code, output.stderr) == (0, "")
    assert f"\n\n{message.strip().capitalize()}.\n" in output.stdout
    assert json.loads(run("diff", "old.manifest", "new.manifest", "--json").stdout)["differs"] is False


def test_markdown_has_tables_and_lists(pair: Path, run: Run) -> None:
    done = run("diff", "old.manifest", "new.manifest", "--markdown")
    assert done.exit_code == 1
    assert done.stdout.startswith("### `old.manifest` → `new.manifest`\n\n|  | lines |\n| --- | ---: |\n")
    assert "| from | to | labels |\n| --- | --- | ---: |\n| `RH` | `LH` | 1 |\n" in done.stdout
    assert "- `old.manifest:1` `new.manifest:2` `s3://raw/0.jpg` `RH -> LH`\n" in done.stdout


def test_hostile_names_are_text_in_markdown_and_on_the_terminal(in_folder: Path, run: Run) -> None:
    name = f"a{HOSTILE}"
    write(in_folder / "old.manifest", line(HOSTILE, 0, 0.5), line(2))
    write(in_folder / "new.manifest", line(HOSTILE, 0, 0.5, class_name=HOSTILE, **{name: 1}), line(2))
    output = run("diff", "old.manifest", "new.manifest")
    assert "\x1b" not in output.stdout
    assert "\\x1b[31m" in output.stdout
    done = run("diff", "old.manifest", "new.manifest", "--markdown")
    assert [sign for sign in ("\x1b", "<img", "@everyone", "](", "\n# ") if sign in done.stdout] == []
    for lines in done.stdout.split("\n\n"):
        if lines.startswith("|"):
            assert len({row.count("|") for row in lines.strip().split("\n")}) == 1
    assert "\x1b" not in run("diff", "--textconv", "new.manifest").stdout


@given(st.text(min_size=1, max_size=50) | st.text("|\\`<>&@#*_ a", min_size=1))
def test_a_text_as_code_says_the_same_and_is_nothing_else(text: str) -> None:
    output = code(text)
    if output.startswith("<code>"):
        inner = output.removeprefix("<code>").removesuffix("</code>")
        assert unescape(inner) == clean(text)
        assert not set(inner.replace("&#", "").replace(";", "")) & set(punctuation)
    else:
        assert output == f"`{clean(text)}`"
        assert not set(output[1:-1]) & set("|\\`\n")


def test_a_cell_of_a_table_ends_where_it_should() -> None:
    output = table([(HOSTILE, OwnWords("own"), 1)], ("a", "b", "c")).splitlines()[2]
    assert output.count("|") == 4
    assert "<" not in output.replace("<code>", "").replace("</code>", "")
    assert code("  ") == "<code>  </code>"
    assert len(code("x" * 10**6)) < 300


REFUSED = [
    pytest.param(
        ["old.manifest"], "expected two manifests, found one; type: mtool diff OLD NEW", id="one manifest"
    ),
    pytest.param(["old.manifest"] * 3, "Got unexpected extra argument", id="three"),
    pytest.param(
        ["--textconv", "old.manifest", "new.manifest"],
        "expected one manifest with --textconv, found two",
        id="two as text",
    ),
    pytest.param(
        ["old.manifest", "new.manifest", "--json", "--markdown"],
        "--json and --markdown are two forms of output",
        id="two forms",
    ),
    pytest.param(["-", "-"], "standard input can be read only once", id="standard input twice"),
    pytest.param(
        ["old.manifest", "no.manifest"], "no.manifest: expected a manifest, found no such", id="none"
    ),
    pytest.param(
        ["old.manifest", "new.manifest", "--label-attribute", "sort"],
        "neither old.manifest nor new.manifest has the label attribute 'sort'",
        id="an attribute that neither has",
    ),
    pytest.param(
        ["--textconv", "old.manifest", "--label-attribute", "kind"],
        "--textconv shows every label",
        id="an attribute as text",
    ),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_a_wrong_call_ends_with_exit_code_2(pair: Path, run: Run, words: list[str], message: str) -> None:
    done = run("diff", *words)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"mtool: {message}")
    assert done.stderr.count("\n") == 1
    assert not done.stdout or "error" in json.loads(done.stdout)


def test_standard_input_gzip_and_s3_are_manifests_too(pair: Path, run: Run, s3: "S3Client") -> None:
    import gzip

    old, new = (pair / "old.manifest").read_bytes(), (pair / "new.manifest").read_bytes()
    Path("new.manifest.gz").write_bytes(gzip.compress(new))
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="new.manifest", Body=new)
    expected = json.loads(run("diff", "old.manifest", "new.manifest", "--json").stdout)
    for name in ("new.manifest.gz", "s3://data/new.manifest"):
        assert json.loads(run("diff", "old.manifest", name, "--json").stdout) == expected | {"new": name}
    piped = json.loads(run("diff", "-", "new.manifest", "--json", input=old).stdout)
    assert piped == expected | {"old": "standard input"}


def test_a_note_says_how_many_lines_are_no_json(pair: Path, run: Run) -> None:
    write(pair / "new.manifest", line(1), b"{")
    message = run("diff", "old.manifest", "new.manifest").stderr
    assert (
        message
        == "new.manifest: 1 line is not a JSON object with a source-ref or source; compared by bytes\n"
    )
    assert run("diff", "old.manifest", "new.manifest", "-q").stderr == ""


@pytest.fixture
def git(in_folder: Path) -> Callable[..., str]:
    """Return git, in a repository of its own that shows manifests through mtool."""
    if which("git") is None:
        pytest.skip("there is no git here")
    environment = os.environ | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONPATH": str(REPOSITORY),
    }

    def call(*words: str, **more: Any) -> str:
        typed = ["git", "-c", "user.name=n", "-c", "user.email=e@example.com", *words]
        done = subprocess.run(typed, env=environment, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    call("init", "-q")
    command = f"{shlex.quote(sys.executable)} -m manifest_tools diff --textconv"
    call("config", "diff.manifest.textconv", command)
    Path(".gitattributes").write_text("*.manifest diff=manifest\n")
    return call


def test_git_diff_shows_labels_and_not_bytes(git: Callable[..., str], in_folder: Path) -> None:
    write(in_folder / "a.manifest", line(1, 0, 0.5), line(2, 1, 0.5), b"{broken")
    git("add", ".")
    git("commit", "-qm", "one")
    write(in_folder / "a.manifest", line(1, 1, 0.5).replace(b": ", b":"), line(2, 1, 0.5), b"{mended")
    output = [row for row in git("diff", "--no-color").splitlines() if row[:1] in "+- "]
    assert output[2:] == [
        "-s3://raw/1.jpg  kind: 0 RH 0.5",
        "+s3://raw/1.jpg  kind: 1 LH 0.5",
        " s3://raw/2.jpg  kind: 1 LH 0.5",
        "-{broken",
        "+{mended",
    ]


def test_git_diff_shows_nothing_where_only_the_spelling_changed(
    git: Callable[..., str], in_folder: Path
) -> None:
    write(in_folder / "a.manifest", line(1))
    write(in_folder / "empty.manifest", end=b"")
    git("add", ".")
    git("commit", "-qm", "one")
    write(in_folder / "a.manifest", line(1).replace(b": ", b":"))
    (in_folder / "empty.manifest").write_bytes(b"[\n1,\n")
    output = git("diff", "--no-color")
    assert "raw" not in output
    assert output.endswith("+[\n+1,\n")
