"""Where the statement that is about to run comes from, told from the stack of calls: no middleware, no patches.

`file`: the innermost frame of the project's own code. `route`: the request that Django's handler is at, by its frame. `command`: the
management command. `task`: what Celery runs. Async code runs its statements in a thread, with nothing of its own on the stack: the
coroutine that waits for that thread is looked up, and the frames that it waits in.
"""

import asyncio
import os
import site
import sys
import sysconfig

from asgiref.sync import SyncToAsync
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.management.base import BaseCommand

FRAMES_MAX = 400
TASKS_MAX = 500  # of an event loop; beyond, the waiting one is not looked for
CACHED_MAX = 10000

_REQUEST, _COMMAND, _THREAD = "request", "command", "thread"
# By the code's id: its hash is computed anew each time, over all its bytes.
_special = {
    id(BaseHandler._get_response.__code__): _REQUEST,
    id(BaseHandler._get_response_async.__code__): _REQUEST,
    id(BaseCommand.execute.__code__): _COMMAND,
    id(SyncToAsync.thread_handler.__code__): _THREAD,
}
_SYNC_TO_ASYNC = SyncToAsync.__call__.__code__

_paths = {}  # of a code's file: as told, or None if it is not the project's own
_foreign = None
_roots = None


def _folder(path):
    return os.path.join(os.path.abspath(path), "")


def _find_foreign():
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    paths += getattr(site, "getsitepackages", list)()
    files = [sys.modules["django"].__file__, sys.modules["asgiref"].__file__, __file__]
    paths += [os.path.dirname(os.path.abspath(file)) for file in files if file]
    return tuple({_folder(path) for path in paths if path})


def _find_roots():
    roots = [getattr(settings, "BASE_DIR", None), os.getcwd()]
    roots += sorted((path for path in sys.path if path), key=len, reverse=True)
    return [_folder(root) for root in roots if root]


def _path_of(filename):
    global _foreign, _roots
    if filename.startswith("<"):
        return None
    if _foreign is None:
        _foreign, _roots = _find_foreign(), _find_roots()
    path = os.path.abspath(filename)
    if path.startswith(_foreign) or "%ssite-packages%s" % (os.sep, os.sep) in path or "%sdist-packages%s" % (os.sep, os.sep) in path:
        return None
    for root in _roots:
        if path.startswith(root):
            return path[len(root):].replace(os.sep, "/")
    return None


def own_path(filename):
    """The file as it is told, or None if it is not the project's own."""
    try:
        return _paths[filename]
    except KeyError:
        pass
    path = _path_of(filename)
    if len(_paths) >= CACHED_MAX:
        _paths.clear()
    _paths[filename] = path
    return path


def _route_of(request):
    match = getattr(request, "resolver_match", None)
    route = getattr(match, "route", None)
    if not route:
        return None if match is None else "/"
    return route if route.startswith(("^", "/")) else "/" + route


def _note(tags, frame):
    """Adds what the frame tells; whether it is that of a request, behind which nothing of interest comes."""
    code = frame.f_code
    if "file" not in tags:
        path = own_path(code.co_filename)
        if path is not None:
            tags["file"] = "%s:%d" % (path, frame.f_lineno)
    kind = _special.get(id(code))
    if kind is None:
        return False
    if kind is _REQUEST:
        route = _route_of(frame.f_locals.get("request"))
        if route is not None:
            tags["route"] = route
        return True
    if kind is _COMMAND and "command" not in tags:
        command = frame.f_locals.get("self")
        tags["command"] = type(command).__module__.rpartition(".")[2]
    elif kind is _THREAD:
        return _note_waiting(tags, frame.f_locals)
    return False


def _frames_of(coroutine):
    """The frames that a coroutine waits in, outermost first."""
    frames = []
    while coroutine is not None and len(frames) < FRAMES_MAX:
        for prefix in ("cr", "ag", "gi"):
            frame = getattr(coroutine, prefix + "_frame", None)
            if frame is not None:
                frames.append(frame)
                coroutine = getattr(coroutine, prefix + "_await" if prefix != "gi" else "gi_yieldfrom", None)
                break
        else:
            break
    return frames


def _is_call(frame, work):
    """Whether it is where asgiref gave this work (a partial) to the thread."""
    return frame.f_code is _SYNC_TO_ASYNC and frame.f_locals.get("child") is work


def _running_frames(loop, work):
    """The same of a task that has handed its work to the thread and not come to wait yet."""
    running = sys._current_frames()
    number = getattr(loop, "_thread_id", None)
    for frame in [running[number]] if number in running else running.values():
        frames = []
        while frame is not None and len(frames) < FRAMES_MAX:
            frames.append(frame)
            frame = frame.f_back
        if any(_is_call(frame, work) for frame in frames):
            return frames[::-1]
    return []


def _waiting_frames(thread_locals):
    """The frames of the task that waits for asgiref's thread."""
    loop, args = thread_locals.get("loop"), thread_locals.get("args")
    if loop is None or not args:
        return []
    work = args[0]
    frames = _running_frames(loop, work)
    if frames:
        return frames
    task = thread_locals.get("source_task")  # asgiref before 3.7
    tasks = [task] if task is not None else asyncio.all_tasks(loop)
    for task in tasks if len(tasks) <= TASKS_MAX else ():
        frames = _frames_of(task.get_coro())
        if any(_is_call(frame, work) for frame in frames):
            return frames
    return []


def _note_waiting(tags, thread_locals):
    for frame in reversed(_waiting_frames(thread_locals)):
        if _note(tags, frame):
            return True
    return False


def is_of_test(tags):
    """Whether it is a test's own statement, as pytest and Django name files of tests."""
    folder, _, name = tags.get("file", "").partition(":")[0].rpartition("/")
    if name in ("test.py", "tests.py", "conftest.py") or name.startswith("test_") or name.endswith("_test.py"):
        return True
    return any(part in ("tests", "test", "testing") for part in folder.split("/"))


def _celery_task():
    celery = sys.modules.get("celery")
    if celery is None:
        return None
    task = celery.current_task
    return task.name if task else None


def tags_of_caller():
    """What is known of the statement's origin: some of file, route, command, task."""
    tags = {}
    frame = sys._getframe(1)
    for _ in range(FRAMES_MAX):
        if frame is None or _note(tags, frame):
            break
        frame = frame.f_back
    task = _celery_task()
    if task:
        tags["task"] = task
    return tags
