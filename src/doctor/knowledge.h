/* knowledge.h - the diagnoses that are known, from the data compiled in and from files.   room: doctor   runs in: cli
 *
 * One line format serves both: diagnoses.def beside this file, and what --knowledge names. Blocks are parted by empty lines,
 * "#" begins a comment line, every other line is a key, a blank, and a value.
 *
 *     diagnosis qq-need-auth-code          provider qq
 *     where smtp                           name-en QQ Mail
 *     provider qq                          name-zh QQ 邮箱
 *     cause app-password                   domain qq.com foxmail.com
 *     sure high                            takes authorization-code
 *     match 535 Login Fail. Please enter your authorization code
 *     says-en The server wants an authorization code.
 *     remedy-en Create one in the web mail and use it as the password.
 *     says-zh 服务器要求授权码。
 *     remedy-zh 到网页邮箱生成授权码，并把它用作密码。
 *                                          imap imap.qq.com 993 tls
 *                                          smtp smtp.qq.com 465 tls
 *                                          smtp smtp.qq.com 587 starttls unsure
 *                                          mx qq.com
 *                                          access switched
 *                                          note-en IMAP must be switched on in the web mail.
 *
 *     other-program git
 *     match fatal: Authentication failed for
 *
 * An other-program is no mail program, and what it says is not judged: lines that such a match stands in are not read
 * when a pasted text is explained. They demand words that no mail program says.
 *
 * `match` and `domain` may stand several times (expression.h says what a match is). A diagnosis needs cause, match and both
 * texts of one language at least (`observed STEP` in the place of match: a step of the doctor finds it out); the other language then shows the same. `where` is any and `sure` medium unless said, and
 * `provider` names who says it, by the id of a provider block of the same or an earlier file, or else in plain lower-case
 * letters. A provider with neither domain nor mx is a program, which anybody may run.
 *
 * `only at-provider`: many servers say these words, and they mean this at that provider alone; without knowing that the text is
 * of the provider nothing is made of them.
 *
 * A provider's servers are `imap`, `pop3` and `smtp`, each as often as there are ways, the best first: host, port, tls or
 * starttls, and "unsure" where nobody looked it up. "%d" in a host stands for the domain of the address. `mx` are the domains
 * that the mail exchangers of its customers' domains are in. `access` is open unless said: switched (mail programs must first
 * be let in, on the web), bridge (only through the provider's program on one's own computer), none. `wants imap-id`: IMAP ID
 * before anything else; `user local`: the part before the @ signs in. `part-of` names the provider of another block whose
 * servers are other ones of the same company; what one of them says is known of all.
 *
 * A diagnosis of a later file takes the place of one of the same id; two of one id in a file are an error.
 *
 * Owns: all texts (knowledge_free). Fails: ERR_SYNTAX and ERR_LIMIT with `trouble`; the knowledge is then of no use any more
 * but to be freed. Limits: LIMIT_EXPLAIN_FILE, _LINE, _DIAGNOSES, _PROVIDERS, _HOSTS, _DOMAINS, _TEXT, _WAYS, _MEMORY.
 */
#ifndef DOCTOR_KNOWLEDGE_H
#define DOCTOR_KNOWLEDGE_H

#include "base/arena.h"
#include "base/limits.h"
#include "doctor/cause.h"
#include "doctor/expression.h"

enum { TAKES_PASSWORD = 1, TAKES_APP_PASSWORD = 2, TAKES_AUTHORIZATION_CODE = 4, TAKES_OAUTH2 = 8 };

enum access { ACCESS_OPEN, ACCESS_SWITCHED, ACCESS_BRIDGE, ACCESS_NONE, ACCESS_N };

struct provider_host {
    enum where where;  /* WHERE_IMAP, WHERE_POP3 or WHERE_SMTP */
    struct slice host; /* lower case; may hold "%d": provider_host_for */
    uint16_t port;
    bool starttls; /* else TLS from the first octet */
    bool unsure;   /* nobody looked it up */
};
struct provider {
    struct slice id, name[LANG_N];
    struct slice company;      /* the id of the block it is part of; its own, where it is part of none */
    struct slice note[LANG_N]; /* what its customers must know; may be empty */
    unsigned takes;            /* or-ed TAKES_ */
    bool hosted;               /* it has domains: a service, and no program that people run */
    enum access access;
    bool wants_id;   /* IMAP ID */
    bool user_local; /* the part before the @ signs in */
    struct provider_host hosts[LIMIT_EXPLAIN_HOSTS];
    size_t host_count;
};
struct diagnosis {
    struct slice id, provider; /* provider: empty when it is nobody's own */
    enum where where;
    enum cause cause;
    enum sure sure;
    struct slice says[LANG_N], remedy[LANG_N];
    struct expressions matches[LIMIT_EXPLAIN_MATCHES];
    size_t match_count;
    bool at_provider; /* nothing is made of it unless the text is known to be of the provider */
    bool observed;    /* by a step of the doctor: it need not stand in a text */
    unsigned line;    /* of its file */
    bool replaced;    /* by one of a later file */
};

/* Words by which a line is known to be of another program; a list. */
struct other_words {
    struct expressions ways;
    struct other_words *next;
};

struct knowledge_trouble {
    unsigned line;
    struct lang_text says; /* what is wrong there */
};

struct knowledge;
/* Empty. */
struct knowledge *knowledge_new(void);
/* With what is compiled in. */
struct knowledge *knowledge_built_in(void);
void knowledge_free(struct knowledge **k);
fallible knowledge_read(struct knowledge *k, struct slice file, struct knowledge_trouble *ret_trouble);
size_t knowledge_count(const struct knowledge *k);
const struct diagnosis *knowledge_at(const struct knowledge *k, size_t i);
const struct diagnosis *knowledge_find(const struct knowledge *k, struct slice id); /* NULL */
size_t knowledge_providers(const struct knowledge *k);
const struct provider *knowledge_provider_at(const struct knowledge *k, size_t i);
const struct provider *knowledge_provider(const struct knowledge *k, struct slice id); /* NULL */
/* Whose domain this is, in lower case, or that of a host in it; NULL: of none that is known. */
const struct provider *knowledge_provider_of(const struct knowledge *k, struct slice host);
/* All domains of providers, in the order of the files: start with *at = 0; false at the end. */
bool knowledge_domain_next(
    const struct knowledge *k, size_t *at, struct slice *ret_domain, const struct provider **ret_provider);
/* Who serves the mail exchanger of a domain, a host in lower case; NULL: none that is known. */
const struct provider *knowledge_provider_of_mx(const struct knowledge *k, struct slice host);
/* The host for an address in this domain; empty when the arena is full. */
struct slice provider_host_for(const struct provider_host *h, struct slice domain, struct arena *arena);
const struct other_words *knowledge_other_words(const struct knowledge *k); /* NULL: there are none */
/* How many expressions there are: for those who measure. */
size_t knowledge_expressions(const struct knowledge *k);

#endif
