#include "gate/door.h"

#include <assert.h>

/* ALPN names as registered with IANA. Neither SMTP nor submission has one, but some clients say "smtp" all the same. */
static const char *const imap_names[] = {"imap", NULL};
static const char *const pop3_names[] = {"pop3", NULL};
static const char *const smtp_names[] = {"smtp", NULL};

static const struct door_row rows[] = {
    {"smtp", DOOR_SMTP, GATE_SMTP, SERVICE_MX, TLS_MODE_STARTTLS, false},
    {"submission", DOOR_SUBMISSION, GATE_SMTP, SERVICE_SUBMISSION, TLS_MODE_STARTTLS, true},
    {"submissions", DOOR_SUBMISSIONS, GATE_SMTP, SERVICE_SUBMISSION, TLS_MODE_IMPLICIT, true},
    {"imap", DOOR_IMAP, GATE_IMAP, SERVICE_IMAP, TLS_MODE_STARTTLS, true},
    {"imaps", DOOR_IMAPS, GATE_IMAP, SERVICE_IMAP, TLS_MODE_IMPLICIT, true},
    {"pop3", DOOR_POP3, GATE_POP3, SERVICE_POP3, TLS_MODE_STARTTLS, true},
    {"pop3s", DOOR_POP3S, GATE_POP3, SERVICE_POP3, TLS_MODE_IMPLICIT, true},
};
static_assert(sizeof rows / sizeof *rows == DOOR_N, "a door without a row");

const struct door_row *door_row(enum config_door door)
{
    assert(door < DOOR_N && rows[door].door == door);
    return &rows[door];
}

const struct door_row *door_find(enum ipc_service service, enum ipc_tls_mode mode)
{
    for (size_t i = 0; i < DOOR_N; i++)
        if (rows[i].service == service && rows[i].tls_mode == mode)
            return &rows[i];
    return NULL;
}

const struct tls_kind *door_tls_kinds(unsigned *ret_count)
{
    /* Where people sign in they may do so by certificate. */
    static const struct tls_kind kinds[] = {
        [DOOR_SMTP] = {"smtp", smtp_names, false},
        [DOOR_SUBMISSION] = {"submission", smtp_names, true},
        [DOOR_SUBMISSIONS] = {"submissions", smtp_names, true},
        [DOOR_IMAP] = {"imap", imap_names, true},
        [DOOR_IMAPS] = {"imaps", imap_names, true},
        [DOOR_POP3] = {"pop3", pop3_names, true},
        [DOOR_POP3S] = {"pop3s", pop3_names, true},
    };
    static_assert(sizeof kinds / sizeof *kinds == DOOR_N, "a door without a kind");
    *ret_count = DOOR_N;
    return kinds;
}
