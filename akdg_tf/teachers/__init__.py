"""Teachers, by role.

A method draws images from an `ImageSource` (AKDG), pairs from a `PairSource` (MSE) or activations from a `ChunkSource`
(LIT). The teacher that is scored and described is a `FrozenGenerator`; `load_teacher` loads it. A `TeacherSource` makes
the source of the method, from the teacher or from something else.
"""
