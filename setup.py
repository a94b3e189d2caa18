"""What setup.cfg cannot express: the folder gin/ of the repository is installed as akdg_tf/gin."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["akdg_tf*"]), "akdg_tf.gin"], package_dir={"akdg_tf.gin": "gin"})
