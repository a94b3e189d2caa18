"""The command `akdg report`: tables and pictures of finished runs."""

import argparse

from akdg_tf.cli import ending, quiet
from akdg_tf.cli.zoo import folder


def main(argv: list[str] | None = None) -> None:
    """Prints and writes each table, and writes its pictures. Bad input gives one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="akdg report", description="Tables and pictures of finished runs.")
    parser.add_argument(
        "family", nargs="+", help="such as cifar10, mnist_mlp, mnist_dcgan, toy_ring, toy_grid, batch_size or pareto"
    )
    parser.add_argument("--data_dir", help="folder with the data, to show its real images beside the generated ones")
    parser.add_argument("--zoo", type=folder, help="folder of the zoo; the default is $AKDG_ZOO, or zoo/")
    with ending.in_one_line("akdg report"):
        arguments = parser.parse_args(argv)
        report = quiet.load("akdg_tf.reporting.report")
        report.main(arguments.family, zoo=arguments.zoo, data_dir=arguments.data_dir)
