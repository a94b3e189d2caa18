"""Shared by the studies: many runs of run.py, several at a time with one thread each. Finished runs are left alone."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping, Sequence

ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def run_all(runs: Mapping[pathlib.Path, Sequence[str]], processes: int | None = None) -> None:
    """Trains and scores runs, each by a process of its own, whose output is appended to "<run folder>.log".

    Args:
        runs: the arguments of run.py by run folder, without --workdir.
        processes: runs at a time; by default one per processor.

    Raises:
        SystemExit: a run has failed. The message names its log.
    """
    missing = {workdir: arguments for workdir, arguments in runs.items() if not (workdir / "result.json").exists()}
    with concurrent.futures.ThreadPoolExecutor(processes or os.cpu_count()) as pool:
        started = [pool.submit(_run, workdir, arguments) for workdir, arguments in missing.items()]
        for done, finished in enumerate(concurrent.futures.as_completed(started), 1):
            workdir, code = finished.result()
            if code:
                pool.shutdown(cancel_futures=True)
                sys.exit(f"run.py ended with {code}: see {workdir}.log")
            print(f"{done} of {len(missing)} runs: {workdir.name}", file=sys.stderr, flush=True)


def _run(workdir: pathlib.Path, arguments: Sequence[str]) -> tuple[pathlib.Path, int]:
    workdir.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "run.py", *arguments, f"--workdir={workdir}"]
    with workdir.with_name(workdir.name + ".log").open("a") as log:
        return workdir, subprocess.run(command, env=os.environ | ONE_THREAD, stdout=log, stderr=log).returncode
