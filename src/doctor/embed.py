"""Writes diagnoses.def as a C array: embed.py diagnoses.def FOLDER. The text is read at start by the same reader as files of users."""
import pathlib
import sys


def literal(line):
    octets = line.encode("utf-8")
    return '"' + "".join(chr(o) if 32 <= o < 127 and chr(o) not in '"\\?' else f"\\{o:03o}" for o in octets) + '\\n"'


source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
lines = [line for line in source.read_text(encoding="utf-8").split("\n") if not line.startswith("#")]
made = ("/* Made from diagnoses.def by embed.py. */\n#ifndef DOCTOR_DIAGNOSES_H\n#define DOCTOR_DIAGNOSES_H\n\n"
        "static const char diagnoses_text[] =\n" + "\n".join(map(literal, lines)) + ";\n\n#endif\n")
target = folder / "diagnoses.h"
if not target.exists() or target.read_text() != made:
    target.write_text(made)
