/* message.h - one message between processes: encoding, decoding, permits, printing.     room: ipc   runs in:
 * all
 *
 * A frame is: u16 type, u16 zero, u32 payload length, u64 request id, then the fields in the schema's order,
 * little-endian; text, bytes and hidden carry a u32 length. The decoder must reach the exact end, refuses
 * lengths above the field's limit, enum values that do not exist and booleans above 1. Nothing is allocated:
 * slices point into the frame.
 */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include "base/buf.h"
#include "base/limits.h"
#include "ipc/messages.h"

enum ipc_kind {
    IPC_U8,
    IPC_U16,
    IPC_U32,
    IPC_U64,
    IPC_I64,
    IPC_BOOL,
    IPC_ENUM,
    IPC_ID128,
    IPC_IP,
    IPC_TEXT,
    IPC_BYTES,
    IPC_HIDDEN
};

struct ipc_field {
    const char *name;
    enum ipc_kind kind;
    size_t offset; /* in union ipc_payload */
    size_t limit;  /* of text, bytes, hidden */
    const char *const *names;
    unsigned name_count;
};

/* What the schema says of a type. */
struct ipc_shape {
    const char *name;
    unsigned senders, receivers; /* bits by role */
    unsigned descriptors;
    bool reply, counts;
    enum ipc_type answer; /* MSG_NONE: no request */
    const enum ipc_type *items;
    unsigned item_count;
    const struct ipc_field *fields;
    unsigned field_count;
};

struct ipc_msg {
    enum ipc_type type;
    uint64_t id; /* of the request this is, or answers; 0: neither */
    union ipc_payload u;
    unsigned fd_count;
    int fds[LIMIT_IPC_DESCRIPTORS]; /* a receiver that keeps one writes -1 (TAKE); the rest is closed after
                                       the handler */
};

/* NULL for a number that is no type. */
const struct ipc_shape *ipc_shape_of(unsigned type);
bool ipc_may_send(enum ipc_type type, enum ipc_role from, enum ipc_role to);
/* ERR_LIMIT when a field is above its limit: our own bug or a caller's unchecked input. */
fallible ipc_encode(const struct ipc_msg *m, struct buf *out);
/* ERR_PROTOCOL for anything that does not match the schema. Does not fill fds. */
fallible ipc_decode(struct slice frame, struct ipc_msg *ret_m);
/* "attach ticket=.... session=17": for debug logs; secrets are dots, text is cut. */
void ipc_print(const struct ipc_msg *m, struct buf *out);
/* Where a field's value stands in the message. */
static inline const void *ipc_field_value(const struct ipc_msg *m, const struct ipc_field *f)
{
    return (const char *)&m->u + f->offset;
}

#endif
