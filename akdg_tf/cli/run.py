"""Runs one experiment from its gin file: python run.py --gin_file=gin/cifar10_mlp_akdg.gin"""

import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported, which it is quiet about afterwards

import gin
from absl import app, flags
from absl import logging as absl_logging

from akdg_tf.artifacts.places import find_saved_model
from akdg_tf.errors import UserError
from akdg_tf.files import write_json
from akdg_tf.reporting import tables as results
from akdg_tf.training import config, devices, tensorboard
from akdg_tf.training.workdir import Run

SMOKE_SUFFIX = "-smoke"
STAGES = ("all", "describe", "teacher", "train", "evaluate", "export")

flags.DEFINE_multi_string("gin_file", [], "Gin file; repeatable, later files override: the experiment first.")
flags.DEFINE_multi_string("gin_param", [], "Single gin binding, such as AKDG.distillation_weight=0.5; repeatable.")
flags.DEFINE_string("workdir", None, "Run folder; default runs/<stems of the gin files>.")
flags.DEFINE_enum("stage", "all", STAGES, "What to do; 'all' makes a missing teacher, trains, exports and evaluates.")
flags.DEFINE_string("data_dir", None, "Folder with datasets, for those that read files.")
flags.DEFINE_integer("seed", 0, "Seed of weights, latents and data order.", 0, 2**32 - 1)
flags.DEFINE_string("devices", "auto", "auto, cpu, cpu:N (N logical replicas), gpu, or gpu:I,J.")
flags.DEFINE_bool("smoke", False, "The same path with few steps and samples; all it writes is labelled smoke.")
FLAGS = flags.FLAGS

logger = logging.getLogger("akdg_tf.run")


def make_run() -> Run:
    """The run that the flags and the parsed configuration name."""
    stems = [pathlib.Path(file).stem for file in FLAGS.gin_file]
    workdir = pathlib.Path(FLAGS.workdir or f"runs/{'-'.join(stems)}{SMOKE_SUFFIX if FLAGS.smoke else ''}")
    return Run(
        *(workdir, stems[0], gin.config_str(), tuple(FLAGS.gin_file), FLAGS.seed, FLAGS.smoke, FLAGS.data_dir),
        hyperparameters=config.hyperparameters(),
    )


def run_teacher(name: str, stage: str, workdir: pathlib.Path) -> None:
    """Runs a stage of the experiment that makes a teacher, in a process of its own, from its own gin file alone."""
    gin_file = config.teacher_gin_file(name)
    if gin_file is None:
        raise UserError(f"there is no teacher {name!r}, and no gin/{name}.gin that makes one")
    command = [
        sys.executable,
        "-m",
        "akdg_tf",
        "run",
        f"--gin_file={gin_file}",
        f"--workdir={workdir}",
        f"--stage={stage}",
    ]
    command += [f"--devices={FLAGS.devices}"]
    command += [f"--data_dir={FLAGS.data_dir}"] * bool(FLAGS.data_dir) + ["--smoke"] * FLAGS.smoke
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
        raise UserError(f"the teacher {name!r} could not be made: see above")


def provide_teacher(stage: str) -> dict | None:
    """Makes the teacher if the experiment names one that is not there; to describe, it is only described.

    Returns:
        The description of a teacher that is not there, else None.
    """
    name = config.bound_teacher()
    if name is None or find_saved_model(name):
        logger.info("teacher: %s", find_saved_model(name) if name else "the experiment names none")
        return None
    if stage == "describe":
        with tempfile.TemporaryDirectory() as folder:
            run_teacher(name, "describe", pathlib.Path(folder))
            return json.loads(pathlib.Path(folder, "describe.json").read_text())["student"]
    workdir = pathlib.Path("runs", name + SMOKE_SUFFIX if FLAGS.smoke else name)
    if not find_saved_model(str(workdir)):
        logger.info("teacher %s is not there: training it first, with gin/%s.gin", name, name)
        run_teacher(name, "all", workdir)
    config.bind_teacher(str(workdir))
    return None


def run_experiment() -> None:
    """Parses the configuration and runs the stage."""
    absl_logging.set_verbosity(absl_logging.ERROR)  # of TensorFlow and TF-GAN; our own lines are beside it
    logging.getLogger("akdg_tf").setLevel(logging.INFO)
    if not FLAGS.gin_file:
        raise UserError("no experiment given: --gin_file=gin/mnist_mlp_akdg.gin, say")
    strategy = devices.make_strategy(FLAGS.devices)
    config.parse(FLAGS.gin_file, FLAGS.gin_param)
    run, stage = make_run(), FLAGS.stage
    with strategy.scope():
        experiment = config.build(run)
    run.check()
    if stage != "describe":
        with config.explained():
            experiment.prepare_data(evaluating=stage in ("all", "evaluate"))
    missing_teacher = provide_teacher(stage)
    with config.explained():
        if stage == "describe":
            description = experiment.describe(missing_teacher) | ({"smoke": True} if run.smoke else {})
        elif stage != "teacher":
            experiment.prepare(training=stage in ("all", "train"))
    with run.claim():
        if stage == "describe":
            write_json(run.path("describe.json"), description)
            print(json.dumps(description, indent=2))
        else:
            run_stage(experiment, run, stage)


def run_stage(experiment, run: Run, stage: str) -> None:
    """Runs a stage that works, in the run's folder."""
    if stage in ("all", "train"):
        run.write_operative_config()
        experiment.train()
    if stage in ("all", "export"):
        experiment.export()
    if stage in ("all", "evaluate"):
        result = experiment.evaluate()
        write_json(run.path("result.json"), result.to_json())
        tensorboard.write_scores(run, result)
        run.write_operative_config()
        print(results.table(result))


def run_or_explain(argv) -> None:
    """Runs the experiment; bad input gives one line and exit code 2."""
    try:
        run_experiment()
    except (UserError, OSError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("run.py: interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        sys.exit(130)


def parse_flags(argv) -> list[str]:
    """Parses the command line; a bad flag gives one line and exit code 2."""
    try:
        return FLAGS(argv)
    except flags.Error as error:
        print(f"run.py: {' '.join(str(error).split())} (see --help)", file=sys.stderr)
        sys.exit(2)


def main() -> None:
    """The command, its arguments taken from `sys.argv`."""
    app.run(run_or_explain, flags_parser=parse_flags)
