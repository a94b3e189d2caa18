"""Draws the students' Frechet distances over those of their teachers: python benchmarks/torch_picture.py RESULTS PNG.

RESULTS is results.json of `torch_gpu.py` with the round `teachers`.
"""

import argparse
import json
import pathlib
import re

from akdg_tf.reporting import pictures

AKDG = re.compile(r"akdg, teacher (\d+), lambda (\S+)")


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("png", type=pathlib.Path)
    arguments = parser.parse_args()
    found = {each["what"]: each["fid"] for each in json.loads(arguments.results.read_text())}
    teachers = [fid for name, fid in found.items() if name.startswith("teacher_")]
    students = [(*match.groups(), fid) for name, fid in found.items() if (match := AKDG.fullmatch(name))]
    canvas = pictures.new_canvas((10, 3.6))
    for axis, space in zip(canvas.figure.subplots(1, 2), found["vanilla"], strict=True):
        for weight in dict.fromkeys(weight for _, weight, _ in students):
            points = [(teachers[int(i)][space], fid[space]) for i, each, fid in students if each == weight]
            axis.plot(*zip(*sorted(points), strict=True), marker="o", label=f"AKDG, λ = {weight}")
        axis.axhline(found["vanilla"][space], color="gray", linestyle="--", label="vanilla")
        axis.set(xlabel="fid of the teacher", ylabel="fid of the student", title=space)
        axis.legend()
    pictures.save_png(pictures.drawn(canvas), arguments.png)


if __name__ == "__main__":
    main()
