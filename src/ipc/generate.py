#!/usr/bin/env python3
"""Makes ipc/messages.h and ipc/messages_table.inc from messages.schema. Usage: generate.py SCHEMA OUTDIR"""
import os
import re
import sys

SCALARS = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "i64": "int64_t", "bool": "bool"}
SLICES = ("text", "bytes", "hidden")


def fail(number, text):
    sys.exit(f"messages.schema:{number}: {text}")


class Message:
    def __init__(self, name, comment):
        self.name, self.comment = name, comment
        self.senders, self.receivers, self.fields, self.items, self.descriptors = [], [], [], [], []
        self.answer, self.reply, self.counts = None, False, False


def parse(path):
    enums, messages, message = {}, [], None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        text, _, comment = line.rstrip("\n").partition("#")
        words, comment = text.split(), comment.strip()
        if not words:
            continue
        verb = words[0]
        if verb == "enum":
            enums[words[1]] = words[2:]
        elif verb == "message":
            message = Message(words[1], comment)
            if any(m.name == message.name for m in messages):
                fail(number, f"{message.name} is declared twice")
            messages.append(message)
        elif verb == "from":
            message.senders, message.receivers = words[1].split(","), words[3].split(",")
            for role in message.senders + message.receivers:
                if role not in enums["role"]:
                    fail(number, f"no role {role}")
        elif verb == "field":
            kind, limit = words[2], int(words[3]) if len(words) > 3 else 0
            if (kind in SLICES) != (limit > 0):
                fail(number, f"field {words[1]}: text, bytes and hidden need a limit, others have none")
            if kind not in SLICES and kind not in SCALARS and kind not in enums and kind not in ("id128", "delivery128", "ip"):
                fail(number, f"no type {kind}")
            message.fields.append((words[1], kind, limit, comment))
        elif verb == "item":
            message.items.append(words[1])
        elif verb == "answer":
            message.answer = words[1]
        elif verb == "descriptor":
            message.descriptors.append(words[1])
        elif verb in ("reply", "counts"):
            setattr(message, verb, True)
        else:
            fail(number, f"no verb {verb}")
    return enums, messages


def check(messages):
    by_name = {m.name: m for m in messages}
    for m in messages:
        for name in m.items + ([m.answer] if m.answer else []):
            if name not in by_name or not by_name[name].reply:
                sys.exit(f"messages.schema: {m.name} names {name}, which is no reply")
        if not m.senders:
            sys.exit(f"messages.schema: {m.name} has no permit")


def c_type(kind, enums):
    if kind in SCALARS:
        return SCALARS[kind] + " "
    if kind in SLICES:
        return "struct slice "
    if kind == "id128":
        return "struct account_id "
    if kind == "delivery128":
        return "struct delivery_id "
    if kind == "ip":
        return "struct ip "
    return f"enum ipc_{kind} "


def constant(*words):
    return re.sub(r"[^A-Z0-9]", "_", "_".join(words).upper())


def write_header(out, enums, messages):
    out.write("/* messages.h - made by generate.py from messages.schema. Structs of all messages between processes.\n"
              " *                                                               room: ipc   runs in: all */\n"
              "#ifndef IPC_MESSAGES_H\n#define IPC_MESSAGES_H\n\n"
              '#include "base/ids.h"\n#include "base/ip.h"\n#include "base/slice.h"\n\n')
    for name, values in enums.items():
        listed = ", ".join(constant(name, v) for v in values)
        out.write(f"enum ipc_{name} {{ {listed}, {constant(name)}_N }};\n")
        out.write(f"const char *ipc_{name}_name(enum ipc_{name} value);\n\n")
    out.write("enum ipc_type {\n    MSG_NONE,\n")
    for m in messages:
        out.write(f"    MSG_{m.name.upper()},\n")
    out.write("    MSG_N\n};\n\n")
    for m in messages:
        if m.comment:
            out.write(f"/* {m.comment} */\n")
        if not m.fields:
            out.write(f"struct msg_{m.name} {{\n    char none;\n}};\n\n")
            continue
        out.write(f"struct msg_{m.name} {{\n")
        for name, kind, limit, comment in m.fields:
            note = f" /* {comment} */" if comment else ""
            out.write(f"    {c_type(kind, enums)}{name};{note}\n")
        out.write("};\n\n")
    for m in messages:
        for i, name in enumerate(m.descriptors):
            out.write(f"#define MSG_{m.name.upper()}_FD_{name.upper()} {i}\n")
    out.write("\n/* All payloads in one place. Slices point into the received frame or to the sender's memory. */\n"
              "union ipc_payload {\n")
    for m in messages:
        out.write(f"    struct msg_{m.name} {m.name};\n")
    out.write("};\n\n#endif\n")


def write_table(out, enums, messages):
    for name, values in enums.items():
        listed = ", ".join(f'"{v.replace("_", "-")}"' for v in values)
        out.write(f"static const char *const enum_{name}[] = {{{listed}}};\n")
        out.write(f"const char *ipc_{name}_name(enum ipc_{name} value)\n{{\n"
                  f"    return (unsigned)value < {constant(name)}_N ? enum_{name}[value] : \"?\";\n}}\n")
    for m in messages:
        if m.fields:
            out.write(f"static const struct ipc_field fields_{m.name}[] = {{\n")
            for name, kind, limit, _ in m.fields:
                size, names, count = limit, "NULL", 0
                code = "ID128" if kind == "delivery128" else kind.upper()
                if kind in enums:
                    code, names, count = "ENUM", f"enum_{kind}", len(enums[kind])
                out.write(f'    {{"{name}", IPC_{code}, offsetof(union ipc_payload, {m.name}.{name}), {size}, {names}, {count}}},\n')
            out.write("};\n")
        if m.items:
            listed = ", ".join(f"MSG_{i.upper()}" for i in m.items)
            out.write(f"static const enum ipc_type items_{m.name}[] = {{{listed}}};\n")
    out.write("static const struct ipc_shape shapes[MSG_N] = {\n    [MSG_NONE] = {\"none\"},\n")
    for m in messages:
        def bits(roles):
            return " | ".join(f"1u << {constant('role', r)}" for r in roles)
        out.write(f"    [MSG_{m.name.upper()}] = {{\n"
                  f'        .name = "{m.name}",\n'
                  f"        .senders = {bits(m.senders)},\n        .receivers = {bits(m.receivers)},\n"
                  f"        .descriptors = {len(m.descriptors)},\n"
                  f"        .reply = {str(m.reply).lower()}, .counts = {str(m.counts).lower()},\n"
                  f"        .answer = {'MSG_' + m.answer.upper() if m.answer else 'MSG_NONE'},\n"
                  f"        .items = {'items_' + m.name if m.items else 'NULL'}, .item_count = {len(m.items)},\n"
                  f"        .fields = {'fields_' + m.name if m.fields else 'NULL'}, .field_count = {len(m.fields)},\n    }},\n")
    out.write("};\n")


def main():
    schema, outdir = sys.argv[1:]
    enums, messages = parse(schema)
    check(messages)
    os.makedirs(outdir, exist_ok=True)
    with open(os.path.join(outdir, "messages.h"), "w", encoding="utf-8") as out:
        write_header(out, enums, messages)
    with open(os.path.join(outdir, "messages_table.inc"), "w", encoding="utf-8") as out:
        write_table(out, enums, messages)


main()
