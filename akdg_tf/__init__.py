"""Adversarial Knowledge Distillation of GAN generators (AKDG, ICPR 2020) in Keras 3 and TensorFlow."""

import os
import sys

if sys.argv[:1] == [
    "-m"
]:  # so while Python looks for one of our commands: TensorFlow, not yet imported, is quiet there
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from akdg_tf.data import load_dataset, register_dataset
from akdg_tf.losses import HingeLoss, NonSaturatingLoss, R1Penalty
from akdg_tf.methods import AKDG, GAN, MSEDistillation
from akdg_tf.models import (
    ConvDiscriminator,
    DCGANGenerator,
    MLPDiscriminator,
    MLPGenerator,
    ResNetDiscriminator,
    SNGANGenerator,
)
from akdg_tf.teachers import Teacher, load_teacher
from akdg_tf.zoo.load import PublishedGenerator, load

__all__ = [
    "AKDG",
    "GAN",
    "ConvDiscriminator",
    "DCGANGenerator",
    "HingeLoss",
    "MLPDiscriminator",
    "MLPGenerator",
    "MSEDistillation",
    "NonSaturatingLoss",
    "PublishedGenerator",
    "R1Penalty",
    "ResNetDiscriminator",
    "SNGANGenerator",
    "Teacher",
    "load",
    "load_dataset",
    "load_teacher",
    "register_dataset",
]
