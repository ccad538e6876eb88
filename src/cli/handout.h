/* handout.h - what a person is given with a new client password: an Apple profile, a page to print, Thunderbird's settings.
 *                                                                                  room: cli   runs in: cli
 *
 * Pure: from the credential and the settings to the octets of a file. The profile and the page hold the password: whoever
 * writes them to disk makes them readable for the owner alone (files_create), and the buffers are wiped.
 *
 * A profile's identifiers are derived from server, address and credential: installing the profile of a rotated password
 * replaces the older one.
 */
#ifndef CLI_HANDOUT_H
#define CLI_HANDOUT_H

#include "cli/settings.h"

struct handout {
    enum lang lang; /* of the account */
    struct slice address, name, label;
    struct slice host;      /* of the server */
    struct slice user;      /* to sign in with; empty: the address */
    struct slice secret;    /* as shown; empty: the device asks for it */
    struct slice authority; /* PEM of a private authority that devices do not know yet; empty: none */
    uint64_t credential;
    const struct setting *settings;
    size_t setting_count;
};

/* .mobileconfig: a property list with one mail account. ERR_UNSUPPORTED: Apple's programs want IMAP or POP3, and SMTP. */
fallible handout_put_mobileconfig(const struct handout *h, struct buf *out);
/* HTML, self-contained, without script, ready to be printed. */
void handout_put_sheet(const struct handout *h, struct buf *out);
/* config-v1.1.xml as Thunderbird and others read it; holds no secret. */
void handout_put_autoconfig(const struct handout *h, struct buf *out);

#endif
