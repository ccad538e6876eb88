"""Where states are written down. A state is a function that prepares its bench; the decorator says what is right in it."""
from lab.laboratory import State

STATES = []


def state(name, en, zh, verdict, cause="none", **more):
    def keep(build):
        STATES.append(State(name, en, zh, build, verdict, cause, **more))
        return build
    return keep
