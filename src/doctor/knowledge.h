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
 *
 * `match` and `domain` may stand several times (expression.h says what a match is). A diagnosis needs cause, match and both
 * texts of one language at least (`observed STEP` in the place of match: a step of the doctor finds it out); the other language then shows the same. `where` is any and `sure` medium unless said, and
 * `provider` names who says it, by the id of a provider block of the same or an earlier file, or else in plain lower-case
 * letters. A provider without a domain is a program, which anybody may run.
 * A diagnosis of a later file takes the place of one of the same id; two of one id in a file are an error.
 *
 * Owns: all texts (knowledge_free). Fails: ERR_SYNTAX and ERR_LIMIT with `trouble`; the knowledge is then of no use any more
 * but to be freed. Limits: LIMIT_EXPLAIN_FILE, _LINE, _DIAGNOSES, _PROVIDERS, _TEXT, _WAYS, _MEMORY.
 */
#ifndef DOCTOR_KNOWLEDGE_H
#define DOCTOR_KNOWLEDGE_H

#include "base/limits.h"
#include "doctor/cause.h"
#include "doctor/expression.h"

enum { TAKES_PASSWORD = 1, TAKES_APP_PASSWORD = 2, TAKES_AUTHORIZATION_CODE = 4, TAKES_OAUTH2 = 8 };

struct provider {
    struct slice id, name[LANG_N];
    unsigned takes; /* or-ed TAKES_ */
    bool hosted;    /* it has domains: a service, and no program that people run */
};
struct diagnosis {
    struct slice id, provider; /* provider: empty when it is nobody's own */
    enum where where;
    enum cause cause;
    enum sure sure;
    struct slice says[LANG_N], remedy[LANG_N];
    struct expressions matches[LIMIT_EXPLAIN_MATCHES];
    size_t match_count;
    bool observed; /* by a step of the doctor: it need not stand in a text */
    unsigned line; /* of its file */
    bool replaced; /* by one of a later file */
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
const struct provider *knowledge_provider(const struct knowledge *k, struct slice id); /* NULL */
/* Whose domain this is, in lower case, or that of a host in it; NULL: of none that is known. */
const struct provider *knowledge_provider_of(const struct knowledge *k, struct slice host);
/* How many expressions there are: for those who measure. */
size_t knowledge_expressions(const struct knowledge *k);

#endif
