"""What TensorFlow's errors mean to a user, in one line."""

import re

import tensorflow as tf

_OURS = re.compile(r"\bUserError: (.*)")
_PREFIX = re.compile(r"^(?:\{\{[^}]*\}\}\s*)+")


def failure_of(error: tf.errors.OpError) -> str:
    """What failed: our own line if a data pipeline raised one, otherwise TensorFlow's first line.

    TensorFlow hands an exception of a pipeline's Python code on as the text of its own error.
    """
    ours = _OURS.search(error.message)
    if ours:
        return ours[1]
    first = next((line for line in error.message.splitlines() if line.strip()), "no further word")
    return f"TensorFlow failed ({type(error).__name__}): {_PREFIX.sub('', first)[:400]}"
