#include "imap/wire/describe.h"

#include "imap/wire/write.h"

/* Strings of a header may be anything: NUL becomes 0x80 and long or 8-bit ones literals, in imap_put_nstring. An empty
 * field that exists is "", a missing one NIL. */

/* One address of the four fields of RFC 3501 7.4.2; group marks are addresses without a host. */
static void put_address(struct buf *out, const struct address_item *item)
{
    buf_put_char(out, '(');
    if (item->kind == ADDRESS_MAILBOX) {
        imap_put_nstring(out, item->name);
        buf_put_char(out, ' ');
        imap_put_nstring(out, item->route);
        buf_put_char(out, ' ');
        imap_put_nstring(out, item->local);
        buf_put_char(out, ' ');
        /* NIL there would mark a group: an address without a domain has an empty one. */
        imap_put_string(out, item->domain);
    } else {
        buf_put(out, S("NIL NIL "));
        if (item->kind == ADDRESS_GROUP_START)
            imap_put_string(out, item->name);
        else
            buf_put(out, S("NIL"));
        buf_put(out, S(" NIL"));
    }
    buf_put_char(out, ')');
}

static fallible put_addresses(struct buf *out, struct structure_addresses walk)
{
    struct address_item item;
    enum err e = structure_address_next(&walk, &item);
    if (e == ERR_NOT_FOUND) {
        buf_put(out, S("NIL"));
        return OK;
    }
    buf_put_char(out, '(');
    for (; e == OK; e = structure_address_next(&walk, &item))
        put_address(out, &item);
    buf_put_char(out, ')');
    return e == ERR_NOT_FOUND ? OK : e;
}

/* RFC 3501 7.4.2: Sender and Reply-To default to From when missing or empty. */
static const struct structure_addresses *addresses_of(const struct structure_envelope *e, unsigned field)
{
    bool defaults = field == ENVELOPE_SENDER || field == ENVELOPE_REPLY_TO;
    return &e->addresses[defaults && e->addresses[field].count == 0 ? ENVELOPE_FROM : field];
}

static fallible put_envelope(struct buf *out, struct slice envelope)
{
    struct structure_envelope e;
    TRY(structure_envelope_read(envelope, &e));
    buf_put_char(out, '(');
    for (unsigned field = 0; field < ENVELOPE_FIELDS; field++) {
        if (field)
            buf_put_char(out, ' ');
        if (ENVELOPE_HAS_ADDRESSES(field))
            TRY(put_addresses(out, *addresses_of(&e, field)));
        else
            imap_put_nstring(out, e.raw[field]);
    }
    buf_put_char(out, ')');
    return OK;
}

static fallible put_params(struct buf *out, struct structure_params walk)
{
    struct header_param param;
    enum err e = structure_param_next(&walk, &param);
    if (e == ERR_NOT_FOUND) {
        buf_put(out, S("NIL"));
        return OK;
    }
    for (char before = '('; e == OK; before = ' ', e = structure_param_next(&walk, &param)) {
        buf_put_char(out, before);
        if (param.extended) {
            /* RFC 2231: the value is still charset'language'%xx, which the name's star says. */
            struct buf CLEANUP_BUF name = BUF_INIT(LIMIT_HEADER_FIELD + 1);
            buf_put(&name, param.name);
            buf_put_char(&name, '*');
            imap_put_string(out, buf_slice(&name));
        } else {
            imap_put_string(out, param.name);
        }
        buf_put_char(out, ' ');
        imap_put_string(out, param.value);
    }
    buf_put_char(out, ')');
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible put_disposition(struct buf *out, const struct structure_part *part)
{
    if (!part->disposition.p) {
        buf_put(out, S("NIL"));
        return OK;
    }
    buf_put_char(out, '(');
    imap_put_string(out, part->disposition);
    buf_put_char(out, ' ');
    TRY(put_params(out, part->disposition_params));
    buf_put_char(out, ')');
    return OK;
}

static fallible put_languages(struct buf *out, struct structure_languages walk)
{
    struct slice language;
    enum err e = structure_language_next(&walk, &language);
    if (e == ERR_NOT_FOUND) {
        buf_put(out, S("NIL"));
        return OK;
    }
    for (char before = '('; e == OK; before = ' ', e = structure_language_next(&walk, &language)) {
        buf_put_char(out, before);
        imap_put_string(out, language);
    }
    buf_put_char(out, ')');
    return e == ERR_NOT_FOUND ? OK : e;
}

/* body-fld-dsp SP body-fld-lang SP body-fld-loc, each with a space in front. */
static fallible put_extension(struct buf *out, const struct structure_part *part)
{
    buf_put_char(out, ' ');
    TRY(put_disposition(out, part));
    buf_put_char(out, ' ');
    TRY(put_languages(out, part->languages));
    buf_put_char(out, ' ');
    imap_put_nstring(out, part->location);
    return OK;
}

/* body-fld-enc is a string and never NIL: what was written, or 7BIT. */
static void put_encoding(struct buf *out, const struct structure_part *part)
{
    imap_put_string(
        out, part->transfer_encoding.p && part->transfer_encoding.n ? part->transfer_encoding : S("7bit"));
}

/* body-fields, for all but multiparts: type subtype params id description encoding octets. */
static fallible put_fields(struct buf *out, const struct structure_part *part)
{
    imap_put_string(out, part->type);
    buf_put_char(out, ' ');
    imap_put_string(out, part->subtype);
    buf_put_char(out, ' ');
    TRY(put_params(out, part->params));
    buf_put_char(out, ' ');
    imap_put_nstring(out, part->id);
    buf_put_char(out, ' ');
    imap_put_nstring(out, part->description);
    buf_put_char(out, ' ');
    put_encoding(out, part);
    buf_put_char(out, ' ');
    buf_put_u64(out, part->body_end - part->body_start);
    return OK;
}

static void put_lines(struct buf *out, const struct structure_part *part)
{
    buf_put_char(out, ' ');
    buf_put_u64(out, part->body_lines);
}

static fallible enter(struct buf *out, const struct structure_part *part)
{
    buf_put_char(out, '(');
    if (part->kind == MIME_MULTIPART)
        return OK; /* the children come first */
    TRY(put_fields(out, part));
    if (part->kind == MIME_TEXT)
        put_lines(out, part);
    if (part->kind == MIME_MESSAGE) {
        buf_put_char(out, ' ');
        TRY(put_envelope(out, part->envelope));
        buf_put_char(out, ' '); /* the child's body follows */
    }
    return OK;
}

static fallible leave(struct buf *out, const struct structure_part *part, bool extended)
{
    if (part->kind == MIME_MULTIPART) {
        buf_put_char(out, ' ');
        imap_put_string(out, part->subtype);
        if (extended) {
            buf_put_char(out, ' ');
            TRY(put_params(out, part->params));
            TRY(put_extension(out, part));
        }
    } else {
        if (part->kind == MIME_MESSAGE)
            put_lines(out, part);
        if (extended) {
            buf_put_char(out, ' ');
            imap_put_nstring(out, part->md5);
            TRY(put_extension(out, part));
        }
    }
    buf_put_char(out, ')');
    return OK;
}

static fallible put_bodystructure(struct buf *out, const struct structure *s, bool extended)
{
    struct structure_walk walk;
    structure_walk_start(&walk, s);
    for (;;) {
        enum structure_event event;
        struct structure_part part;
        TRY(structure_walk_next(&walk, &event, &part));
        if (event == STRUCTURE_END)
            return OK;
        if (event == STRUCTURE_ENTER)
            TRY(enter(out, &part));
        else
            TRY(leave(out, &part, extended));
    }
}

static fallible settle(struct buf *out, size_t before, enum err e)
{
    if (e == OK)
        return buf_check(out);
    out->n = before;
    return e;
}

fallible imap_put_envelope(struct buf *out, struct slice envelope)
{
    size_t before = out->n;
    return settle(out, before, put_envelope(out, envelope));
}

fallible imap_put_bodystructure(struct buf *out, const struct structure *s, bool extended)
{
    size_t before = out->n;
    return settle(out, before, put_bodystructure(out, s, extended));
}
