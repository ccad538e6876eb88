#include "doctor/password.h"

#include "base/utf8.h"
#include "crypto/clientpw.h"
#include "crypto/secret.h"

/* ------------------------------------------------------------------------------------------------- kinds of signs */

struct range {
    uint32_t from, to;
};

static bool is_in(const struct range *ranges, size_t n, uint32_t code)
{
    for (size_t i = 0; i < n; i++)
        if (code >= ranges[i].from && code <= ranges[i].to)
            return true;
    return false;
}
#define IS_IN(ranges, code) is_in((ranges), sizeof(ranges) / sizeof *(ranges), (code))

static const struct range blanks[] = {{'\t', '\t'},     {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680},
                                      {0x2000, 0x200a}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};
static const struct range line_ends[] = {{'\n', '\n'}, {'\r', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}};
static const struct range controls[] = {{0, 0x1f}, {0x7f, 0x9f}};
static const struct range wide[] = {{0x3000, 0x3000}, {0xff01, 0xff5e}};
/* Soft hyphen, zero-width signs, what turns the direction. Joiners stand apart: Persian and emoji need them. */
static const struct range hidden[] = {{0xad, 0xad},     {0x180e, 0x180e}, {0x200b, 0x200b}, {0x200e, 0x200f},
                                      {0x202a, 0x202e}, {0x2060, 0x2064}, {0x2066, 0x2069}, {0xfeff, 0xfeff}};
static const struct range joiners[] = {{0x200c, 0x200d}};
static const struct range smart[] = {{0xb4, 0xb4}, {0x2010, 0x201f}, {0x2026, 0x2026}, {0x2032, 0x2033}};
static const struct range accents[] = {{0x300, 0x36f}};
static const struct range foreign_letters[] = {{0x370, 0x3ff}, {0x400, 0x52f}};
/* Letters of these that nobody can tell from Latin ones (Unicode TR 39), each as small and as capital. */
static const struct range look_alikes[] = {
    {0x391, 0x392}, {0x395, 0x397}, {0x399, 0x39a}, {0x39c, 0x39d}, {0x39f, 0x39f}, {0x3a1, 0x3a1},
    {0x3a4, 0x3a5}, {0x3a7, 0x3a7}, {0x3b1, 0x3b1}, {0x3bd, 0x3bd}, {0x3bf, 0x3bf}, {0x3c1, 0x3c1},
    {0x405, 0x406}, {0x408, 0x408}, {0x410, 0x410}, {0x412, 0x412}, {0x415, 0x415}, {0x41a, 0x41a},
    {0x41c, 0x41e}, {0x420, 0x423}, {0x425, 0x425}, {0x430, 0x430}, {0x435, 0x435}, {0x43a, 0x43a},
    {0x43e, 0x43e}, {0x440, 0x441}, {0x443, 0x443}, {0x445, 0x445}, {0x455, 0x456}, {0x458, 0x458},
    {0x501, 0x501}, {0x51b, 0x51b}, {0x51d, 0x51d}};

/* ---------------------------------------------------------------------------------------------------- what is seen */

/* What one pass over the octets counts. It says much about the secret: it never leaves this file and is wiped. */
struct seen {
    const struct provider *provider;
    enum clientpw_look clientpw;
    size_t signs, lower, upper, digits; /* ASCII */
    size_t blanks, wide, hidden, controls, line_ends, smart, accents, malformed,
        beyond; /* beyond: not ASCII */
    size_t foreign, look_alike, quoting, scripting, outside_token, dots, hyphens;
    bool first_lower, first_upper, blank_first, blank_last;
    bool four_by_four; /* four groups of four letters */
    bool quoted;       /* a quotation mark at both ends */
    bool jwt, google_token, prefixed;
};

static void see_ascii(struct seen *s, char c)
{
    bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
    if (s->lower + s->upper == 0) {
        s->first_lower = lower;
        s->first_upper = upper;
    }
    s->lower += lower;
    s->upper += upper;
    s->digits += ascii_is_digit(c);
    s->dots += c == '.';
    s->hyphens += c == '-';
    s->quoting += c == '\\' || c == '"';
    s->scripting += c != 0 && strchr("$%&#`", c) != NULL;
    s->outside_token += !lower && !upper && !ascii_is_digit(c) && (c == 0 || !strchr("-._~+/=", c));
}

static void see(struct seen *s, uint32_t code, uint32_t before)
{
    bool blank = IS_IN(blanks, code), line_end = IS_IN(line_ends, code);
    s->blank_first |= blank && s->signs == 0;
    s->blank_last = blank || (line_end && s->blank_last);
    s->signs++;
    s->blanks += blank;
    s->line_ends += line_end;
    s->controls += !blank && !line_end && IS_IN(controls, code);
    s->wide += IS_IN(wide, code);
    s->hidden += IS_IN(hidden, code) || (IS_IN(joiners, code) && before < 0x600);
    s->smart += IS_IN(smart, code);
    s->accents += IS_IN(accents, code);
    s->foreign += IS_IN(foreign_letters, code);
    s->look_alike += IS_IN(look_alikes, code);
    s->beyond += code >= 0x80;
    if (code < 0x80)
        see_ascii(s, (char)code);
}

static bool is_four_by_four(struct slice secret)
{
    for (size_t i = 0; i < secret.n; i++)
        if (i % 5 == 4 ? secret.p[i] != ' ' : !ascii_is_alpha(secret.p[i]))
            return false;
    return secret.n == 19;
}

static void look_at(struct seen *s, struct slice text)
{
    uint32_t before = 0;
    for (struct slice rest = text; rest.n;) {
        uint32_t code;
        size_t used = utf8_decode(rest, &code);
        if (used) {
            see(s, code, before);
            before = code;
        } else {
            s->malformed++;
            s->signs++;
            s->blank_last = false;
        }
        rest = slice_from(rest, used ? used : 1);
    }
    s->four_by_four = is_four_by_four(text);
    s->quoted = text.n > 2 && (text.p[0] == '"' || text.p[0] == '\'') && text.p[text.n - 1] == text.p[0];
    s->jwt = slice_starts(text, S("eyJ")) && s->dots == 2 && text.n > 40;
    s->google_token = slice_starts(text, S("ya29.")) && text.n > 40;
    s->prefixed = slice_starts_nocase(text, S("bearer ")) || slice_starts_nocase(text, S("oauth "));
}

/* ------------------------------------------------------------------------------------- codes that providers make */

/* The form of the code that a provider makes for mail programs; blanks and hyphens are for reading only. A provider whose
 * codes are chosen by people, or are of a form that is not known, does not stand here. */
static const struct code {
    const char *provider;
    size_t least, most;
    bool letters; /* no digits */
    bool lower;   /* small letters only */
} codes[] = {
    {"gmail", 16, 16, true, true},   {"yahoo", 16, 16, true, true},     {"aol", 16, 16, true, true},
    {"icloud", 16, 16, true, true},  {"qq", 16, 16, true, true},        {"netease", 16, 16, false, false},
    {"yandex", 16, 16, true, true},  {"mail.ru", 16, 24, false, false}, {"fastmail", 16, 16, false, false},
    {"att", 16, 16, false, false},   {"ukr.net", 16, 16, false, false}, {"naver", 12, 12, false, false},
    {"kakao", 16, 16, false, false}, {"sina", 16, 16, false, false},    {"feishu-lark", 16, 16, false, false},
};

static const struct code *code_of(const struct seen *s)
{
    for (size_t i = 0; s->provider && i < sizeof codes / sizeof *codes; i++)
        if (slice_eq(s->provider->id, slice_str(codes[i].provider)))
            return &codes[i];
    return NULL;
}

/* A blank or line end that was copied along has its own note. */
static bool has_form_of(const struct seen *s, const struct code *code)
{
    size_t n = s->lower + s->upper + s->digits;
    bool plain = n + s->blanks + s->line_ends + s->hyphens == s->signs;
    return plain && n >= code->least && n <= code->most && !(code->letters && s->digits);
}

/* ------------------------------------------------------------------------------------------------------- conditions */

static bool is_empty(const struct seen *s)
{
    return s->blanks + s->line_ends == s->signs;
}
static bool has_blank_at_end(const struct seen *s)
{
    return !is_empty(s) && (s->blank_first || s->blank_last);
}
static bool has_line_end(const struct seen *s)
{
    return !is_empty(s) && s->line_ends;
}
static bool has_wide(const struct seen *s)
{
    return !is_empty(s) && s->wide;
}
static bool has_hidden(const struct seen *s)
{
    return s->hidden;
}
static bool has_control(const struct seen *s)
{
    return s->controls;
}
static bool has_other_encoding(const struct seen *s)
{
    return s->malformed;
}
/* Every foreign letter looks like a Latin one: nobody writes a word of that language so. */
static bool has_look_alikes(const struct seen *s)
{
    return s->lower + s->upper && s->look_alike && s->look_alike == s->foreign;
}
static bool has_smart(const struct seen *s)
{
    return s->smart;
}
static bool has_accents_apart(const struct seen *s)
{
    return s->accents;
}
static bool is_beyond_ascii(const struct seen *s)
{
    return s->beyond && !s->line_ends && !s->wide && !s->hidden && !s->smart && !s->accents &&
           !s->malformed && !s->blank_first && !s->blank_last && !has_look_alikes(s);
}
static bool is_caps_lock(const struct seen *s)
{
    const struct code *code = code_of(s);
    if (code && code->lower && has_form_of(s, code) && s->upper && !s->lower)
        return true;
    return s->first_lower && s->lower == 1 && s->upper >= 3;
}
static bool is_phone_capital(const struct seen *s)
{
    const struct code *code = code_of(s);
    bool word = s->upper == 1 && s->first_upper && s->lower >= 3;
    return word && (s->upper + s->lower == s->signs || (code && code->lower && has_form_of(s, code)));
}
static bool is_one_time_code(const struct seen *s)
{
    return s->digits == 6 && s->digits + s->blanks + s->line_ends == s->signs;
}
static bool is_grouped_elsewhere(const struct seen *s)
{
    return s->four_by_four && !(s->provider && slice_eq(s->provider->id, S("gmail")));
}
static bool is_web_password(const struct seen *s)
{
    const struct code *code = code_of(s);
    return !is_empty(s) && !s->wide && !s->hidden && code && !(s->provider->takes & TAKES_PASSWORD) &&
           !has_form_of(s, code);
}
static bool is_very_long(const struct seen *s)
{
    return s->signs > LIMIT_DOCTOR_LONG_PASSWORD && !s->jwt && !s->google_token;
}
static bool is_quoted(const struct seen *s)
{
    return s->quoted;
}
static bool has_quoting(const struct seen *s)
{
    return s->quoting && !s->quoted;
}
static bool has_scripting(const struct seen *s)
{
    return s->scripting;
}
static bool is_client_password_slip(const struct seen *s)
{
    return s->clientpw == CLIENTPW_SLIP && !s->jwt && !s->google_token;
}
static bool is_token(const struct seen *s)
{
    return s->jwt || s->google_token;
}
static bool is_prefixed(const struct seen *s)
{
    return s->prefixed;
}
/* Signs that no token has (RFC 6750 section 2.1), or fewer than any provider's. */
static bool is_no_token(const struct seen *s)
{
    size_t fewest = 20;
    return !is_empty(s) && !s->prefixed && s->line_ends == 0 && !has_blank_at_end(s) &&
           (s->outside_token || s->beyond || s->malformed || s->signs < fewest);
}

enum { PASSWORDS = 1, TOKENS = 2, BOTH = 3 };
static const struct {
    enum observed what;
    enum tone tone;
    unsigned of;
    bool (*is_met)(const struct seen *s);
} conditions[] = {
    {OBSERVED_INPUT_EMPTY_PASSWORD, TONE_WARNING, BOTH, is_empty},
    {OBSERVED_INPUT_PASTED_NEWLINE, TONE_WARNING, BOTH, has_line_end},
    {OBSERVED_INPUT_LEADING_TRAILING_SPACE, TONE_WARNING, BOTH, has_blank_at_end},
    {OBSERVED_INPUT_FULL_WIDTH, TONE_WARNING, BOTH, has_wide},
    {OBSERVED_INPUT_ZERO_WIDTH, TONE_WARNING, BOTH, has_hidden},
    {OBSERVED_INPUT_CONTROL_CHARACTER, TONE_WARNING, BOTH, has_control},
    {OBSERVED_INPUT_TOKEN_AS_PASSWORD, TONE_WARNING, PASSWORDS, is_token},
    {OBSERVED_INPUT_TOKEN_PREFIX, TONE_WARNING, TOKENS, is_prefixed},
    {OBSERVED_INPUT_PASSWORD_AS_TOKEN, TONE_NOTE, TOKENS, is_no_token},
    {OBSERVED_INPUT_NOT_UTF8, TONE_WARNING, PASSWORDS, has_other_encoding},
    {OBSERVED_INPUT_HOMOGLYPH, TONE_WARNING, PASSWORDS, has_look_alikes},
    {OBSERVED_INPUT_CLIENT_PASSWORD_SLIP, TONE_NOTE, PASSWORDS, is_client_password_slip},
    {OBSERVED_INPUT_TOTP_AS_PASSWORD, TONE_NOTE, PASSWORDS, is_one_time_code},
    {OBSERVED_INPUT_CAPS_LOCK, TONE_NOTE, PASSWORDS, is_caps_lock},
    {OBSERVED_INPUT_SMART_QUOTES, TONE_NOTE, PASSWORDS, has_smart},
    {OBSERVED_INPUT_QUOTED_PASSWORD, TONE_NOTE, PASSWORDS, is_quoted},
    {OBSERVED_INPUT_DECOMPOSED_LETTERS, TONE_NOTE, PASSWORDS, has_accents_apart},
    {OBSERVED_INPUT_WEB_PASSWORD_FOR_CODE, TONE_NOTE, PASSWORDS, is_web_password},
    {OBSERVED_INPUT_APP_PASSWORD_SPACES, TONE_NOTE, PASSWORDS, is_grouped_elsewhere},
    {OBSERVED_INPUT_FIRST_LETTER_CAPITAL, TONE_NOTE, PASSWORDS, is_phone_capital},
    {OBSERVED_INPUT_NON_ASCII_PASSWORD, TONE_NOTE, PASSWORDS, is_beyond_ascii},
    {OBSERVED_INPUT_VERY_LONG_PASSWORD, TONE_NOTE, PASSWORDS, is_very_long},
    {OBSERVED_INPUT_BACKSLASH_QUOTE, TONE_NOTE, PASSWORDS, has_quoting},
    {OBSERVED_INPUT_PERCENT_DOLLAR, TONE_NOTE, PASSWORDS, has_scripting},
};

bool password_look(
    struct slice secret, bool is_a_token, const struct provider *provider, struct notes *general)
{
    struct seen s = {.provider = provider, .clientpw = CLIENTPW_OTHER};
    struct clientpw read;
    general->step = STEP_PASSWORD;
    look_at(&s, secret);
    if (!is_a_token)
        s.clientpw = clientpw_read(secret, &read);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (conditions[i].of & (is_a_token ? TOKENS : PASSWORDS) && conditions[i].is_met(&s))
            notes_observed(general, conditions[i].tone, conditions[i].what, PROOF_NONE, SLICE_EMPTY);
    bool is_ours = s.clientpw != CLIENTPW_OTHER;
    secret_wipe(&read, sizeof read);
    secret_wipe(&s, sizeof s);
    return is_ours;
}

/* -------------------------------------------------------------------------------------------------------- the name */

/* "。" and "．" stand for the dot of a domain. */
static bool has_wide_stop(struct slice name)
{
    return slice_search(name, S("\xe3\x80\x82")) != SLICE_NPOS ||
           slice_search(name, S("\xef\xbd\xa1")) != SLICE_NPOS;
}

bool name_is_look_alike(struct slice name)
{
    struct seen s = {.provider = NULL};
    look_at(&s, name);
    return has_look_alikes(&s);
}

void name_look(struct slice name, struct notes *general)
{
    struct seen s = {.provider = NULL};
    general->step = STEP_PASSWORD;
    look_at(&s, name);
    bool at_end = s.blank_first || s.blank_last || s.line_ends;
    bool inside = s.blanks && !at_end && !slice_has(name, '@') && !slice_has(name, '\\');
    const struct {
        bool is_met;
        enum observed what;
        enum tone tone;
    } found[] = {
        {at_end, OBSERVED_INPUT_NAME_BLANK, TONE_WARNING},
        {s.wide || has_wide_stop(name), OBSERVED_INPUT_FULL_WIDTH_AT, TONE_WARNING},
        {s.hidden || s.controls, OBSERVED_INPUT_NAME_HIDDEN_SIGN, TONE_WARNING},
        {has_look_alikes(&s), OBSERVED_INPUT_NAME_HOMOGLYPH, TONE_WARNING},
        {inside, OBSERVED_INPUT_DISPLAY_NAME, TONE_NOTE},
    };
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        if (found[i].is_met)
            notes_observed(general, found[i].tone, found[i].what, PROOF_SETTING, name);
}
