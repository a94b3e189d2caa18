"""Decides an experiment of one's own from its teacher and its data; see `akdg init`."""

import dataclasses
import inspect
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from akdg_tf.artifacts import latency
from akdg_tf.data import check_name, load_dataset
from akdg_tf.data import teacher as teacher_data
from akdg_tf.errors import UserError
from akdg_tf.models import sizing
from akdg_tf.models.sizing import Budget, Student
from akdg_tf.places import expanded, find_saved_model
from akdg_tf.teachers.images import TeacherImages
from akdg_tf.teachers.load import is_there, load_teacher
from akdg_tf.teachers.sources import Teacher
from akdg_tf.training import config
from akdg_tf.training.gin_files import binding_statement

logger = logging.getLogger(__name__)

SHARE = 10  # a student has at most a tenth of its teacher's mult-adds
PER_PIXEL = 5_000  # mult-adds of a student whose teacher's cost is unknown
LATENT_DIM = 128  # at most, and where the teacher's is unknown
GRAY, RGB = 1, 3  # channels
MNIST = ("mnist5k", "mnist")
MNIST_CLASSIFIER, ANY_CLASSIFIER = "mnist_classifier", "imagenet_efficientnet_lite0"

Side = tuple[int, int]  # height and width


@dataclasses.dataclass(frozen=True)
class Request:
    """What the user asks for.

    Attributes:
        teacher: see `load_teacher`.
        teacher_settings: the other arguments of `load_teacher`.
        data: a folder of images, or the name of a dataset; None if there are no real images.
        data_dir: folder of a dataset that is given by its name and reads files.
        student: one of `sizing.FAMILIES`.
        side: height and width of the images; None: the teacher's.
        budget: what the student may cost. A limit that is None is chosen.
    """

    teacher: str
    teacher_settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    data: str | None = None
    data_dir: str | None = None
    student: str = "dcgan"
    side: Side | None = None
    budget: Budget = Budget()


@dataclasses.dataclass(frozen=True)
class OwnExperiment:
    """What was decided; `own_gin` writes it.

    Attributes:
        teacher: the teacher's name, as given.
        teacher_settings: the other arguments of `load_teacher`.
        generates: whether the teacher makes images; if not, only its images are there.
        costs: what the teacher costs, see `Teacher.describe`.
        data: name of the dataset, `teacher_data.NAME` if there are no real images.
        data_dir: its folder, None if it reads none.
        student: the student.
        classifier: entry of the zoo that the scores are computed over; None if none takes these images.
    """

    teacher: str
    teacher_settings: Mapping[str, Any]
    generates: bool
    costs: Mapping[str, int | None]
    data: str
    data_dir: str | None
    student: Student
    classifier: str | None


def decide(request: Request) -> OwnExperiment:
    """Looks at the teacher and the data, and sizes the student.

    Raises:
        UserError: the teacher or the data cannot be loaded, they do not fit each other, or no student is within the
            budget.
    """
    teacher, settings = _teacher(request)
    shape = tuple(teacher.sample_shape)
    with config.explained():
        costs = teacher.describe()
    data, data_dir = _data(request, shape)
    place = expanded(request.teacher)
    if data_dir and os.path.exists(place) and os.path.samefile(data_dir, place):
        logger.warning(
            "--teacher and --data are one folder: omit --data, so that the scores name what they compare with"
        )
    budget = _budget(request.budget, costs, shape)
    latent_dim = min(costs["latent_dim"] or LATENT_DIM, LATENT_DIM)
    make = sizing.FAMILIES[request.student]
    return OwnExperiment(
        teacher=request.teacher,
        teacher_settings=settings,
        generates=not isinstance(teacher, TeacherImages),
        costs=costs,
        data=data,
        data_dir=data_dir,
        student=sizing.largest(lambda widest: make(widest, latent_dim, shape), budget, latency.milliseconds),
        classifier=_classifier(data, shape[2]),
    )


def teacher_settings(bindings: Sequence[str]) -> dict[str, Any]:
    """The arguments of `load_teacher` that bindings such as "load_teacher.latent_dim=512" give.

    Raises:
        UserError: a binding is malformed, or binds something else.
    """
    known, found = set(inspect.signature(load_teacher).parameters) - {"name"}, {}
    for text in bindings:
        statement = binding_statement(text)
        if statement.scope or statement.selector != "load_teacher" or statement.arg_name not in known:
            names = ", ".join(sorted(known))
            raise UserError(
                f"--gin_param={text}: only what the teacher does not tell is given here, load_teacher.X with X one of "
                f"{names}; edit the gin file for everything else"
            )
        found[statement.arg_name] = statement.value
    return found


def _teacher(request: Request) -> tuple[Teacher, Mapping[str, Any]]:
    """The teacher, and the settings that give it the size that is asked for."""
    name, settings, side = request.teacher, request.teacher_settings, request.side
    if not is_there(name) and config.teacher_gin_file(name):
        raise UserError(f"the teacher {name!r} is not trained yet: run akdg run --gin_file={name}")
    with config.explained():
        teacher = load_teacher(name, **settings)
        if side and side != tuple(teacher.sample_shape[:2]) and isinstance(teacher, TeacherImages):
            settings = {**settings, "sample_shape": (*side, teacher.sample_shape[2])}
            teacher = load_teacher(name, **settings)
        shape = tuple(teacher.sample_shape)
    if len(shape) != 3 or shape[2] not in (GRAY, RGB):
        raise UserError(f"the teacher's samples have the shape {shape}: they must be images, gray or RGB")
    if side and side != shape[:2]:
        raise UserError(f"the teacher makes images of {_sides(shape)}, and its student must make the same: omit --side")
    return teacher, settings


def _data(request: Request, shape: tuple[int, ...]) -> tuple[str, str | None]:
    """Name and folder of the data, which are loaded and compared with the teacher's images."""
    name, folder = _named(request.data, request.data_dir)
    if name == teacher_data.NAME:
        return name, None
    found = tuple(load_dataset(name, folder, shape).sample_shape)
    if found != shape:
        raise UserError(
            f"the images of {name!r} have the shape {found}, the teacher's {shape}: give data of the same "
            "shape, or a folder of image files, which are resized"
        )
    return name, folder


def _named(data: str | None, data_dir: str | None) -> tuple[str, str | None]:
    """Name and folder of the data."""
    if data is None:
        if data_dir:
            raise UserError("--data_dir belongs to a dataset: give its name as --data")
        return teacher_data.NAME, None
    folder = expanded(data)
    if os.path.isfile(folder):
        raise UserError(f"--data={data} is a file: give a folder of images; unpack an archive first")
    if not os.path.isdir(folder):
        try:
            return check_name(data), data_dir and expanded(data_dir)
        except UserError as error:
            raise UserError(f"--data={data} is not a folder, and not a dataset: {error}") from None
    if data_dir:
        raise UserError(f"--data={data} is a folder itself: omit --data_dir")
    return "npy" if os.path.isfile(os.path.join(folder, "images.npy")) else "folder", folder


def _budget(asked: Budget, costs: Mapping[str, int | None], shape: tuple[int, ...]) -> Budget:
    """The budget that is asked for; what is left open is a tenth of the teacher's mult-adds, and its params."""
    mult_adds, why = (costs["mult_adds"] or 0) // SHARE, f"a {SHARE}th of the teacher's mult-adds"
    if not costs["mult_adds"]:
        mult_adds, why = PER_PIXEL * shape[0] * shape[1], f"{PER_PIXEL:,} mult-adds per pixel"
        logger.info("what the teacher costs is unknown")
    if asked.mult_adds is None:
        logger.info("budget of the student: %s, %s; --max_mult_adds sets another one", why, f"{mult_adds:,}")
    params = costs["params"] if asked.params is None else asked.params
    return dataclasses.replace(
        asked, mult_adds=mult_adds if asked.mult_adds is None else asked.mult_adds, params=params
    )


def _classifier(data: str, channels: int) -> str | None:
    """The classifier for scores: that of MNIST for MNIST, for other RGB images one that takes any size."""
    if data not in MNIST and channels != RGB:
        logger.warning("no scores: none of the zoo's classifiers takes gray images other than those of MNIST")
        return None
    name = MNIST_CLASSIFIER if data in MNIST else ANY_CLASSIFIER
    if not find_saved_model(name):
        logger.warning("the scores need the zoo's %s, which is not found here: set AKDG_ZOO to the zoo", name)
    return name


def _sides(shape: Sequence[int]) -> str:
    return f"{shape[0]}x{shape[1]}"
