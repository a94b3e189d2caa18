"""The command line of `akdg run`: its flags, their help, and what is no flag. Imports no TensorFlow."""

import os
import pathlib
import sys

from absl import flags

from akdg_tf.errors import UserError

STAGES = ("all", "config", "describe", "teacher", "train", "evaluate", "export")
HELP = ("-h", "--h", "-help", "--help", "--helpshort", "--helpfull")
USAGE = """usage: akdg run --gin_file=FILE [--gin_file=FILE ...] [--gin_param=BINDING ...] [FLAG ...]

Trains, exports and evaluates the experiment that the gin files bind:

  akdg run --gin_file=mnist_mlp_akdg --smoke          the whole path in a minute
  akdg run --gin_file=mnist_mlp_akdg                  the experiment; the same command resumes it
  akdg run --gin_file=mnist_mlp_akdg --stage=config   what it reads, and the line that sets each value
"""

flags.DEFINE_multi_string(
    "gin_file",
    [],
    "Gin file, by its path or by the bare name of one that comes with the package; later files override",
)
flags.DEFINE_multi_string(
    "gin_param", [], "Single gin binding, such as AKDG.distillation_weight=0.5; overrides the files"
)
flags.DEFINE_string("workdir", None, "Run folder; by default runs/<stems of the gin files>.")
flags.DEFINE_enum(
    "stage",
    "all",
    STAGES,
    "What to do. 'all' trains a missing teacher first, then trains, exports and evaluates. 'config' prints the "
    "bindings that the experiment reads, 'describe' the costs of its networks; both leave the run folder alone.",
)
flags.DEFINE_string("data_dir", None, "Folder with the data, for datasets that read files.")
flags.DEFINE_integer("seed", 0, "Seed of weights, latents and data order.", 0, 2**32 - 1)
flags.DEFINE_string("devices", "auto", "auto, cpu, cpu:N (N logical replicas), gpu, or gpu:I,J.")
flags.DEFINE_bool("smoke", False, "The same path with few steps and samples; all it writes is labelled smoke.")
FLAGS = flags.FLAGS


def program() -> str:
    """The name that the command was called by, which its messages begin with: "akdg run" or "run.py"."""
    return pathlib.Path(sys.argv[0]).name


def parse(argv: list[str]) -> list[str]:
    """Parses the command line; prints the help where it is asked for.

    Raises:
        SystemExit: with code 0 after the help, with code 2 and one line of a bad flag or of what is no flag.
    """
    if any(argument in HELP for argument in argv[1:]):
        print(USAGE + FLAGS.module_help(__name__).partition(":")[2])
        sys.exit(0)
    try:
        _, *left = FLAGS(argv)
        if left:
            raise UserError(
                f"what is {' '.join(map(repr, left))}? Each file and binding needs its own flag: "
                f"--gin_file={left[0]} or --gin_param={left[0]}"
            )
        if not FLAGS.gin_file:
            raise UserError("no experiment given: --gin_file=mnist_mlp_akdg, say")
    except (UserError, flags.Error) as error:
        print(f"{program()}: {' '.join(str(error).split())} (see --help)", file=sys.stderr)
        sys.exit(2)
    return argv[:1]


def expanded(flag: str, path: str) -> str:
    """A path with its ~ replaced by the home folder.

    Raises:
        UserError: there is no such home folder.
    """
    full = os.path.expanduser(path)
    if full.startswith("~"):
        raise UserError(f"--{flag}={path}: the home folder is not known; write the whole path")
    return full
