"""The command line of `akdg run`: its flags, their help, and errors. Does not import TensorFlow."""

import pathlib
import sys

from absl import flags

from akdg_tf import places
from akdg_tf.errors import UserError

STAGES = ("all", "config", "describe", "teacher", "train", "evaluate", "export")
HELP = ("-h", "--h", "-help", "--help", "--helpshort", "--helpfull")
USAGE = """usage: akdg run --gin_file=FILE [--gin_file=FILE ...] [--gin_param=BINDING ...] [FLAG ...]

Trains, exports and evaluates the experiment that the gin files bind:

  akdg run --gin_file=mnist_mlp_akdg --smoke          all stages in about a minute
  akdg run --gin_file=mnist_mlp_akdg                  the experiment; the same command resumes it
  akdg run --gin_file=mnist_mlp_akdg --stage=config   the bindings that it reads, and the line that sets each
"""

flags.DEFINE_multi_string(
    "gin_file",
    [],
    "Gin file: a path, or the bare name of a file of the package. Later files override earlier ones",
)
flags.DEFINE_multi_string(
    "gin_param", [], "One gin binding, such as AKDG.distillation_weight=0.5. It overrides the files"
)
flags.DEFINE_string("workdir", None, "Run folder. The default is runs/<stems of the gin files>.")
flags.DEFINE_enum(
    "stage",
    "all",
    STAGES,
    "What to do. 'all' trains a missing teacher first, then trains, exports and evaluates. 'config' prints the "
    "bindings that the experiment reads. 'describe' prints the costs of its networks. Neither uses the run folder.",
)
flags.DEFINE_string("data_dir", None, "Folder with the data, for datasets that read files.")
flags.DEFINE_integer("seed", 0, "Seed of weights, latents and data order.", 0, 2**32 - 1)
flags.DEFINE_string(
    "devices",
    "auto",
    "auto, cpu, cpu:N (N logical replicas), gpu, gpu:I,J (these GPUs), cluster (one of several workers, which "
    "TF_CONFIG or srun describes), or tpu (untested).",
)
flags.DEFINE_bool(
    "allow_config_change",
    False,
    "Lets the run in the folder go on with other bindings. What changed, and at which step, is noted in its result.",
)
flags.DEFINE_bool("smoke", False, "Few steps and samples, to test all stages. Everything it writes is labelled smoke.")
FLAGS = flags.FLAGS


def program() -> str:
    """The name by which the command was called, "akdg run" or "run.py". Its messages begin with it."""
    return pathlib.Path(sys.argv[0]).name


def parse(argv: list[str]) -> list[str]:
    """Parses the command line, or prints the help if a flag asks for it.

    Args:
        argv: the program's name and its arguments.

    Returns:
        The program's name only: every other argument is a flag.

    Raises:
        SystemExit: with code 0 after the help, or with code 2 and one line if an argument is wrong.
    """
    if any(argument in HELP for argument in argv[1:]):
        print(USAGE + FLAGS.module_help(__name__).partition(":")[2])
        sys.exit(0)
    try:
        _, *left = FLAGS(argv)
        if left:
            raise UserError(
                f"unexpected {' '.join(map(repr, left))}: each file and binding needs its own flag, "
                f"--gin_file={left[0]} or --gin_param={left[0]}"
            )
        if not FLAGS.gin_file:
            raise UserError("no experiment given: name its gin file, such as --gin_file=mnist_mlp_akdg")
        _check_encoding([FLAGS.workdir or "", *FLAGS.gin_file, *FLAGS.gin_param])
    except (UserError, flags.Error) as error:
        print(f"{program()}: {' '.join(str(error).split())} (see --help)", file=sys.stderr)
        sys.exit(2)
    return argv[:1]


def _check_encoding(arguments: list[str]) -> None:
    """Checks that text that is written to files can be written as UTF-8. The data folder may have any name.

    Raises:
        UserError: an argument is not UTF-8.
    """
    for argument in arguments:
        places.check_encoding(argument)


def expanded(flag: str, path: str) -> str:
    """A path in which the home folder replaces ~.

    Args:
        flag: the flag that gives the path, for the error.
        path: the path.

    Raises:
        UserError: the home folder is unknown.
    """
    try:
        return places.expanded(path)
    except UserError as error:
        raise UserError(f"--{flag}={error}") from None
