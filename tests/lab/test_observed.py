"""Every condition that the doctor may observe is produced: by a state of the laboratory that names it, or by another test, which
observed_elsewhere.tsv names."""
import re

from lab.states import STATES
from lib.server import ROOT

ELSEWHERE = ROOT / "tests/lab/observed_elsewhere.tsv"


def observed():
    """The ids of src/doctor/observed."""
    ids = []
    for path in sorted((ROOT / "src/doctor/observed").glob("*.def")):
        ids += re.findall(r"^diagnosis (\S+)$", path.read_text(encoding="utf-8"), re.M)
    return ids


def in_laboratory():
    return {name for s in STATES for name in (s.verdict, s.alternative, s.noticed)}


def elsewhere():
    """{id: test file, under tests/}"""
    rows = [line.split("\t") for line in ELSEWHERE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return dict(rows)


def is_named_in(name, path):
    text = (ROOT / "tests" / path).read_text(encoding="utf-8")
    symbol = "OBSERVED_" + name.upper().replace("-", "_")
    return re.search(rf"\b{symbol}\b|(?<![\w-]){re.escape(name)}(?![\w-])", text)


def test_every_condition_is_produced():
    named = elsewhere()
    missing = [name for name in observed() if name not in in_laboratory() and name not in named]
    assert not missing, missing


def test_other_tests_are_what_they_are_said_to_be():
    for name, path in elsewhere().items():
        assert is_named_in(name, path), f"{path} does not show {name}"
        assert name in observed(), f"{name} is no condition any more"
        assert name not in in_laboratory(), f"{name} is shown by the laboratory"
