"""Calling a generator once, to look at what it gives, and saying why it cannot be called."""

import os
import re
import traceback
from collections.abc import Callable
from typing import Any

import tensorflow as tf

REASON_LENGTH = 200
NEEDS_ONEDNN = "; oneDNN knows it: set the environment variable TF_ENABLE_ONEDNN_OPTS=1 before Python starts"
NO_REASON = ("Graph execution error", "Detected at node", "File ", "<stack traces", "[[")  # lines that say only where


def called_once(function: Callable[[tf.Tensor], Any], z: tf.Tensor) -> Any:
    """The outputs of a function for some latents.

    A SavedModel that was loaded under a strategy runs only within a replica. So the function is called in each replica,
    and the outputs of the first one are returned.

    Args:
        function: maps latents to any structure of tensors.
        z: float32 [n, latent_dim].
    """
    strategy = tf.distribute.get_strategy()
    if not (tf.distribute.has_strategy() and tf.distribute.in_cross_replica_context()):
        return function(z)
    outputs = tf.function(lambda: strategy.run(function, (z,)))()
    return tf.nest.map_structure(lambda each: strategy.experimental_local_results(each)[0], outputs)


def raised(error: BaseException) -> str:
    """What Python code of the user's raised: the class with the text; without a text, with the place."""
    text = " ".join(str(error).split())[:REASON_LENGTH]
    if text:
        return f"{type(error).__name__}: {text}"
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def reason_of(error: Exception) -> str:
    """The reason in the message of an error of TensorFlow, in one line, without the places in graph and code."""
    lines = (line.strip() for line in str(error).splitlines())
    text = " ".join(" ".join(line.split()) for line in lines if line and not line.startswith(NO_REASON))
    remedy = NEEDS_ONEDNN if re.search(r"only support.* NHWC", text) else ""
    return (text or type(error).__name__)[:REASON_LENGTH] + remedy
