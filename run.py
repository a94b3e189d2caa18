"""Runs one experiment from its gin file: python run.py --gin_file=gin/cifar10_mlp_akdg.gin"""

from akdg_tf.cli.run import main

if __name__ == "__main__":
    main()
