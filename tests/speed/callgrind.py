"""Counts instructions with valgrind: the same figure every time, whatever else the machine is doing."""

from collections import Counter


def instructions(path):
    """How many ran in each object, by its file name."""
    names, counts, current, skips = {}, Counter(), "", False
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("ob="):
            current = resolve(line[3:], names)
        elif line.startswith("cob="):
            resolve(line[4:], names)
        elif line.startswith("calls="):
            # What follows is what the callee and all below it took.
            skips = True
        elif line[:1] in "+-*0123456789" and line:
            counts[current] += 0 if skips else int(line.rsplit(" ", 1)[1])
            skips = False
    return counts


def resolve(text, names):
    """`(3) /usr/lib/libc.so.6` says what `(3)` means from there on."""
    number, _, name = text.partition(" ")
    if name:
        names[number] = name.rsplit("/", 1)[-1]
    return names[number]
