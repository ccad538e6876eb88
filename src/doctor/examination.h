/* examination.h - what the doctor saw: servers, and notes on each step.                 room: doctor   runs in: cli
 *
 * The model that the steps write and that verdict, report, terminal and JSON read. A note is either a diagnosis of the
 * knowledge (something is wrong, or may be) or a fact of facts.def (what was found to be so). Every server has notes of its
 * own, so that several can be looked at side by side, each by one thread; what belongs to none stands in `general`.
 *
 * Nothing of the password may ever get into a note: not a sign of it, not its length; every text passes through the mask (mask.h),
 * and a server whose name or user holds the password, of those that were found, is none. Apart from that, what a server said is kept
 * as it came; whoever shows it makes it safe (utf8_put_safe). Owns: its texts, in the arenas of the notes. Pure.
 */
#ifndef DOCTOR_EXAMINATION_H
#define DOCTOR_EXAMINATION_H

#include "doctor/explain.h"
#include "doctor/mask.h"
#include "doctor/observed.h"
#include "doctor/tls_facts.h"
#include "doctor/wording.h"

/* The steps in the order in which they are taken; also the questions of the decision tree. */
enum step {
    STEP_PASSWORD, /* the secret and the name as typed */
    STEP_FIND,     /* which servers */
    STEP_NETWORK,  /* names, addresses, connections */
    STEP_TLS,
    STEP_GREETING, /* greeting and capabilities */
    STEP_SIGN_IN,
    STEP_AFTER, /* mailbox opens, mail may be sent */
    STEP_N
};
const char *step_name(enum step step); /* "sign-in" */
const char *step_words(enum step step, enum lang lang);

enum service { SERVICE_IMAP, SERVICE_POP3, SERVICE_SMTP, SERVICE_N };
const char *service_name(enum service service);  /* "imap" */
const char *service_words(enum service service); /* "IMAP" */
enum where service_where(enum service service);

/* SECURITY_UNKNOWN: nobody said, and the port does not tell; the TLS step finds out. */
enum security { SECURITY_UNKNOWN, SECURITY_TLS, SECURITY_STARTTLS, SECURITY_NONE, SECURITY_N };
const char *security_name(enum security security); /* "tls", "starttls", "none", "unknown" */
const char *security_words(enum security security, enum lang lang);
/* What a port stands for: 993, 995, 465, 994 TLS; 143, 110, 587, 25, 2525 STARTTLS; else unknown. */
enum security security_of_port(uint16_t port);
uint16_t port_of(enum service service, enum security security); /* the registered one */

/* How a server was found, best first. */
enum source {
    SOURCE_GIVEN,        /* by the person */
    SOURCE_PROVIDER,     /* the table that is compiled in */
    SOURCE_AUTOCONFIG,   /* Mozilla's XML */
    SOURCE_SRV,          /* RFC 6186, RFC 8314 */
    SOURCE_AUTODISCOVER, /* Microsoft's XML */
    SOURCE_MX,           /* the provider whose MX the domain names */
    SOURCE_GUESS,        /* a common name that has an address */
    SOURCE_N
};
const char *source_name(enum source source);
const char *source_words(enum source source, enum lang lang);

struct endpoint {
    enum service service;
    struct slice host; /* lower case, A-labels, no dot at the end; or an address literal without brackets */
    uint16_t port;
    enum security security; /* as wanted or published; the TLS step puts what is really spoken here */
    enum source source;
    /* It was found in a way that nobody on the network can forge, or the person named it: a password may go there. */
    bool trusted;
    struct slice user; /* the name to sign in with there; empty: the address as a whole */
    unsigned takes;    /* or-ed TAKES_ of knowledge.h, as the source says; 0: it does not say */
};

/* What was found out about a server, for the steps behind. */
struct standing {
    bool connected; /* at least one address answers */
    bool private_;  /* TLS, verified, for the host that was asked for */
    bool encrypted; /* TLS, verified or not */
    bool greeted;   /* the protocol that was expected */
    bool signed_in;
    bool tried;      /* a secret was sent */
    bool works;      /* all that was asked of it was done */
    bool letterlock; /* it is one of ours, as it says itself */
};

/* -------------------------------------------------------------------------------------------------------- notes */

/* A plain fact; facts.def holds its words, {1} to {3} are `args`. */
enum fact {
    FACT_NONE,
#define FACT(id, name, en, zh) FACT_##id,
#include "doctor/facts.def"
#undef FACT
    FACT_N
};
const char *fact_name(enum fact fact); /* "tls-session": for JSON */
const char *fact_words(enum fact fact, enum lang lang);

enum tone { TONE_GOOD, TONE_NOTE, TONE_WARNING, TONE_FAULT, TONE_N };
const char *tone_name(enum tone tone);

/* What proves it. */
enum proof_kind {
    PROOF_NONE,
    PROOF_REPLY,       /* of the server */
    PROOF_CERTIFICATE, /* a field of it */
    PROOF_RECORD,      /* of the DNS, or of a file that was fetched */
    PROOF_MEASURED,    /* by the doctor: a time, a refusal by the system */
    PROOF_SETTING,     /* what the person gave */
    PROOF_N
};
const char *proof_name(enum proof_kind kind);
const char *proof_words(enum proof_kind kind, enum lang lang);

struct observation {
    enum step step;
    enum tone tone;
    const struct diagnosis *diagnosis; /* NULL: a fact */
    enum fact fact;
    struct slice args[3];
    enum proof_kind proof_kind;
    struct slice
        proof; /* at most LIMIT_DOCTOR_PROOF octets: foreign, as it came; the doctor's own words in English */
    struct wording own; /* the doctor's own words, where they are; else empty */
    enum sure sure;
    /* Another diagnosis that cannot be told apart from this one from outside; NULL: none. */
    const struct diagnosis *alternative;
};

struct notes {
    struct arena arena;
    const struct knowledge *knowledge;
    struct mask *mask;        /* borrowed; NULL: there is no secret */
    struct observation *rows; /* in the arena */
    size_t count, capacity;
    enum step step; /* that is being taken: goes into each note */
    bool full;      /* LIMIT_DOCTOR_NOTES was met; further ones are dropped */
};
void notes_init(struct notes *n, const struct knowledge *k);
void notes_done(struct notes *n);
/* All of these copy their texts. What they return may be changed (sure, alternative) until the next one is added; it is never
 * NULL. */
struct observation *notes_fact(
    struct notes *n, enum tone tone, enum fact fact, struct slice one, struct slice two, struct slice three);
/* A condition of the observed/ files. */
struct observation *
notes_observed(struct notes *n, enum tone tone, enum observed what, enum proof_kind kind, struct slice proof);
/* The same with a proof in the doctor's own words. */
struct observation *notes_measured(
    struct notes *n, enum tone tone, enum observed what, enum proof_kind kind, struct wording proof);
/* A reply that was explained (explain_reply): its best finding; other causes that fit as well become the alternative. */
struct observation *notes_explained(struct notes *n, enum tone tone, const struct explanation *x);
/* All of `more`, with the steps that they are of. */
void notes_join(struct notes *n, const struct notes *more);
/* Is one of the observed conditions noted? */
bool notes_have(const struct notes *n, enum observed what);
/* The worst tone of a step; TONE_GOOD when there is none. */
enum tone notes_worst(const struct notes *n, enum step step);

/* -------------------------------------------------------------------------------------------------- the whole */

struct checked {
    struct endpoint endpoint;
    struct standing standing;
    struct tls_profile tls; /* its texts are in the notes' arena */
    struct notes notes;
};
struct examination {
    struct slice address, domain;    /* of the person; empty when only hosts were given */
    const struct provider *provider; /* whose servers these are, as far as known; or NULL */
    bool has_secret, is_token;       /* there was something to sign in with */
    bool is_client_password;         /* in the form that a Letterlock makes, slips included */
    /* This device's clock is so far before that of a web server which proved itself; 0: not known, or right. */
    int64_t clock_ahead_s;
    struct notes general;
    struct checked servers[LIMIT_DOCTOR_SERVERS];
    size_t server_count;
};
/* general.mask may be set behind it, before anything is added. */
void examination_init(struct examination *x, const struct knowledge *k);
void examination_done(struct examination *x);
/* A server to be checked; its texts are copied. NULL: it is there already, or LIMIT_DOCTOR_SERVERS is met, or it was found and its name
 * says the secret. */
struct checked *examination_add(struct examination *x, const struct endpoint *e);

#endif
