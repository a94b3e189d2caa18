"""What `import akdg_tf` and `akdg_tf.load` bring with them."""

import subprocess
import sys

from support import ROOT


def run(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_imports_no_tensorflow():
    code = (
        "import sys, akdg_tf; print({'tensorflow', 'keras', 'numpy', 'gin'} & set(sys.modules), 'AKDG' in dir(akdg_tf))"
    )
    assert run(code) == "set() True"


def test_an_entry_is_loaded_and_drawn_from_without_the_libraries_of_data_and_pictures():
    """They cannot be imported here: Keras does without them too."""
    block = "import sys; sys.modules |= dict.fromkeys(('matplotlib', 'mlxtend', 'sklearn', 'pandas', 'prdc'))\n"
    draw = "import akdg_tf; print(akdg_tf.load('mnist_mlp_mse').sample(2, seed=0).shape)"
    assert run(block + draw) == "(2, 32, 32, 1)"
