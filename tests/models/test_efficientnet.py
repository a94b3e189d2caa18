"""EfficientNet-Lite0, held against its published counts; images of any size are resized."""

import keras
import numpy as np
import tensorflow as tf

from akdg_tf.compat import layers_of
from akdg_tf.models import EfficientNetLite0
from akdg_tf.models.counting import count_cost
from akdg_tf.models.efficientnet import InvertedResidual

PARAMS = 4_652_008  # published
KINDS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)


def test_it_has_the_published_number_of_weights():
    """With one scale more for each channel of a convolution: those of the batch norms, which are folded."""
    model = EfficientNetLite0(64)
    *convolutions, head = [layer for layer in layers_of(model) if isinstance(layer, KINDS)]
    scales = sum(layer.bias.shape[0] for layer in convolutions)
    cost = count_cost(model, (8, 8, 3), model.variables, model.trainable_variables)
    assert isinstance(head, keras.layers.Dense)
    assert cost.params + scales == PARAMS
    assert cost.layers == 50 == len(convolutions) + 1


def test_it_comes_back_from_its_configuration_and_takes_images_of_any_size():
    model = EfficientNetLite0(32, classes=7)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    copy.set_weights(model.get_weights())
    for shape in ((2, 32, 32, 3), (2, 40, 17, 3)):
        images = tf.random.stateless_uniform(shape, (0, 0), -1.0, 1.0)
        outputs = model(images)
        assert (outputs["logits"].shape, outputs["features"].shape) == ((2, 7), (2, 1280))
        np.testing.assert_array_equal(copy(images)["logits"], outputs["logits"])
        resized = model(tf.image.resize(images, (32, 32)))
        np.testing.assert_allclose(resized["features"], outputs["features"], atol=1e-5)


def test_a_block_adds_its_input_where_the_shapes_are_the_same():
    images = tf.ones((1, 4, 4, 5))
    for filters, stride, adds in ((5, 1, True), (6, 1, False), (5, 2, False)):
        block = InvertedResidual(filters, expansion=2, kernel=3, stride=stride)
        shape = block(images).shape
        assert shape == (1, 4 // stride, 4 // stride, filters)
        block.set_weights([np.zeros_like(value) for value in block.get_weights()])
        np.testing.assert_array_equal(block(images), images if adds else np.zeros(shape))
