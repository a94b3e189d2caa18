"""Small experiments of generators on the 2-D ring and on images of 8x8, and a quick evaluation."""

import keras
import numpy as np
from ring_run import SmallGAN
from support import SAMPLE_SHAPE, discriminator, made_up_score, train

import akdg_tf
from akdg_tf.data.choice import Data
from akdg_tf.metrics.modes import PointScores
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run


class SmallImageGAN(akdg_tf.GAN):
    def __init__(self, generator, seed):
        super().__init__(generator, discriminator(), seed=seed)


class SmallMSE(akdg_tf.MSEDistillation):
    """The method with the parts that gin would bind."""


class MeanScore:
    """An evaluation that is quick: the mean of the samples."""

    samples = 1000

    def limited(self, samples):
        limited = MeanScore()
        limited.samples = min(self.samples, samples)
        return limited

    def prepare(self, dataset):
        """Nothing is needed."""

    def __call__(self, fakes, dataset, seed):
        means = {name: np.concatenate(list(samples.batches)).mean() for name, samples in fakes.items()}
        return {name: {"mean": made_up_score(float(mean), n_fake=self.samples)} for name, mean in means.items()}


def points_generator(width=16):
    return akdg_tf.MLPGenerator(8, (2,), width=width, depth=1, output_activation="linear")


def on_the_ring(folder, steps, weights=0, generator=None, smoke=False, **settings):
    """An experiment on the 2-D ring; `weights` seeds those of its networks, which a warm start replaces."""
    keras.utils.set_random_seed(weights)
    generator = generator or points_generator()
    schedule = Schedule(steps, 16, report_every=4, curve_every=settings.pop("curve_every", None))
    given = {"method": SmallGAN, "data": Data("ring"), "evaluations": {"scores": PointScores(200)}, **settings}
    return GeneratorExperiment(Run(folder, folder.name, seed=3, smoke=smoke), generator, schedule=schedule, **given)


def on_images(folder, data_dir, generator, smoke=False, **settings):
    """An experiment of 4 steps on images of 8x8 in a file."""
    images = np.random.default_rng(0).integers(0, 256, (20, *SAMPLE_SHAPE), np.uint8)
    np.save(data_dir / "images.npy", images)
    run = Run(folder, folder.name, data_dir=str(data_dir), smoke=smoke)
    given = {"method": SmallImageGAN, "schedule": Schedule(4, 4, 4), "evaluations": {"scores": MeanScore()}, **settings}
    return GeneratorExperiment(run, generator, data=Data("npy"), **given)


def finish(experiment):
    """All stages in the order of `akdg run`; returns the result."""
    train(experiment)
    experiment.export()
    return experiment.evaluate()
