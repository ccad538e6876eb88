/* fuzz_vault_text - what people type and programs carry: client passwords, tokens and mailbox passwords. A client password that is read shows and reads
 * back the same; a mailbox password's form is a fixed point. */
#include <assert.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "crypto/clientpw.h"
#include "crypto/random.h"
#include "mail/precis.h"
#include "vault/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clientpw(struct slice typed)
{
    struct clientpw pw, again;
    if (clientpw_read(typed, &pw) != CLIENTPW_GOOD)
        return;
    char shown[CLIENTPW_SHOWN];
    clientpw_show(&pw, shown);
    enum clientpw_look look = clientpw_read(slice_of(shown, sizeof shown), &again);
    assert(look == CLIENTPW_GOOD && memcmp(&pw, &again, sizeof pw) == 0);
}

/* Any 26 symbols with their own check symbols are good: found by trying all endings of the check. */
static void check_completion(struct slice data)
{
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
    struct clientpw pw, out;
    if (data.n < CLIENTPW_RANDOM)
        return;
    for (size_t i = 0; i < CLIENTPW_RANDOM; i++)
        pw.symbols[i] = alphabet[(unsigned char)data.p[i] & 31];
    unsigned good = 0;
    for (unsigned check = 0; check < 1024; check++) {
        pw.symbols[CLIENTPW_RANDOM] = alphabet[check & 31];
        pw.symbols[CLIENTPW_RANDOM + 1] = alphabet[check >> 5];
        good += clientpw_read(clientpw_slice(&pw), &out) == CLIENTPW_GOOD;
    }
    assert(good == 1);
}

/* What is read as a token is the one spelling of it. */
static void check_token(struct slice text)
{
    struct token token, again;
    if (!token_read(text, &token))
        return;
    assert(slice_eq(slice_trim(text), token_slice(&token)));
    bool good = token_read(token_slice(&token), &again);
    assert(good && memcmp(&token, &again, sizeof token) == 0);
}

static void check_precis(struct slice typed)
{
    struct buf once = BUF_INIT(LIMIT_PASSWORD_MAX), twice = BUF_INIT(LIMIT_PASSWORD_MAX);
    if (precis_opaque(typed, &once) == OK) {
        assert(once.n > 0 && utf8_is_valid(buf_slice(&once)));
        enum err e = precis_opaque(buf_slice(&once), &twice);
        assert(e == OK && slice_eq(buf_slice(&once), buf_slice(&twice)));
    }
    buf_wipe(&once);
    buf_wipe(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    crypto_init();
    struct slice text = slice_of(data, size);
    check_clientpw(text);
    check_token(text);
    check_precis(text);
    if (size && data[0] % 64 == 0)
        check_completion(text);
    return 0;
}
