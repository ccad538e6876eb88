/* settings.h - what a mail program asks for: servers, ports and security, from the configuration.  room: cli  runs in: cli
 *
 * A credential that may use only some protocols is told of those alone. Pure; texts belong to the configuration.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "config/config.h"
#include "config/lang.h"

/* Which protocols a credential opens. */
struct may {
    bool imap, pop3, smtp;
};
/* `doors`: words separated by blanks; empty: all that receiving and sending allow. */
struct may may_of(bool receives, bool sends, struct slice doors);

struct setting {
    enum config_door door;
    bool sends;     /* outgoing mail */
    bool tls_first; /* TLS from the first octet; else STARTTLS */
    bool is_second; /* the same protocol is served with TLS from the first octet, which is better */
    struct slice host;
    uint16_t port;
    const struct lang_text *what;
};
enum { SETTINGS_MAX = 6 };
/* In the order IMAP, POP3, SMTP; of each the better way first. Returns how many. */
size_t settings_of(const struct config *config, struct may may, struct setting out[SETTINGS_MAX]);
/* "SSL/TLS" or "STARTTLS", as mail programs call it. */
struct slice setting_security(const struct setting *s);
/* The best way of a protocol; NULL: not served. */
const struct setting *settings_find(const struct setting *settings, size_t count, enum config_door tls_door);

#endif
