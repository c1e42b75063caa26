#!/usr/bin/python3
"""Everything `make test` runs, in order, summed up in one last line: "N passed, N failed[, N skipped]".

1. the rules' own tests (tools/*_test.py)
2. build asan; ctest there: unit tests, simulation, replay of every kept fuzz input; then tests/e2e on its programs
3. build release; tests/e2e on its programs (TELEX_BIN_DIR says where they are)
4. build fuzz; short explorations

A build that fails counts as one failed test, and what needs it is not run. Exit status 0 only if nothing failed.
"""

import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

import fuzz

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
FUZZ_SECONDS = 90  # all targets together
FUZZ_SEED = 1  # what passed here passes elsewhere; `make fuzz` takes new ways each time
PATIENCE_S = 600  # a step that takes longer hangs; the whole must fit into 15 minutes on two cores

ENVIRONMENT = {
    **os.environ,
    "PYTHONDONTWRITEBYTECODE": "1",
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def run(arguments, **extra_environment):
    """Runs a command in its own process group, so that a hanging one can be ended with all it started. Returns its status."""
    process = subprocess.Popen([str(a) for a in arguments], cwd=ROOT, stdin=subprocess.DEVNULL,
                               env={**ENVIRONMENT, **extra_environment}, start_new_session=True)
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        print(f"still running after {PATIENCE_S} s: {arguments[0]}", flush=True)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return 1


def read_junit(path, status):
    """Counts the cases of a JUnit file as ctest and pytest write it. A failure that it does not show counts too."""
    tally = Tally()
    try:
        cases = list(xml.etree.ElementTree.parse(path).iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError):
        cases = []
    for case in cases:
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed += 1
        elif skipped is not None and skipped.get("message", "").startswith("Unable to find executable"):
            tally.failed += 1  # ctest calls a program that was not built "skipped"
        elif skipped is not None or case.get("status") == "disabled":
            tally.skipped += 1
        else:
            tally.passed += 1
    if status != 0 and tally.failed == 0:
        tally.failed = 1
    return tally


def build(preset):
    return run(["tools/build.sh", preset]) == 0


def ctest():
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        status = run(["ctest", "--preset", "asan", "-j", os.cpu_count() or 1, "--no-tests=error", "--output-junit", report.name])
        return read_junit(report.name, status)


def pytest(*arguments, **extra_environment):
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        status = run([sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", f"--junitxml={report.name}", *arguments],
                     **extra_environment)
        return read_junit(report.name, status)


def explore():
    passed, failed = fuzz.run_all(FUZZ_SECONDS, FUZZ_SEED)
    return Tally(passed, failed)


def end_to_end(bin_dir):
    return pytest("tests/e2e", TELEX_BIN_DIR=str(bin_dir))


def main():
    started = time.monotonic()
    total = Tally()

    def step(title, action, *arguments):
        nonlocal total
        print(f"\n== {title}", flush=True)
        begun = time.monotonic()
        result = action(*arguments)
        tally = result if isinstance(result, Tally) else Tally(failed=0 if result else 1)
        total += tally
        print(f"-- {title}: {'' if isinstance(result, bool) and result else str(tally) + ', '}{time.monotonic() - begun:.0f} s", flush=True)
        return tally.failed == 0

    step("rules", pytest, "tools")
    if step("build asan", build, "asan"):
        step("unit tests, simulation, kept fuzz inputs", ctest)
        step("end to end, asan build", end_to_end, BUILD / "asan" / "bin")
    if step("build release", build, "release"):
        step("end to end, release build", end_to_end, BUILD / "bin")
    if step("build fuzz", build, "fuzz"):
        step("short fuzz runs", explore)

    print(f"\nin {(time.monotonic() - started) / 60:.1f} minutes")
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
