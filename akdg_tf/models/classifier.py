"""A small image classifier whose logits and features metrics can be computed over, where Inception is out of reach."""

from collections.abc import Sequence

import gin
import keras
from keras import layers


@gin.register
@keras.saving.register_keras_serializable(package="akdg_tf")
class ConvClassifier(keras.Model):
    """Convolutional classifier: images [n, *sample_shape] in [-1, 1] to {"logits": [n, classes], "features": [n, d]}.

    Args:
        sample_shape: (height, width, channels).
        classes: number of classes.
        widths: channels of each stage: 3x3 conv, BN, ReLU, 2x2 max-pooling.
        features: units of the last hidden layer, whose activations are the features.
        dropout: rate before the features and before the logits.
    """

    def __init__(
        self,
        sample_shape: Sequence[int] = (32, 32, 1),
        classes: int = 10,
        widths: Sequence[int] = (16, 32, 64),
        features: int = 64,
        dropout: float = 0.3,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.sample_shape, self.classes, self.widths = tuple(sample_shape), classes, tuple(widths)
        self.feature_count, self.dropout = features, dropout
        net = []
        for width in self.widths:
            conv = layers.Conv2D(width, 3, padding="same", use_bias=False)
            net += [conv, layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D()]
        net += [layers.Flatten(), layers.Dropout(dropout, seed=0), layers.Dense(features, activation="relu")]
        self.net = keras.Sequential(net)
        self.head = keras.Sequential([layers.Dropout(dropout, seed=1), layers.Dense(classes)])
        self.build((None, *self.sample_shape))

    def build(self, input_shape):
        self.net.build(input_shape)
        self.head.build((None, self.feature_count))

    def call(self, images, training=False):
        features = self.net(images, training=training)
        return {"logits": self.head(features, training=training), "features": features}

    def get_config(self):
        names = ("sample_shape", "classes", "widths", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}, "features": self.feature_count}
