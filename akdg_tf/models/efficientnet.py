"""EfficientNet-Lite0, a classifier of ImageNet. Metrics use its logits and features.

See Tan & Le, "EfficientNet", ICML 2019. The Lite variant has ReLU6 and no squeeze-and-excitation.
"""

import keras
import tensorflow as tf
from keras import layers

_serializable = keras.saving.register_keras_serializable(package="akdg_tf")

# For each stage: factor by which a block expands its channels, output channels, blocks, first stride, kernel size.
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
STEM, FEATURES = 32, 1280


@_serializable
class EfficientNetLite0(keras.Model):
    """EfficientNet-Lite0: RGB images [n, h, w, 3] in [-1, 1] to {"logits": [n, classes], "features": [n, 1280]}.

    Images of any size are resized to a square, bilinearly and without antialiasing. The features are the mean of the
    last feature map over all its positions. There are no batch norms: this is the network with batch norms folded into
    its convolutions. The weights do not depend on `side`.

    Args:
        side: height and width that images are resized to; 224 in the original.
        classes: number of classes.
    """

    def __init__(self, side: int = 224, classes: int = 1000, **kwargs):
        super().__init__(**kwargs)
        self.side, self.classes, self.sample_shape = side, classes, (None, None, 3)
        net = [layers.Conv2D(STEM, 3, strides=2, padding="same"), _relu6()]
        for expansion, filters, blocks, stride, kernel in STAGES:
            strides = (stride, *[1] * (blocks - 1))
            net += [InvertedResidual(filters, expansion, kernel, each) for each in strides]
        net += [layers.Conv2D(FEATURES, 1), _relu6(), layers.GlobalAveragePooling2D()]
        self.net, self.head = keras.Sequential(net), layers.Dense(classes)
        self.build((None, side, side, 3))

    def build(self, input_shape):
        self.net.build((None, self.side, self.side, 3))
        self.head.build((None, FEATURES))

    def call(self, images, training=False):
        images = tf.image.resize(images, (self.side, self.side))
        features = self.net((127.5 * images + 0.5) / 128.0, training=training)  # (v - 127) / 128 of v in [0, 255]
        return {"logits": self.head(features), "features": features}

    def get_config(self):
        return {**super().get_config(), "side": self.side, "classes": self.classes}


@_serializable
class InvertedResidual(keras.layers.Layer):
    """Expansion by a 1x1 convolution, a depthwise convolution, and projection by a 1x1 convolution.

    ReLU6 follows the first two. The input is added to the output if both have the same shape. See Sandler et al.,
    "MobileNetV2", CVPR 2018.

    Args:
        filters: output channels.
        expansion: factor by which the channels are expanded; there is no expansion if it is 1.
        kernel: size of the depthwise kernel.
        stride: of the depthwise convolution.
    """

    def __init__(self, filters: int, expansion: int = 6, kernel: int = 3, stride: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.expansion, self.kernel, self.stride = filters, expansion, kernel, stride

    def build(self, input_shape):
        channels = input_shape[-1]
        expand = [layers.Conv2D(self.expansion * channels, 1), _relu6()] if self.expansion > 1 else []
        depthwise = layers.DepthwiseConv2D(self.kernel, strides=self.stride, padding="same")
        self.net = keras.Sequential([*expand, depthwise, _relu6(), layers.Conv2D(self.filters, 1)])
        self.net.build(input_shape)
        self.adds = self.stride == 1 and channels == self.filters

    def call(self, inputs, training=False):
        outputs = self.net(inputs, training=training)
        return inputs + outputs if self.adds else outputs

    def get_config(self):
        names = ("filters", "expansion", "kernel", "stride")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _relu6() -> keras.Layer:
    return layers.ReLU(max_value=6.0)
