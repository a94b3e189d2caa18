"""A generator experiment from end to end: what the gin file binds, and the stages that `run.py` runs."""

import functools
import logging
import pathlib
from collections.abc import Callable, Sequence

import gin
import keras
import numpy as np
import tensorflow as tf

from akdg_tf import data
from akdg_tf.artifacts import measure as results
from akdg_tf.artifacts.litert import LITERT_WEIGHTS, litert_model
from akdg_tf.artifacts.saved_model import detached_copy, export_generator
from akdg_tf.data.images import shifted_and_flipped
from akdg_tf.errors import UserError
from akdg_tf.files import write_bytes
from akdg_tf.latents import latent_dim_of, sample, sample_frozen, sample_frozen_batches
from akdg_tf.methods.trainer import GeneratorTrainer
from akdg_tf.metrics import Evaluation
from akdg_tf.reporting import pictures
from akdg_tf.teachers.bank import TeacherBank, make_bank
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.load import load_teacher
from akdg_tf.training import devices, tensorboard
from akdg_tf.training.loop import fit_to_the_end, restore_finished
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)

SMOKE_SAMPLES = 500
TEACHER_SOURCES = ("online", "bank")
BANKS, BANK_SEED = pathlib.Path("runs", "banks"), 0  # one bank of a size serves the runs of all seeds
PICTURE_SAMPLES = {3: 64, 1: 2000}  # rank of a sample to how many a picture shows


class GeneratorExperiment:
    """Trains, exports and evaluates one generator; made under the strategy's scope.

    Args:
        run: folder, name, seed.
        generator: the generator to train.
        method: makes the trainer of the generator: GAN, AKDG or MSEDistillation, its other parts bound by gin.
        dataset: name of a registered dataset.
        flip: mirrors half of the real images that are trained on, left to right.
        evaluation: scores the exported generator; see `metrics`.
        teacher: loads the teacher that the method learns from, and that is shown and scored beside the student; None
            where the experiment makes a teacher.
        teacher_source: "online", the teacher draws inside the training step, or "bank", its images are made once.
        bank_images: size of the bank.
        generator_optimizer: of the generator.
        discriminator_optimizer: copied for each discriminator; by default as the generator's.
        steps: generator steps.
        batch_size: images a discriminator step, over all replicas.
        report_every: steps between two log lines and checkpoints; divides `steps`.
        pictures_every: log intervals between two pictures, and two sets of histograms, in TensorBoard.
        steps_per_execution: steps run between two returns to Python, on one replica; divides `report_every`.
        profile_steps: (first, last) of the steps that are profiled for TensorBoard, both included, 1 the first of all.
        litert_weights: how `model.tflite`, which a student is exported as too, stores its weights: "float32", or
            "float16", half as big, whose images differ from the SavedModel's by less than a gray level.
        cpu_budget: the gin file that scales the experiment down, named where there is no accelerator.
    """

    def __init__(
        self,
        run: Run,
        generator: keras.Model = gin.REQUIRED,
        method: Callable[..., GeneratorTrainer] = gin.REQUIRED,
        dataset: str = gin.REQUIRED,
        flip: bool = False,
        evaluation: Evaluation = gin.REQUIRED,
        teacher: Callable[[], FrozenGenerator] | None = None,
        teacher_source: str = "online",
        bank_images: int = 50_000,
        generator_optimizer: keras.optimizers.Optimizer | None = None,
        discriminator_optimizer: keras.optimizers.Optimizer | None = None,
        steps: int = gin.REQUIRED,
        batch_size: int = 64,
        report_every: int = 100,
        pictures_every: int = 5,
        steps_per_execution: int = 1,
        profile_steps: tuple[int, int] | None = None,
        litert_weights: str = "float32",
        cpu_budget: str | None = None,
    ):
        schedule = Schedule(steps, batch_size, report_every, pictures_every, steps_per_execution, profile_steps)
        self.schedule = schedule.smoke() if run.smoke else schedule
        if run.smoke:
            evaluation.samples = min(evaluation.samples, SMOKE_SAMPLES)
            bank_images = min(bank_images, SMOKE_SAMPLES)
        if teacher_source not in TEACHER_SOURCES or litert_weights not in LITERT_WEIGHTS:
            choices = (
                f"teacher_source one of {', '.join(TEACHER_SOURCES)}, litert_weights of {', '.join(LITERT_WEIGHTS)}"
            )
            raise UserError(f"teacher_source {teacher_source!r}, litert_weights {litert_weights!r}: must be {choices}")
        self.strategy = tf.distribute.get_strategy()
        self.run, self.generator, self.method, self.evaluation = run, generator, method, evaluation
        self.dataset_name, self.flip = data.check_name(dataset), flip
        self.make_teacher, self.teacher_source, self.bank_images = teacher, teacher_source, bank_images
        self.optimizers = (generator_optimizer, discriminator_optimizer)
        self.steps, self.batch_size, self.cpu_budget = self.schedule.steps, batch_size, cpu_budget
        self.litert_weights = litert_weights

    @functools.cached_property
    def trainer(self) -> GeneratorTrainer:
        """The compiled trainer."""
        given = {"teacher": self._method_teacher()} if self.method.uses_teacher else {}
        with self.strategy.scope():
            trainer = self.method(self.generator, seed=self.run.seed, **given)
            trainer.compile(*self.optimizers, self.schedule.steps_per_execution)
        return trainer

    def _method_teacher(self) -> FrozenGenerator | TeacherBank:
        """What the method draws the teacher's images from."""
        if self.teacher is None:
            raise UserError(f"{self.method.__name__} learns from a teacher: bind GeneratorExperiment.teacher")
        if self.teacher_source == "online":
            return self.teacher
        return make_bank(self.teacher, self.bank_images, BANK_SEED, BANKS)

    @functools.cached_property
    def dataset(self) -> data.Dataset:
        """The real samples."""
        return data.load_dataset(self.dataset_name, self.run.data_dir, self._sample_shape)

    @property
    def _sample_shape(self) -> tuple[int, ...]:
        """Shape of a sample of the generator."""
        return tuple(self.generator(tf.zeros((1, latent_dim_of(self.generator)))).shape[1:])

    @functools.cached_property
    def teacher(self) -> FrozenGenerator | None:
        """The teacher to compare with; None where the experiment makes one."""
        with self.strategy.scope():
            return self.make_teacher and self.make_teacher()

    def prepare_data(self, evaluating: bool) -> None:
        """Loads the data and what they are scored with, so that their lack shows before a teacher is trained.

        Args:
            evaluating: the evaluation is wanted too.

        Raises:
            UserError: there are no data, they do not have the generator's shape, or the evaluation does not fit them.
        """
        self._check_shape("data", self.dataset.sample_shape)
        if self.flip and len(self._sample_shape) != 3:
            raise UserError("GeneratorExperiment.flip mirrors images: these samples are none")
        if evaluating:
            self.evaluation.prepare(self.dataset)

    def prepare(self) -> None:
        """Builds all else that the configuration binds, so that what does not fit shows before any work is done.

        Raises:
            UserError: the teacher's samples do not have the generator's shape, or a part does not build.
        """
        if self.teacher:
            self._check_shape("teacher", self.teacher(tf.zeros((1, self.teacher.latent_dim))).shape[1:])
        _ = self.trainer

    def _check_shape(self, whose: str, shape: Sequence[int]) -> None:
        if tuple(shape) != self._sample_shape:
            shapes = {whose: tuple(shape), "generator": self._sample_shape}
            raise UserError(f"samples differ in shape: {shapes}")

    def describe(self, teacher: dict | None = None) -> dict[str, dict | None]:
        """Costs of teacher and student.

        Args:
            teacher: the cost of a teacher that is not there yet.
        """
        if teacher is None and self.teacher:
            teacher = self.teacher.describe()
        student = FrozenGenerator(self.generator, latent_dim_of(self.generator), module=self.generator)
        return {"teacher": teacher, "student": student.describe()}

    def train(self) -> None:
        """Trains to `steps`, from the last checkpoint if there is one."""
        fit_to_the_end(
            *(self.trainer, self._batch, self.run, self.schedule, self.shown_tensors),
            draw=self.picture,
            cpu_budget=self.cpu_budget,
        )

    def _batch(self, step: tf.Tensor) -> tf.Tensor:
        """Real samples of a step; what is done to them follows from (seed, step) too."""
        samples = self.dataset.batch(step, self.batch_size * self.trainer.d_steps, self.run.seed)
        return shifted_and_flipped(samples, 0, self.run.seed, step) if self.flip else samples

    def shown_tensors(self, step: int) -> dict[str, tf.Tensor | keras.Variable]:
        """What TensorBoard shows histograms of after `step`: every weight, and the latents that the step was fed."""
        fed = tf.constant(step * self.trainer.d_steps - 1, tf.int64)  # the generator's step is on the last images
        drawn = self.trainer.latents_by_network(self.batch_size, fed)
        latents = {f"latents/{who}": z for who, z in drawn.items()}
        return tensorboard.weights_by_tag(self.trainer.networks) | latents

    def picture(self, show_reals: bool = True) -> np.ndarray:
        """Real samples, the teacher's and the averaged generator's, from fixed latents, side by side.

        Args:
            show_reals: shows real samples too; `samples.png` does not, for it may be published where they may not.
        """
        count = PICTURE_SAMPLES[len(self._sample_shape)]
        panels = {f"real ({self.dataset.name})": self.dataset.reals(count, seed=0)} if show_reals else {}
        if self.teacher:
            panels["teacher"] = sample_frozen(self.teacher, count, self.run.seed)
        generator = functools.partial(self.trainer.ema_generator, training=False)
        panels[self.run.experiment + " (SMOKE)" * self.run.smoke] = sample(
            generator, "normal", self.trainer.latent_dim, count, self.run.seed
        )
        return pictures.side_by_side(panels)

    def export(self) -> None:
        """Writes the averaged generator of the last checkpoint as `saved_model/`, a student as `model.tflite` too."""
        restore_finished(self.trainer, self.steps, self.run)
        output_range = (0, 1) if len(self._sample_shape) == 3 else (-1, 1)
        generator = detached_copy(self.trainer.ema_generator)
        export_generator(generator, self.run.path("saved_model"), output_range, self.run.smoke)
        if self.teacher:
            write_bytes(self.run.path("model.tflite"), litert_model(generator, output_range, self.litert_weights))
        pictures.save_png(self.picture(show_reals=False), self.run.path("samples.png"))
        logger.info("exported %s", self.run.path("saved_model"))

    def evaluate(self) -> dict:
        """Measures the exported student, and the teacher beside it.

        Returns:
            What `result.json` holds: costs, speed, file size and metrics; `metrics` are the student's.
        """
        folder = self.run.path("saved_model")
        if not folder.exists():
            self.export()
        generators = {"teacher": self.teacher, "student": load_teacher(str(folder))}
        generators = {name: generator for name, generator in generators.items() if generator}
        count = self.evaluation.samples
        logger.info("scoring %d samples each of %s", count, " and ".join(generators))
        fakes = {name: sample_frozen_batches(generator, count, self.run.seed) for name, generator in generators.items()}
        scores = self.evaluation(fakes, self.dataset, self.run.seed)
        sides = {name: results.measure(generator, scores[name]) for name, generator in generators.items()}
        return {
            "experiment": self.run.experiment,
            "network": type(self.generator).__name__,
            "method": self.method.__name__,
            "teacher_name": self.teacher.name if self.teacher else None,
            "dataset": f"{self.dataset.name}, {self.dataset.split}",
            "seed": self.run.seed,
            "machine": devices.machine(),
            "gin_files": self.run.gin_files,
            "command": self.run.command(),
            "steps": self.steps,
            "smoke": self.run.smoke,
            "teacher": sides.get("teacher"),
            "student": sides["student"],
            "metrics": scores["student"],
        }
