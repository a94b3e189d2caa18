"""The command line of `akdg design`. Its help does not import TensorFlow."""

import argparse
import logging

from akdg_tf.cli import ending, quiet
from akdg_tf.cli.init import Parser, add_arguments

EPILOG = """examples:
  akdg design --teacher=mnist_sngan_teacher --data=mnist5k --max_kb=100
  akdg design --teacher=generator.onnx --data=MY_IMAGES --max_ms=2 --max_params=500K
"""


def main(argv: list[str] | None = None) -> None:
    """Writes the gin files, prints the students and the next commands. Bad input gives one line and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = parser().parse_args(argv)
    design_command = quiet.load("akdg_tf.cli.design_command")
    with ending.in_one_line("akdg design"):
        print(design_command.design(arguments))


def parser() -> Parser:
    """The parser of the arguments."""
    top = Parser(
        prog="akdg design",
        description="Proposes the largest student of each kind within a budget, and writes a gin file for each.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--name", help="of NAME_dcgan_akdg.gin and NAME_mlp_akdg.gin; default: of the teacher")
    add_arguments(top)
    return top
