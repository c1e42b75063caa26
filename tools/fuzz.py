#!/usr/bin/python3
"""Runs every libFuzzer target of build/fuzz for an equal share of a time budget, one per core at a time.

It starts from the kept inputs (fuzz/corpus/NAME, fuzz/regressions/NAME) and keeps what it learns in build/fuzz/corpus/NAME.
An input that crashes a parser is written to fuzz/regressions/NAME: commit it together with the fix, and `make test` replays it
for ever.
"""

import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
SLOWEST_INPUT_S = 5  # a parser that needs longer for one input is broken
MEMORY_MB = 1024
REPORT_LINES = 40
GRACE_S = 30  # for start-up and for reading the corpus


def command(target, seconds, seed):
    name = target.name.removeprefix("fuzz_")
    learned = BUILD / "corpus" / name
    kept = [ROOT / "fuzz" / "corpus" / name, ROOT / "fuzz" / "regressions" / name]
    learned.mkdir(parents=True, exist_ok=True)
    kept[1].mkdir(parents=True, exist_ok=True)
    dictionary = ROOT / "fuzz" / "sip.dict"
    return [
        str(target),
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-timeout={SLOWEST_INPUT_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={kept[1]}/",
        "-print_final_stats=1",
        *([f"-dict={dictionary}"] if dictionary.exists() else []),
        *(str(folder) for folder in [learned, *kept] if folder.exists()),
    ]


def explore(target, seconds, seed):
    """Returns (target, whether it survived, its report of the crash, inputs tried)."""
    if not target.exists():
        return target, False, f"{target.name} is not built: is it declared in fuzz/CMakeLists.txt?", "no"
    try:
        run = subprocess.run(command(target, seconds, seed), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=seconds + GRACE_S, check=False)
    except subprocess.TimeoutExpired as late:
        return target, False, f"still running after {seconds + GRACE_S} s\n{(late.stdout or b'').decode(errors='replace')[-2000:]}", "?"
    lines = run.stdout.decode(errors="replace").splitlines()
    crash = next((n for n, line in enumerate(lines) if "ERROR:" in line or "runtime error:" in line), max(0, len(lines) - REPORT_LINES))
    tried = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "?")
    kept = [line for line in lines[crash + REPORT_LINES:] if "Test unit written" in line]
    return target, run.returncode == 0, "\n".join([*lines[crash:crash + REPORT_LINES], *kept]), tried


def run_all(total_seconds, seed=0):
    """Explores all targets; returns (passed, failed). A seed makes a run repeatable; 0: another one each time."""
    targets = [BUILD / "bin" / f"fuzz_{source.stem.removesuffix('_fuzz')}" for source in sorted((ROOT / "fuzz").glob("*_fuzz.c"))]
    cores = os.cpu_count() or 1
    seconds = max(1, int(total_seconds * min(cores, len(targets)) / len(targets)))
    print(f"{len(targets)} fuzz targets, {seconds} s each on {cores} cores", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        for target, survived, report, tried in pool.map(lambda t: explore(t, seconds, seed), targets):
            print(f"  {'ok  ' if survived else 'FAIL'} {target.name:32} {tried} inputs", flush=True)
            if not survived:
                failed += 1
                print(report)
    for folder in (ROOT / "fuzz" / "regressions").glob("*"):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return len(targets) - failed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=600, help="for all targets together (default 600)")
    started = time.monotonic()
    passed, failed = run_all(parser.parse_args().seconds)
    print(f"{passed} targets survived, {failed} failed, in {time.monotonic() - started:.0f} s")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
