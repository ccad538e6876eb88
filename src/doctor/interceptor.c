#include "doctor/interceptor.h"

/* What stands in the issuer's name, in any case. Some makers also run public authorities, or once did; those rows need the words
 * that only the intercepting certificate has. */
static const struct {
    const char *has, *product;
} rows[] = {
    {"avast", "Avast"},
    {"AVG Web/Mail Shield", "AVG"},
    {"AVG Technologies", "AVG"},
    {"Avira", "Avira"},
    {"Norton Web/Mail Shield", "Norton"},
    {"Kaspersky", "Kaspersky"},
    {"ESET SSL Filter", "ESET"},
    {"ESET, spol", "ESET"},
    {"Bitdefender", "Bitdefender"},
    {"Dr.Web", "Dr.Web"},
    {"Doctor Web", "Dr.Web"},
    {"G DATA", "G DATA"},
    {"BullGuard", "BullGuard"},
    {"AdGuard", "AdGuard"},
    {"McAfee Web Gateway", "McAfee Web Gateway"},
    {"Skyhigh Secure Web Gateway", "Skyhigh"},
    {"Trend Micro Web", "Trend Micro"},
    {"InterScan Web", "Trend Micro"},
    {"Sophos", "Sophos"},
    {"Cyberoam", "Cyberoam"},
    {"Zscaler", "Zscaler"},
    {"Netskope", "Netskope"},
    {"goskope", "Netskope"},
    {"Forcepoint", "Forcepoint"},
    {"Websense", "Forcepoint"},
    {"Blue Coat", "Blue Coat"},
    {"ProxySG", "Blue Coat"},
    {"Symantec Web Security", "Symantec"},
    {"Fortinet", "Fortinet"},
    {"FortiGate", "Fortinet"},
    {"Palo Alto Networks", "Palo Alto Networks"},
    {"Check Point", "Check Point"},
    {"Cisco Umbrella", "Cisco Umbrella"},
    {"Cisco Web Security", "Cisco"},
    {"IronPort", "Cisco"},
    {"Barracuda", "Barracuda"},
    {"WatchGuard", "WatchGuard"},
    {"Fireware", "WatchGuard"},
    {"SonicWall", "SonicWall"},
    {"Sangfor", "Sangfor"},
    {"Hillstone", "Hillstone"},
    {"iboss", "iboss"},
    {"ContentKeeper", "ContentKeeper"},
    {"Smoothwall", "Smoothwall"},
    {"Lightspeed", "Lightspeed"},
    {"Securly", "Securly"},
    {"GoGuardian", "GoGuardian"},
    {"Net Nanny", "Net Nanny"},
    {"ContentWatch", "Net Nanny"},
    {"Qustodio", "Qustodio"},
    {"Kerio", "Kerio"},
    {"Untangle", "Untangle"},
    {"pfSense", "pfSense"},
    {"OPNsense", "OPNsense"},
    {"Endian", "Endian"},
    {"Gateway CA - Cloudflare", "Cloudflare Gateway"},
    {"Cloudflare for Teams", "Cloudflare Gateway"},
    {"Squid", "Squid"},
    {"mitmproxy", "mitmproxy"},
    {"Charles Proxy", "Charles"},
    {"PortSwigger", "Burp"},
    {"FiddlerRoot", "Fiddler"},
    {"Fiddler Root", "Fiddler"},
    {"Proxyman", "Proxyman"},
    {"HTTP Toolkit", "HTTP Toolkit"},
    {"Whistle", "whistle"},
    {"Superfish", "Superfish"},
    {"PrivDog", "PrivDog"},
    {"Komodia", "Komodia"},
};

size_t interceptor_count(void)
{
    return sizeof rows / sizeof *rows;
}

const char *interceptor_of(struct slice issuer)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (slice_search_nocase(issuer, slice_str(rows[i].has)) != SLICE_NPOS)
            return rows[i].product;
    return NULL;
}
