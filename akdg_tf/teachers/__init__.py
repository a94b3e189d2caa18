"""Teachers, by role.

A method draws images from an `ImageSource` (AKDG) or pairs from a `PairSource` (MSE). The teacher that is scored and
described is a `FrozenGenerator`; `load_teacher` loads it. A `TeacherSource` makes the source of the method, from the
teacher or from something else.
"""
