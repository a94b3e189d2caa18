"""The data and the teacher of a run: noted in its folder when it begins, and compared when it goes on."""

import dataclasses
import json
import logging
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.artifacts import typed_json
from akdg_tf.artifacts.checkpoints import steps_in
from akdg_tf.artifacts.result import CALLABLE
from akdg_tf.data import Dataset
from akdg_tf.errors import UserError
from akdg_tf.files import read_small, write_json
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.sources import Teacher
from akdg_tf.training import changes
from akdg_tf.training.workdir import INPUTS, Run

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Input:
    """Something that a training reads.

    Attributes:
        what: describes it to people: "200 files of cats", or the teacher's name.
        digest: digest of all that determines it; None if it is unknown, or if its name says everything.
    """

    what: str
    digest: str | None

    def __str__(self):
        return f"{self.what!r} {(self.digest or '')[:8]}".strip()


def of_data(dataset: Dataset) -> Input:
    """A dataset as an input."""
    return Input(dataset.split, dataset.digest())


def of_teacher(teacher: Teacher) -> Input:
    """A teacher as an input. One that draws other images for the same latents may have no digest."""
    digest: str | None = teacher.digest()
    if not isinstance(teacher, FrozenGenerator):
        return Input(teacher.name or CALLABLE, digest)
    z = latents.draw(teacher.prior, 2, teacher.latent_dim, (0, latents.PROBE), tf.constant(0, tf.int64))
    if not np.array_equal(teacher(z), teacher(z)) and teacher.digest() != digest:
        digest = None
    return Input(teacher.name or CALLABLE, digest)


def check(run: Run, inputs: Mapping[str, Input]) -> None:
    """Checks that a run that has begun reads what it began with.

    A run that an older version began has noted nothing, and passes. So does one that has no checkpoint yet, and one
    that may change. The chief checks it for all workers, which `chief.check_same` compares with it.

    Args:
        run: the run.
        inputs: what it reads now, by name: "data", "teacher".

    Raises:
        UserError: something has changed, or the note is damaged.
    """
    noted = _noted(run) if run.chief and _has_begun(run) else {}
    for name, (there, here) in _changed(noted, inputs).items():
        if not run.may_change:
            raise UserError(
                f"{run.workdir}: its {name} changed since it began (there {there}, here {here}): restore what it began "
                f"with, or {run.elsewhere()}; to go on here, add --allow_config_change"
            )


def _changed(noted: Mapping[str, Input], inputs: Mapping[str, Input]) -> dict[str, tuple[Input, Input]]:
    """What a run reads that is not what it began with, by name: as it was, and as it is."""
    pairs = {name: (noted.get(name, here), here) for name, here in inputs.items()}
    return {
        name: (there, here)
        for name, (there, here) in pairs.items()
        if None not in (there.digest, here.digest) and there.digest != here.digest
    }


def hold(run: Run, inputs: Mapping[str, Input]) -> None:
    """Checks what a run reads, and notes what is not noted yet. The run must be claimed.

    What has changed is kept in `Run.changed_inputs`. `Run.go_on` notes it once the training goes on.
    """
    check(run, inputs)
    changes.recorded(run.workdir)  # what is damaged shows now, and not after the training
    begun = _has_begun(run)
    noted = _noted(run) if begun else {}
    if begun and not noted:
        logger.info("%s was begun by an older version: noting its data and teacher as they are now", run.workdir)
    run.changed_inputs[:] = [
        changes.ChangedInput(name, f"{name} {there}", f"{name} {here}", dataclasses.asdict(here))
        for name, (there, here) in _changed(noted, inputs).items()
    ]
    write_json(run.path(INPUTS), {name: dataclasses.asdict(each) for name, each in {**inputs, **noted}.items()})


def _has_begun(run: Run) -> bool:
    return bool(steps_in(run.path("checkpoints"))) or run.path("saved_model").exists()


def _noted(run: Run) -> dict[str, Input]:
    """What a run began with; {} if nothing is noted."""
    path = run.path(INPUTS)
    if not path.exists():
        return {}
    try:
        return {str(name): typed_json.build(Input, each) for name, each in json.loads(read_small(path)).items()}
    except (UserError, OSError, ValueError, AttributeError, TypeError, RecursionError):
        raise UserError(f"{path} is damaged: remove it to go on with the data and the teacher as they are") from None
