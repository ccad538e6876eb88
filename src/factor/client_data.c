#include "factor/client_data.h"

#include <jansson.h>

#include "base/encode.h"
#include "crypto/secret.h"

enum { CHALLENGE_TEXT = 256 };

/* RFC 4648 base64url without padding: how a challenge stands in it. */
static void base64url_put(struct buf *out, struct slice data)
{
    struct buf text CLEANUP_BUF = BUF_INIT(out->limit + 4);
    base64_put(&text, data);
    for (size_t i = 0; i < text.n && text.p[i] != '='; i++)
        buf_put_char(out, text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i]);
    if (text.failed)
        buf_put(out, slice_of(NULL, SIZE_MAX)); /* hands the sticky error on */
}

static bool text_of(const json_t *object, const char *key, struct slice *ret_text)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return false;
    *ret_text = slice_of(json_string_value(value), json_string_length(value));
    return true;
}

static enum flaw check_challenge(struct slice found, struct slice wanted)
{
    struct buf text CLEANUP_BUF = BUF_INIT(CHALLENGE_TEXT);
    base64url_put(&text, wanted);
    bool same = wanted.n && !text.failed && secret_same(buf_slice(&text), found);
    return same ? FLAW_NONE : FLAW_CHALLENGE;
}

static enum flaw check_origin(struct slice found, const struct ceremony *expected)
{
    for (size_t i = 0; i < expected->origin_count; i++)
        if (slice_eq(found, expected->origins[i]))
            return FLAW_NONE;
    return FLAW_ORIGIN;
}

/* L2 5.8.1: absent means false; L3: topOrigin stands only within a frame. */
static enum flaw check_frames(const json_t *object)
{
    const json_t *cross = json_object_get(object, "crossOrigin");
    bool good = (!cross || json_is_false(cross)) && !json_object_get(object, "topOrigin");
    return good ? FLAW_NONE : FLAW_CROSS_ORIGIN;
}

/* We offer no token binding: "supported" says that the browser could. */
static enum flaw check_binding(const json_t *object)
{
    struct slice status = SLICE_EMPTY;
    const json_t *binding = json_object_get(object, "tokenBinding");
    if (!binding)
        return FLAW_NONE;
    bool good = text_of(binding, "status", &status) && slice_eq(status, S("supported"));
    return good ? FLAW_NONE : FLAW_TOKEN_BINDING;
}

static enum flaw check_object(const json_t *object, const struct ceremony *expected)
{
    struct slice type, challenge, origin;
    if (!json_is_object(object) || !text_of(object, "type", &type) ||
        !text_of(object, "challenge", &challenge) || !text_of(object, "origin", &origin))
        return FLAW_CLIENT_DATA;
    if (!slice_eq(type, expected->is_registration ? S("webauthn.create") : S("webauthn.get")))
        return FLAW_TYPE;
    enum flaw flaw = check_challenge(challenge, expected->challenge);
    if (flaw == FLAW_NONE)
        flaw = check_origin(origin, expected);
    if (flaw == FLAW_NONE)
        flaw = check_frames(object);
    return flaw == FLAW_NONE ? check_binding(object) : flaw;
}

enum flaw client_data_check(struct slice json, const struct ceremony *expected)
{
    json_error_t error;
    if (!json.n || json.n > LIMIT_CLIENT_DATA)
        return FLAW_CLIENT_DATA;
    json_t *object = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, &error);
    enum flaw flaw = object ? check_object(object, expected) : FLAW_CLIENT_DATA;
    json_decref(object);
    return flaw;
}
