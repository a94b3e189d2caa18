"""What the errors of TensorFlow and of the system mean to a user, in one line."""

import errno
import re

from tensorflow.errors import OpError

from akdg_tf.errors import said_in

RESUMES = "the run continues from the last checkpoint"

_COLLECTIVE = "Collective ops is aborted by"  # in any error of TensorFlow after a worker was killed, or hangs
_TASK = re.compile(r"/job:(\w+)/(?:replica:\d+/)?task:(\d+)")
_NODE = re.compile(
    r"\{\{.*?\}\}\s*|\s*\[Op:\w+\]|^Error in user-defined function passed to \w+ transformation[^:]*:\s*"
)


def is_lost_worker(error: BaseException) -> bool:
    """Whether an error of this worker only says that another worker of the cluster has stopped."""
    return isinstance(error, OpError) and _COLLECTIVE in error.message


def failure_of(error: OpError) -> str:
    """What failed: our own line if Python code in a graph raised one, otherwise TensorFlow's first line."""
    if is_lost_worker(error):
        task = _TASK.search(_NODE.sub("", error.message).partition(_COLLECTIVE)[2])
        who = f"{task[1]} {task[2]}" if task else "another worker"
        return f"{who} of the cluster has stopped, and its log says why: start all workers again"
    ours = said_in(error.message)
    if ours:
        return ours
    lines = (_NODE.sub("", line).strip() for line in error.message.splitlines())
    return f"TensorFlow failed ({type(error).__name__}): {next(filter(None, lines), 'it does not say why')[:400]}"


def is_disk_full(error: OSError) -> bool:
    """Whether the system could not write because there is no space left, or no more is allowed."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
