"""Networks: generators, discriminators, classifiers, and the layers that they share."""

from akdg_tf.models.classifier import ConvClassifier
from akdg_tf.models.discriminators import ConvDiscriminator, MLPDiscriminator, ResNetDiscriminator
from akdg_tf.models.efficientnet import EfficientNetLite0
from akdg_tf.models.generators import DCGANGenerator, Generator, MLPGenerator, SNGANGenerator
from akdg_tf.models.layered import LayeredGenerator
from akdg_tf.models.pggan import PGGANDiscriminator, PGGANGenerator

__all__ = [
    "ConvClassifier",
    "ConvDiscriminator",
    "DCGANGenerator",
    "EfficientNetLite0",
    "Generator",
    "LayeredGenerator",
    "MLPDiscriminator",
    "MLPGenerator",
    "PGGANDiscriminator",
    "PGGANGenerator",
    "ResNetDiscriminator",
    "SNGANGenerator",
]
