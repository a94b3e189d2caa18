"""Training methods. Each one is a `keras.Model`, compiled and fitted like any other."""

from akdg_tf.methods.akdg import AKDG
from akdg_tf.methods.gan import GAN
from akdg_tf.methods.lit import LIT
from akdg_tf.methods.mse import MSEDistillation

__all__ = ["AKDG", "GAN", "LIT", "MSEDistillation"]
