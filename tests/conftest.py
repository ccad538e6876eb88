"""One server for a test module; it must end without an unexpected error line in its log."""
import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib.server import Server  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "waits: mostly waits for times of the server's own; tests/run.py runs it beside the others")


@pytest.fixture(scope="module")
def server(request):
    with Server.running(getattr(request.module, "ACCOUNTS", ("alice", "bob")), extra=getattr(request.module, "CONFIG", "")) as s:
        yield s


@pytest.fixture
def home(tmp_path):
    """A person's own folder, for programs that refuse to read secrets out of another one."""
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture(scope="module")
def alice(server):
    return server.accounts["alice"]


@pytest.fixture(scope="module")
def bob(server):
    return server.accounts["bob"]
