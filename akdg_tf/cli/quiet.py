"""Importing modules that need TensorFlow, without the lines that it prints."""

import contextlib
import importlib
import os
import sys
import types


def load(module: str) -> types.ModuleType:
    """Imports a module without the lines that TensorFlow's native libraries print meanwhile.

    `TF_CPP_MIN_LOG_LEVEL` silences TensorFlow once it is imported. In TensorFlow 2.21 it does not affect what the
    libraries print while they are loaded, so stderr is discarded during the import. Exceptions are raised as usual.

    Args:
        module: full name of the module.

    Returns:
        The module.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _without_stderr():
        return importlib.import_module(module)


@contextlib.contextmanager
def _without_stderr():
    try:
        number = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # stderr is None, closed, or an object without a file descriptor
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
