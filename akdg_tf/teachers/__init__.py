"""Teachers, by role.

A method draws images from an `ImageSource` (AKDG) or pairs from a `PairSource` (MSE). What is scored and described is a
`FrozenGenerator`, which `load_teacher` loads. A `TeacherSource` makes the first from the second, or from elsewhere.
"""
