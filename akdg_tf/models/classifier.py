"""A small image classifier. Metrics use its logits and features where Inception is not available."""

from collections.abc import Sequence

import keras
from keras import layers


@keras.saving.register_keras_serializable(package="akdg_tf")
class ConvClassifier(keras.Model):
    """Convolutional classifier: images [n, *sample_shape] in [-1, 1] to {"logits": [n, classes], "features": [n, d]}.

    Args:
        sample_shape: (height, width, channels).
        classes: number of classes.
        widths: channels per stage: a 3x3 convolution, 2x2 max-pooling, then `depth` - 1 further 3x3 convolutions.
        depth: convolutions per stage. BN and ReLU follow each of them.
        features: units of the last hidden layer, whose activations are the features.
        dropout: dropout rate before the features and before the logits.
    """

    def __init__(
        self,
        sample_shape: Sequence[int] = (32, 32, 1),
        classes: int = 10,
        widths: Sequence[int] = (16, 32, 64),
        depth: int = 1,
        features: int = 64,
        dropout: float = 0.3,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.sample_shape, self.classes, self.widths = tuple(sample_shape), classes, tuple(widths)
        self.depth, self.feature_count, self.dropout = depth, features, dropout
        net = []
        for width in self.widths:
            net += [*_convolution(width), layers.MaxPooling2D()]
            for _ in range(depth - 1):
                net += _convolution(width)
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
        names = ("sample_shape", "classes", "widths", "depth", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}, "features": self.feature_count}


def _convolution(width: int) -> list[keras.Layer]:
    return [layers.Conv2D(width, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU()]
