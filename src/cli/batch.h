/* batch.h - many changes from a file: its rows, the keys and the files of a run.         room: cli   runs in: cli
 *
 *   plan      the CSV as rows, all checked before anything is done (batch_plan.c)
 *   key       for whom results are sealed: a file of two halves, one public, one under a passphrase (batch_key.c)
 *   log       what a run leaves behind: the state, by which a run that was killed goes on, and the sealed results (batch_log.c)
 *
 * INV-O2  Nothing is done before every row was checked, here and by the vault.
 * INV-O3  A row's result is on disk before the row is marked as done.
 * INV-O4  A secret that a batch makes goes into the results alone, sealed for the owner of the key.
 *
 * A row has an operation id, BLAKE2b over the run's id, the row's number and its text: the vault does no operation twice, so
 * that it is safe to ask again for a row of which we do not know whether it was done.
 *
 * A row's result is on disk before the row is marked as done, and a row whose mark is missing is asked for again; its secret is
 * then a new one, and the later record counts. Both files are lines that end with LF; a last line without one was being
 * written when the run was killed, and is cut off.
 */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "base/limits.h"
#include "cli/cli.h"
#include "crypto/box.h"
#include "crypto/hash.h"

/* ---- plan ---- */

#define BATCH_VERBS(VERB)                                                                                    \
    VERB(CREATE, "create", true, false)                                                                      \
    VERB(RESET, "reset", true, false)                                                                        \
    VERB(CLIENT, "client", true, true)                                                                       \
    VERB(REVOKE, "revoke", false, true)                                                                      \
    VERB(ROTATE, "rotate", true, true)                                                                       \
    VERB(LOCK, "lock", false, false)                                                                         \
    VERB(UNLOCK, "unlock", false, false)
enum batch_verb {
#define VERB(id, name, makes_secret, needs_label) BATCH_##id,
    BATCH_VERBS(VERB)
#undef VERB
        BATCH_VERB_N
};
const char *batch_verb_name(enum batch_verb verb);

struct batch_row {
    enum batch_verb verb;
    unsigned line;     /* of the file, for people */
    struct slice text; /* as it stands there */
    struct slice address, name, language, group, label, doors, limits;
    uint64_t quota_bytes;
    int64_t expires_s;
    bool created_above; /* an earlier row makes the account */
};
struct batch_plan {
    struct batch_row *rows;
    size_t count;
    size_t of_verb[BATCH_VERB_N];
    struct hash file; /* of the whole text */
    bool makes_secrets;
    size_t problems;
    struct batch_told {
        unsigned line;
        struct slice text;
    } told[LIMIT_BATCH_PROBLEMS]; /* the first of them */
};
/* Reads the file and checks every row; what is wrong is told with its line. Returns an exit code. */
int batch_plan_read(struct cli *c, struct slice path, struct batch_plan *ret_plan);
/* One problem more, told on standard error; after LIMIT_BATCH_PROBLEMS only counted. */
void batch_problem(struct cli *c, struct batch_plan *plan, unsigned line, struct slice text);
/* All that were told, into the JSON object. */
void batch_put_problems(struct cli *c, const struct batch_plan *plan);
void batch_plan_done(struct batch_plan *plan);

/* ---- keys ---- */

/* From FILE.pub or from the key file itself. */
int batch_key_public(struct cli *c, struct slice path, struct box_public *ret_public);
/* The secret half, opened with a passphrase that is asked for. */
int batch_key_secret(
    struct cli *c, struct slice path, struct secret_slab *slab, struct box_public *ret_public,
    struct secret *ret_key);
void batch_key_text(const struct box_public *key, struct buf *out);
fallible batch_key_read(struct slice text, struct box_public *ret_key);

/* ---- log ---- */

enum { BATCH_ID_LEN = 16 };

struct batch_log {
    int state, results; /* -1: none */
    bool begun;         /* there is a state, and `id` is its run's */
    bool is_sealed;     /* there are results, sealed for `key` */
    uint8_t id[BATCH_ID_LEN];
    bool *done; /* by row, in the cli's arena */
    size_t done_count;
    struct box_public key;
};
/* Reads the state of an earlier run of the same file, if there is one; makes nothing. `key` NULL: no results. Returns an exit
 * code. */
int batch_log_open(
    struct cli *c, const struct batch_plan *plan, struct slice results_path, const struct box_public *key,
    struct batch_log *ret_log);
/* Makes the files of a run that begins, or opens those of one that goes on. */
int batch_log_begin(
    struct cli *c, const struct batch_plan *plan, struct slice results_path, struct batch_log *log);
void batch_log_close(struct batch_log *log);
/* Seals and writes a row's result, then the mark; both are on disk when it returns. `record` may be empty. */
fallible batch_log_put(struct batch_log *log, size_t row, struct slice record);
/* Every row is done. */
fallible batch_log_end(struct batch_log *log);
void batch_operation_id(
    const struct batch_log *log, const struct batch_plan *plan, size_t row, uint8_t ret_id[BATCH_ID_LEN]);

#endif
