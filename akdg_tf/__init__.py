"""Adversarial Knowledge Distillation of GAN generators (AKDG, ICPR 2020) in Keras 3 and TensorFlow."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the same names as in _MODULES, for type checkers and editors
    from akdg_tf.artifacts.litert import LiteRT
    from akdg_tf.artifacts.network import load_network
    from akdg_tf.artifacts.onnx import ONNX
    from akdg_tf.artifacts.saved_model import export
    from akdg_tf.data.registry import load_dataset, register_dataset
    from akdg_tf.methods.akdg import AKDG
    from akdg_tf.methods.augmentations import DiffAugment
    from akdg_tf.methods.gan import GAN
    from akdg_tf.methods.growth import Grow, Growth
    from akdg_tf.methods.lit import LIT
    from akdg_tf.methods.losses import HingeLoss, NonSaturatingLoss, WassersteinLoss
    from akdg_tf.methods.mse import MSEDistillation
    from akdg_tf.methods.penalties import GradientPenalty, R1Penalty
    from akdg_tf.models.discriminators import ConvDiscriminator, MLPDiscriminator, ResNetDiscriminator
    from akdg_tf.models.generators import DCGANGenerator, MLPGenerator, SNGANGenerator
    from akdg_tf.models.pggan import PGGANDiscriminator, PGGANGenerator
    from akdg_tf.teachers.chunks import FrozenChunks
    from akdg_tf.teachers.frozen import FrozenGenerator
    from akdg_tf.teachers.load import load_teacher
    from akdg_tf.zoo.load import PublishedGenerator, load

# Maps each public name to its module. A module is imported when its name is first used, so that
# `akdg_tf.load` imports no dataset, metric or plotting library, and `akdg --help` does not import TensorFlow.
_MODULES = {
    "AKDG": "methods.akdg",
    "ConvDiscriminator": "models.discriminators",
    "DCGANGenerator": "models.generators",
    "DiffAugment": "methods.augmentations",
    "FrozenChunks": "teachers.chunks",
    "FrozenGenerator": "teachers.frozen",
    "GAN": "methods.gan",
    "GradientPenalty": "methods.penalties",
    "Grow": "methods.growth",
    "Growth": "methods.growth",
    "HingeLoss": "methods.losses",
    "LIT": "methods.lit",
    "LiteRT": "artifacts.litert",
    "MLPDiscriminator": "models.discriminators",
    "MLPGenerator": "models.generators",
    "MSEDistillation": "methods.mse",
    "NonSaturatingLoss": "methods.losses",
    "ONNX": "artifacts.onnx",
    "PGGANDiscriminator": "models.pggan",
    "PGGANGenerator": "models.pggan",
    "PublishedGenerator": "zoo.load",
    "R1Penalty": "methods.penalties",
    "ResNetDiscriminator": "models.discriminators",
    "SNGANGenerator": "models.generators",
    "WassersteinLoss": "methods.losses",
    "export": "artifacts.saved_model",
    "load": "zoo.load",
    "load_dataset": "data",
    "load_network": "artifacts.network",
    "load_teacher": "teachers.load",
    "register_dataset": "data",
}

__all__ = sorted(_MODULES)


def __getattr__(name: str):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_MODULES})
