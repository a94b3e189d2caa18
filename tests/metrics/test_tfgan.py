import subprocess
import sys


def test_tensorflow_gan_still_cannot_be_imported_whole():
    """When this fails, `akdg_tf/metrics/tfgan.py` has had its day: import tensorflow_gan there instead."""
    done = subprocess.run([sys.executable, "-c", "import tensorflow_gan"], capture_output=True, text=True, check=False)
    assert done.returncode and "estimator" in done.stderr


def test_our_import_leaves_no_bare_module_behind():
    from akdg_tf.metrics import tfgan

    assert tfgan.trace_sqrt_product
    assert "tensorflow_gan" not in sys.modules
