"""Finding the server's processes, for tests that end them; and what lies in its files."""
import contextlib
import os
import pathlib


def children(server):
    """pid and role of every process of the server, from the kernel."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            program = os.readlink(folder / "exe") if parent == server.process.pid else ""
        except OSError:
            continue
        if parent == server.process.pid:
            found.append((int(folder.name), pathlib.Path(program).name.split(" ")[0].removeprefix("letterlock-")))
    return found


def contents(folder):
    """(path, octets) of each file; files come and go while a server runs."""
    for here, _, names in os.walk(folder):
        for name in names:
            path = pathlib.Path(here) / name
            with contextlib.suppress(OSError):
                if path.is_file():
                    yield path, path.read_bytes()
