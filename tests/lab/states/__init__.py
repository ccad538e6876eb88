"""The table of states, in the order of the doctor's steps."""
from lab.states import after, greeting, inputs, network, people, real, replies, settings, tls  # noqa: F401
from lab.states.book import STATES

ORDER = [m.__name__ for m in (real, inputs, settings, network, tls, greeting, replies, after, people)]
STATES.sort(key=lambda s: ORDER.index(s.build.__module__))  # stable: as they stand in their files
