"""What the tasks of an event loop wait for: each one's chain of awaits, as text."""

import asyncio

LONGEST = 120


def chains(loop, names):
    """Of all tasks; those that `names` knows by what they are about."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task not in names)
    return "".join(chain(task, names.get(task)) for task in tasks)


def chain(task, about=None):
    """The last thing that is awaited comes first, as in the stacks of threads."""
    about = f" ({about})" if about else ""
    frames = list(awaited(task.get_coro()))
    return "\n".join([f"Task {task.get_name()}{about} (most recent call first):", *reversed(frames), ""])


def awaited(coroutine):
    """A line for each coroutine, generator or whatever else is awaited, from the outermost on."""
    for _ in range(LONGEST):
        frame = first(coroutine, "cr_frame", "gi_frame", "ag_frame")
        if frame is None:
            if coroutine is not None:
                yield f"  in {type(coroutine).__module__}.{type(coroutine).__qualname__}"
            return
        yield f'  File "{frame.f_code.co_filename}", line {frame.f_lineno} in {frame.f_code.co_qualname}'
        coroutine = first(coroutine, "cr_await", "gi_yieldfrom", "ag_await")


def first(thing, *names):
    return next((value for name in names if (value := getattr(thing, name, None)) is not None), None)
