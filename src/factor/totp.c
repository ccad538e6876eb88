#include "factor/totp.h"

#include <assert.h>
#include <liboath/oath.h>

#include "crypto/secret.h"

enum { WINDOW = 1 };

void totp_code(struct slice secret, uint64_t step, unsigned digits, char out[TOTP_DIGITS_MAX])
{
    char text[TOTP_DIGITS_MAX + 1];
    assert(digits >= TOTP_DIGITS && digits <= TOTP_DIGITS_MAX);
    int result =
        oath_hotp_generate(secret.p, secret.n, step, digits, false, OATH_HOTP_DYNAMIC_TRUNCATION, text);
    assert(result == OATH_OK);
    memcpy(out, text, digits);
    secret_wipe(text, sizeof text);
}

static int64_t step_of(int64_t now_s)
{
    return now_s < 0 ? 0 : now_s / TOTP_STEP_S;
}

bool totp_settle(struct totp_state *s, int64_t now_s)
{
    int64_t next = step_of(now_s) + 1 + LIMIT_TOTP_DRIFT;
    if (s->last <= next)
        return false;
    s->last = step_of(now_s) + 1;
    return true;
}

static bool was_used(const struct totp_state *s, int64_t step)
{
    bool found = step <= s->last;
    for (size_t i = 0; i < s->used_count; i++)
        found |= s->used[i] == step;
    return found;
}

static void take_in(struct totp_state *s, int64_t step, int64_t offset)
{
    if (s->used_count == LIMIT_TOTP_USED)
        memmove(s->used, s->used + 1, --s->used_count * sizeof *s->used);
    s->used[s->used_count++] = step;
    s->last = step;
    s->drift = (int32_t)(offset > LIMIT_TOTP_DRIFT    ? LIMIT_TOTP_DRIFT
                         : offset < -LIMIT_TOTP_DRIFT ? -LIMIT_TOTP_DRIFT
                                                      : offset);
}

bool totp_accept(struct totp_state *s, struct slice secret, struct slice code, int64_t now_s)
{
    char right[TOTP_DIGITS_MAX];
    int64_t found = -1, now = step_of(now_s);
    if (code.n != TOTP_DIGITS)
        return false;
    for (int64_t step = now + s->drift - WINDOW; step <= now + s->drift + WINDOW; step++) {
        if (step < 0)
            continue;
        totp_code(secret, (uint64_t)step, TOTP_DIGITS, right);
        bool same = secret_same(slice_of(right, TOTP_DIGITS), code);
        if (same && !was_used(s, step))
            found = step;
    }
    secret_wipe(right, sizeof right);
    if (found < 0)
        return false;
    take_in(s, found, found - now);
    return true;
}

void base32_put(struct buf *out, struct slice data)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned held = 0, bits = 0;
    for (size_t i = 0; i < data.n; i++) {
        held = held << 8 | (unsigned char)data.p[i];
        for (bits += 8; bits >= 5; bits -= 5)
            buf_put_char(out, digits[held >> (bits - 5) & 31]);
        held &= (1u << bits) - 1;
    }
    if (bits)
        buf_put_char(out, digits[held << (5 - bits) & 31]);
}

static void put_escaped(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~')
            buf_put_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned char)c);
    }
}

void totp_uri_put(struct buf *out, struct slice issuer, struct slice account, struct slice secret)
{
    buf_put_str(out, "otpauth://totp/");
    put_escaped(out, issuer);
    buf_put_char(out, ':');
    put_escaped(out, account);
    buf_put_str(out, "?secret=");
    base32_put(out, secret);
    buf_put_str(out, "&issuer=");
    put_escaped(out, issuer);
    buf_printf(out, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, TOTP_STEP_S);
}
