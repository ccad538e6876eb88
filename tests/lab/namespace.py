"""A network of one's own for a thread: what it opens, and what the programs that it starts open, lies in a network namespace
that nobody else sees. So every state of the laboratory has the real ports 993, 465, 53 and all of 127.0.0.0/8, and all
states can run side by side."""
import ctypes
import fcntl
import os
import pathlib
import select
import socket
import struct
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
FILLING_SECONDS = 60
TCP_INFO_QUEUE = 24  # where a listening socket's struct tcp_info has how many wait, and how many may
SIOCSIFFLAGS, UP, LOOPBACK = 0x8914, 0x1, 0x8
libc = ctypes.CDLL(None, use_errno=True)


def enter_new():
    """The calling thread leaves the network of the process for an empty one with a loopback device."""
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no network namespace: " + os.strerror(ctypes.get_errno()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP | LOOPBACK))


def is_possible():
    return in_thread(lambda: enter_new() or True, swallow=OSError) is True


def in_thread(work, swallow=()):
    """Runs `work` on a thread of its own, whose namespace ends with it, and returns what it returns."""
    result = []

    def run():
        try:
            result.append((work(), None))
        except BaseException as error:  # handed to the caller's thread
            result.append((None, error))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = result[0]
    if error is not None and not isinstance(error, swallow):
        raise error
    return value


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def current():
    """A descriptor of this thread's network namespace, for `enter`."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def enter(descriptor):
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def full_house(address, port):
    """A port at which nobody ever answers: the queue of a socket that accepts nothing is full, so what else comes is dropped, as
    a packet filter would. Returns what holds it."""
    listener = socket.create_server(
        (address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET, backlog=0)
    return [listener, *fill(listener)]


def queue_is_full(listener):
    """The kernel's word, so that no time has to tell it."""
    info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 64)
    waiting, room = struct.unpack_from("=II", info, TCP_INFO_QUEUE)
    return waiting > room


def fill(listener):
    """Connects to a socket that accepts nothing until its queue is full; returns what fills it."""
    tried, deadline = [], time.monotonic() + FILLING_SECONDS
    while not queue_is_full(listener):
        assert time.monotonic() < deadline, "the queue does not get full"
        tried.append(socket.socket(listener.family))
        tried[-1].setblocking(False)
        tried[-1].connect_ex(listener.getsockname())
        select.select([], [tried[-1]], [], 0.2)  # a new address is not known everywhere at once
    connected = select.select([], tried, [], 0)[1]
    for s in tried:
        if s not in connected:  # else it would knock again
            s.close()
    return connected


def dropped():
    """How many connections the listening sockets of this network have turned away."""
    lines = pathlib.Path("/proc/thread-self/net/netstat").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("TcpExt:"))
    return int(values[names.index("ListenDrops")])
