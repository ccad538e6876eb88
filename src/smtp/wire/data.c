#include "smtp/wire/data.h"

#include "base/limits.h"

/* Content up to, not including, the first dot that starts a line, or whole; sets the state behind it. */
static struct slice take_content(struct smtp_data *d, struct slice *input)
{
    struct slice in = *input;
    size_t at = 0;
    while (d->at != SMTP_DATA_LINE_START || in.p[at] != '.') {
        size_t lf = slice_find(slice_from(in, at), '\n');
        if (lf == SLICE_NPOS) {
            d->at = in.p[in.n - 1] == '\r' ? SMTP_DATA_CR : SMTP_DATA_INSIDE;
            at = in.n;
            break;
        }
        lf += at;
        bool crlf = lf > 0 ? in.p[lf - 1] == '\r' : d->at == SMTP_DATA_CR;
        d->at = crlf ? SMTP_DATA_LINE_START : SMTP_DATA_INSIDE;
        at = lf + 1;
        if (at == in.n)
            break;
    }
    *input = slice_from(in, at);
    return slice_sub(in, 0, at);
}

/* Behind a dot that started a line. Shows a held-back CR when it was no end. */
static bool take_after_dot(struct smtp_data *d, struct slice *input, struct slice *ret_piece)
{
    if (d->at == SMTP_DATA_DOT) {
        if (input->p[0] != '\r') {
            d->at = SMTP_DATA_INSIDE; /* the dot was stuffing, and is gone */
            return false;
        }
        d->at = SMTP_DATA_DOT_CR;
        *input = slice_from(*input, 1);
        return false;
    }
    if (input->p[0] == '\n') {
        d->at = SMTP_DATA_DONE;
        *input = slice_from(*input, 1);
        return false;
    }
    d->at = SMTP_DATA_CR;
    *ret_piece = S("\r");
    return true;
}

bool smtp_data_feed(struct smtp_data *d, struct slice *input, struct slice *ret_piece)
{
    while (input->n && d->at != SMTP_DATA_DONE) {
        if (d->at == SMTP_DATA_DOT || d->at == SMTP_DATA_DOT_CR) {
            if (take_after_dot(d, input, ret_piece))
                return true;
            continue;
        }
        struct slice piece = take_content(d, input);
        if (d->at == SMTP_DATA_LINE_START && input->n) { /* stopped before a dot */
            *input = slice_from(*input, 1);
            d->at = SMTP_DATA_DOT;
        }
        if (piece.n) {
            *ret_piece = piece;
            return true;
        }
    }
    return false;
}

bool smtp_bdat_feed(struct smtp_bdat *b, struct slice *input, struct slice *ret_piece)
{
    size_t n = b->left < input->n ? (size_t)b->left : input->n;
    if (n == 0)
        return false;
    *ret_piece = slice_sub(*input, 0, n);
    *input = slice_from(*input, n);
    b->left -= n;
    return true;
}

/* Eight octets at once: true when one of them is below 14 (NUL, LF, CR and a few that cost a second look). */
static inline bool has_low(uint64_t x)
{
    return ((x - 0x0e0e0e0e0e0e0e0eULL) & ~x & 0x8080808080808080ULL) != 0;
}

/* Octets at the front that are surely neither NUL, CR nor LF. */
static size_t plain_run(struct slice s)
{
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t x;
        memcpy(&x, s.p + i, 8);
        if (has_low(x))
            break;
    }
    while (i < s.n && s.p[i] != '\0' && s.p[i] != '\r' && s.p[i] != '\n')
        i++;
    return i;
}

void smtp_content_feed(struct smtp_content *c, struct slice piece)
{
    c->octets += piece.n;
    while (piece.n) {
        char first = piece.p[0];
        if (c->cr && first != '\n')
            c->flags |= SMTP_BARE_CR;
        if (first == '\n' && !c->cr)
            c->flags |= SMTP_BARE_LF;
        if (first == '\0')
            c->flags |= SMTP_NUL;
        c->cr = first == '\r';
        size_t n = first == '\n' || first == '\r' || first == '\0' ? 1 : plain_run(piece);
        c->line = first == '\n' ? 0 : c->line + n;
        if (c->line > LIMIT_BODY_LINE)
            c->flags |= SMTP_LINE_LONG;
        piece = slice_from(piece, n);
    }
}

unsigned smtp_content_end(struct smtp_content *c)
{
    if (c->cr)
        c->flags |= SMTP_BARE_CR;
    c->cr = false;
    return c->flags;
}

void smtp_stuffer_feed(struct smtp_stuffer *s, struct slice content, struct buf *out)
{
    while (content.n) {
        if (!s->inside && content.p[0] == '.')
            buf_put_char(out, '.');
        size_t lf = slice_find(content, '\n');
        size_t n = lf == SLICE_NPOS ? content.n : lf + 1;
        buf_put(out, slice_sub(content, 0, n));
        bool crlf = lf != SLICE_NPOS && (lf > 0 ? content.p[lf - 1] == '\r' : s->cr);
        s->inside = !crlf;
        s->cr = content.p[n - 1] == '\r';
        content = slice_from(content, n);
    }
}

void smtp_stuffer_end(struct smtp_stuffer *s, struct buf *out)
{
    buf_put_str(out, s->inside ? "\r\n.\r\n" : ".\r\n");
}
