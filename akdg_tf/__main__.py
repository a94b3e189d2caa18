"""`python -m akdg_tf run | zoo | report`: the console command `akdg`, where that is not on the path."""

from akdg_tf.cli import main

if __name__ == "__main__":
    main()
