#include "doctor/steps/portal.h"

const struct portal_page portal_pages[PORTAL_PAGES] = {
    {"captive.apple.com", "/hotspot-detect.html", 200, "Success"},
    {"detectportal.firefox.com", "/success.txt", 200, "success"},
    {"connect.rom.miui.com", "/generate_204", 204, ""},
};

enum { NETWORK_AUTHENTICATION_REQUIRED = 511 }; /* RFC 6585 section 6 */

void portal_put_request(const struct portal_page *page, struct buf *out)
{
    buf_printf(out, "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", page->path, page->host);
}

/* The field's value, empty when there is none. */
static struct slice field_of(struct slice head, struct slice name)
{
    struct slice line;
    while (slice_cut(&head, '\n', &line))
        if (slice_starts_nocase(line, name))
            return slice_trim(slice_from(line, name.n));
    return SLICE_EMPTY;
}

/* Its own site over TLS, say, is nobody's portal. */
static bool leads_elsewhere(struct slice where, struct slice host)
{
    size_t scheme = slice_search(where, S("://"));
    if (where.n == 0 || scheme == SLICE_NPOS)
        return false;
    struct slice to = slice_from(where, scheme + 3);
    return !slice_starts_nocase(to, host) ||
           (to.n > host.n && to.p[host.n] != '/' && to.p[host.n] != ':' && to.p[host.n] != '?');
}

enum portal portal_read(const struct portal_page *page, struct slice answer, struct slice *ret_proof)
{
    struct slice rest = answer, first = SLICE_EMPTY;
    uint64_t status;
    if (!slice_cut(&rest, '\n', &first) || !slice_starts(first, S("HTTP/1.")) ||
        slice_to_u64(slice_sub(first, 9, 3), 999, &status) != OK)
        return PORTAL_UNCLEAR;
    size_t end = slice_search(answer, S("\r\n\r\n"));
    if (end == SLICE_NPOS)
        end = slice_search(answer, S("\n\n"));
    if (end == SLICE_NPOS)
        return PORTAL_UNCLEAR;
    struct slice where = field_of(slice_sub(answer, 0, end), S("Location:"));
    *ret_proof = where.n ? where : slice_trim(first);
    if (status >= 300 && status < 400)
        return leads_elsewhere(where, slice_str(page->host)) ? PORTAL_CAUGHT : PORTAL_UNCLEAR;
    if (status == NETWORK_AUTHENTICATION_REQUIRED)
        return PORTAL_CAUGHT;
    if (status == page->status && slice_search(slice_from(answer, end), slice_str(page->word)) != SLICE_NPOS)
        return PORTAL_CLEAR;
    return status >= 200 && status < 300 ? PORTAL_CAUGHT : PORTAL_UNCLEAR;
}
