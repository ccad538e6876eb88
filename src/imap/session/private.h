/* private.h - the inside of an IMAP session, shared by the files of this room.   room: imap/session   runs in: keeper
 *
 *   GREETING --account entered--> READY <--> RUNNING (a command)   any --> ENDING --> gone
 *                                  READY <--> IDLING (IDLE, until DONE)
 *
 * A command is a function of imap_verb_run[] that is called until it says STEP_DONE. What it needs beyond one call lives in the
 * session's arena, under `work`; the arena goes when the command ends. All text goes to imap_out(); imap_answer decides
 * the tagged answer, which the session writes after the news that the client may hear.
 */
#ifndef IMAP_SESSION_PRIVATE_H
#define IMAP_SESSION_PRIVATE_H

#include "imap/session/session.h"
#include "imap/session/view.h"
#include "imap/wire/command.h"
#include "imap/wire/write.h"
#include "keeper/output.h"
#include "keeper/sight.h"
#include "keeper/spending.h"

enum {
    SLICE_ROWS = 500,      /* rows a command looks at before others go on */
    SLICE_OCTETS = 131072, /* octets of bodies it reads before others go on */
    SLICE_MS = 10          /* computing */
};

enum imap_doing { IMAP_GREETING, IMAP_READY, IMAP_RUNNING, IMAP_IDLING, IMAP_ENDING, IMAP_DOINGS };

enum imap_step {
    STEP_DONE,   /* the answer stands */
    STEP_AGAIN,  /* let others go first, then call again */
    STEP_OUTPUT, /* call again when the client has read */
    STEP_WAIT,   /* imap_advance will be called, or input comes */
    STEP_STORE,  /* the account is being opened or checkpointed: session.c's own */
    STEP_BROKEN  /* a response cannot be completed: the connection ends */
};

struct imap_session;
typedef enum imap_step imap_run(struct imap_session *s);

/* Messages of a mailbox that are in sight, when that is a window: counted in slices. */
struct box_count {
    struct mailbox_id box;
    uint32_t next; /* the uid to go on with; 0: the counts stand */
    uint64_t messages, unseen, recent;
};

struct imap_session {
    struct session base;
    unsigned magic;
    enum imap_doing doing;
    struct keeper_env *env;
    bool is_introduced; /* its ID was told to the vault */
    struct stream *stream;
    struct account *account;
    struct account_guest guest;
    struct account_wait entry;
    struct output out;
    struct timer silence; /* LIMIT_IMAP_IDLE_TIME without a command */
    struct timer aging;   /* IDLE: a message goes out of the window */
    struct task again;    /* the next slice, or the next command */
    struct task freeing;
    struct imap_reader reader;
    char tag[LIMIT_IMAP_TAG]; /* of the command that signed in, for the greeting */
    size_t tag_n;
    unsigned steps; /* commands begun in this turn */

    bool condstore;   /* enabled: FETCH answers carry MODSEQ */
    bool in_response; /* half of a response has been written: no goodbye can be said */
    bool cut;         /* the octets that follow are not to be read: end after the answer */
    bool is_selected;
    struct view view;
    struct sight sight;
    struct box_count count;

    /* The command. */
    struct arena mem;
    struct imap_command *cmd;
    struct body_reader *reading; /* FETCH, SEARCH */
    struct body_writer *writing; /* APPEND */
    struct buf scratch;          /* text that is being looked at, or made */
    bool is_spending;            /* what it puts out is mail, and counts against a budget */
    struct arena batch;          /* rows that are being answered */
    void *work;
    enum imap_step paused; /* what the command waits for; each kind of news resumes only its own */
    uint64_t worked_ms;
    enum imap_status answer;
    enum imap_code code;
    struct slice code_text; /* instead of `code` */
    const char *words;
    bool ends;    /* LOGOUT: nothing follows */
    bool telling; /* the answer stands, and news are told before it */

    uint64_t commands; /* for the log */
};

static inline struct buf *imap_out(struct imap_session *s)
{
    return output_buf(&s->out);
}

/* ---- session.c: the connection ---- */
/* ERR_AGAIN: the account's `ready` comes, once, whoever asked last. */
enum err imap_enter(struct imap_session *s);
void imap_forget_command(struct imap_session *s);
/* "* BYE", and the end as soon as all that was said has left. */
void imap_say_bye(struct imap_session *s, enum imap_code code, const char *words);
void imap_end_when_said(struct imap_session *s);
/* The end, at once. `doing` is IMAP_ENDING afterwards; the memory goes at the end of the turn. */
void imap_let_go(struct imap_session *s, const char *why);
/* What a command that said STEP_WAIT waited for has come; from callbacks only, never from inside a command. */
void imap_advance(struct imap_session *s);

/* ---- run.c: one command ---- */
/* A whole command is in the reader, or an APPEND up to its message. */
void imap_begin(struct imap_session *s);
void imap_run_step(struct imap_session *s);
/* The answer stands; before it the client hears what it may hear. `entered`: the store may be asked for news. */
void imap_finish(struct imap_session *s, bool entered);
/* Answers STEP_DONE, for `return imap_answer(...)`. Words are ours: ASCII. */
enum imap_step
imap_answer(struct imap_session *s, enum imap_status status, enum imap_code code, const char *words);
enum imap_step imap_ok(struct imap_session *s, const char *words);
/* The tagged answer's code with arguments, in the arena: "COPYUID 1 2 3". */
enum imap_step
imap_answer_text(struct imap_session *s, enum imap_status status, struct slice code, const char *words);
/* The answer that an error of the store deserves. */
enum imap_step imap_refuse(struct imap_session *s, enum err e);
/* Commits what was written, and says whether to pause (STEP_OUTPUT) or only to let others go (STEP_AGAIN). */
enum imap_step imap_slice_end(struct imap_session *s);
void imap_unselect(struct imap_session *s);

/* ---- news.c: what others did, told when it may be told. The account is entered. ---- */
enum { NEWS_EXPUNGES = 1 };
/* ERR_AGAIN: there is more to tell: commit, and call again when the client has read. ERR_GONE: the selected mailbox was
 * deleted by somebody else. */
fallible imap_put_news(struct imap_session *s, unsigned what);
/* Whether there may be something to tell: by others, or by the clock when a window is all that is seen. */
bool imap_has_news(const struct imap_session *s);
/* After a change of our own in the same callback as an imap_put_news that said OK: it need not be told again. For changes
 * that expunge nothing. */
fallible imap_skip_own_news(struct imap_session *s);
/* Keyword names of the selected mailbox, good until the next change; tells FLAGS first when there are new ones. */
struct keyword_names {
    uint64_t mask;
    struct slice at[LIMIT_KEYWORDS];
};
void imap_keywords(struct imap_session *s, struct keyword_names *ret_names);
/* "FLAGS (\Seen kw)" without spaces around. */
void imap_put_message_flags(
    struct buf *out, const struct view *v, const struct keyword_names *names, uint32_t uid,
    struct flags flags);
void imap_put_flags_lines(struct imap_session *s);

/* ---- flags ---- */
/* The wire's flags as the store's. Keywords that do not exist are made, or left out (make false). */
fallible imap_flags_to_store(
    struct imap_session *s, struct mailbox_id box, const struct imap_flags *flags, bool make,
    struct flags *ret_flags);

/* ---- folders.c: the mailboxes that are in sight ---- */
/* The mailbox of that name; ERR_NOT_FOUND, ERR_SYNTAX (which is the same to most). */
fallible imap_find(struct imap_session *s, const struct imap_mailbox *m, const struct mailbox **ret_box);
/* Would a mailbox of that name be in sight? */
bool imap_names_in_sight(struct imap_session *s, const struct imap_mailbox *m);
/* And all that could be below it? */
bool imap_names_all_below(struct imap_session *s, const struct imap_mailbox *m);
/* There is no such mailbox to put something into: TRYCREATE where CREATE would be allowed. */
enum imap_step imap_refuse_target(struct imap_session *s, const struct imap_mailbox *m);
/* False when the selected mailbox was renamed to a name that is not. */
bool imap_selected_is_in_sight(struct imap_session *s);
void imap_list_in_sight(struct imap_session *s, struct mailbox_entry *entries, size_t *n);
/* Before imap_put_status. ERR_AGAIN: others first, then go on with the same mailbox. */
fallible imap_count_in_sight(struct imap_session *s, const struct mailbox *box);

/* ---- verbs.c ---- */
/* The mailbox's own numbers for STATUS. */
fallible imap_put_status(struct imap_session *s, const struct mailbox *box, unsigned items);
/* Enables CONDSTORE (RFC 7162 3.1); in a selected mailbox the client is told its HIGHESTMODSEQ. */
void imap_enable_condstore(struct imap_session *s);

/* ---- append.c: octets of a message that is coming in ---- */
/* The command is refused, and its answer stands. STEP_WAIT: its message is thrown away as it comes. */
enum imap_step imap_append_discard(struct imap_session *s);
bool imap_append_wants_octets(const struct imap_session *s);
/* Takes what it wants of the input; the number of octets taken. */
size_t imap_append_feed(struct imap_session *s, struct slice input);

/* ---- search.c ---- */
/* The work of a SEARCH holds memory outside the arena. */
void imap_search_forget(void *work);

/* ---- section.c: one body section, rendered in slices from s->reading ---- */
struct section_work {
    bool is_nil;
    bool is_text;     /* HEADER.FIELDS: what is sent stands in s->scratch */
    bool has_nul;     /* a literal holds none: 0x80 instead */
    uint64_t at, end; /* octets of the message (of the text) still to be sent */
};
/* Finds what a section means for this message and writes its item: name and size. */
fallible imap_section_start(
    struct imap_session *s, const struct imap_section *section, struct slice structure,
    struct section_work *ret_work);
/* Octets start..end of the message behind s->reading, into s->scratch. */
fallible imap_read_range(struct imap_session *s, uint64_t start, uint64_t end);
/* Writes at most `most` octets more; it is done when at == end. */
fallible imap_section_write(struct imap_session *s, struct section_work *w, size_t most);

/* ---- the commands: run.c's table names them ---- */
extern imap_run *const imap_verb_run[IMAP_VERBS];
imap_run imap_run_append, imap_run_capability, imap_run_check, imap_run_close, imap_run_copy, imap_run_create,
    imap_run_delete, imap_run_enable, imap_run_expunge, imap_run_fetch, imap_run_id, imap_run_idle,
    imap_run_list, imap_run_logout, imap_run_namespace, imap_run_noop, imap_run_rename, imap_run_search,
    imap_run_select, imap_run_status, imap_run_store, imap_run_subscribe, imap_run_unselect;

#endif
