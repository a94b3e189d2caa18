"""What a generator learns from: real samples, a teacher, and the teacher's images."""

import functools
from collections.abc import Callable, Sequence
from typing import cast

import keras
import tensorflow as tf

from akdg_tf import data
from akdg_tf.data import teacher as teacher_data
from akdg_tf.data.absent import NoImages
from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError
from akdg_tf.latents import sample_shape_of
from akdg_tf.methods.trainer import Method
from akdg_tf.metrics.evaluation import Evaluation
from akdg_tf.teachers.selection import SelectedBank
from akdg_tf.teachers.sources import ImageSource, Teacher, TeacherSource, fitting
from akdg_tf.training import chief, inputs
from akdg_tf.training.workdir import Run

SMOKE_SAMPLES = 500


class Materials:
    """What a generator experiment learns from, and is compared with. Each part is loaded when it is first used.

    It must be made under the strategy's scope.

    Args:
        run: where the data are, and whether it is a smoke run.
        generator: the generator to train.
        method: what trains it.
        data: the real samples.
        evaluations: all that score the generator.
        make_teacher: loads the teacher; None if there is none.
        teacher_source: what the method draws from.
    """

    def __init__(
        self,
        run: Run,
        generator: keras.Model,
        method: Method,
        data: Data,
        evaluations: Sequence[Evaluation],
        make_teacher: Callable[[], Teacher] | None,
        teacher_source: TeacherSource,
    ):
        self.strategy = tf.distribute.get_strategy()
        self.run, self.generator, self.method, self.data = run, generator, method, data
        self.evaluations, self.make_teacher, self.teacher_source = evaluations, make_teacher, teacher_source

    @functools.cached_property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample of the generator, the teacher and the data."""
        return sample_shape_of(self.generator)

    @functools.cached_property
    def teacher(self) -> Teacher | None:
        """The teacher, None if the experiment trains one."""
        with self.strategy.scope():
            return self.make_teacher and self.make_teacher()

    def of_method(self) -> dict[str, ImageSource]:
        """What the method takes beside the generator: its "teacher", if it has one.

        Raises:
            UserError: the teacher's images are not what the method needs.
        """
        role = self.method.teacher_role
        return {"teacher": fitting(self._teacher_images(), role, self.method.__name__)} if role else {}

    @functools.cache  # noqa: B019  (it lives as long as its process)
    def _teacher_images(self) -> ImageSource:
        """The source of the teacher's images."""
        teacher = self.teacher  # all workers load it together
        with chief.first(self.strategy):  # which makes the bank
            return self.teacher_source.open(teacher, self.run.smoke, self._reals)

    def _reals(self) -> data.ImageDataset:
        """The real images that the teacher's are selected by.

        Raises:
            UserError: the experiment has none.
        """
        missing = "the teacher's images are to be selected by real ones"
        if self.from_teacher:
            raise UserError(f"{missing}, but Data.name is 'teacher': bind a dataset, or @BankedTeacher()")
        if isinstance(self.dataset, NoImages):
            raise UserError(f"{missing}, but nothing else reads these: bind an evaluation, or @BankedTeacher()")
        return cast(data.ImageDataset, self.dataset)

    @property
    def from_teacher(self) -> bool:
        """Whether the teacher's images take the place of real ones."""
        return self.data.name == teacher_data.NAME

    @functools.cached_property
    def dataset(self) -> data.Dataset:
        """The real samples; in their place the teacher's, if `Data.name` is 'teacher'; none if nothing reads them."""
        if not (self.method.uses_real_images or self.evaluations):
            return NoImages(self.sample_shape)
        if self.from_teacher:
            return self._teacher_data()
        return data.load_dataset(self.data.name, self.run.data_dir, self.sample_shape, **self.data.options)

    def _teacher_data(self) -> teacher_data.TeacherData:
        """The teacher's images as a dataset, as many as the largest evaluation needs.

        Raises:
            UserError: there is no teacher.
        """
        if self.teacher is None:
            raise UserError("Data.name='teacher' takes the teacher's images: bind GeneratorExperiment.teacher")
        samples = max((each.samples for each in self.evaluations), default=SMOKE_SAMPLES)
        return teacher_data.TeacherData(self.teacher, self._teacher_images(), samples)

    def inputs(self) -> dict[str, inputs.Input]:
        """What the training reads: the data, the teacher, and what selects the teacher's images."""
        found = {} if isinstance(self.dataset, NoImages) else {"data": inputs.of_data(self.dataset)}
        if self.method.teacher_role and self.teacher:
            found["teacher"] = inputs.of_teacher(self.teacher)
            if isinstance(self.teacher_source, SelectedBank):
                ranking = self.teacher_source.ranking
                found["selection"] = inputs.Input(type(ranking).__name__, ranking.digest(self._reals()))
        return found

    def check_teacher(self) -> None:
        """Checks that the teacher's samples are of the generator's shape.

        Raises:
            UserError: they are not.
        """
        if self.teacher:
            self._check_shape("teacher", self.teacher.sample_shape)

    def check_data(self, classes: int) -> None:
        """Checks that the data fit the generator and the bindings of `Data`.

        Args:
            classes: number of classes whose labels the method reads beside the images.

        Raises:
            UserError: they do not.
        """
        self._check_shape("data", self.dataset.sample_shape)
        self.data.check(self.dataset, classes)

    def _check_shape(self, whose: str, shape: Sequence[int]) -> None:
        if tuple(shape) != self.sample_shape:
            shapes = {whose: tuple(shape), "generator": self.sample_shape}
            raise UserError(f"samples differ in shape: {shapes}; bind a generator, data and teacher of one shape")
