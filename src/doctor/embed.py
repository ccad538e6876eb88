"""Writes the knowledge as C: embed.py FOLDER FILE... The texts become one array, which is read at start by the same reader as
files of users; diagnoses with `observed` become the members of enum observed, so that no step can name one that is not there."""
import pathlib
import sys


def literal(line):
    octets = line.encode("utf-8")
    return '"' + "".join(chr(o) if 32 <= o < 127 and chr(o) not in '"\\?' else f"\\{o:03o}" for o in octets) + '\\n"'


def write(target, guard, what, body):
    made = f"/* Made by embed.py. {what}. */\n#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n"
    if not target.exists() or target.read_text() != made:
        target.write_text(made)


folder, sources = pathlib.Path(sys.argv[1]), map(pathlib.Path, sys.argv[2:])
folder.mkdir(parents=True, exist_ok=True)
lines, observed, diagnosis = [], [], None
for source in sources:
    for line in [*source.read_text(encoding="utf-8").split("\n"), ""]:
        if not line.startswith("#"):
            lines.append(line)
        if line.startswith("diagnosis "):
            diagnosis = line.split(" ", 1)[1].strip()
        if line.startswith("observed "):
            observed.append(diagnosis)
write(folder / "diagnoses.h", "DOCTOR_DIAGNOSES_H", "All diagnoses and providers",
      "static const char diagnoses_text[] =\n" + "\n".join(map(literal, lines)) + ";\n")
members = "".join(f"    OBSERVED_{o.replace('-', '_').replace('.', '_').upper()},\n" for o in observed)
names = "".join(f'    "{o}", \\\n' for o in observed)
write(folder / "observed.h", "DOCTOR_OBSERVED_H", "The conditions that the steps may observe",
      f"enum observed {{\n{members}    OBSERVED_N\n}};\n/* Their ids, in this order. */\n#define OBSERVED_IDS \\\n{names}\n")
