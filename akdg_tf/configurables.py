"""Everything that gin files can bind, registered in one place.

The classes and functions do not depend on these registrations, so the Python API works without gin files. A gin file
can be parsed only after this module is imported.
"""

import gin
import keras

from akdg_tf.artifacts.litert import LiteRT
from akdg_tf.artifacts.network import load_network
from akdg_tf.artifacts.onnx import ONNX
from akdg_tf.compression.channels import PruneChannels
from akdg_tf.compression.factorization import Factorize
from akdg_tf.compression.fake_quant import FakeQuantize
from akdg_tf.compression.stages import compressed
from akdg_tf.compression.weights import PruneWeights
from akdg_tf.data.choice import Data
from akdg_tf.methods.akdg import AKDG
from akdg_tf.methods.augmentations import DiffAugment
from akdg_tf.methods.gan import GAN
from akdg_tf.methods.growth import Growth
from akdg_tf.methods.lit import LIT
from akdg_tf.methods.losses import HingeLoss, NonSaturatingLoss, WassersteinLoss
from akdg_tf.methods.mse import MSEDistillation
from akdg_tf.methods.optimizers import Optimizers
from akdg_tf.methods.penalties import GradientPenalty, R1Penalty
from akdg_tf.metrics.classifiers import load_classifier, load_inception
from akdg_tf.metrics.density import DensityRanking
from akdg_tf.metrics.modes import PointScores
from akdg_tf.metrics.scores import ImageScores
from akdg_tf.models.classifier import ConvClassifier
from akdg_tf.models.discriminators import ConvDiscriminator, MLPDiscriminator, ResNetDiscriminator
from akdg_tf.models.generators import DCGANGenerator, MLPGenerator, SNGANGenerator
from akdg_tf.models.pggan import PGGANDiscriminator, PGGANGenerator
from akdg_tf.teachers.bank import BankedTeacher
from akdg_tf.teachers.chunks import ChunkedTeacher
from akdg_tf.teachers.load import load_teacher
from akdg_tf.teachers.selection import SelectedBank
from akdg_tf.teachers.sources import OnlineTeacher
from akdg_tf.training.classification import ClassifierExperiment
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.make import make_experiment
from akdg_tf.training.schedule import Schedule

EXPERIMENTS = (make_experiment, GeneratorExperiment, ClassifierExperiment, Data, Schedule, Growth, Optimizers)
GENERATORS = (MLPGenerator, DCGANGenerator, SNGANGenerator, PGGANGenerator)
DISCRIMINATORS = (MLPDiscriminator, ConvDiscriminator, ResNetDiscriminator, PGGANDiscriminator)
CLASSIFIERS = (ConvClassifier,)
LOSSES = (NonSaturatingLoss, HingeLoss, WassersteinLoss, R1Penalty, GradientPenalty, DiffAugment)
TEACHERS = (load_teacher, OnlineTeacher, ChunkedTeacher, BankedTeacher, SelectedBank, DensityRanking)
NETWORKS = (load_network, compressed)
COMPRESSIONS = (PruneChannels, PruneWeights, Factorize, FakeQuantize)
EXPORTS = (LiteRT, ONNX)
EVALUATIONS = (ImageScores, PointScores, load_classifier, load_inception)
OPTIMIZERS = (keras.optimizers.Adam, keras.optimizers.AdamW, keras.optimizers.RMSprop)
LEARNING_RATES = (keras.optimizers.schedules.CosineDecay, keras.optimizers.schedules.PolynomialDecay)

# Arguments that the experiment itself gives to a method. A gin file cannot bind them.
METHODS = {
    GAN: ("generator", "seed"),
    AKDG: ("generator", "teacher", "seed"),
    MSEDistillation: ("generator", "teacher", "seed"),
    LIT: ("generator", "teacher", "seed"),
}

NETWORK_PARTS = (*GENERATORS, *DISCRIMINATORS, *CLASSIFIERS, *LOSSES)
OURS = (*EXPERIMENTS, *NETWORK_PARTS, *TEACHERS, *NETWORKS, *COMPRESSIONS, *EXPORTS, *EVALUATIONS)

for _configurable in OURS:
    gin.external_configurable(_configurable)
for _method, _given in METHODS.items():
    gin.external_configurable(_method, denylist=list(_given))
for _optimizer in OPTIMIZERS:
    gin.external_configurable(_optimizer, module="keras.optimizers")
for _learning_rate in LEARNING_RATES:
    gin.external_configurable(_learning_rate, module="keras.optimizers.schedules")
