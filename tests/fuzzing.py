"""What the fuzz targets in tests/fuzz/ share: how valid inputs are broken, and what must never happen meanwhile.

`AKDG_FUZZ=20000 nice python -m pytest tests/fuzz --hypothesis-show-statistics` gives each target so many inputs, other
ones in each run. Without it, each target gets a few, always the same.
"""

import contextlib
import copy
import functools
import json
import os
import pathlib
import resource
import signal
import sys

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from akdg_tf.errors import UserError

EXAMPLES = os.environ.get("AKDG_FUZZ")
SECONDS = 20  # for one input
MEGABYTES = 1500  # by which the largest size of the process may grow
BANNED = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "pty.spawn", "ctypes.dlopen")
PATHS = ("open", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.truncate")
TOUCHED = {"os.rename": slice(2), "os.link": slice(2), "os.symlink": slice(1, 2)}  # which arguments are touched paths
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
READABLE = tuple({os.path.realpath(each) for each in (sys.prefix, sys.base_prefix, pathlib.Path(__file__).parents[1])})
READABLE += ("/proc", "/sys", "/dev/null", "/dev/urandom")  # what Python and TensorFlow read themselves


class Forbidden(BaseException):
    """What an input must never cause. It is no Exception, so that no reader catches it."""


def fuzzed(examples):
    """Settings of a target: the number of inputs in the test suite."""
    count = int(EXAMPLES) if EXAMPLES else examples
    checks = list(HealthCheck)
    return settings(
        max_examples=count, deadline=None, database=None, derandomize=not EXAMPLES, suppress_health_check=checks
    )


def one_line(function, *arguments):
    """What a reader returns; None if it refuses with one line. Any other exception is a fault."""
    try:
        return function(*arguments)
    except UserError as error:
        line = str(error)
        assert line and line.isprintable() and len(line) < 20_000, line
        return None


_watched = []  # the folder that may be used; an audit hook cannot be removed, so that it looks here


@functools.cache
def _install():
    sys.addaudithook(_audit)


def _audit(event, arguments):
    if _watched and event in BANNED:
        _watched.append(f"{event}{arguments}")
    elif _watched and event in PATHS:
        for path in arguments[TOUCHED.get(event, slice(1))]:
            if isinstance(path, str | bytes | os.PathLike) and not _allowed(event, os.fsdecode(path), arguments):
                _watched.append(f"{event}{arguments}")


def _allowed(event, path, arguments):
    if event in ("os.remove", "os.rmdir") and arguments[1] >= 0:  # in an open folder, as `shutil.rmtree` removes
        path = os.path.join(os.readlink(f"/proc/self/fd/{arguments[1]}"), path)
    full, folder = os.path.realpath(path), _watched[0]
    reads = event == "open" and not (arguments[2] or 0) & WRITING
    return any(full == each or full.startswith(f"{each}/") for each in (folder, *(READABLE if reads else ())))


@contextlib.contextmanager
def watched(folder):
    """An input that starts a program, leaves the folder, hangs, or takes a lot of memory is a fault."""
    _install()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    old = signal.signal(signal.SIGALRM, _hangs)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    _watched.append(os.path.realpath(folder))
    try:
        yield
    finally:
        found = _watched[1:]
        _watched.clear()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    if found:
        raise Forbidden(found[0])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    if grown > MEGABYTES:
        raise Forbidden(f"{grown:.0f} MB")


def _hangs(*_):
    raise Forbidden(f"nothing within {SECONDS} seconds")


@st.composite
def mutated(draw, valid, most=6):
    """The content of a valid file, broken at some places.

    Args:
        valid: a list of contents.
        most: largest number of changes.
    """
    content = bytearray(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(0, most))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        size = draw(st.integers(1, 8))
        change = draw(st.sampled_from(("flip", "number", "insert", "cut", "drop", "repeat")))
        if change == "flip" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "number":
            value = draw(st.sampled_from((0, 1, 2, 2**15, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1, 255)))
            content[at : at + size] = value.to_bytes(8, draw(st.sampled_from(("little", "big"))))[-size:]
        elif change == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=16))
        elif change == "cut":
            del content[at:]
        elif change == "drop":
            del content[at : at + draw(st.integers(1, 200))]
        else:
            content[at:at] = content[at : at + size] * draw(st.integers(1, 50))
    return bytes(content)


TEXTS = ("", "\n", "../../x", "/etc/passwd", "a|b<script>[x](y)\n# z", "\x1b[2J", "\ud800", "x" * 5000, "é", "NaN", "0")
NUMBERS = (0, 1, -1, 2**31, 2**63, -(2**70), 10**30, 0.0, -0.5, 1e308, float("inf"), float("nan"), True, False, None)
odd = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
    st.sampled_from(([], {}, [[]], {"": None}, [None], [1, "x"], {"x": {"x": {}}})).map(copy.deepcopy),
)


@st.composite
def mutated_json(draw, value, most=3):
    """Parsed JSON of which some values are of another type, missing, or added."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(0, most))):
        value = _changed(draw, value)
    return value


def _changed(draw, value):
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 9)) == 0:
        return draw(odd)
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = draw(st.sampled_from(keys))
    change = draw(st.sampled_from(("inside", "inside", "inside", "replace", "drop", "add")))
    if change == "inside":
        value[key] = _changed(draw, value[key])
    elif change == "replace":
        value[key] = draw(odd)
    elif change == "drop":
        del value[key]
    elif isinstance(value, dict):
        value[draw(st.text(max_size=8))] = draw(odd)
    else:
        value.append(draw(odd))
    return value


@st.composite
def json_files(draw, value):
    """The content of a JSON file: with values of other types, nested deeply, or broken as bytes."""
    kind = draw(st.sampled_from(("values", "values", "values", "bytes", "deep")))
    if kind == "deep":
        depth, (opening, inner, closing) = (
            draw(st.integers(1, 20_000)),
            draw(st.sampled_from((("[", "", "]"), ('{"a":', "1", "}"), ("[[1],", "2", "]")))),
        )
        return (opening * depth + inner + closing * depth).encode()
    content = json.dumps(draw(mutated_json(value))).encode()
    return draw(mutated([content])) if kind == "bytes" else content
