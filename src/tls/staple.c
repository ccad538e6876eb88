/* What a server brings along about its certificate being revoked: OCSP (RFC 6960), stapled (RFC 6066 8), demanded (RFC 7633). */

#include "base/limits.h"
#include "tls/private.h"

enum {
    SLACK_S = 300,     /* clocks are never quite the same */
    FEATURE_STATUS = 5 /* status_request */
};

bool tls_staple_is_demanded(const X509 *x)
{
    bool demanded = false;
    TLS_FEATURE *all = X509_get_ext_d2i(x, NID_tlsfeature, NULL, NULL);
    for (int i = 0; all && i < sk_ASN1_INTEGER_num(all); i++)
        demanded |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(all, i)) == FEATURE_STATUS;
    TLS_FEATURE_free(all);
    ERR_clear_error();
    return demanded;
}

/* ------------------------------------------------------------------------------------------------- the statement */

/* Is the statement about this certificate? It names it by hashes of its own choice. */
static bool is_about(OCSP_SINGLERESP *one, X509 *leaf, X509 *issuer)
{
    ASN1_OBJECT *hash = NULL;
    const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(one);
    if (OCSP_id_get0_info(NULL, &hash, NULL, NULL, (OCSP_CERTID *)id) != 1)
        return false;
    const EVP_MD *md = EVP_get_digestbyobj(hash);
    OCSP_CERTID *ours = md ? OCSP_cert_to_id(md, leaf, issuer) : NULL;
    bool same = ours && OCSP_id_cmp(ours, id) == 0;
    OCSP_CERTID_free(ours);
    return same;
}

static OCSP_SINGLERESP *statement_about(OCSP_BASICRESP *basic, X509 *leaf, X509 *issuer)
{
    int n = OCSP_resp_count(basic);
    for (int i = 0; i < n && i < LIMIT_TLS_STATEMENTS; i++)
        if (is_about(OCSP_resp_get0(basic, i), leaf, issuer))
            return OCSP_resp_get0(basic, i);
    return NULL;
}

static int64_t time_of(const ASN1_GENERALIZEDTIME *t)
{
    return t ? tls_unix_time(t) : 0;
}

/* RFC 6960 4.2.2.1: without an end, newer word is to be had at any time, and this one does not end. A revocation is for good,
 * unless it was a hold, which can be lifted. */
static void read_statement(OCSP_SINGLERESP *one, int64_t now_s, struct tls_stapled *s)
{
    int reason = -1;
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
    int status = OCSP_single_get0_status(one, &reason, &revoked, &from, &until);
    bool held = reason == OCSP_REVOKED_STATUS_CERTIFICATEHOLD;
    s->from_s = time_of(from);
    s->until_s = time_of(until);
    bool over = until && now_s > s->until_s + SLACK_S, early = now_s < s->from_s - SLACK_S;
    if (status == V_OCSP_CERTSTATUS_REVOKED && !(held && (over || early))) {
        s->kind = TLS_STAPLE_REVOKED;
        s->revoked_s = time_of(revoked);
        s->text = reason >= 0 ? OCSP_crl_reason_str(reason) : "no reason given";
        return;
    }
    s->kind = over                               ? TLS_STAPLE_OVER
              : early                            ? TLS_STAPLE_EARLY
              : status == V_OCSP_CERTSTATUS_GOOD ? TLS_STAPLE_GOOD
                                                 : TLS_STAPLE_UNKNOWN;
    s->text = s->kind == TLS_STAPLE_GOOD      ? ""
              : s->kind == TLS_STAPLE_UNKNOWN ? "not known to the issuer"
                                              : "not of this time";
}

/* -------------------------------------------------------------------------------------------------- the response */

static void broken(struct tls_stapled *s, const char *text)
{
    s->kind = TLS_STAPLE_BROKEN;
    s->text = text;
}

/* The signature goes before all that is said. */
static void read_basic(
    OCSP_BASICRESP *basic, STACK_OF(X509) * path, X509_STORE *store, int64_t now_s, struct tls_stapled *s)
{
    X509 *leaf = sk_X509_value(path, 0), *issuer = sk_X509_value(path, 1);
    if (OCSP_basic_verify(basic, path, store, OCSP_PARTIAL_CHAIN | OCSP_NOEXPLICIT) != 1) {
        broken(s, "not signed by the issuer");
        return;
    }
    OCSP_SINGLERESP *one = statement_about(basic, leaf, issuer);
    if (one)
        read_statement(one, now_s, s);
    else
        broken(s, "about another certificate");
}

static void read_response(
    OCSP_RESPONSE *response, STACK_OF(X509) * path, X509_STORE *store, int64_t now_s, struct tls_stapled *s)
{
    int status = OCSP_response_status(response);
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        s->kind = TLS_STAPLE_REFUSED;
        s->text = OCSP_response_status_str(status);
        return;
    }
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    if (!basic)
        broken(s, "cannot be read");
    else if (sk_X509_num(path) < 2)
        *s = (struct tls_stapled){.kind = TLS_STAPLE_UNJUDGED, .text = "the issuer is not known"};
    else
        read_basic(basic, path, store, now_s, s);
    OCSP_BASICRESP_free(basic);
}

void tls_staple_read(
    struct slice der, STACK_OF(X509) * path, X509_STORE *store, int64_t now_s,
    struct tls_stapled *ret_stapled)
{
    struct tls_stapled s = {.kind = TLS_STAPLE_NONE, .text = ""};
    const unsigned char *at = (const unsigned char *)der.p;
    OCSP_RESPONSE *response = der.n ? d2i_OCSP_RESPONSE(NULL, &at, (long)der.n) : NULL;
    if (der.n && (!response || at != (const unsigned char *)der.p + der.n))
        broken(&s, "cannot be read");
    else if (response)
        read_response(response, path, store, now_s, &s);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    *ret_stapled = s;
}
