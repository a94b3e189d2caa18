"""Runs one experiment from its gin file, in a checkout: python run.py --gin_file=gin/cifar10_mlp_akdg.gin"""

import os
import pathlib

from akdg_tf.cli.run import main

if __name__ == "__main__":
    # The process that trains a missing teacher runs this checkout too, whatever the current folder is.
    places = [os.fspath(pathlib.Path(__file__).resolve().parent), os.environ.get("PYTHONPATH")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, places))
    main()
