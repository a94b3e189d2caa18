"""Images that are a small function of z, so that it is known what a ready generator must draw."""

import numpy as np
import tensorflow as tf

RNG = np.random.default_rng(0)
KERNEL = (RNG.normal(size=(512, 48)) / 23).astype("float32")
CLASSES = RNG.normal(size=(1000, 48)).astype("float32")


def normal(count, dim):
    return tf.random.stateless_normal((count, dim), (0, 0))


def enlarged(values, side):
    """Maps of 4x4x3 in a row each, as images of side x side; each value becomes a square."""
    factor = side // 4
    return np.asarray(values).reshape(-1, 4, 4, 3).repeat(factor, 1).repeat(factor, 2)


def tf_enlarged(values, side):
    return tf.image.resize(tf.reshape(values, (-1, 4, 4, 3)), (side, side), "nearest")
