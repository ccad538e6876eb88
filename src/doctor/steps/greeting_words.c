#include "doctor/steps/greeting_words.h"

#include "mail/date.h"

/* Greetings are recognised in this much of what was said. */
enum { LOOKED_AT = 512 };

/* ---------------------------------------------------------------------------------------------------- protocols */

static bool has(struct slice text, const char *word)
{
    return slice_search_nocase(text, slice_str(word)) != SLICE_NPOS;
}

/* RFC 8446 5.1: a type of 20 to 23, and the version's first octet is 3. */
static bool is_tls_record(struct slice s)
{
    return s.n >= 2 && s.p[0] >= 20 && s.p[0] <= 23 && s.p[1] == 3;
}

/* The handshake of MySQL and MariaDB: length in three octets, number 0, version 10 or an error. */
static bool is_mysql(struct slice s)
{
    return s.n > 5 && s.p[2] == 0 && s.p[3] == 0 && (s.p[4] == 10 || s.p[4] == '\xff');
}

/* A reply of three digits is SMTP's, FTP's and others'; the words tell. A host may be called ftp: "220 ftp.example.org ESMTP". */
static enum greets of_digits(struct slice s)
{
    static const struct {
        const char *word;
        enum greets greets;
    } rows[] = {
        {"LMTP", GREETS_LMTP},     {"SMTP", GREETS_SMTP},  {"FTP", GREETS_FTP},
        {"FileZilla", GREETS_FTP}, {"Serv-U", GREETS_FTP}, {"NNTP", GREETS_OTHER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (has(s, rows[i].word))
            return rows[i].greets;
    return slice_starts(s, S("220")) || slice_starts(S("220"), s) || s.p[0] == '4' || s.p[0] == '5'
               ? GREETS_SMTP
               : GREETS_OTHER;
}

/* Also where less than three digits came so far. */
static bool is_reply_of_digits(struct slice s)
{
    size_t digits = 0;
    while (digits < s.n && digits < 4 && ascii_is_digit(s.p[digits]))
        digits++;
    return digits == s.n
               ? digits <= 3
               : digits == 3 && (s.p[3] == ' ' || s.p[3] == '-' || s.p[3] == '\r' || s.p[3] == '\n');
}

enum greets greets_of(struct slice said)
{
    static const struct {
        const char *starts;
        enum greets greets;
    } rows[] = {
        {"* OK", GREETS_IMAP},     {"* BYE", GREETS_IMAP}, {"* PREAUTH", GREETS_IMAP},
        {"* BAD", GREETS_IMAP},    {"* NO", GREETS_IMAP},  {"+OK", GREETS_POP3},
        {"-ERR", GREETS_POP3},     {"HTTP/", GREETS_WEB},  {"<html", GREETS_WEB},
        {"<!doctype", GREETS_WEB}, {"SSH-", GREETS_SSH},   {"\"IMPLEMENTATION\"", GREETS_SIEVE},
    };
    struct slice s = slice_sub(said, 0, LOOKED_AT);
    if (!s.n)
        return GREETS_NOTHING;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice starts = slice_str(rows[i].starts);
        if (slice_starts_nocase(s, starts) || slice_starts_nocase(starts, s))
            return rows[i].greets;
    }
    if (is_reply_of_digits(s))
        return of_digits(s);
    if (is_tls_record(s))
        return GREETS_TLS;
    return is_mysql(s) || has(s, "mysql_native_password") || has(s, "MariaDB") ? GREETS_DATABASE
                                                                               : GREETS_OTHER;
}

enum greets greets_of_service(enum service service)
{
    static const enum greets rows[SERVICE_N] = {
        [SERVICE_IMAP] = GREETS_IMAP, [SERVICE_POP3] = GREETS_POP3, [SERVICE_SMTP] = GREETS_SMTP};
    return rows[service];
}

enum observed greets_observed(enum greets greets)
{
    static const enum observed rows[GREETS_N] = {
        [GREETS_NOTHING] = OBSERVED_GREETING_SILENT, [GREETS_OTHER] = OBSERVED_GREETING_OTHER_PROTOCOL,
        [GREETS_IMAP] = OBSERVED_GREETING_IS_IMAP,   [GREETS_POP3] = OBSERVED_GREETING_IS_POP3,
        [GREETS_SMTP] = OBSERVED_GREETING_IS_SMTP,   [GREETS_LMTP] = OBSERVED_GREETING_IS_LMTP,
        [GREETS_WEB] = OBSERVED_GREETING_IS_WEB,     [GREETS_SSH] = OBSERVED_GREETING_IS_SSH,
        [GREETS_FTP] = OBSERVED_GREETING_IS_FTP,     [GREETS_DATABASE] = OBSERVED_GREETING_IS_DATABASE,
        [GREETS_SIEVE] = OBSERVED_GREETING_IS_SIEVE, [GREETS_TLS] = OBSERVED_GREETING_IS_TLS,
    };
    return rows[greets];
}

/* ----------------------------------------------------------------------------------------------------- software */

/* More particular words first: Zimbra runs Postfix, and what is hosted names the product of another. */
const char *greeting_software(struct slice text)
{
    static const struct {
        const char *word, *name;
    } rows[] = {
        {"Letterlock", "Letterlock"},
        {"Coremail", "Coremail"},
        {"QQ Mail", "QQ Mail"},
        {"QQMail", "QQ Mail"},
        {"Gimap", "Gmail"},
        {"gsmtp", "Gmail"},
        {"Gpop", "Gmail"},
        {"Microsoft Exchange", "Microsoft Exchange"},
        {"Microsoft ESMTP", "Microsoft Exchange"},
        {"Proton", "Proton Mail Bridge"},
        {"Zimbra", "Zimbra"},
        {"Stalwart", "Stalwart"},
        {"Dovecot", "Dovecot"},
        {"Courier", "Courier"},
        {"+OK Hello there.", "Courier"},
        {"Cyrus", "Cyrus IMAP"},
        {"MDaemon", "MDaemon"},
        {"hMailServer", "hMailServer"},
        {"SmarterMail", "SmarterMail"},
        {"MailEnable", "MailEnable"},
        {"IceWarp", "IceWarp"},
        {"Kerio", "Kerio Connect"},
        {"CommuniGate", "CommuniGate Pro"},
        {"AXIGEN", "Axigen"},
        {"Domino", "HCL Domino"},
        {"GroupWise", "GroupWise"},
        {"Haraka", "Haraka"},
        {"OpenSMTPD", "OpenSMTPD"},
        {"JAMES", "Apache James"},
        {"WildDuck", "WildDuck"},
        {"maddy", "maddy"},
        {"Postfix", "Postfix"},
        {"Exim", "Exim"},
        {"Sendmail", "Sendmail"},
        {"qmail", "qmail"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (has(text, rows[i].word))
            return rows[i].name;
    return NULL;
}

/* --------------------------------------------------------------------------------------------------------- time */

/* The end of a date that begins with a day of the week: six words. */
static struct slice date_at(struct slice s)
{
    enum { WORDS = 6 };
    size_t n = 0;
    for (int words = 0; n < s.n && s.p[n] != '\n' && s.p[n] != '\r'; n++)
        if (s.p[n] == ' ' && ++words == WORDS)
            break;
    return slice_sub(s, 0, n);
}

fallible greeting_time(struct slice text, int64_t *ret_unix_s)
{
    enum { DAY_OF_WEEK = 3 };
    text = slice_sub(text, 0, LOOKED_AT);
    for (size_t at = 0, comma; (comma = slice_find(slice_from(text, at), ',')) != SLICE_NPOS;
         at += comma + 1) {
        struct mail_date date;
        size_t end = at + comma;
        if (end < DAY_OF_WEEK || !ascii_is_alpha(text.p[end - 1]))
            continue;
        if (date_parse(date_at(slice_from(text, end - DAY_OF_WEEK)), &date) != OK || !date.zone_is_known)
            continue;
        *ret_unix_s = date.unix_s;
        return OK;
    }
    return ERR_NOT_FOUND;
}
