"""A generator experiment from end to end: its parts, which gin files bind, and its stages, which `akdg run` calls."""

import dataclasses
import functools
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import gin
import keras
import numpy as np
import tensorflow as tf

from akdg_tf import data
from akdg_tf.artifacts import exports as optional_exports
from akdg_tf.artifacts import lineage, network, quantized_file
from akdg_tf.artifacts.checkpoints import Checkpoints, steps_in
from akdg_tf.artifacts.exports import Export
from akdg_tf.artifacts.measure import measure
from akdg_tf.artifacts.result import Parent, Result, Score
from akdg_tf.artifacts.saved_model import detached_copy, export
from akdg_tf.data import teacher as teacher_data
from akdg_tf.data.absent import NoImages
from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError
from akdg_tf.files import read_small, write_json
from akdg_tf.latents import batch_size, classes_of, latent_dim_of, prior_of, sample
from akdg_tf.methods.optimizers import Optimizers
from akdg_tf.methods.trainer import GeneratorTrainer, Method
from akdg_tf.metrics.evaluation import Evaluation, score_all
from akdg_tf.models.pggan import at_full_size
from akdg_tf.reporting import pictures
from akdg_tf.shares import share
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.saved_model import load_generator
from akdg_tf.teachers.sources import OnlineTeacher, Teacher, TeacherSource
from akdg_tf.training import inputs, tensorboard
from akdg_tf.training.loop import fit_to_the_end
from akdg_tf.training.materials import SMOKE_SAMPLES, Materials
from akdg_tf.training.record import result_of
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.warm_start import warm_start
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)

WARM_START = "init_from.json"  # in the run folder: the source of a warm start


class GeneratorExperiment:
    """Trains, exports and evaluates one generator. Implements `experiment.Experiment`.

    It must be made under the strategy's scope.

    Args:
        run: folder, name, seed.
        generator: the generator to train.
        method: makes the generator's trainer: GAN, AKDG or MSEDistillation. gin binds its other parameters.
        data: the real samples.
        schedule: steps and intervals.
        optimizers: the generator's and the discriminators'.
        evaluations: score the exported generator, by name; two evaluations must not give scores of the same name. {}:
            the run has no scores. Then a method that uses no real images needs no data, and none are loaded.
        curve: evaluations of the averaged generator in memory every `Schedule.curve_every` steps, by name. Their values
            go to `curve.jsonl` and TensorBoard, not into the result.
        teacher: loads the teacher, which is scored and shown beside the student and which the method learns from; None
            if the experiment trains a teacher.
        teacher_source: what the method draws from: the teacher itself, a bank of its images, or a selection from one.
        exports: optional exports, beside the SavedModel.
        init_from: run, zoo entry or SavedModel that training starts from; "<run>@<step>" names an earlier checkpoint.
            See `warm_start`.
    """

    def __init__(
        self,
        run: Run,
        generator: keras.Model = gin.REQUIRED,
        method: Method = gin.REQUIRED,
        data: Data = gin.REQUIRED,
        schedule: Schedule = gin.REQUIRED,
        optimizers: Optimizers = Optimizers(),
        evaluations: Mapping[str, Evaluation] = gin.REQUIRED,
        curve: Mapping[str, Evaluation] = MappingProxyType({}),
        teacher: Callable[[], Teacher] | None = None,
        teacher_source: TeacherSource = OnlineTeacher(),
        exports: Sequence[Export] = (),
        init_from: str | None = None,
    ):
        self.strategy = tf.distribute.get_strategy()
        self.run, self.generator, self.method = run, generator, method
        self.schedule = schedule.smoke() if run.smoke else schedule
        self.optimizers, self.init_from = optimizers, init_from
        self.evaluations, self.curve = self._limited(evaluations), self._limited(curve)
        if bool(curve) != bool(self.schedule.curve_every):
            raise UserError("bind both GeneratorExperiment.curve and Schedule.curve_every, or neither")
        self.exports, self.export_kinds = exports, optional_exports.kinds(exports)
        scoring = [*self.evaluations.values(), *self.curve.values()]
        self.materials = Materials(run, generator, method, data, scoring, teacher, teacher_source)

    def _limited(self, evaluations: Mapping[str, Evaluation]) -> dict[str, Evaluation]:
        """The evaluations, with few samples in a smoke run."""
        smoke = self.run.smoke
        return {name: each.limited(SMOKE_SAMPLES) if smoke else each for name, each in evaluations.items()}

    @functools.cached_property
    def trainer(self) -> GeneratorTrainer:
        """The compiled trainer."""
        given = self.materials.of_method()
        with self.strategy.scope():
            trainer = self.method(self.generator, seed=self.run.seed, **given)
            optimizers, schedule = self.optimizers, self.schedule
            trainer.compile(
                optimizers.generator, optimizers.discriminator, schedule.steps_per_execution, schedule.micro_batches
            )
        return trainer

    @property
    def dataset(self) -> data.Dataset:
        """The samples that the generator learns from and is compared with; see `Materials`."""
        return self.materials.dataset

    @property
    def teacher(self) -> Teacher | None:
        """The teacher to compare with, None if the experiment trains a teacher."""
        return self.materials.teacher

    def prepare_data(self, evaluating: bool) -> None:
        """Loads the data and the evaluations; see `Experiment`. Those of a teacher wait for `prepare`."""
        if not self.materials.from_teacher:
            self._prepare_data(evaluating)

    def _prepare_data(self, evaluating: bool) -> None:
        self.materials.check_data(self._classes)
        if evaluating:
            for evaluation in self.evaluations.values():
                evaluation.prepare(self.dataset)

    def inputs(self) -> dict[str, inputs.Input]:
        """What the training reads: data, teacher, what selects its images, and what was compressed."""
        found = self.materials.inputs()
        for parent in self._sources():
            found["source"] = inputs.Input(parent.name, parent.digest)
        return found

    def _sources(self) -> list[Parent]:
        """The network that the generator was compressed from, if it was."""
        return [self.generator.made_from()] if hasattr(self.generator, "made_from") else []

    def prepare(self, training: bool) -> None:
        """Builds the trainer and its teacher, and tries what a training needs later; see `Experiment`."""
        self.materials.check_teacher()
        if self.materials.from_teacher:
            self._prepare_data(evaluating=self.run.chief)
        self.schedule.check_networks(self.trainer.networks)
        if training:
            self._check_start()
        if training and self.run.chief:
            for evaluation in self.curve.values():
                evaluation.prepare(self.dataset)
            self.exports = optional_exports.working(self.exports, detached_copy(at_full_size(self.generator)))

    def _check_start(self) -> None:
        """Starts a run that has not begun from `init_from`. What is wrong then shows before its folder is claimed."""
        if self.init_from and not steps_in(self.run.path("checkpoints")):
            self.schedule.check_start(self._warm_start(self.init_from)[1])

    def describe(self, teacher: dict | None = None) -> dict[str, dict | None]:
        """Costs of the generator and its teacher; see `Experiment`."""
        if teacher is None and self.teacher:
            teacher = self.teacher.describe()
        module = at_full_size(self.generator)
        generator = FrozenGenerator(module, latent_dim_of(module), prior_of(module), module=module)
        return {"network": generator.describe(), "teacher": teacher}

    def train(self) -> None:
        """Trains to the last step, from the last checkpoint, or from `init_from` if there is no checkpoint yet."""
        trainer = self.trainer
        if self.run.chief:
            networks = {**trainer.networks, "ema_generator": trainer.ema_generator}
            network.write_run(self.run.workdir, networks, "ema_generator", trainer.optimizer_classes)
        fit_to_the_end(
            trainer,
            self._batch,
            self.run,
            self.schedule,
            checkpoints=self._checkpoints(),
            tensors=self.shown_tensors,
            draw=self.picture,
            begin=functools.partial(self._begin, self.init_from) if self.init_from else None,
            score=self._score_in_memory if self.curve else None,
        )

    def _score_in_memory(self) -> dict[str, Score]:
        """The scores of the averaged generator as it is now."""
        model = detached_copy(self.trainer.ema_generator)  # in float32, as it is exported
        draw = functools.partial(model, training=False)
        generator = FrozenGenerator(draw, latent_dim_of(model), prior_of(model), module=model)
        return score_all(self.curve, {"network": generator}, self.dataset)["network"]

    def _checkpoints(self) -> Checkpoints:
        return Checkpoints(self.trainer.state, self.run.path("checkpoints"), self.schedule.keep_every)

    @functools.cache  # noqa: B019  (an experiment lives as long as its process)
    def _warm_start(self, init_from: str) -> tuple[Parent, int]:
        """Gives the trainer the state that `init_from` names, once.

        Returns:
            What the result records of it, and the step from which training counts on: 0 in a smoke run.
        """
        parent = warm_start(self.trainer, init_from)
        if self.run.smoke:
            self.trainer.set_step(0)
        return parent, int(self.trainer.step)

    def _begin(self, init_from: str) -> int:
        """Starts the run from `init_from` and notes it in the run folder; returns the step."""
        parent, step = self._warm_start(init_from)
        if self.run.chief:
            write_json(self.run.path(WARM_START), dataclasses.asdict(parent))
        return step

    def _batch(self, step: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        """This share's real samples of a step, with their labels if the step uses these."""
        size = self.schedule.batch_size_at(step) * self.trainer.d_steps // share()[0]
        samples, labels = self.materials.data.batch(self.dataset, step, size, self.run.seed, bool(self._classes))
        samples = self.schedule.growth.faded(samples, step) if self.schedule.growth else samples
        return samples if labels is None else (samples, labels)

    @property
    def _classes(self) -> int:
        """Number of classes whose labels the method reads beside the images."""
        return classes_of(self.generator) if self.method.uses_real_images else 0

    def shown_tensors(self, step: int) -> dict[str, tf.Tensor | keras.Variable]:
        """The tensors of TensorBoard's histograms after `step`, by tag: all weights, and the latents of the step."""
        fed = tf.constant(step * self.trainer.d_steps - 1, tf.int64)  # the generator's step uses the last latents
        size = self.schedule.batch_size_at(tf.constant(step - 1, tf.int64))
        drawn = self.trainer.latents_by_network(size, fed)
        latents = {f"latents/{who}": z for who, z in drawn.items()}
        return tensorboard.weights_by_tag(self.trainer.networks) | latents

    def picture(self, show_reals: bool = True) -> np.ndarray:
        """Samples of the data, the teacher and the averaged generator, from fixed latents, side by side.

        Args:
            show_reals: shows real samples, too. `samples.png` must not, because it may be published.

        Returns:
            uint8 [height, width, 3].
        """
        shape = self.materials.sample_shape
        count = pictures.shown(shape)
        shown = show_reals and not isinstance(self.dataset, NoImages)
        panels = {f"real ({self.dataset.name})": self.dataset.reals(count, seed=0)} if shown else {}
        if self.teacher:
            panels["teacher"] = self.teacher.samples(count, self.run.seed)
        generator = functools.partial(self.trainer.ema_generator, training=False)
        panels[self.run.experiment + " (SMOKE)" * self.run.smoke] = sample(
            generator, self.trainer.prior, self.trainer.latent_dim, count, self.run.seed, batch_size(shape)
        )
        return pictures.side_by_side(panels)

    def export(self) -> None:
        """Writes the averaged generator of the last checkpoint as `saved_model/`, and the optional exports.

        Raises:
            UserError: the training is not finished.
        """
        if self._checkpoints().restore() < self.schedule.steps:
            raise UserError(f"{self.run.workdir} holds no finished training: run --stage=train first")
        export(self.trainer, self.run.path("saved_model"), self.run.smoke)
        pictures.save_png(self.picture(show_reals=False), self.run.path("samples.png"))
        logger.info("exported %s", self.run.path("saved_model"))
        optional_exports.write_all(self.exports, detached_copy(self.trainer.ema_generator), self.run.workdir)
        self.run.note_export(self.schedule.steps, self.export_kinds)

    def evaluate(self) -> Result:
        """Measures and scores the exported generator and the teacher.

        The generator is exported first if it was not, or not with the exports that are bound now.
        """
        parents = self._parents()
        folder = self.run.path("saved_model")
        if not self.run.has_export(self.schedule.steps, self.export_kinds):
            self.export()
        saved = load_generator(folder)
        generators: dict[str, Teacher] = {"network": saved, **({"teacher": self.teacher} if self.teacher else {})}
        # The images of a callable may depend on more than its digest tells.
        kept = ("teacher",) if self.teacher and self.teacher.folder else ()
        quantized = quantized_file.quantized_generator(self.run.workdir, saved)
        comparable = generators | quantized
        if isinstance(self.dataset, teacher_data.TeacherData) and not self.dataset.compares_teacher:
            logger.info("the teacher gets no scores: there are no images of it besides those it would be compared with")
            del comparable["teacher"]
        scores = score_all(self.evaluations, comparable, self.dataset, [name for name in kept if name in comparable])
        networks = {
            name: measure(generator, scores.get(name, {}), network.class_in(generator.folder))
            for name, generator in generators.items()
        }
        return result_of(
            self.run,
            self.schedule.steps,
            self.dataset,
            kind="student" if self.teacher else "teacher",
            method=self.method.__name__,
            network=dataclasses.replace(networks["network"], name=self.run.experiment),
            teacher=networks.get("teacher"),
            parents=parents,
            unscored=not self.evaluations,
            litert=quantized_file.record(self.run.workdir, saved, quantized, scores, self.run.seed),
        )

    def _parents(self) -> tuple[Parent, ...]:
        """What the generator was made from: a network that was compressed, the teacher, the source of a warm start."""
        parents = self._sources()
        if self.teacher and (self.method.teacher_role or self.materials.from_teacher):
            parents.append(lineage.of_generator("teacher", self.teacher))
        warm = self.run.path(WARM_START)
        if warm.exists():
            try:
                parents.append(lineage.from_json(json.loads(read_small(warm))))
            except (OSError, ValueError, RecursionError):
                raise UserError(f"{warm} is damaged: without it, the result will not name this source") from None
        return tuple(parents)
