/* dialogue.h - an SMTP server's side of a conversation (RFC 5321).               room: smtp/front   runs in: gate
 *
 * Octets in, replies out, and questions to a `struct smtp_world` that knows the vault, the keepers, TLS and the clock. The
 * dialogue itself knows none of them, so that a test can be the world. Two doors: MX (strangers, no sign-in) and submission
 * (nothing before sign-in, RFC 6409). Commands are rows of smtp/wire/command.h; the dispatcher enforces their columns.
 *
 *   START --EHLO/HELO--> GREETED --MAIL--> MAIL --RCPT--> RCPT --DATA--> (content) --stored or refused--> GREETED
 *     ^                   |   |                             |                                              ^
 *     +----STARTTLS-------+   +--AUTH--> GREETED            +--BDAT--> CHUNKS --BDAT LAST------------------+
 *
 * INV-40  DATA ends at CRLF.CRLF only; what a message with another idea of lines brought behind it is never a command.
 * INV-41  250 to a message is said only after the world said that it is stored.
 * INV-42  Every end of a transaction forgets all of it: sender, recipients, parameters.
 * INV-43  Octets that came before TLS never act after it: the world must forget them in tls_start.
 *
 * A question is answered by the function named beside it, from within or later, once; until then input is left alone
 * (`wait`). After an answer that came later the owner feeds again.
 *
 * Owns:   the envelope, the decoded SASL response. Never logs; the world does.
 */
#ifndef SMTP_FRONT_DIALOGUE_H
#define SMTP_FRONT_DIALOGUE_H

#include "base/buf.h"
#include "smtp/front/envelope.h"
#include "smtp/front/intake.h"
#include "smtp/wire/reply.h"

struct smtp_dialogue;

enum smtp_door { SMTP_DOOR_MX, SMTP_DOOR_SUBMISSION };

enum smtp_auth {
    SMTP_AUTH_CHALLENGE,
    SMTP_AUTH_OK,
    SMTP_AUTH_NO,
    SMTP_AUTH_NO_MORE, /* wrong once too often: the connection ends */
    SMTP_AUTH_LATER,
    SMTP_AUTH_MALFORMED,
    SMTP_AUTH_UNKNOWN, /* no such mechanism here */
};

struct smtp_world {
    /* Where does mail to this recipient go, and is there room? -> smtp_dialogue_resolved */
    void (*resolve)(void *owner, const struct address *recipient);
    /* Submission: may the account send as this address? -> smtp_dialogue_owned */
    void (*owns)(void *owner, const struct address *sender);
    /* Names separated by blanks; empty while nobody can sign in. Not a question: answered at once. */
    struct slice (*mechanisms)(void *owner);
    /* A SASL exchange; octets are decoded. -> smtp_dialogue_auth; cancel has no answer. */
    void (*auth_start)(void *owner, struct slice mechanism, bool has_initial, struct slice initial);
    void (*auth_step)(void *owner, struct slice response);
    void (*auth_cancel)(void *owner);
    /* The 220 is in the output: send it, forget all unread input, shake hands. -> smtp_dialogue_tls_on */
    void (*tls_start)(void *owner);
    /* A message begins: STATUS_OK, or why not now. Then its octets; `is_full` says that they pile up. */
    enum status (*begin)(void *owner, const struct smtp_envelope *envelope);
    void (*put)(void *owner, struct slice octets);
    bool (*is_full)(void *owner);
    /* Complete. -> smtp_dialogue_stored */
    void (*end)(void *owner);
    /* Incomplete or refused: nothing may remain. */
    void (*drop)(void *owner);
    /* For who asks later why: a recipient or sender (`about`), or the message in the envelope (NULL), is refused. */
    void (*refused)(void *owner, enum status why, const struct address *about);
};

/* What the dialogue waits for. */
enum smtp_wait {
    SMTP_WAIT_INPUT,
    SMTP_WAIT_RESOLVE,
    SMTP_WAIT_OWNS,
    SMTP_WAIT_AUTH,
    SMTP_WAIT_TLS,
    SMTP_WAIT_ROOM,
    SMTP_WAIT_STORE,
    SMTP_WAITS
};
const char *smtp_wait_name(enum smtp_wait wait);

enum smtp_mode {
    SMTP_MODE_COMMAND,
    SMTP_MODE_RESPONSE, /* a client's SASL response */
    SMTP_MODE_DATA,
    SMTP_MODE_CHUNK,
    SMTP_MODE_DISCARD, /* the octets of a refused chunk */
    SMTP_MODE_CLOSED,  /* the last word is in the output */
    SMTP_MODES
};

struct smtp_options {
    enum smtp_door door;
    bool tls;              /* runs already (implicit TLS) */
    bool tls_possible;     /* STARTTLS can be offered */
    struct slice hostname; /* ours; borrowed */
    uint64_t message_limit;
    unsigned recipients; /* most of one message */
};

struct smtp_dialogue {
    struct smtp_options options;
    const struct smtp_world *world;
    void *owner;
    struct buf *out; /* replies; borrowed */
    unsigned state;  /* SMTP_IN_... */
    enum smtp_mode mode;
    enum smtp_wait wait;
    bool esmtp, signed_in;
    bool begun; /* the world holds a message */
    char helo[LIMIT_DOMAIN + 1];
    unsigned errors, junk;
    struct smtp_envelope envelope;
    struct smtp_intake intake;
    bool last;           /* the chunk is the last */
    enum status refusal; /* MODE_DISCARD: what is said behind the chunk */
    uint64_t discard, discarded;
    struct address asked; /* the recipient or sender that the world was asked about */
    struct smtp_params params;
    uint64_t messages; /* stored */
};

void smtp_dialogue_init(
    struct smtp_dialogue *d, const struct smtp_options *options, const struct smtp_world *world, void *owner,
    struct buf *out);
/* Ends a transaction that is going on and frees. */
void smtp_dialogue_done(struct smtp_dialogue *d);
/* The banner. `talked`: the client has sent something already (T-029). */
void smtp_dialogue_greet(struct smtp_dialogue *d, bool talked);
/* Takes what can be taken off the front of *input. Stops while waiting, when closed, and while more than
 * LIMIT_SESSION_OUTPUT octets of replies are owed. */
void smtp_dialogue_feed(struct smtp_dialogue *d, struct slice *input);
static inline bool smtp_dialogue_is_closed(const struct smtp_dialogue *d)
{
    return d->mode == SMTP_MODE_CLOSED;
}
/* Is a message being received? Octets of it so far, for the least rate. */
bool smtp_dialogue_is_receiving(const struct smtp_dialogue *d);

/* STATUS_RECIPIENT_OK and what it leads to (targets are copied), or the refusal; STATUS_RELAY_DENIED for a domain that is
 * not ours, at either door. */
void smtp_dialogue_resolved(
    struct smtp_dialogue *d, enum status verdict, const struct smtp_target *targets, size_t count);
/* STATUS_SENDER_OK or the refusal. */
void smtp_dialogue_owned(struct smtp_dialogue *d, enum status verdict);
void smtp_dialogue_auth(struct smtp_dialogue *d, enum smtp_auth outcome, struct slice challenge);
void smtp_dialogue_tls_on(struct smtp_dialogue *d);
/* There is room again for octets. */
void smtp_dialogue_room(struct smtp_dialogue *d);
/* STATUS_STORED, or the refusal; `id` is shown in the reply. */
void smtp_dialogue_stored(struct smtp_dialogue *d, enum status verdict, struct slice id);
/* From outside: a 421, and closed (T-035, T-308, revoked). A message that waits for its answer is not dropped. */
void smtp_dialogue_end(struct smtp_dialogue *d, enum status farewell);

/* ---- between the files of the dialogue ---- */

void smtp_say(struct smtp_dialogue *d, enum status status);
/* The same for what a client did wrong: counts, and closes at LIMIT_SMTP_ERRORS (T-038). */
void smtp_refuse(struct smtp_dialogue *d, enum status status);
void smtp_close(struct smtp_dialogue *d, enum status farewell);
/* INV-42. */
void smtp_forget(struct smtp_dialogue *d);
/* A chunk that is not taken: its octets are read away, then the refusal is said; the transaction is gone (T-025). */
void smtp_discard_chunk(struct smtp_dialogue *d, uint64_t chunk, enum status refusal);
typedef void smtp_run_fn(struct smtp_dialogue *d, const struct smtp_command *c);
extern smtp_run_fn *const smtp_runs[SMTP_VERBS];
void smtp_run_auth(struct smtp_dialogue *d, const struct smtp_command *c);
void smtp_auth_response(struct smtp_dialogue *d, const struct line *line);

#endif
