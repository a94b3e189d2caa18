"""The public names of the package, and what is imported before they are used."""

import subprocess
import sys

import pytest

import akdg_tf

WITHOUT = """
import sys
import akdg_tf
assert "tensorflow" not in sys.modules
for name in ("matplotlib", "mlxtend", "sklearn", "tensorflow_gan", "prdc"):  # as if it were not installed
    sys.modules[name] = None
akdg_tf.export(akdg_tf.MLPGenerator(4, (2,), width=3), sys.argv[1])
print(akdg_tf.load_network(sys.argv[1]).width, akdg_tf.load.__name__)
"""


@pytest.mark.parametrize("name", akdg_tf.__all__)
def test_a_public_name_is_one_of_the_package(name):
    assert getattr(akdg_tf, name).__name__ == name
    assert name in dir(akdg_tf)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'akdg_tf' has no attribute 'nosuch'"):
        _ = akdg_tf.nosuch


def test_a_student_is_loaded_without_any_library_for_plots_datasets_or_metrics(tmp_path):
    command = [sys.executable, "-c", WITHOUT, str(tmp_path / "exported")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "3 load\n", done.stderr
