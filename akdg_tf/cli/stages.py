"""The stages of `akdg run`, after its flags are parsed."""

import json
import logging
import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping

import gin
import keras
import tensorflow as tf
from absl import logging as absl_logging

from akdg_tf.cli.flags import FLAGS, expanded
from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.models.counting import exceeded
from akdg_tf.places import find_saved_model
from akdg_tf.reporting import tables
from akdg_tf.teachers.load import is_there
from akdg_tf.training import chief, config, inputs, tensorboard
from akdg_tf.training.devices import CLUSTER, make_strategy
from akdg_tf.training.experiment import Experiment
from akdg_tf.training.gin_files import find
from akdg_tf.training.workdir import Run

TRAINING = ("all", "train")  # stages
SMOKE_SUFFIX = "-smoke"

logger = logging.getLogger("akdg_tf.run")


def run_experiment() -> None:
    """Parses the configuration and runs the stage.

    Raises:
        UserError: the input is wrong.
    """
    absl_logging.set_verbosity(absl_logging.ERROR)  # silences TensorFlow and TF-GAN; our own lines are not affected
    logging.getLogger("akdg_tf").setLevel(logging.INFO)
    if FLAGS.stage == "config":
        config.parse(FLAGS.gin_file, FLAGS.gin_param)
        if not config.listing():
            raise UserError("the gin files do not bind an experiment: bind make_experiment.experiment")
        print(config.listing())
        return
    if FLAGS.allow_config_change and FLAGS.stage not in TRAINING:
        raise UserError(f"--allow_config_change changes a training: give it with --stage={' or '.join(TRAINING)}")
    strategy = make_strategy(FLAGS.devices)
    config.parse(FLAGS.gin_file, FLAGS.gin_param)
    run = make_run(chief.is_chief(strategy))
    logging.getLogger("akdg_tf").setLevel(logging.INFO if run.chief else logging.WARNING)
    with strategy.scope():
        experiment = config.build(run)
    if FLAGS.stage == "describe":
        costs = description(experiment, run)
        if run.chief:
            print(json.dumps(costs, indent=2))
    else:
        work(experiment, run, FLAGS.stage, strategy)


def make_run(is_chief: bool) -> Run:
    """The run that the flags and the parsed configuration define.

    Args:
        is_chief: whether this process writes the run folder.

    Raises:
        UserError: the data folder does not exist, or a home folder is unknown.
    """
    stems = [find(file).stem for file in FLAGS.gin_file]
    workdir = expanded("workdir", FLAGS.workdir or f"runs/{'-'.join(stems)}{SMOKE_SUFFIX if FLAGS.smoke else ''}")
    return Run(
        pathlib.Path(workdir),
        stems[0],
        bindings=gin.config_str(),
        gin_files=tuple(FLAGS.gin_file),
        seed=FLAGS.seed,
        smoke=FLAGS.smoke,
        data_dir=data_folder(),
        hyperparameters=config.hyperparameters(),
        gin_params=tuple(FLAGS.gin_param),
        may_change=FLAGS.allow_config_change,
        chief=is_chief,
    )


def data_folder() -> str | None:
    """The folder that `--data_dir` names, None without this flag.

    Raises:
        UserError: there is no such folder.
    """
    folder = FLAGS.data_dir and expanded("data_dir", FLAGS.data_dir)
    if folder and not os.path.isdir(folder):
        what = "is a file" if os.path.exists(folder) else "does not exist"
        raise UserError(f"--data_dir={folder} {what}: give the folder with the data")
    return folder or None


def description(experiment: Experiment, run: Run) -> dict:
    """The costs of the experiment's networks. The gin file of a missing teacher gives the teacher's costs."""
    name = config.bound_teacher()
    missing = None
    if name is not None and not is_there(name):
        missing = json.loads(run_teacher(name, "describe", capture=True))["network"]
    with config.explained():
        costs = experiment.describe(missing)
    warn_if_dearer(costs)
    return costs | ({"smoke": True} if run.smoke else {})


def warn_if_dearer(costs: Mapping[str, Mapping | None]) -> None:
    """Logs in what a student costs more than its teacher.

    Args:
        costs: what `Experiment.describe` returns.
    """
    network, teacher = costs["network"], costs["teacher"]
    more = exceeded(network, teacher) if network and teacher else []
    if more:
        logger.warning("the student has more %s than its teacher", " and more ".join(more))


def work(experiment: Experiment, run: Run, stage: str, strategy: tf.distribute.Strategy) -> None:
    """Runs a stage that uses the run's folder, after checking everything that the stage needs.

    Of several workers, all take part in the training, and only the chief in everything else.
    """
    run.check()
    with config.explained():
        experiment.prepare_data(evaluating=run.chief and stage in ("all", "evaluate"))
    with chief.first(strategy):
        provide_teacher()
    if stage == "teacher":
        return
    with config.explained():
        read = experiment.inputs()
        chief.check_same(strategy, _identity(run, read))
        inputs.check(run, read)
        experiment.prepare(training=stage in TRAINING)
        if stage in TRAINING:
            warn_if_dearer(experiment.describe())
    if run.chief:
        _work_of_chief(experiment, run, stage, read)
    elif stage in TRAINING:
        experiment.train()


def _identity(run: Run, read: Mapping[str, inputs.Input]) -> str:
    """What all workers must agree on."""
    policy = keras.config.dtype_policy().name
    return repr((run.bindings, run.seed, run.smoke, policy, {name: each.digest for name, each in read.items()}))


def _work_of_chief(experiment: Experiment, run: Run, stage: str, read: Mapping[str, inputs.Input]) -> None:
    """Runs a stage for which everything is prepared, and writes the run folder."""
    with run.claim():
        inputs.hold(run, read)  # another process may have begun the run meanwhile
        if stage in TRAINING:
            run.begin_operative_config()
            experiment.train()
        if stage in ("all", "export"):
            experiment.export()
        if stage in ("all", "evaluate"):
            evaluate(experiment, run)


def evaluate(experiment: Experiment, run: Run) -> None:
    """Evaluates, writes the result and prints its table."""
    result = experiment.evaluate()
    write_json(run.path("result.json"), result.to_json())
    run.write_configs()
    tensorboard.write_scores(run, result)
    print(tables.table(result))


def provide_teacher() -> None:
    """Trains the experiment's teacher if it is missing."""
    name = config.bound_teacher()
    if name is None or is_there(name):
        logger.info("teacher: %s", find_saved_model(name) or name if name else "not used by this experiment")
        return
    workdir = pathlib.Path("runs", name + SMOKE_SUFFIX if FLAGS.smoke else name)
    if not find_saved_model(str(workdir)):
        logger.info("teacher %s is missing: training it first, with gin/%s.gin", name, name)
        run_teacher(name, "all", workdir)
    config.bind_teacher(str(workdir))


def run_teacher(name: str, stage: str, workdir: pathlib.Path | None = None, capture: bool = False) -> str:
    """Runs a stage of the experiment that trains a teacher, in a separate process, with only the teacher's gin file.

    Args:
        name: the teacher's name.
        stage: the stage to run.
        workdir: the teacher's run folder, None if the stage does not need one.
        capture: whether the output of the process is returned. Otherwise it goes to stderr.

    Returns:
        The captured output, or "".

    Raises:
        UserError: there is no gin file for this teacher, or the process fails.
    """
    gin_file = config.teacher_gin_file(name)
    if gin_file is None:
        raise UserError(f"there is no teacher {name!r}, and no gin/{name}.gin to train it: bind load_teacher.name")
    command = [sys.executable, "-m", "akdg_tf", "run", f"--gin_file={gin_file}"]
    alone = {key: value for key, value in os.environ.items() if key != "TF_CONFIG"}
    command += [f"--stage={stage}", f"--devices={'auto' if FLAGS.devices == CLUSTER else FLAGS.devices}"]
    command += [f"--workdir={workdir}"] * bool(workdir)
    command += [f"--data_dir={FLAGS.data_dir}"] * bool(FLAGS.data_dir) + ["--smoke"] * FLAGS.smoke
    stdout = subprocess.PIPE if capture else sys.stderr
    with subprocess.Popen(command, stdout=stdout, text=True, env=alone) as process:
        try:
            printed, _ = process.communicate()
        except KeyboardInterrupt:  # also SIGTERM: the teacher's training saves a checkpoint first
            process.terminate()
            process.wait()
            raise
    if process.returncode:
        raise UserError(f"the run of the teacher {name!r} failed: see the error above")
    return printed or ""
