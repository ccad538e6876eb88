#!/usr/bin/env python3
"""Writes the table of the laboratory's states into docs/doctor.md, between its two marks."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab.states import STATES  # noqa: E402
from lib.server import ROOT  # noqa: E402

PAGE = ROOT / "docs/doctor.md"
BEGIN, END = "<!-- states: written by ./dev test --write-docs -->\n", "<!-- end of states -->\n"


def verdict_of(state):
    either = f" or `{state.alternative}`" if state.alternative else ""
    besides = f", and notices `{state.noticed}`" if state.noticed else ""
    return f"`{state.verdict}`{either}{besides}"


def table():
    rows = ["| state | 状态 | first verdict | cause |", "|---|---|---|---|"]
    rows += [f"| {s.en} | {s.zh} | {verdict_of(s)} | {s.cause} |" for s in STATES]
    return f"{len(STATES)} states; *or* names what cannot be told apart from it from outside.\n\n" + "\n".join(rows) + "\n"


def page_with_table(text):
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + "\n" + table() + "\n" + END + tail


def main():
    text = PAGE.read_text(encoding="utf-8")
    if BEGIN not in text:
        sys.exit(f"{PAGE} has no place for the table: {BEGIN!r}")
    PAGE.write_text(page_with_table(text), encoding="utf-8")


if __name__ == "__main__":
    main()
