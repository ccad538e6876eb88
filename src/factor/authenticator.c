#include "factor/authenticator.h"

#include "base/limits.h"
#include "factor/cbor.h"

enum { HEAD = RP_ID_HASH + 1 + 4 };

static uint32_t number_of(struct slice octets)
{
    uint32_t number = 0;
    for (size_t i = 0; i < octets.n; i++)
        number = number << 8 | (unsigned char)octets.p[i];
    return number;
}

/* Attested credential data (6.5.1): aaguid, length, id, public key. */
static fallible read_credential(struct slice *rest, struct authenticator_data *data)
{
    struct cbor_item cose;
    if (rest->n < AAGUID + 2)
        return ERR_SYNTAX;
    size_t length = number_of(slice_sub(*rest, AAGUID, 2));
    data->credential_id = slice_sub(*rest, AAGUID + 2, length);
    if (data->credential_id.n != length || !length || length > LIMIT_CREDENTIAL_ID)
        return ERR_SYNTAX;
    *rest = slice_from(*rest, AAGUID + 2 + length);
    TRY(cbor_read_front(*rest, &cose));
    data->cose = cose.whole;
    *rest = slice_from(*rest, cose.whole.n);
    return cose.kind == CBOR_MAP ? OK : ERR_SYNTAX;
}

fallible authenticator_data_read(struct slice octets, struct authenticator_data *ret_data)
{
    if (octets.n > LIMIT_AUTHENTICATOR_DATA)
        return ERR_LIMIT;
    if (octets.n < HEAD)
        return ERR_SYNTAX;
    struct authenticator_data data = {
        .rp_id_hash = slice_sub(octets, 0, RP_ID_HASH),
        .flags = (unsigned char)octets.p[RP_ID_HASH],
        .counter = number_of(slice_sub(octets, RP_ID_HASH + 1, 4)),
    };
    struct slice rest = slice_from(octets, HEAD);
    if (data.flags & FLAG_CREDENTIAL)
        TRY(read_credential(&rest, &data));
    if (data.flags & FLAG_EXTENSIONS) {
        struct cbor_item extensions;
        TRY(cbor_read_front(rest, &extensions));
        if (extensions.kind != CBOR_MAP)
            return ERR_SYNTAX;
        rest = slice_from(rest, extensions.whole.n);
    }
    if (rest.n)
        return ERR_SYNTAX;
    *ret_data = data;
    return OK;
}

fallible attestation_read(struct slice octets, struct attestation *ret_attestation)
{
    struct cbor_item map, format, statement, data;
    if (octets.n > LIMIT_ATTESTATION)
        return ERR_LIMIT;
    TRY(cbor_read(octets, &map));
    if (map.kind != CBOR_MAP || map.number != 3 || !cbor_find_text(&map, S("fmt"), &format) ||
        format.kind != CBOR_TEXT || !cbor_find_text(&map, S("attStmt"), &statement) ||
        statement.kind != CBOR_MAP || !cbor_find_text(&map, S("authData"), &data) || data.kind != CBOR_BYTES)
        return ERR_SYNTAX;
    *ret_attestation = (struct attestation){
        .format = format.inside, .statement = statement.whole, .authenticator_data = data.inside};
    return OK;
}
