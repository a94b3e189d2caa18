"""A warm start: training starts from a run, from one of its earlier steps, or from an exported generator."""

import logging
import os
import pathlib

from akdg_tf import places
from akdg_tf.artifacts import lineage, network
from akdg_tf.artifacts.checkpoints import read_group, steps_in
from akdg_tf.artifacts.result import Parent
from akdg_tf.errors import UserError
from akdg_tf.methods.trainer import GeneratorTrainer

logger = logging.getLogger(__name__)

NEEDED = ("generator", "ema_generator")


def warm_start(trainer: GeneratorTrainer, init_from: str) -> Parent:
    """Gives a trainer the state of a run, or the weights of an exported generator.

    From a run, everything that fits is taken: networks, averages, optimizers and the step, from which training counts
    on. Everything else starts from scratch, and the log names it. For example, D_KD does when a vanilla run is
    continued by AKDG. Learning rates are configuration and are never taken. From a zoo entry or another SavedModel,
    only the weights of the generator are taken, and training starts at step 0.

    Args:
        trainer: compiled.
        init_from: run folder, zoo entry or SavedModel, see `places`; "<run>@<step>" names an earlier checkpoint.

    Returns:
        The source, for the result.

    Raises:
        UserError: there is no such source or step, or its generator has different layers than the trainer's.
    """
    name, _, step = init_from.partition("@")
    if step and not (step.isascii() and step.isdigit()):
        raise UserError(f"init_from {init_from!r}: write the number of a step after the @")
    run = places.find_run(name)
    if run is not None and steps_in(run / "checkpoints"):
        return _from_run(trainer, run, int(step) if step else None)
    folder = places.find_saved_model(name)
    if folder is None or step:
        kinds = "run" if step else "run, zoo entry or SavedModel"
        raise UserError(f"init_from {init_from!r}: there is no such {kinds}; give its folder")
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
            raise UserError(f"init_from: bind the generator of {run}; this experiment's has different layers")
        else:
            anew.append(group)
    logger.info("warm start from step %d of %s: took %s", step, run, ", ".join(taken))
    if anew:
        logger.info("warm start: not in %s, or of another shape, so started from scratch: %s", run, ", ".join(anew))
    return lineage.parent("init_from", run.resolve().name, None, run, step)


def _from_saved_model(trainer: GeneratorTrainer, name: str, folder: pathlib.Path) -> Parent:
    weights = network.load_network(os.fspath(folder)).get_weights()
    shapes = [value.shape for value in trainer.generator.get_weights()]
    if [value.shape for value in weights] != shapes:
        raise UserError(f"init_from: bind the generator of {name!r}; this experiment's has different layers")
    for generator in (trainer.generator, trainer.ema_generator):
        generator.set_weights(weights)
    logger.info("warm start from %s: took the generator's weights; all else starts from scratch, at step 0", folder)
    beside = places.home_of(folder)
    return lineage.parent("init_from", beside.resolve().name, None, beside)
