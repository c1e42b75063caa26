"""A child program: its output as it comes, waits with a deadline, an end that touches nobody else."""

import ctypes
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Late(AssertionError):
    """What was waited for did not come in time."""


def eventually(probe, timeout: float, what: str, every: float = 0.02):
    """Returns the first true value of `probe()`; for facts that no pipe or socket announces."""
    deadline = time.monotonic() + timeout
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Late(f"{what}: not within {timeout} s")
        time.sleep(every)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_group(group: int):
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


class _Guard:
    """Ends a process group when this run ends, however it ends: its pipe closes with us. The children of a program
    that forks (Kamailio) would not notice that their parent was killed."""

    def __init__(self, group: int):
        self.shell = subprocess.Popen(["/bin/sh", "-c", f"read -r _; kill -9 -{group} 2>&-"], stdin=subprocess.PIPE,
                                      start_new_session=True)

    def dismiss(self):
        self.shell.kill()
        self.shell.wait()
        self.shell.stdin.close()


class Process:
    """Lines of stdout and stderr are kept apart (`out`, `err`) and in `lines` in order of arrival."""

    def __init__(self, name: str, argv, folder: Path, env=None, forks: bool = False):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.folder = Path(folder)
        self.out: list[str] = []
        self.err: list[str] = []
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._open = 2
        self.child = subprocess.Popen(
            self.argv,
            cwd=self.folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_die_with_parent,
            start_new_session=True,
        )
        self.pid = self.child.pid
        self._guard = _Guard(self.pid) if forks else None
        self._readers = [
            threading.Thread(target=self._read, args=(self.child.stdout, self.out, "out"), daemon=True),
            threading.Thread(target=self._read, args=(self.child.stderr, self.err, "err"), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, pipe, kept: list[str], suffix: str):
        with open(self.folder / f"{self.name}.{suffix}", "ab") as copy, pipe:
            for raw in iter(pipe.readline, b""):
                copy.write(raw)
                copy.flush()
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                with self._changed:
                    kept.append(line)
                    self.lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def wait_for(self, probe, timeout: float, what: str):
        """First true value of `probe(self)`, looked at again after each new line of output."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                value = probe(self)
                if value:
                    return value
                left = deadline - time.monotonic()
                if left <= 0 or self._open == 0:
                    why = "its output ended" if self._open == 0 else f"not within {timeout} s"
                    raise Late(f"{self.name}: {what}: {why}\n{self.tail()}")
                self._changed.wait(left)

    def wait_line(self, pattern: str, timeout: float, start: int = 0) -> re.Match:
        """First match of `pattern` in line number `start` or later."""
        wanted = re.compile(pattern)

        def found(process):
            return next(filter(None, map(wanted.search, process.lines[start:])), None)

        return self.wait_for(found, timeout, f"line /{pattern}/")

    def write(self, text: str):
        self.child.stdin.write(text.encode())
        self.child.stdin.flush()

    def close_stdin(self):
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass

    def alive(self) -> bool:
        return self.child.poll() is None

    def wait(self, timeout: float) -> int:
        try:
            code = self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Late(f"{self.name}: still running after {timeout} s\n{self.tail()}") from None
        if self._guard:
            _kill_group(self.pid)  # its children
            self._guard.dismiss()
            self._guard = None
        for reader in self._readers:
            reader.join(timeout)
        return code

    def signal(self, number: int):
        if self.alive():
            self.child.send_signal(number)

    def terminate(self, timeout: float = 5.0) -> int:
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait(5)

    def end(self, patience: float = 3.0):
        """For teardown: asks, then insists."""
        self.close_stdin()
        try:
            self.terminate(patience)
        except Late:
            self.kill()

    def tail(self, count: int = 25) -> str:
        return "\n".join(f"    | {line}" for line in self.lines[-count:])


def run(argv, folder: Path, stdin: str = "", env=None, timeout: float = 20.0) -> subprocess.CompletedProcess:
    """Runs a program to its end; output as text."""
    return subprocess.run(
        [str(word) for word in argv],
        cwd=folder,
        input=stdin,
        env=env,
        timeout=timeout,
        text=True,
        capture_output=True,
        check=False,
    )
