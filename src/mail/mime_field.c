#include "mail/mime_field.h"

#include "mail/charset.h"

enum field_name {
    FIELD_TYPE = ENVELOPE_FIELDS, /* after those of the envelope, which have their own numbers */
    FIELD_ENCODING,
    FIELD_DISPOSITION,
    FIELD_ID,
    FIELD_DESCRIPTION,
    FIELD_MD5,
    FIELD_LANGUAGE,
    FIELD_LOCATION,
    FIELD_NONE
};

/* clang-format off */
static const struct {
    const char *name;
    unsigned field;
} names[] = {
    {"Date", ENVELOPE_DATE}, {"Subject", ENVELOPE_SUBJECT}, {"From", ENVELOPE_FROM}, {"Sender", ENVELOPE_SENDER},
    {"Reply-To", ENVELOPE_REPLY_TO}, {"To", ENVELOPE_TO}, {"Cc", ENVELOPE_CC}, {"Bcc", ENVELOPE_BCC},
    {"In-Reply-To", ENVELOPE_IN_REPLY_TO}, {"Message-ID", ENVELOPE_MESSAGE_ID}, {"Content-Type", FIELD_TYPE},
    {"Content-Transfer-Encoding", FIELD_ENCODING}, {"Content-Disposition", FIELD_DISPOSITION},
    {"Content-ID", FIELD_ID}, {"Content-Description", FIELD_DESCRIPTION}, {"Content-MD5", FIELD_MD5},
    {"Content-Language", FIELD_LANGUAGE}, {"Content-Location", FIELD_LOCATION},
};
/* clang-format on */

static unsigned field_of(struct slice name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq_nocase(name, slice_str(names[i].name)))
            return names[i].field;
    return FIELD_NONE;
}

/* The value in one line, in the arena; false at its ceiling. */
static bool keep(struct mime_part *part, struct slice value, struct arena *arena, struct slice *ret_kept)
{
    struct slice kept = header_unfold(value, arena);
    if (kept.p && !slice_has(slice_trim(value), '\n'))
        kept = arena_copy(arena, kept);
    if (!kept.p) {
        part->flags |= MIME_TRUNCATED;
        return false;
    }
    *ret_kept = kept;
    return true;
}

static void note_params(struct mime_part *part, const struct header_params *params)
{
    if (params->ambiguous)
        part->flags |= MIME_AMBIGUOUS;
    if (params->truncated)
        part->flags |= MIME_TRUNCATED;
}

static void read_type(struct mime_part *part, struct slice value, struct arena *arena)
{
    header_params_parse(value, arena, &part->type);
    note_params(part, &part->type);
    if (!part->type.type.p || !part->type.subtype.p) {
        part->flags |= MIME_AMBIGUOUS; /* RFC 2045 5.2: text/plain then, some readers guess */
        part->type.type = part->type.subtype = SLICE_EMPTY;
    }
    if (slice_search_nocase(value, S("boundary*")) != SLICE_NPOS)
        part->flags |= MIME_AMBIGUOUS;
}

static void read_encoding(struct mime_part *part, struct slice value, struct arena *arena)
{
    struct header_params params;
    header_params_parse(value, arena, &params);
    struct slice token = params.type;
    if (!token.p || token.n != value.n)
        part->flags |= MIME_AMBIGUOUS;
    part->transfer_encoding = token.p ? token : value;
    part->encoding = token.p ? encoding_find(token) : ENCODING_UNKNOWN;
    if (part->encoding == ENCODING_UNKNOWN)
        part->flags |= MIME_AMBIGUOUS;
}

static void read_disposition(struct mime_part *part, struct slice value, struct arena *arena)
{
    header_params_parse(value, arena, &part->disposition);
    note_params(part, &part->disposition);
    if (!part->disposition.type.p)
        part->disposition = (struct header_params){.type = SLICE_EMPTY};
}

/* RFC 3282: tags between commas; comments are dropped. */
static void read_languages(struct mime_part *part, struct slice value, struct arena *arena)
{
    size_t count = 1;
    for (size_t i = 0; i < value.n; i++)
        count += value.p[i] == ',';
    if (count > LIMIT_MIME_PARAMETERS) {
        part->flags |= MIME_TRUNCATED;
        return;
    }
    part->languages = arena_array(arena, count, sizeof *part->languages);
    if (!part->languages) {
        part->flags |= MIME_TRUNCATED;
        return;
    }
    struct slice tag;
    while (slice_cut(&value, ',', &tag)) {
        size_t comment = slice_find(tag, '(');
        tag = slice_trim(slice_sub(tag, 0, comment == SLICE_NPOS ? tag.n : comment));
        if (tag.n)
            part->languages[part->language_count++] = tag;
    }
}

static void read_envelope(
    struct mime_part *part, struct mime_envelope *envelope, unsigned field, struct slice value,
    struct arena *arena)
{
    envelope->raw[field] = value;
    if (!ENVELOPE_HAS_ADDRESSES(field))
        return;
    address_list_parse(value, arena, &envelope->addresses[field]);
    if (envelope->addresses[field].truncated)
        part->flags |= MIME_TRUNCATED;
}

static void read_content(struct mime_part *part, unsigned field, struct slice value, struct arena *arena)
{
    switch (field) {
    case FIELD_TYPE:
        read_type(part, value, arena);
        break;
    case FIELD_ENCODING:
        read_encoding(part, value, arena);
        break;
    case FIELD_DISPOSITION:
        read_disposition(part, value, arena);
        break;
    case FIELD_LANGUAGE:
        read_languages(part, value, arena);
        break;
    case FIELD_ID:
        part->id = value;
        break;
    case FIELD_DESCRIPTION:
        part->description = value;
        break;
    case FIELD_MD5:
        part->md5 = value;
        break;
    case FIELD_LOCATION:
        part->location = value;
        break;
    default:
        break;
    }
}

void mime_field_read(
    struct mime_part *part, struct mime_envelope *envelope, uint32_t *seen, const struct header_field *field,
    struct arena *arena)
{
    unsigned which = field_of(field->name);
    if (which == FIELD_NONE || (which < FIELD_TYPE && !envelope))
        return;
    bool again = *seen >> which & 1;
    *seen |= 1u << which;
    bool has_meaning = which == FIELD_TYPE || which == FIELD_ENCODING || which == FIELD_DISPOSITION;
    if (has_meaning &&
        (again || field->raw.p[field->name.n] != ':')) /* "Content-Type : x" is read, but not by all */
        part->flags |= MIME_AMBIGUOUS;
    struct slice value;
    if (again || !keep(part, field->value, arena, &value))
        return;
    if (which < FIELD_TYPE)
        read_envelope(part, envelope, which, value, arena);
    else
        read_content(part, which, value, arena);
}

/* ---- what the part is ---- */

static bool is_message_type(const struct header_params *type)
{
    return slice_eq_nocase(type->type, S("message")) &&
           (slice_eq_nocase(type->subtype, S("rfc822")) || slice_eq_nocase(type->subtype, S("global")));
}

static void set_default_type(struct mime_part *part, bool in_digest)
{
    static const struct header_param ascii = {.name = S("charset"), .value = S("us-ascii")};
    if (in_digest) {
        part->type.type = S("message");
        part->type.subtype = S("rfc822");
        return;
    }
    part->type.type = S("text");
    part->type.subtype = S("plain");
    if (part->type.count == 0) {
        part->type.items = &ascii;
        part->type.count = 1;
    }
}

void mime_field_decide(struct mime_part *part, bool in_digest)
{
    if (!part->type.type.p)
        set_default_type(part, in_digest);
    if (slice_eq_nocase(part->type.type, S("text")))
        part->kind = MIME_TEXT;
    else if (slice_eq_nocase(part->type.type, S("multipart")))
        part->kind = MIME_MULTIPART;
    else
        part->kind = is_message_type(&part->type) ? MIME_MESSAGE : MIME_BASIC;
    bool is_container = part->kind == MIME_MULTIPART || part->kind == MIME_MESSAGE;
    if (is_container && !encoding_is_identity(part->encoding))
        part->flags |= MIME_AMBIGUOUS; /* RFC 2045 6.4 forbids it; the encoding is not undone */
    bool is_attached = slice_eq_nocase(part->disposition.type, S("attachment"));
    if (is_attached || header_param_find(&part->disposition, S("filename")) ||
        header_param_find(&part->type, S("name")))
        part->flags |= MIME_ATTACHMENT;
}

void mime_field_show_as(struct mime_part *part, enum mime_kind kind, struct slice type, struct slice subtype)
{
    part->kind = kind;
    part->type.type = type;
    part->type.subtype = subtype;
}

/* RFC 2046 5.1.1 */
static bool is_boundary_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c && strchr("'()+_,-./:=? ", c));
}

static int hex_digit(char c)
{
    c = ascii_lower(c);
    return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The octets of "charset'language'%xx". */
static struct slice plain_octets(struct slice value, struct arena *arena)
{
    struct slice rest = value, skipped;
    if (slice_cut(&rest, '\'', &skipped) && rest.p && slice_cut(&rest, '\'', &skipped) && rest.p)
        value = rest;
    char *to = arena_alloc(arena, value.n + 1);
    size_t n = 0;
    for (size_t i = 0; to && i < value.n; i++) {
        bool escape = value.p[i] == '%' && i + 2 < value.n && hex_digit(value.p[i + 1]) >= 0 &&
                      hex_digit(value.p[i + 2]) >= 0;
        to[n++] = escape ? (char)(hex_digit(value.p[i + 1]) << 4 | hex_digit(value.p[i + 2])) : value.p[i];
        i += escape ? 2 : 0;
    }
    return to ? slice_of(to, n) : SLICE_EMPTY;
}

struct slice mime_field_boundary(struct mime_part *part, struct arena *arena)
{
    struct slice boundary = SLICE_EMPTY;
    for (size_t i = 0; i < part->type.count && boundary.n == 0; i++) {
        const struct header_param *param = &part->type.items[i];
        if (!slice_eq_nocase(param->name, S("boundary")))
            continue;
        boundary = param->extended ? plain_octets(param->value, arena) : param->value;
    }
    size_t given = boundary.n;
    while (boundary.n && (boundary.p[boundary.n - 1] == ' ' || boundary.p[boundary.n - 1] == '\t'))
        boundary.n--;
    bool odd = boundary.n != given || boundary.n == 0 || boundary.n > 70;
    for (size_t i = 0; i < boundary.n; i++)
        odd |= !is_boundary_char(boundary.p[i]);
    if (odd)
        part->flags |= MIME_AMBIGUOUS;
    return boundary.n <= BOUNDARY_MAX ? boundary : SLICE_EMPTY;
}

bool mime_put_file_name(
    struct charsets *charsets, const struct header_params *type, const struct header_params *disposition,
    struct buf *out)
{
    const struct header_param *name = header_param_find(disposition, S("filename"));
    if (!name)
        name = header_param_find(type, S("name"));
    if (!name)
        return false;
    header_param_put_text(charsets, name, out);
    return true;
}
