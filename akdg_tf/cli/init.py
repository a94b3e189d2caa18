"""The command line of `akdg init`. Its help does not import TensorFlow."""

import argparse
import decimal
import logging
import re

from akdg_tf.cli import ending, quiet

STUDENTS = ("dcgan", "mlp")
LIMIT = 10**18  # of counts, which are 64-bit integers elsewhere
EPILOG = """examples:
  akdg init --teacher=mnist_sngan_teacher --data=mnist5k
  akdg init --teacher=generator.onnx --data=MY_IMAGES --student=mlp --max_mult_adds=1M
  akdg init --teacher=my_module:generate --gin_param=load_teacher.latent_dim=512
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def main(argv: list[str] | None = None) -> None:
    """Writes the gin file and prints the next command. Bad input gives one line and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = parser().parse_args(argv)
    init_command = quiet.load("akdg_tf.cli.init_command")
    with ending.in_one_line("akdg init"):
        print(init_command.init(arguments))


def parser() -> Parser:
    """The parser of the arguments."""
    top = Parser(
        prog="akdg init",
        description="Writes a gin file for an experiment of your own, and prints the command that runs it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--student", choices=STUDENTS, default=STUDENTS[0], help="kind of student; default dcgan")
    top.add_argument("--name", help="of the experiment and its gin file; default: of teacher and student")
    add_arguments(top)
    return top


def add_arguments(top: argparse.ArgumentParser) -> None:
    """Adds the arguments that `akdg init` and `akdg design` share."""
    top.add_argument(
        "--teacher",
        required=True,
        help="run, zoo entry, SavedModel, .keras, .onnx, .tflite, module:function, images, .npz",
    )
    top.add_argument("--data", help="folder of images, or name of a dataset; without it the teacher's images are used")
    top.add_argument("--data_dir", help="folder of a dataset that is given by its name and reads files")
    top.add_argument("--side", type=sides, help="64 or 96x128 (height x width); default: as the teacher's images")
    top.add_argument(
        "--max_mult_adds",
        type=count,
        help="per image, such as 20M; default: a tenth of the teacher's",
    )
    top.add_argument("--max_params", type=count, help="such as 500K; default: the teacher's")
    top.add_argument("--max_kb", type=count, help="size of the weights in float32, in 1,000 bytes")
    top.add_argument("--max_ms", type=duration, help="per image, measured here in LiteRT on one thread")
    top.add_argument("--overwrite", action="store_true", help="replace a gin file that akdg init has written")
    top.add_argument(
        "--gin_param", action="append", default=[], help="what the teacher does not tell: load_teacher.X=Y; repeatable"
    )


def count(text: str) -> int:
    """A whole number such as 20000000, 20_000_000, 2e7 or 20M.

    Raises:
        ArgumentTypeError: it is not one, or it is below 1.
    """
    factor = {"K": 10**3, "M": 10**6, "G": 10**9}.get(text[-1:].upper(), 1)
    try:
        number = decimal.Decimal(text[:-1] if factor > 1 else text) * factor
        counts = 1 <= number < LIMIT and number == int(number)
    except decimal.DecimalException:  # no number, nan, or too large
        counts = False
    if not counts:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0, such as 500000, 500K or 20M")
    return int(number)


def duration(text: str) -> float:
    """Milliseconds, such as 2.5.

    Raises:
        ArgumentTypeError: it is not a positive number.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of milliseconds, such as 2.5")
    return number


def sides(text: str) -> tuple[int, int]:
    """Height and width, from 64 or 96x128.

    Raises:
        ArgumentTypeError: it is neither.
    """
    found = re.fullmatch(r"([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?", text, re.ASCII)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a side such as 64, or height and width such as 96x128")
    return int(found[1]), int(found[2] or found[1])
