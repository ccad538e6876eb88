/* text_fold.c - folding for search. Text is folded in segments that begin where no character joins the one before, so
 * that the cuts do not depend on how the text arrives. */
#include <stdlib.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "mail/charset.h"

enum { FOLD = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE };
/* One code point decomposes into at most 18 (U+FDFA); case folding makes at most 3 of one. */
enum { SEGMENT_MAX = 256, CODES_PER_OCTET = 6, CODES = SEGMENT_MAX * CODES_PER_OCTET * 2 };

void text_fold_init(struct text_fold *f)
{
    f->held_n = f->part_n = 0;
}

static void fold_segment(struct buf *out, struct slice s)
{
    if (s.n == 0)
        return;
    if (ascii_is_all(s)) {
        for (size_t i = 0; i < s.n; i++)
            buf_put_char(out, ascii_lower(s.p[i]));
        return;
    }
    utf8proc_int32_t codes[CODES + 1];
    utf8proc_ssize_t n = utf8proc_decompose(
        (const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, codes, CODES, (utf8proc_option_t)FOLD);
    if (n >= 0 && n <= CODES)
        n = utf8proc_reencode(codes, n, (utf8proc_option_t)FOLD);
    else
        n = -1;
    buf_put(out, n >= 0 ? slice_of(codes, (size_t)n) : s);
}

/* Does a segment begin here? ASCII and ideographs join nothing before them. */
static bool begins_segment(uint32_t code)
{
    return code < 0x80 || (code >= 0x3400 && code <= 0x9fff) || (code >= 0xac00 && code <= 0xd7a3);
}

static void segment_end(struct text_fold *f, struct buf *out)
{
    fold_segment(out, slice_of(f->held, f->held_n));
    f->held_n = 0;
}

static void fold_char(struct text_fold *f, struct slice c, uint32_t code, struct buf *out)
{
    if (f->held_n && (begins_segment(code) || f->held_n + c.n > sizeof f->held - 4))
        segment_end(f, out);
    memcpy(f->held + f->held_n, c.p, c.n);
    f->held_n += c.n;
}

/* May more octets make a character of what is there? */
static bool is_incomplete(struct slice part)
{
    unsigned char lead = (unsigned char)part.p[0];
    size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || part.n >= need)
        return false;
    for (size_t i = 1; i < part.n; i++)
        if (((unsigned char)part.p[i] & 0xc0) != 0x80)
            return false;
    return true;
}

static void fold_octet(struct text_fold *f, char octet, struct buf *out)
{
    f->part[f->part_n++] = octet;
    struct slice part = slice_of(f->part, f->part_n);
    while (part.n && !is_incomplete(part)) {
        uint32_t code = 0xfffd;
        size_t used = utf8_decode(part, &code);
        fold_char(f, used ? slice_sub(part, 0, used) : S("\xef\xbf\xbd"), code, out);
        part = slice_from(part, used ? used : 1);
    }
    memmove(f->part, part.p, part.n);
    f->part_n = part.n;
}

void text_fold_feed(struct text_fold *f, struct slice utf8, struct buf *out)
{
    while (utf8.n) {
        /* a run of ASCII but its last letter, which an accent may follow */
        size_t run = 0;
        if (f->part_n == 0)
            while (run + 1 < utf8.n && (unsigned char)utf8.p[run] < 0x80 &&
                   (unsigned char)utf8.p[run + 1] < 0x80)
                run++;
        if (run) {
            segment_end(f, out);
            fold_segment(out, slice_sub(utf8, 0, run));
        } else
            fold_octet(f, utf8.p[run++], out);
        utf8 = slice_from(utf8, run);
    }
}

void text_fold_finish(struct text_fold *f, struct buf *out)
{
    for (size_t i = 0; i < f->part_n; i++)
        fold_char(f, S("\xef\xbf\xbd"), 0xfffd, out);
    f->part_n = 0;
    segment_end(f, out);
}

void text_fold_put(struct buf *out, struct slice utf8)
{
    struct text_fold f;
    text_fold_init(&f);
    text_fold_feed(&f, utf8, out);
    text_fold_finish(&f, out);
}

fallible text_nfc_put(struct buf *out, struct slice utf8)
{
    if (ascii_is_all(utf8)) {
        buf_put(out, utf8);
        return buf_check(out);
    }
    utf8proc_uint8_t *form = NULL;
    utf8proc_ssize_t n = utf8proc_map(
        (const utf8proc_uint8_t *)utf8.p, (utf8proc_ssize_t)utf8.n, &form,
        (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    if (n < 0)
        return ERR_SYNTAX;
    buf_put(out, slice_of(form, (size_t)n));
    free(form);
    return buf_check(out);
}
