"""MXNet where the system lacks what it leans on, in a mount namespace where that is hidden."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest

from trainers.gluon.system_libraries import LIBRARIES

TRAINS = (
    "from trainers.gluon.mxnet_import import load_mxnet\n"
    "mxnet = load_mxnet()\n"
    "print(mxnet.nd.dot(mxnet.nd.ones((2, 3)), mxnet.nd.ones((3, 1))).asnumpy().tolist())"
)
WHERE = (
    "import ctypes, sys\n"
    "for name in sys.argv[1:]:\n"
    "    try: ctypes.CDLL(name)\n"
    "    except OSError: continue\n"
    "    print(next(line.split()[-1] for line in open('/proc/self/maps') if name in line))"
)
ANSWERS = (
    "import ctypes, sys\n"
    "from pathlib import Path\n"
    "from trainers.gluon.system_libraries import renamed\n"
    "for place, name in enumerate(('liba.so.1', 'libb.so.2')):\n"
    "    try: ctypes.CDLL(name)\n"
    "    except OSError: print('no', name)\n"
    "    ctypes.CDLL(renamed(Path(sys.argv[1 + place]), name))\n"
    "    print(Path(ctypes.CDLL(name)._name).name)"
)


def python(*words: str | Path) -> str:
    done = subprocess.run([sys.executable, "-c", *words], capture_output=True, text=True, check=True)
    return done.stdout


def packages() -> Path:
    spec = find_spec("numpy")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parents[1]


def without(hidden: Iterable[str | Path], program: str) -> subprocess.CompletedProcess[str]:
    """Run Python where these files are empty, and folders too; skip where no namespace can be made."""
    mounts = ["mount -t tmpfs none /mnt"]
    for path in hidden:
        mounts.append(f"mount --bind {'/mnt' if Path(path).is_dir() else '/dev/null'} '{path}'")
    if shutil.which("unshare") is None or in_namespace(mounts[0]).returncode:
        pytest.skip("no mount namespaces here to hide libraries in")
    return in_namespace(" && ".join([*mounts, 'exec "$@"']), sys.executable, "-c", program)


def in_namespace(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    namespace = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *words]
    return subprocess.run(namespace, capture_output=True, text=True, check=False)


def test_a_copy_answers_to_the_name_that_it_is_given() -> None:
    copies = sorted(packages().glob("scikit_learn.libs/libgomp-*")) + sorted(packages().glob("numpy.libs/*"))
    if len(copies) < 2:
        pytest.skip("these wheels bring no libraries")
    assert python(ANSWERS, copies[0], copies[-1]).splitlines() == [
        "no liba.so.1",
        "liba.so.1",
        "no libb.so.2",
        "libb.so.2",
    ]


@pytest.mark.usefixtures("mxnet")
def test_mxnet_works_without_the_libraries_of_the_system() -> None:
    done = without(python(WHERE, *LIBRARIES).split(), TRAINS)
    assert (done.stdout, done.stderr) == ("[[3.0], [3.0]]\n", "")


@pytest.mark.usefixtures("mxnet")
def test_where_nobody_has_one_it_says_what_to_install() -> None:
    hidden: list[str | Path] = [*python(WHERE, *LIBRARIES).split(), *packages().glob("scikit_learn.libs")]
    done = without(hidden, TRAINS)
    assert done.returncode != 0
    assert "MtoolError: MXNet cannot be loaded: " in done.stderr.splitlines()[-1]
    assert "libgomp.so.1: " in done.stderr.splitlines()[-1]
    assert done.stderr.endswith("; type: apt-get install libgomp1 libquadmath0\n")
