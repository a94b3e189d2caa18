"""The classifier that offline metrics are computed over."""

import keras
import numpy as np
import tensorflow as tf

from akdg_tf.models import ConvClassifier

IMAGES = tf.random.stateless_uniform((3, 8, 8, 1), (0, 0), -1.0, 1.0)


def test_it_is_built_when_made_and_gives_logits_and_features_that_come_back_with_it():
    model = ConvClassifier((8, 8, 1), classes=7, widths=(4, 6), depth=2, features=5)
    outputs = model(IMAGES)
    assert (outputs["logits"].shape, outputs["features"].shape) == ((3, 7), (3, 5))
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(IMAGES)["logits"], outputs["logits"])


def test_parameters_of_a_stage_of_two_convolutions():
    """3x3 convolutions without bias, each with scale and offset; 2x2x4 values flattened; two dense layers."""
    model = ConvClassifier((4, 4, 1), classes=3, widths=(4,), depth=2, features=5)
    weights = sum(v.numpy().size for v in model.trainable_variables)
    assert weights == (9 * 1 * 4 + 8) + (9 * 4 * 4 + 8) + (2 * 2 * 4 * 5 + 5) + (5 * 3 + 3)


def test_dropout_acts_before_the_features_and_before_the_logits_in_training_alone():
    model = ConvClassifier((8, 8, 1), widths=(4,), features=50, dropout=0.5)
    features = model(IMAGES)["features"]
    for function, x in (
        (lambda x, training=False: model(x, training=training)["features"], IMAGES),
        (model.head, features),
    ):
        np.testing.assert_array_equal(function(x), function(x))
        assert not np.array_equal(function(x, training=True), function(x, training=True))
