"""What the errors of TensorFlow and of the system mean to a user, in one line."""

import errno
import re

from tensorflow.errors import OpError

from akdg_tf.errors import said_in

_NODE = re.compile(
    r"\{\{.*?\}\}\s*|\s*\[Op:\w+\]|^Error in user-defined function passed to \w+ transformation[^:]*:\s*"
)


def failure_of(error: OpError) -> str:
    """What failed: our own line if Python code in a graph raised one, otherwise TensorFlow's first line."""
    ours = said_in(error.message)
    if ours:
        return ours
    lines = (_NODE.sub("", line).strip() for line in error.message.splitlines())
    return f"TensorFlow failed ({type(error).__name__}): {next(filter(None, lines), 'it does not say why')[:400]}"


def is_disk_full(error: OSError) -> bool:
    """Whether the system could not write because there is no space left, or no more is allowed."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
