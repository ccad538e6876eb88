#include "sasl/scram.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/utf8.h"

const struct slice scram_exporter_name = {"tls-exporter", 12};          /* RFC 9266 */
const struct slice scram_end_point_name = {"tls-server-end-point", 20}; /* RFC 5929 4 */

bool scram_take(struct slice *rest, char name, struct slice *ret_value)
{
    struct slice left = *rest, word;
    if (!slice_cut(&left, ',', &word) || word.n < 3 || word.p[0] != name || word.p[1] != '=')
        return false;
    *ret_value = slice_from(word, 2);
    *rest = left;
    return true;
}

/* RFC 5802 section 5.1: attributes that have a meaning already can't be extensions, so nobody reads them twice. */
bool scram_only_extensions(struct slice rest)
{
    struct slice word;
    while (slice_cut(&rest, ',', &word)) {
        if (word.n < 3 || !ascii_is_alpha(word.p[0]) || word.p[1] != '=' ||
            slice_has(S("anmrcsipve"), word.p[0]))
            return false;
    }
    return true;
}

bool scram_nonce_is_good(struct slice nonce)
{
    for (size_t i = 0; i < nonce.n; i++)
        if (nonce.p[i] < 0x21 || nonce.p[i] > 0x7e || nonce.p[i] == ',')
            return false;
    return nonce.n > 0;
}

bool scram_get_octets(struct slice text, uint8_t *out, size_t n)
{
    struct buf octets CLEANUP_BUF = BUF_INIT(n);
    if (base64_get(text, &octets) != OK || octets.n != n)
        return false;
    memcpy(out, octets.p, n);
    return true;
}

bool scram_put_binding(
    struct buf *out, const struct sasl_gs2 *head, struct slice exporter, struct slice end_point)
{
    struct buf said CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    buf_put(&said, head->header);
    if (head->flag == 'p') {
        bool is_exporter = slice_eq(head->binding, scram_exporter_name);
        struct slice data = is_exporter ? exporter : end_point;
        if ((!is_exporter && !slice_eq(head->binding, scram_end_point_name)) || !data.n)
            return false;
        buf_put(&said, data);
    }
    base64_put(out, buf_slice(&said));
    return buf_check(&said) == OK && buf_check(out) == OK;
}
