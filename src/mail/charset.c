/* charset.c - the listed charsets, and how their tables are made from the C library's converters. The only user of
 * iconv, and only here: charset_decode.c reads tables. */
#include <iconv.h>
#include <stdlib.h>

#include "base/mem.h"
#include "mail/charset_table.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* One line a charset: preferred name, the converter its table comes from, kind, other names. */
static const struct row {
    const char *name;
    const char *source; /* NULL: no table */
    enum charset_kind kind;
    const char *const *aliases;
} rows[] = {
    {"UTF-8", NULL, CHARSET_UTF8, NAMES("UTF8", "UNICODE-1-1-UTF-8", "UTF-8-MAC", "CP65001")},
    {"US-ASCII", NULL, CHARSET_UNKNOWN,
     NAMES(
         "ASCII", "ANSI_X3.4-1968", "ISO646-US", "ISO_646.IRV:1991", "US", "CP367", "7BIT", "X-UNKNOWN",
         "UNKNOWN-8BIT")},
    {"ISO-8859-1", NULL, CHARSET_LATIN1,
     NAMES("LATIN1", "ISO_8859-1", "ISO8859-1", "ISO88591", "L1", "CP819", "IBM819")},
    {"UTF-7", NULL, CHARSET_UTF7, NAMES("UNICODE-1-1-UTF-7", "UTF7", "CP65000")},
    {"UTF-16", NULL, CHARSET_UTF16, NAMES("UTF16", "UCS-2", "ISO-10646-UCS-2", "UNICODE")},
    {"UTF-16BE", NULL, CHARSET_UTF16BE, NAMES("UTF16BE", "UCS-2BE", "UNICODEFFFE")},
    {"UTF-16LE", NULL, CHARSET_UTF16LE, NAMES("UTF16LE", "UCS-2LE")},
    {"UTF-32", NULL, CHARSET_UTF32, NAMES("UTF32", "UCS-4", "ISO-10646-UCS-4")},
    {"UTF-32BE", NULL, CHARSET_UTF32BE, NAMES("UTF32BE", "UCS-4BE")},
    {"UTF-32LE", NULL, CHARSET_UTF32LE, NAMES("UTF32LE", "UCS-4LE")},
    /* those above need no converter: charset_find knows them without tables, too */
    {"ISO-8859-2", "ISO-8859-2", CHARSET_SINGLE, NAMES("LATIN2", "ISO_8859-2", "ISO8859-2", "L2")},
    {"ISO-8859-3", "ISO-8859-3", CHARSET_SINGLE, NAMES("LATIN3", "ISO_8859-3", "ISO8859-3", "L3")},
    {"ISO-8859-4", "ISO-8859-4", CHARSET_SINGLE, NAMES("LATIN4", "ISO_8859-4", "ISO8859-4", "L4")},
    {"ISO-8859-5", "ISO-8859-5", CHARSET_SINGLE, NAMES("CYRILLIC", "ISO_8859-5", "ISO8859-5")},
    {"ISO-8859-6", "ISO-8859-6", CHARSET_SINGLE, NAMES("ARABIC", "ISO_8859-6", "ISO8859-6", "ISO-8859-6-I")},
    {"ISO-8859-7", "ISO-8859-7", CHARSET_SINGLE, NAMES("GREEK", "ISO_8859-7", "ISO8859-7")},
    {"ISO-8859-8", "ISO-8859-8", CHARSET_SINGLE,
     NAMES("HEBREW", "ISO_8859-8", "ISO8859-8", "ISO-8859-8-I", "ISO-8859-8-E")},
    {"ISO-8859-9", "ISO-8859-9", CHARSET_SINGLE, NAMES("LATIN5", "ISO_8859-9", "ISO8859-9", "L5")},
    {"ISO-8859-10", "ISO-8859-10", CHARSET_SINGLE, NAMES("LATIN6", "ISO_8859-10", "ISO8859-10", "L6")},
    {"ISO-8859-11", "ISO-8859-11", CHARSET_SINGLE, NAMES("ISO_8859-11", "ISO8859-11")},
    {"ISO-8859-13", "ISO-8859-13", CHARSET_SINGLE, NAMES("LATIN7", "ISO_8859-13", "ISO8859-13")},
    {"ISO-8859-14", "ISO-8859-14", CHARSET_SINGLE, NAMES("LATIN8", "ISO_8859-14", "ISO8859-14")},
    {"ISO-8859-15", "ISO-8859-15", CHARSET_SINGLE, NAMES("LATIN9", "LATIN-9", "ISO_8859-15", "ISO8859-15")},
    {"ISO-8859-16", "ISO-8859-16", CHARSET_SINGLE, NAMES("LATIN10", "ISO_8859-16", "ISO8859-16")},
    {"windows-1250", "CP1250", CHARSET_SINGLE, NAMES("CP1250", "CP-1250", "X-CP1250")},
    {"windows-1251", "CP1251", CHARSET_SINGLE, NAMES("CP1251", "CP-1251", "X-CP1251", "WIN-1251")},
    {"windows-1252", "CP1252", CHARSET_SINGLE, NAMES("CP1252", "CP-1252", "X-CP1252", "ANSI", "X-ANSI")},
    {"windows-1253", "CP1253", CHARSET_SINGLE, NAMES("CP1253", "CP-1253", "X-CP1253")},
    {"windows-1254", "CP1254", CHARSET_SINGLE, NAMES("CP1254", "CP-1254", "X-CP1254")},
    {"windows-1255", "CP1255", CHARSET_SINGLE, NAMES("CP1255", "CP-1255", "X-CP1255")},
    {"windows-1256", "CP1256", CHARSET_SINGLE, NAMES("CP1256", "CP-1256", "X-CP1256")},
    {"windows-1257", "CP1257", CHARSET_SINGLE, NAMES("CP1257", "CP-1257", "X-CP1257")},
    {"windows-1258", "CP1258", CHARSET_SINGLE, NAMES("CP1258", "CP-1258", "X-CP1258")},
    {"windows-874", "IBM874", CHARSET_SINGLE, NAMES("TIS-620", "TIS620", "CP874", "DOS-874")},
    {"KOI8-R", "KOI8-R", CHARSET_SINGLE, NAMES("KOI8", "CSKOI8R", "KOI")},
    {"KOI8-U", "KOI8-U", CHARSET_SINGLE, NAMES("KOI8-RU")},
    {"IBM437", "IBM437", CHARSET_SINGLE, NAMES("CP437", "437")},
    {"IBM850", "IBM850", CHARSET_SINGLE, NAMES("CP850", "850")},
    {"IBM852", "IBM852", CHARSET_SINGLE, NAMES("CP852", "852")},
    {"IBM866", "IBM866", CHARSET_SINGLE, NAMES("CP866", "866")},
    {"macintosh", "MACINTOSH", CHARSET_SINGLE, NAMES("MAC", "MACROMAN", "X-MAC-ROMAN")},
    {"GB18030", "GB18030", CHARSET_GB18030,
     NAMES(
         "GBK", "GB2312", "GB_2312-80", "CN-GB", "CP936", "MS936", "WINDOWS-936", "X-GBK", "EUC-CN",
         "GB-2312", "CSGB2312")},
    {"Big5", "BIG5", CHARSET_DOUBLE,
     NAMES("BIG-5", "CN-BIG5", "CP950", "X-X-BIG5", "BIG5-HKSCS", "CSBIG5", "BIG5-ETEN")},
    {"Shift_JIS", "CP932", CHARSET_DOUBLE,
     NAMES("SHIFT-JIS", "SJIS", "X-SJIS", "MS_KANJI", "CP932", "WINDOWS-31J", "MS932", "CSSHIFTJIS")},
    {"EUC-JP", "EUC-JP-MS", CHARSET_EUC_JP,
     NAMES("EUCJP", "X-EUC-JP", "X-EUC", "UJIS", "EUC-JP-MS", "CSEUCPKDFMTJAPANESE")},
    {"EUC-KR", "UHC", CHARSET_DOUBLE,
     NAMES(
         "EUCKR", "KS_C_5601-1987", "KS_C_5601", "KSC5601", "KSC_5601", "CP949", "UHC", "MS949",
         "WINDOWS-949", "KOREAN", "CSEUCKR")},
    /* their pairs are those of the charsets above */
    {"ISO-2022-JP", "EUC-JP-MS", CHARSET_ISO_2022_JP,
     NAMES("CSISO2022JP", "ISO-2022-JP-1", "ISO-2022-JP-2", "ISO-2022-JP-MS", "CP50220", "CP50221")},
    {"ISO-2022-KR", "UHC", CHARSET_ISO_2022_KR, NAMES("CSISO2022KR")},
    {"HZ-GB-2312", "GB18030", CHARSET_HZ, NAMES("HZ", "HZ-GB2312")},
};
enum { ROWS = sizeof rows / sizeof *rows, ROWS_WITHOUT_TABLE = 10 };

struct charsets {
    struct charset items[ROWS];
    uint16_t *owned[ROWS * 3];
    size_t owned_count;
};

/* clang-format off */
const uint16_t charset_latin1_high[32] = {
    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d,
    0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
    0x0153, 0x9d,   0x017e, 0x0178};

/* For charset_find without tables. */
static const struct charset plain[ROWS_WITHOUT_TABLE] = {
    {.name = "UTF-8", .kind = CHARSET_UTF8}, {.name = "US-ASCII", .kind = CHARSET_UNKNOWN},
    {.name = "ISO-8859-1", .kind = CHARSET_LATIN1}, {.name = "UTF-7", .kind = CHARSET_UTF7},
    {.name = "UTF-16", .kind = CHARSET_UTF16}, {.name = "UTF-16BE", .kind = CHARSET_UTF16BE},
    {.name = "UTF-16LE", .kind = CHARSET_UTF16LE}, {.name = "UTF-32", .kind = CHARSET_UTF32},
    {.name = "UTF-32BE", .kind = CHARSET_UTF32BE}, {.name = "UTF-32LE", .kind = CHARSET_UTF32LE},
};
/* clang-format on */

/* ---- tables ---- */

/* One character of n octets; 0 when it is none, or needs more than 16 bits. */
static uint16_t convert(iconv_t cd, const unsigned char *octets, size_t n)
{
    char in[4], *from = in;
    unsigned char out[16];
    char *to = (char *)out;
    size_t left = n, room = sizeof out;
    memcpy(in, octets, n);
    iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 || left)
        return 0;
    /* some converters hold a letter back that could take an accent */
    if (iconv(cd, NULL, NULL, &to, &room) == (size_t)-1 || to != (char *)out + 4)
        return 0;
    uint32_t code =
        (uint32_t)out[0] | (uint32_t)out[1] << 8 | (uint32_t)out[2] << 16 | (uint32_t)out[3] << 24;
    return code >= 0x80 && code <= 0xffff ? (uint16_t)code : 0;
}

static uint16_t *table_new(struct charsets *cs, size_t entries)
{
    return cs->owned[cs->owned_count++] = mem_alloc(entries * sizeof(uint16_t));
}

static void make_pairs(struct charsets *cs, struct charset *c, iconv_t cd)
{
    uint16_t *pairs = table_new(cs, PAIR_LEADS * PAIR_TRAILS);
    for (int lead = 0; lead < PAIR_LEADS; lead++)
        for (int trail = 0; trail < PAIR_TRAILS; trail++) {
            unsigned char octets[2] = {
                (unsigned char)(PAIR_LEAD + lead), (unsigned char)(PAIR_TRAIL + trail)};
            pairs[lead * PAIR_TRAILS + trail] = convert(cd, octets, 2);
        }
    c->pairs = pairs;
}

static void make_quads(struct charsets *cs, struct charset *c, iconv_t cd)
{
    uint16_t *quads = table_new(cs, QUADS);
    for (int i = 0; i < QUADS; i++) {
        unsigned char octets[4] = {
            (unsigned char)(0x81 + i / 12600), (unsigned char)(0x30 + i / 1260 % 10),
            (unsigned char)(0x81 + i / 10 % 126), (unsigned char)(0x30 + i % 10)};
        quads[i] = convert(cd, octets, 4);
    }
    c->quads = quads;
}

static void make_extra(struct charsets *cs, struct charset *c, iconv_t cd)
{
    uint16_t *extra = table_new(cs, JIS_ROW * JIS_ROW);
    for (int i = 0; i < JIS_ROW * JIS_ROW; i++) {
        unsigned char octets[3] = {
            0x8f, (unsigned char)(0xa1 + i / JIS_ROW), (unsigned char)(0xa1 + i % JIS_ROW)};
        extra[i] = convert(cd, octets, 3);
    }
    c->extra = extra;
}

static fallible make_tables(struct charsets *cs, struct charset *c, const struct row *row)
{
    iconv_t cd = iconv_open("UCS-4LE", row->source);
    if (cd == (iconv_t)-1)
        return ERR_UNAVAILABLE;
    for (int i = 0; i < 128; i++) {
        unsigned char octet = (unsigned char)(0x80 + i);
        c->single[i] = convert(cd, &octet, 1);
    }
    if (row->kind != CHARSET_SINGLE)
        make_pairs(cs, c, cd);
    if (row->kind == CHARSET_GB18030) {
        c->single[0] = 0x20ac; /* the euro sign of code page 936 */
        make_quads(cs, c, cd);
    }
    if (row->kind == CHARSET_EUC_JP)
        make_extra(cs, c, cd);
    iconv_close(cd);
    return OK;
}

/* A table made before from the same converter. */
static const struct charset *made_from(const struct charsets *cs, size_t until, const char *source)
{
    for (size_t i = 0; i < until; i++)
        if (rows[i].source && rows[i].kind != CHARSET_SINGLE && strcmp(rows[i].source, source) == 0)
            return &cs->items[i];
    return NULL;
}

fallible charsets_new(struct charsets **ret_charsets, const char **ret_missing)
{
    struct charsets *cs = NEW(struct charsets);
    for (size_t i = 0; i < ROWS; i++) {
        struct charset *c = &cs->items[i];
        const struct charset *same = rows[i].source ? made_from(cs, i, rows[i].source) : NULL;
        if (same)
            *c = *same;
        else if (rows[i].source && make_tables(cs, c, &rows[i]) != OK) {
            if (ret_missing)
                *ret_missing = rows[i].source;
            charsets_free(&cs);
            return ERR_UNAVAILABLE;
        }
        c->name = rows[i].name;
        c->aliases = rows[i].aliases;
        c->kind = rows[i].kind;
    }
    *ret_charsets = cs;
    return OK;
}

void charsets_free(struct charsets **charsets)
{
    if (!*charsets)
        return;
    for (size_t i = 0; i < (*charsets)->owned_count; i++)
        free((*charsets)->owned[i]);
    mem_free(charsets);
}

/* ---- names ---- */

static bool row_has_name(const struct row *row, struct slice name)
{
    if (slice_eq_nocase(name, slice_str(row->name)))
        return true;
    for (const char *const *alias = row->aliases; *alias; alias++)
        if (slice_eq_nocase(name, slice_str(*alias)))
            return true;
    return false;
}

const struct charset *charset_find(const struct charsets *charsets, struct slice name)
{
    size_t star = slice_find(name, '*'); /* RFC 2231 5 */
    if (star != SLICE_NPOS)
        name.n = star;
    name = slice_trim(name);
    for (size_t i = 0; i < (charsets ? ROWS : ROWS_WITHOUT_TABLE); i++)
        if (row_has_name(&rows[i], name))
            return charsets ? &charsets->items[i] : &plain[i];
    return NULL;
}

const char *charset_name(const struct charset *charset)
{
    return charset ? charset->name : "unknown";
}

const struct charset *charset_at(const struct charsets *charsets, size_t index)
{
    return index < ROWS ? &charsets->items[index] : NULL;
}
