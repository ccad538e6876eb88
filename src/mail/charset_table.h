/* charset_table.h - how a charset's tables look inside.                        room: mail   runs in: keeper cli
 *
 * Private to charset.c, which makes them, and charset_decode.c, which reads them. Entry 0 means "no character".
 */
#ifndef MAIL_CHARSET_TABLE_H
#define MAIL_CHARSET_TABLE_H

#include "mail/charset.h"

enum charset_kind {
    CHARSET_UNKNOWN, /* UTF-8 where it is valid, else ISO-8859-1 */
    CHARSET_UTF8,
    CHARSET_LATIN1,  /* ISO-8859-1 as the world writes it: 0x80 to 0x9f are those of windows-1252 */
    CHARSET_SINGLE,  /* one octet a character: single[] */
    CHARSET_DOUBLE,  /* ASCII, single[] where it has an entry, else two octets: pairs[] */
    CHARSET_GB18030, /* pairs[], and four octets: quads[] */
    CHARSET_EUC_JP,  /* pairs[], half-width behind 0x8e, JIS X 0212 behind 0x8f: extra[] */
    CHARSET_ISO_2022_JP,
    CHARSET_ISO_2022_KR,
    CHARSET_HZ,
    CHARSET_UTF7,
    CHARSET_UTF16, /* big endian without a byte order mark (RFC 2781 4.3) */
    CHARSET_UTF16BE,
    CHARSET_UTF16LE,
    CHARSET_UTF32,
    CHARSET_UTF32BE,
    CHARSET_UTF32LE,
};

enum {
    PAIR_LEAD = 0x81,
    PAIR_LEADS = 0xff - PAIR_LEAD,
    PAIR_TRAIL = 0x40,
    PAIR_TRAILS = 0xff - PAIR_TRAIL,
    JIS_ROW = 94,
    QUADS = 39420,       /* four-octet codes of GB18030 below U+10000 */
    QUADS_HIGH = 189000, /* where U+10000 stands */
};

struct charset {
    const char *name;
    const char *const *aliases; /* ends with NULL */
    enum charset_kind kind;
    uint16_t single[128];  /* octets 0x80 to 0xff */
    const uint16_t *pairs; /* PAIR_LEADS * PAIR_TRAILS */
    const uint16_t *quads;
    const uint16_t *extra; /* JIS_ROW * JIS_ROW */
};

/* windows-1252 from 0x80 on; its five holes are the controls of ISO-8859-1. */
extern const uint16_t charset_latin1_high[32];

#endif
