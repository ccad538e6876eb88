/* dialogue.h - what the doctor says to a server of each kind.                         room: doctor/steps   runs in: cli
 *
 * One table row a protocol; imap.c, pop3.c and smtp.c are its columns. The functions speak and read, and return what was
 * said; the notes are made by those who called them (greeting.c, sign_in.c). Texts of replies are in the talk's or the given
 * arena and foreign.
 */
#ifndef DOCTOR_STEPS_DIALOGUE_H
#define DOCTOR_STEPS_DIALOGUE_H

#include "doctor/steps/talk.h"
#include "sasl/mechanism.h"

/* What a server said to one command: its last line (SMTP: all lines, joined by LF), and which of three it was. */
struct reply {
    enum {
        REPLY_YES,
        REPLY_NO,
        REPLY_BAD,
        REPLY_MORE
    } kind;            /* OK +OK 2xx; NO -ERR 4xx 5xx; BAD 500-504; continuation 3xx */
    struct slice text; /* as it came, for evidence and explain_reply */
    unsigned code;     /* SMTP's; else 0 */
};

/* What a server offers at this moment; asked again after TLS and after sign-in. */
struct offer {
    struct slice text;   /* the whole answer, for evidence */
    uint32_t mechanisms; /* bit i: row i of sasl_mechanisms() */
    struct slice others; /* mechanisms that we cannot do, joined by blanks: "NTLM GSSAPI" */
    bool asked;          /* the server answered the question */
    bool starttls;
    bool login;          /* IMAP LOGIN, POP3 USER, SMTP AUTH=LOGIN of old: allowed now */
    bool login_disabled; /* IMAP says so */
    bool auth;           /* the capability is there at all: SMTP AUTH, POP3 SASL, IMAP AUTH= */
    bool id, idle, quota, sasl_ir;
    bool utf8;     /* SMTPUTF8 */
    bool masked;   /* SMTP: words of it were written over on the way */
    uint64_t size; /* SMTP SIZE; 0: not said */
};
/* A mechanism's name as the server wrote it goes into `mechanisms`, or `others`, whose text is in the arena. */
void offer_put_mechanism(struct offer *o, struct arena *arena, struct slice name);

struct credentials {
    struct slice user;           /* in the form that is to be tried */
    const struct secret *secret; /* password or token */
    const struct sasl_mechanism
        *mechanism;                   /* NULL: the protocol's own: LOGIN, USER and PASS; SMTP has none */
    struct slice exporter, end_point; /* channel binding */
};

struct dialogue {
    /* Reads the greeting. ERR_SYNTAX: it is none of this protocol; *ret_reply then has what came. */
    fallible (*greet)(struct talk *t, struct arena *arena, struct reply *ret_reply);
    /* CAPABILITY, CAPA, EHLO. */
    fallible (*ask)(struct talk *t, struct arena *arena, struct offer *ret_offer);
    /* STARTTLS, STLS: after REPLY_YES the next octet is TLS. */
    fallible (*start_tls)(struct talk *t, struct arena *arena, struct reply *ret_reply);
    /* One try. A continuation that the mechanism does not foresee is cancelled ("*") and told as REPLY_BAD. `*ret_why` (may be
     * NULL): what the mechanism itself says (sasl_client_complaint), empty when nothing. ERR_UNSUPPORTED: the mechanism cannot
     * carry this name or secret, nothing was sent. ERR_DENIED: the server did not prove itself and is not to be believed;
     * *ret_reply has what it said. */
    fallible (*sign_in)(
        struct talk *t, struct arena *arena, const struct offer *offer, const struct credentials *who,
        struct reply *ret_reply, struct slice *ret_why);
    /* What a mail program does next; makes its own notes (STEP_AFTER) and sets standing.works. */
    void (*use)(struct visit *v, struct talk *t, const struct offer *offer);
    /* LOGOUT, QUIT; errors do not matter. */
    void (*leave)(struct talk *t);
};
extern const struct dialogue dialogue_imap, dialogue_pop3, dialogue_smtp;
const struct dialogue *dialogue_of(enum service service);
/* Reads the greeting, as the dialogue's own function does. What no mail server begins with, such as zeros or another protocol that
 * has no lines, is not waited for to the end: ERR_TIMEOUT soon. */
fallible
dialogue_greet(const struct dialogue *d, struct talk *t, struct arena *arena, struct reply *ret_reply);

/* How far it went with a server, for those who tell why it went no farther. All texts are in the arena. */
struct opening {
    enum {
        OPENING_CONNECT,
        OPENING_GREETING,
        OPENING_QUESTION, /* what do you offer? */
        OPENING_STARTTLS, /* the command for it */
        OPENING_TLS,
        OPENING_DONE
    } at;              /* where it stopped */
    struct talk *talk; /* NULL: none; otherwise the caller's to close, after an error as well */
    /* After an error its text is whatever came; kind and code then mean nothing. */
    struct reply greeting;
    struct slice first;        /* octets as they came at first, lines or not: at most LIMIT_DOCTOR_PROOF */
    struct reply starttls;     /* that it was refused; else empty */
    struct offer clear, offer; /* in clear before STARTTLS (`asked` false: not at all), and at the end */
    uint64_t greeting_ms;      /* how long it took to come */
};
/* A talk ready for sign-in by the endpoint's security: TLS is made, greeting and offer are read. The errors of talk.h;
 * ERR_SYNTAX: another protocol, or TLS broke (by `at`); ERR_DENIED: the server's greeting, or its answer to STARTTLS, is no. A
 * greeting that did not come in time leaves a talk (ERR_TIMEOUT) that may still be spoken to. */
fallible dialogue_begin(const struct visit *v, struct arena *arena, struct opening *ret_opening);

#endif
