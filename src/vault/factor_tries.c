#include "vault/factors_private.h"

enum { HOUR_S = 3600, TIME_LEN = 8 };

static int64_t time_of(const char *octets)
{
    uint64_t value = 0;
    for (unsigned i = TIME_LEN; i--;)
        value = value << 8 | (unsigned char)octets[i];
    return (int64_t)value;
}

static fallible read_row(struct stmt *st, struct tries *t)
{
    struct slice times = stmt_col(st, 2);
    if (times.n % TIME_LEN || times.n / TIME_LEN > TRIES_MAX)
        return ERR_CORRUPT;
    *t = (struct tries){
        .wrong = stmt_col_int(st, 0), .last_s = stmt_col_int(st, 1), .count = times.n / TIME_LEN};
    for (size_t i = 0; i < t->count; i++)
        t->at_s[i] = time_of(times.p + i * TIME_LEN);
    return OK;
}

static bool settle(struct tries *t, int64_t now_s)
{
    bool changed = t->last_s > now_s;
    if (changed)
        t->last_s = now_s;
    for (size_t i = 0; i < t->count; i++)
        if (t->at_s[i] > now_s) {
            t->at_s[i] = now_s;
            changed = true;
        }
    return changed;
}

fallible tries_get(
    struct vault *v, const struct account_id *account, enum factor_kind kind, int64_t now_s,
    struct tries *ret_tries, bool *ret_changed)
{
    struct tries t = {.wrong = 0};
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_TRIES_GET);
    stmt_bind(st, "bi", account_slice(account), (int64_t)kind);
    enum err e = stmt_step(st);
    if (e == OK)
        e = read_row(st, &t);
    else if (e == ERR_NOT_FOUND)
        e = OK;
    TRY(e);
    *ret_changed = settle(&t, now_s);
    *ret_tries = t;
    return OK;
}

fallible
tries_put(struct vault *v, const struct account_id *account, enum factor_kind kind, const struct tries *t)
{
    char times[TRIES_MAX * TIME_LEN];
    for (size_t i = 0; i < t->count; i++)
        for (unsigned k = 0; k < TIME_LEN; k++)
            times[i * TIME_LEN + k] = (char)((uint64_t)t->at_s[i] >> (8 * k));
    struct stmt *st = db_stmt(accounts_db(v), A_TRIES_PUT);
    stmt_bind(
        st, "biiib", account_slice(account), (int64_t)kind, t->wrong, t->last_s,
        slice_of(times, t->count * TIME_LEN));
    return stmt_run(st);
}

int64_t tries_wait_totp(const struct tries *t, int64_t now_s)
{
    int64_t pause = LIMIT_FACTOR_PAUSE;
    if (t->wrong < LIMIT_FACTOR_TRIES)
        return 0;
    for (int64_t i = LIMIT_FACTOR_TRIES; i < t->wrong && pause < LIMIT_FACTOR_PAUSE_MAX; i++)
        pause *= 2;
    if (pause > LIMIT_FACTOR_PAUSE_MAX)
        pause = LIMIT_FACTOR_PAUSE_MAX;
    return t->last_s + pause > now_s ? t->last_s + pause : 0;
}

int64_t tries_wait_recovery(const struct tries *t, int64_t now_s)
{
    if (t->count < LIMIT_RECOVERY_TRIES)
        return 0;
    int64_t until = t->at_s[t->count - LIMIT_RECOVERY_TRIES] + HOUR_S;
    return until > now_s ? until : 0;
}

void tries_note(struct tries *t, int64_t now_s, bool is_right)
{
    if (t->count == TRIES_MAX)
        memmove(t->at_s, t->at_s + 1, --t->count * sizeof *t->at_s);
    t->at_s[t->count++] = now_s;
    t->wrong = is_right ? 0 : t->wrong + 1;
    t->last_s = now_s;
}
