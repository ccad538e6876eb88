#include "ipc/message.h"

#include <assert.h>
#include <endian.h>

#include "base/encode.h"
#include "ipc/messages_table.inc"

enum { HEAD = 16 };

const struct ipc_shape *ipc_shape_of(unsigned type)
{
    return type > MSG_NONE && type < MSG_N ? &shapes[type] : NULL;
}

bool ipc_may_send(enum ipc_type type, enum ipc_role from, enum ipc_role to)
{
    const struct ipc_shape *shape = ipc_shape_of(type);
    return shape && (shape->senders >> from & 1) && (shape->receivers >> to & 1);
}

static void put_number(struct buf *out, uint64_t value, size_t size)
{
    uint64_t le = htole64(value);
    buf_put(out, slice_of(&le, size));
}

static fallible put_field(struct buf *out, const struct ipc_field *f, const void *at)
{
    switch (f->kind) {
    case IPC_U8:
        put_number(out, *(const uint8_t *)at, 1);
        break;
    case IPC_BOOL:
        put_number(out, *(const bool *)at, 1);
        break;
    case IPC_ENUM:
        assert((unsigned)*(const int *)at < f->name_count);
        put_number(out, (unsigned)*(const int *)at, 1);
        break;
    case IPC_U16:
        put_number(out, *(const uint16_t *)at, 2);
        break;
    case IPC_U32:
        put_number(out, *(const uint32_t *)at, 4);
        break;
    case IPC_U64:
        put_number(out, *(const uint64_t *)at, 8);
        break;
    case IPC_I64:
        put_number(out, (uint64_t) * (const int64_t *)at, 8);
        break;
    case IPC_ID128:
    case IPC_IP:
        buf_put(out, slice_of(at, 16));
        break;
    case IPC_TEXT:
    case IPC_BYTES:
    case IPC_HIDDEN: {
        struct slice s = *(const struct slice *)at;
        if (s.n > f->limit)
            return ERR_LIMIT;
        put_number(out, s.n, 4);
        buf_put(out, s);
        break;
    }
    }
    return OK;
}

static size_t encoded_size(const struct ipc_shape *shape, const struct ipc_msg *m)
{
    static const size_t fixed[] = {
        [IPC_U8] = 1,  [IPC_BOOL] = 1,   [IPC_ENUM] = 1, [IPC_U16] = 2,  [IPC_U32] = 4,   [IPC_U64] = 8,
        [IPC_I64] = 8, [IPC_ID128] = 16, [IPC_IP] = 16,  [IPC_TEXT] = 4, [IPC_BYTES] = 4, [IPC_HIDDEN] = 4,
    };
    size_t size = HEAD;
    for (unsigned i = 0; i < shape->field_count; i++) {
        const struct ipc_field *f = &shape->fields[i];
        bool is_slice = f->kind == IPC_TEXT || f->kind == IPC_BYTES || f->kind == IPC_HIDDEN;
        size += fixed[f->kind] + (is_slice ? ((const struct slice *)ipc_field_value(m, f))->n : 0);
    }
    return size;
}

fallible ipc_encode(const struct ipc_msg *m, struct buf *out)
{
    const struct ipc_shape *shape = ipc_shape_of(m->type);
    assert(shape && m->fd_count == shape->descriptors);
    size_t start = out->n;
    /* At once: a buffer that grows leaves what it held, and that may be a secret, in memory that nobody wipes. */
    (void)buf_reserve(out, encoded_size(shape, m));
    put_number(out, m->type, 2);
    put_number(out, 0, 2);
    put_number(out, 0, 4);
    put_number(out, m->id, 8);
    for (unsigned i = 0; i < shape->field_count; i++)
        TRY(put_field(out, &shape->fields[i], ipc_field_value(m, &shape->fields[i])));
    TRY(buf_check(out));
    uint32_t length = htole32((uint32_t)(out->n - start - HEAD));
    memcpy(out->p + start + 4, &length, 4);
    return out->n - start <= LIMIT_IPC_MESSAGE ? OK : ERR_LIMIT;
}

/* Takes `size` octets as a number off the front. */
static fallible get_number(struct slice *rest, size_t size, uint64_t *ret_value)
{
    if (rest->n < size)
        return ERR_PROTOCOL;
    uint64_t le = 0;
    memcpy(&le, rest->p, size);
    *rest = slice_from(*rest, size);
    *ret_value = le64toh(le);
    return OK;
}

static fallible get_slice(struct slice *rest, const struct ipc_field *f, struct slice *ret_s)
{
    uint64_t n;
    TRY(get_number(rest, 4, &n));
    if (n > f->limit || n > rest->n)
        return ERR_PROTOCOL;
    *ret_s = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return OK;
}

static fallible get_field(struct slice *rest, const struct ipc_field *f, void *at)
{
    static const size_t size_of[] = {[IPC_U8] = 1,  [IPC_BOOL] = 1, [IPC_ENUM] = 1, [IPC_U16] = 2,
                                     [IPC_U32] = 4, [IPC_U64] = 8,  [IPC_I64] = 8};
    if (f->kind >= IPC_TEXT)
        return get_slice(rest, f, at);
    if (f->kind == IPC_ID128 || f->kind == IPC_IP) {
        if (rest->n < 16)
            return ERR_PROTOCOL;
        memcpy(at, rest->p, 16);
        *rest = slice_from(*rest, 16);
        return OK;
    }
    uint64_t value;
    TRY(get_number(rest, size_of[f->kind], &value));
    if ((f->kind == IPC_BOOL && value > 1) || (f->kind == IPC_ENUM && value >= f->name_count))
        return ERR_PROTOCOL;
    switch (f->kind) {
    case IPC_U8:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case IPC_BOOL:
        *(bool *)at = value;
        break;
    case IPC_ENUM:
        *(int *)at = (int)value;
        break;
    case IPC_U16:
        *(uint16_t *)at = (uint16_t)value;
        break;
    case IPC_U32:
        *(uint32_t *)at = (uint32_t)value;
        break;
    default:
        memcpy(at, &value, 8);
        break;
    }
    return OK;
}

fallible ipc_decode(struct slice frame, struct ipc_msg *ret_m)
{
    uint64_t type, zero, length, id;
    TRY(get_number(&frame, 2, &type));
    TRY(get_number(&frame, 2, &zero));
    TRY(get_number(&frame, 4, &length));
    TRY(get_number(&frame, 8, &id));
    const struct ipc_shape *shape = ipc_shape_of((unsigned)type);
    if (!shape || zero || length != frame.n)
        return ERR_PROTOCOL;
    struct ipc_msg m = {.type = (enum ipc_type)type, .id = id};
    for (unsigned i = 0; i < shape->field_count; i++)
        TRY(get_field(&frame, &shape->fields[i], (char *)&m.u + shape->fields[i].offset));
    if (frame.n)
        return ERR_PROTOCOL;
    for (unsigned i = 0; i < LIMIT_IPC_DESCRIPTORS; i++)
        m.fds[i] = -1;
    *ret_m = m;
    return OK;
}

static void print_value(struct buf *out, const struct ipc_field *f, const void *at)
{
    struct slice s = f->kind >= IPC_TEXT ? *(const struct slice *)at : SLICE_EMPTY;
    char ip[IP_TEXT_MAX];
    switch (f->kind) {
    case IPC_U8:
        return buf_put_u64(out, *(const uint8_t *)at);
    case IPC_BOOL:
        return buf_put_str(out, *(const bool *)at ? "yes" : "no");
    case IPC_ENUM:
        return buf_put_str(out, f->names[*(const int *)at]);
    case IPC_U16:
        return buf_put_u64(out, *(const uint16_t *)at);
    case IPC_U32:
        return buf_put_u64(out, *(const uint32_t *)at);
    case IPC_U64:
        return buf_put_u64(out, *(const uint64_t *)at);
    case IPC_I64:
        return buf_printf(out, "%lld", (long long)*(const int64_t *)at);
    case IPC_IP:
        return buf_put_str(out, ip_text(at, ip));
    case IPC_ID128:
        return hex_put(out, slice_of(at, 16));
    case IPC_TEXT:
        return buf_put(out, slice_sub(s, 0, 64));
    case IPC_BYTES:
        return hex_put(out, slice_sub(s, 0, 32));
    case IPC_HIDDEN:
        return buf_put_str(out, "....");
    }
}

void ipc_print(const struct ipc_msg *m, struct buf *out)
{
    const struct ipc_shape *shape = ipc_shape_of(m->type);
    buf_put_str(out, shape ? shape->name : "?");
    for (unsigned i = 0; shape && i < shape->field_count; i++) {
        buf_printf(out, " %s=", shape->fields[i].name);
        print_value(out, &shape->fields[i], ipc_field_value(m, &shape->fields[i]));
    }
}
