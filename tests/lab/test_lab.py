"""The fault laboratory: in every state the first verdict of `letterlock doctor` is the right one; and on the way there no secret went
where it must not, no account was tried too often, and nothing hung."""
import collections

import pytest

from lab import document, namespace
from lab.laboratory import FAILURES, WITHIN, Laboratory
from lab.states import STATES
from lib.server import threat

pytestmark = pytest.mark.skipif(not namespace.is_possible(), reason="the laboratory makes network namespaces: it needs root")


@pytest.fixture(scope="module")
def laboratory(request):
    """All states that this run asks for are started side by side."""
    wanted = {item.callspec.params["state"].name for item in request.session.items
              if item.module is request.module and hasattr(item, "callspec") and "state" in item.callspec.params}
    lab = Laboratory([s for s in STATES if s.name in wanted])
    yield lab
    lab.close()


@pytest.mark.parametrize("state", STATES, ids=lambda s: s.name)
def test_first_verdict(laboratory, state):
    seen = laboratory.result(state.name)
    print(seen.summary())
    wrong = [good for _, _, good in seen.attempts].count(False)
    assert wrong <= FAILURES, "tried too often"
    for form in seen.forms_of_secret():
        assert form not in seen.out and form not in seen.err, "the secret is shown"
        assert state.clear or form not in seen.clear, "the secret went out in clear"
    assert (seen.verdict, seen.cause) == (state.verdict, state.cause)
    if state.alternative:
        assert seen.alternative == state.alternative
    assert not state.noticed or state.noticed in seen.noticed
    assert not seen.not_said_in_chinese()
    assert seen.code == (0 if state.verdict in ("healthy", "no-password") else 1)
    assert seen.seconds < WITHIN


def test_names_are_unique():
    assert max(collections.Counter(s.name for s in STATES).values()) == 1
    assert len(STATES) >= 80


def test_documented():
    text = document.PAGE.read_text(encoding="utf-8")
    assert document.page_with_table(text) == text, "docs/doctor.md is older than the table: ./dev test --write-docs"
