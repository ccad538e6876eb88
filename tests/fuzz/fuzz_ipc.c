/* Frames between processes. Any octets: refused, or decoded to something that encodes to the same octets. And the input as
 * the fields of a message of each type: it makes the round trip, and with one octet changed it is refused or read. */
#include <assert.h>

#include "ipc/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_frame(struct slice frame)
{
    struct ipc_msg m;
    if (frame.n > LIMIT_IPC_MESSAGE || ipc_decode(frame, &m) != OK)
        return;
    m.fd_count = ipc_shape_of(m.type)->descriptors;
    struct buf again CLEANUP_BUF = BUF_INIT(LIMIT_IPC_MESSAGE), text CLEANUP_BUF = BUF_INIT(65536);
    enum err e = ipc_encode(&m, &again);
    assert(e == OK && slice_eq(frame, buf_slice(&again)));
    ipc_print(&m, &text);
    assert(buf_check(&text) == OK && text.n);
}

static struct slice take(struct slice *from, size_t n)
{
    struct slice got = slice_sub(*from, 0, n);
    *from = slice_from(*from, n);
    return got;
}

/* Texts get a part of what is left that its first octet chooses; everything else gets the octets it wants, or zeros. */
static void fill(struct ipc_msg *m, struct slice *rest)
{
    static const size_t size[] = {[IPC_U8] = 1,  [IPC_U16] = 2,    [IPC_U32] = 4, [IPC_U64] = 8,
                                  [IPC_I64] = 8, [IPC_ID128] = 16, [IPC_IP] = 16};
    const struct ipc_shape *shape = ipc_shape_of(m->type);
    for (unsigned i = 0; i < shape->field_count; i++) {
        const struct ipc_field *f = &shape->fields[i];
        char *at = (char *)&m->u + f->offset;
        unsigned char first = rest->n ? (unsigned char)rest->p[0] : 0;
        if (f->kind >= IPC_TEXT) {
            take(rest, 1);
            *(struct slice *)at = take(rest, first % (f->limit + 1));
        } else if (f->kind == IPC_ENUM) {
            take(rest, 1);
            *(int *)at = (int)(first % f->name_count);
        } else if (f->kind == IPC_BOOL) {
            take(rest, 1);
            *(bool *)at = first & 1;
        } else {
            struct slice number = take(rest, size[f->kind]);
            if (number.n)
                memcpy(at, number.p, number.n);
        }
    }
}

static void check_message(struct slice rest)
{
    struct slice choice = take(&rest, 4);
    if (choice.n < 4)
        return;
    const unsigned char *c = (const unsigned char *)choice.p;
    struct ipc_msg m = {.type = (enum ipc_type)(MSG_NONE + 1 + c[0] % (MSG_N - MSG_NONE - 1)), .id = c[1]};
    m.fd_count = ipc_shape_of(m.type)->descriptors;
    fill(&m, &rest);
    struct buf frame CLEANUP_BUF = BUF_INIT(LIMIT_IPC_MESSAGE);
    enum err e = ipc_encode(&m, &frame);
    assert(e == OK);
    struct ipc_msg back;
    e = ipc_decode(buf_slice(&frame), &back);
    assert(e == OK && back.type == m.type && back.id == m.id);
    check_frame(buf_slice(&frame));
    frame.p[(c[2] | (size_t)c[3] << 8) % frame.n] ^= (char)(1 + c[1] % 255);
    check_frame(buf_slice(&frame));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_frame(slice_of(data, size));
    check_message(slice_of(data, size));
    return 0;
}
