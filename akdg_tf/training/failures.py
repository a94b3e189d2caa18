"""What the errors of TensorFlow and of the system mean to a user, in one line."""

import errno
import re

from tensorflow.errors import OpError

GOES_ON = "once that is mended, the same command continues from the last checkpoint"

_OURS = re.compile(r"\bUserError: (.*)")
_NODE = re.compile(
    r"\{\{.*?\}\}\s*|\s*\[Op:\w+\]|^Error in user-defined function passed to \w+ transformation[^:]*:\s*"
)


def failure_of(error: OpError) -> str:
    """What failed: our own line if a data pipeline raised one, otherwise TensorFlow's first line.

    TensorFlow hands an exception of a pipeline's Python code on as the text of its own error.
    """
    ours = _OURS.search(error.message)
    if ours:
        return ours[1]
    lines = (_NODE.sub("", line).strip() for line in error.message.splitlines())
    return f"TensorFlow failed ({type(error).__name__}): {next(filter(None, lines), 'it does not say why')[:400]}"


def is_disk_full(error: OSError) -> bool:
    """Whether the system could not write because there is no space left, or no more is allowed."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
