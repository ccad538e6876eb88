"""A command on a terminal of its own, with a person who answers its questions."""
import contextlib
import os
import pty
import select
import signal
import time


def on_terminal(words, env, answers=(), timeout=120):
    """Gives each (prompt, answer) when the prompt was shown. (exit code, everything that was shown)."""
    pid, leader = pty.fork()
    if pid == 0:
        os.execve(words[0], words, env)
    shown, at, waiting, deadline = b"", 0, list(answers), time.monotonic() + timeout
    with contextlib.suppress(OSError):  # the end, for a terminal
        while True:
            if not select.select([leader], [], [], max(0, deadline - time.monotonic()))[0]:
                os.kill(pid, signal.SIGKILL)
                break
            piece = os.read(leader, 65536)
            if not piece:
                break
            shown += piece
            if waiting and (found := shown.find(waiting[0][0].encode(), at)) >= 0:
                at = found + len(waiting[0][0].encode())
                os.write(leader, waiting.pop(0)[1].encode() + b"\n")
    os.close(leader)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode("utf-8", "replace").replace("\r\n", "\n")
