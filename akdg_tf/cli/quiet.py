"""Importing what needs TensorFlow, which takes seconds and talks."""

import contextlib
import importlib
import os
import sys
import types


def load(module: str) -> types.ModuleType:
    """Imports a module without the lines that TensorFlow's native libraries print meanwhile.

    `TF_CPP_MIN_LOG_LEVEL` silences TensorFlow once it is imported. In TensorFlow 2.21 it does not reach what the
    libraries print while they are loaded, so stderr leads nowhere for that time. An exception is raised as usual.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _without_stderr():
        return importlib.import_module(module)


@contextlib.contextmanager
def _without_stderr():
    try:
        number = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # there is none, or it is a stand-in without a descriptor
        yield
        return
    sys.stderr.flush()
    kept = os.dup(number)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)
