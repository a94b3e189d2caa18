"""`python -m akdg_tf run | zoo | report`: the same as the console command `akdg`, also where that is not on PATH."""

from akdg_tf.cli import main

if __name__ == "__main__":
    main()
