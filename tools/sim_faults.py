#!/usr/bin/python3
"""Proves that the simulation can fail: builds it with one deliberate fault at a time and expects it to be noticed.

    tools/sim_faults.py [--seeds N] [NAME...]

Works on a copy of the tree. Exits 0 when every fault was noticed. Run it after a change to tests/sim or to delivery."""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# name: what is broken, the file, the text that stands there once, what replaces it
FAULTS = {
    "answer-before-commit": (
        "C1: 202 leaves before the store has it",
        "src/server/delivery_commit.c",
        "    store_submit(d->home->store, &d->request);\n",
        "    delivery_answer(d, d->taken ? 200 : 202, SLICE_NONE);\n    store_submit(d->home->store, &d->request);\n",
    ),
    "gone-is-delivered": (
        "C4: silence takes a message out of the queue",
        "src/server/drain.c",
        "    if (r->end == BRANCH_TAKEN)\n",
        "    if (r->end != BRANCH_REFUSED)\n",
    ),
    "no-duplicates": (
        "C5: a repeat is taken for a new message",
        "src/server/delivery.c",
        "    if (!seen)\n        return false;\n",
        "    if (!seen || !seen->deciding)\n        return false;\n",
    ),
    "overtaking": (
        "C6: new mail does not queue behind a backlog",
        "src/server/delivery.c",
        "(!device->held && !mailbox_has_backlog(device))",
        "true",
    ),
    "backwards": (
        "C6: the backlog goes out newest first",
        "src/server/mailbox.c",
        "    for (uint32_t i = lower_bound(a, after + 1); i < a->entry_count; i++)\n        if (entry_at(a, i)->owed & bit(d->number))\n            return entry_at(a, i);\n    return NULL;\n",
        "    const struct entry *last = NULL;\n    for (uint32_t i = lower_bound(a, after + 1); i < a->entry_count; i++)\n        if (entry_at(a, i)->owed & bit(d->number))\n            last = entry_at(a, i);\n    return last;\n",
    ),
    "forgets-at-start": (
        "C7: what was owed is not loaded",
        "src/server/mailbox_load.c",
        "    return owed;\n",
        "    return owed & 0;\n",
    ),
    "one-device-is-enough": (
        "C2: what the other devices are owed is forgotten",
        "src/server/delivery.c",
        "    } else if (d->taken && !owed) {\n",
        "    } else if (d->taken) {\n",
    ),
}


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)


def break_it(copy, file, old, new):
    path = copy / file
    text = (ROOT / file).read_text()
    if text.count(old) != 1:
        sys.exit(f"{file}: the text of a fault is not there once; update {__file__}")
    path.write_text(text.replace(old, new))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="2000", help="seeds that each fault may hide from (default: 2000)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(FAULTS))
    options = parser.parse_args()
    unknown = set(options.names) - set(FAULTS)
    if unknown:
        parser.error(f"unknown fault {sorted(unknown)[0]}: expected one of {', '.join(FAULTS)}")
    hidden = []
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "tree"
        shutil.copytree(ROOT, copy, ignore=lambda path, names: {".git", "build"} if path == str(ROOT) else set())
        build = pathlib.Path(folder) / "build"
        made = run(["cmake", "-S", copy, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug"])
        if made.returncode != 0:
            sys.exit(made.stdout)
        for name in options.names or FAULTS:
            what, file, old, new = FAULTS[name]
            break_it(copy, file, old, new)
            made = run(["ninja", "-C", build, "telex_sim"])
            if made.returncode != 0:
                sys.exit(f"{name}: {made.stdout}")
            seen = run([build / "bin" / "telex_sim", "--seeds", options.seeds]).returncode != 0
            print(f"{'noticed' if seen else 'HIDDEN '} {name}: {what}", flush=True)
            if not seen:
                hidden.append(name)
            shutil.copy(ROOT / file, copy / file)
            (copy / file).touch()
    sys.exit(1 if hidden else 0)


if __name__ == "__main__":
    main()
