"""The command `akdg report`: tables and pictures of finished runs."""

import argparse

from akdg_tf.cli import ending, quiet


def main(argv: list[str] | None = None) -> None:
    """Prints and writes each table, and writes its pictures. Bad input gives one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="akdg report", description="Tables and pictures of finished runs.")
    parser.add_argument(
        "family", nargs="+", help="such as cifar10, mnist_mlp, mnist_dcgan, toy_ring, toy_grid, batch_size or pareto"
    )
    parser.add_argument("--data_dir", help="folder with the data, to show its real images beside the generated ones")
    arguments = parser.parse_args(argv)
    report = quiet.load("akdg_tf.reporting.report")
    with ending.in_one_line("akdg report"):
        report.main(arguments.family, data_dir=arguments.data_dir)
