"""A warm start: training goes on from a run, from one of its earlier steps, or from an exported generator."""

import logging
import os
import pathlib

from akdg_tf.artifacts import lineage, network, places
from akdg_tf.artifacts.checkpoints import read_group, steps_in
from akdg_tf.artifacts.result import Parent
from akdg_tf.errors import UserError
from akdg_tf.methods.trainer import GeneratorTrainer

logger = logging.getLogger(__name__)

NEEDED = ("generator", "ema_generator")


def warm_start(trainer: GeneratorTrainer, init_from: str) -> Parent:
    """Gives a trainer the state of a run, or the weights of an exported generator.

    A run gives all that fits: networks, averages, optimizers, and the step, from which training counts on. What does
    not fit begins anew, and the log says so; where a vanilla run goes on by AKDG, that is D_KD. Learning rates are
    configuration: they are never taken. An entry, or another SavedModel, gives the weights of the generator alone. The
    training then begins at step 0.

    Args:
        trainer: compiled.
        init_from: a run folder, entry or SavedModel, see `places`; "<run>@<step>" takes an earlier checkpoint.

    Returns:
        What the result tells of it.

    Raises:
        UserError: there is no such source or step, or its generator is another one than the trainer's.
    """
    name, _, step = init_from.partition("@")
    if step and not step.isdigit():
        raise UserError(f"init_from {init_from!r}: what follows the @ must be a step")
    run = places.find_run(name)
    if run is not None and steps_in(run / "checkpoints"):
        return _from_run(trainer, run, int(step) if step else None)
    folder = places.find_saved_model(name)
    if folder is None or step:
        raise UserError(f"init_from {init_from!r}: there is no such {'run' if step else 'run, entry or SavedModel'}")
    return _from_saved_model(trainer, name, folder)


def _from_run(trainer: GeneratorTrainer, run: pathlib.Path, step: int | None) -> Parent:
    folder = run / "checkpoints"
    steps = steps_in(folder)
    if step is not None and step not in steps:
        raise UserError(f"init_from: {folder} holds no checkpoint of step {step}, only of {', '.join(map(str, steps))}")
    step = steps[0] if step is None else step
    taken, anew = [], []
    optimizers = network.read_run(run)["optimizers"]
    for group, variables in trainer.state.items():
        values = read_group(folder, step, group)
        shapes = [tuple(value.shape) for value in values]
        same_class = group not in trainer.optimizer_classes or trainer.optimizer_classes[group] == optimizers.get(group)
        if same_class and shapes == [tuple(variable.shape) for variable in variables]:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
            taken.append(group)
        elif group in NEEDED:
            raise UserError(f"init_from: the generator of {run} has other layers than this experiment's")
        else:
            anew.append(group)
    logger.info("warm start from step %d of %s: took %s", step, run, ", ".join(taken))
    if anew:
        logger.info(
            "warm start: what %s does not hold, or holds in another shape, begins anew: %s", run, ", ".join(anew)
        )
    return lineage.parent("init_from", run.resolve().name, None, run, step)


def _from_saved_model(trainer: GeneratorTrainer, name: str, folder: pathlib.Path) -> Parent:
    weights = network.load_network(os.fspath(folder)).get_weights()
    shapes = [value.shape for value in trainer.generator.get_weights()]
    if [value.shape for value in weights] != shapes:
        raise UserError(f"init_from: the generator of {name!r} has other layers than this experiment's")
    for generator in (trainer.generator, trainer.ema_generator):
        generator.set_weights(weights)
    logger.info("warm start from %s: took the generator's weights; all else begins anew, at step 0", folder)
    beside = folder.parent if folder.name == "saved_model" else folder
    return lineage.parent("init_from", beside.resolve().name, None, beside)
