/* batch_log.c - what a run of a batch leaves on disk: its state, and the sealed results. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/batch.h"
#include "cli/files.h"
#include "crypto/random.h"

/* State: four lines, then "done ROW" for each row (from 1), then "end". */
static const char state_magic[] = "letterlock-batch 1", results_magic[] = "letterlock-results 1";
enum { STATE_MAX = 64 + 16 * LIMIT_BATCH_ROWS };

void batch_operation_id(
    const struct batch_log *log, const struct batch_plan *plan, size_t row, uint8_t ret_id[BATCH_ID_LEN])
{
    struct hash_state state;
    uint64_t number = row + 1;
    hash_start(&state, NULL);
    hash_add_piece(&state, slice_of(log->id, sizeof log->id));
    hash_add_piece(&state, slice_of(&number, sizeof number));
    hash_add_piece(&state, plan->rows[row].text);
    struct hash made = hash_end(&state);
    memcpy(ret_id, made.b, BATCH_ID_LEN);
}

/* The name of a new file, too, must be on disk before anything depends on it. */
static fallible sync_folder_of(const char *path)
{
    size_t last = slice_rfind(slice_str(path), '/');
    char folder[LIMIT_CONFIG_PATH + 2] = ".";
    if (last != SLICE_NPOS && last + 1 < sizeof folder) {
        memcpy(folder, path, last + 1);
        folder[last + 1] = '\0';
    }
    int fd CLEANUP_FD = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? OK : err_of_errno(errno);
}

static fallible append(int fd, struct slice text)
{
    TRY(file_write_all(fd, text));
    return fdatasync(fd) == 0 ? OK : err_of_errno(errno);
}

/* Everything of it, but for a last line without its end, which is cut off. */
static fallible read_lines(int fd, struct buf *out)
{
    if (lseek(fd, 0, SEEK_SET) != 0)
        return err_of_errno(errno);
    TRY(file_read_all(fd, out));
    size_t last = slice_rfind(buf_slice(out), '\n');
    size_t whole = last == SLICE_NPOS ? 0 : last + 1;
    if (whole == out->n)
        return OK;
    out->n = whole;
    if (ftruncate(fd, (off_t)whole) != 0 || lseek(fd, (off_t)whole, SEEK_SET) < 0)
        return err_of_errno(errno);
    return OK;
}

static void
put_state_head(const struct batch_log *log, const struct batch_plan *plan, bool sealed, struct buf *out)
{
    buf_printf(out, "%s\nbatch ", state_magic);
    hex_put(out, slice_of(log->id, sizeof log->id));
    buf_put_str(out, "\nfile ");
    hex_put(out, hash_slice(&plan->file));
    buf_put_str(out, "\nkey ");
    if (sealed)
        batch_key_text(&log->key, out);
    else
        buf_put_char(out, '-');
    buf_put_char(out, '\n');
}

static struct slice take_line(struct slice *rest, const char *name)
{
    struct slice line, word = slice_str(name);
    if (!slice_cut(rest, '\n', &line) || !slice_starts(line, word))
        return SLICE_EMPTY;
    return slice_trim(slice_from(line, word.n));
}

/* ERR_STATE: another file's or another key's. ERR_CORRUPT: not a state at all. */
static fallible read_state(
    struct batch_log *log, const struct batch_plan *plan, bool sealed, struct slice text, bool *ret_ended)
{
    struct buf head CLEANUP_BUF = BUF_INIT(1024);
    struct slice rest = text, line;
    (void)take_line(&rest, state_magic);
    if (hex_get(take_line(&rest, "batch "), log->id, sizeof log->id) != OK)
        return ERR_CORRUPT;
    put_state_head(log, plan, sealed, &head);
    if (!slice_starts(text, slice_str(state_magic)))
        return ERR_CORRUPT;
    if (!slice_starts(text, buf_slice(&head)))
        return ERR_STATE;
    rest = slice_from(text, head.n);
    while (slice_cut(&rest, '\n', &line)) {
        uint64_t row;
        if (slice_eq(line, S("end"))) {
            *ret_ended = true;
        } else if (slice_starts(line, S("done "))) {
            TRY(slice_to_u64(slice_from(line, 5), plan->count, &row));
            if (row == 0)
                return ERR_CORRUPT;
            log->done_count += !log->done[row - 1];
            log->done[row - 1] = true;
        } else if (line.n) {
            return ERR_CORRUPT;
        }
    }
    return OK;
}

/* A state whose head was never finished belongs to a run that did nothing. */
static bool is_begun(struct slice text)
{
    struct slice line;
    for (int i = 0; i < 4; i++)
        if (!slice_cut(&text, '\n', &line))
            return false;
    return text.p != NULL;
}

/* What an earlier run left, if there is something. */
static fallible
read_earlier(struct batch_log *log, const struct batch_plan *plan, const char *path, bool *ret_ended)
{
    struct buf text CLEANUP_BUF = BUF_INIT(STATE_MAX);
    log->state = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (log->state < 0)
        return errno == ENOENT ? OK : err_of_errno(errno);
    if (flock(log->state, LOCK_EX | LOCK_NB) != 0)
        return ERR_BUSY;
    TRY(read_lines(log->state, &text));
    log->begun = is_begun(buf_slice(&text));
    if (log->begun)
        return read_state(log, plan, log->is_sealed, buf_slice(&text), ret_ended);
    return text.n && !slice_starts(buf_slice(&text), slice_str(state_magic)) ? ERR_CORRUPT : OK;
}

static fallible begin_state(struct batch_log *log, const struct batch_plan *plan, const char *path)
{
    struct buf head CLEANUP_BUF = BUF_INIT(1024);
    if (log->state < 0)
        log->state = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (log->state < 0)
        return err_of_errno(errno);
    if (flock(log->state, LOCK_EX | LOCK_NB) != 0)
        return ERR_BUSY;
    if (ftruncate(log->state, 0) != 0 || lseek(log->state, 0, SEEK_SET) != 0)
        return err_of_errno(errno);
    random_bytes(log->id, sizeof log->id);
    put_state_head(log, plan, log->is_sealed, &head);
    TRY(append(log->state, buf_slice(&head)));
    return sync_folder_of(path);
}

/* ERR_EXISTS: there are results, of another run; ERR_NOT_FOUND: rows are done, and their results are gone. */
static fallible open_results(struct batch_log *log, const char *path)
{
    struct buf head CLEANUP_BUF = BUF_INIT(1024), text CLEANUP_BUF = BUF_INIT((size_t)1 << 30);
    buf_printf(&head, "%s\nkey ", results_magic);
    batch_key_text(&log->key, &head);
    buf_put_char(&head, '\n');
    bool is_there = files_has(AT_FDCWD, path);
    if (!is_there && log->done_count)
        return ERR_NOT_FOUND;
    log->results = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (log->results < 0)
        return err_of_errno(errno);
    TRY(read_lines(log->results, &text));
    if (text.n == 0) {
        TRY(append(log->results, buf_slice(&head)));
        return sync_folder_of(path);
    }
    return slice_starts(buf_slice(&text), buf_slice(&head)) ? OK : ERR_EXISTS;
}

static int cannot_open(struct cli *c, enum err e, struct slice path)
{
    static const struct {
        enum err e;
        enum cli_exit code;
        enum say_id says, remedy;
    } table[] = {
        {ERR_STATE, CLI_DATA, SAY_BATCH_OTHER, SAY_BATCH_OTHER_REMEDY},
        {ERR_CORRUPT, CLI_DATA, SAY_BATCH_STATE_BAD, SAY_BATCH_OTHER_REMEDY},
        {ERR_BUSY, CLI_UNAVAILABLE, SAY_BATCH_BUSY, SAY_BATCH_BUSY_REMEDY},
        {ERR_EXISTS, CLI_CANNOT_CREATE, SAY_BATCH_RESULTS_THERE, SAY_BATCH_OTHER_REMEDY},
        {ERR_NOT_FOUND, CLI_DATA, SAY_BATCH_RESULTS_GONE, SAY_BATCH_RESULTS_GONE_REMEDY},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].e == e)
            return cli_fail(c, table[i].code, table[i].says, table[i].remedy, path, SLICE_EMPTY);
    return cli_fail(c, CLI_IO, SAY_CANNOT_MAKE, SAY_CANNOT_MAKE_REMEDY, path, cli_error(c, e));
}

static const char *state_path(struct cli *c, struct slice results_path)
{
    return arena_cstr(&c->arena, arena_printf(&c->arena, SLICE_FMT ".state", SLICE_ARG(results_path)));
}

int batch_log_open(
    struct cli *c, const struct batch_plan *plan, struct slice results_path, const struct box_public *key,
    struct batch_log *ret_log)
{
    const char *path = state_path(c, results_path);
    bool ended = false;
    *ret_log = (struct batch_log){.state = -1, .results = -1, .is_sealed = key != NULL};
    ret_log->done = arena_zalloc(&c->arena, plan->count + 1);
    if (!ret_log->done)
        return cli_fail(
            c, CLI_FAILED, SAY_BATCH_FILE_LONG, SAY_BATCH_FILE_LONG_REMEDY, results_path, SLICE_EMPTY);
    if (key)
        ret_log->key = *key;
    enum err e = read_earlier(ret_log, plan, path, &ended);
    if (e != OK)
        return cannot_open(c, e, slice_str(path));
    if (ended)
        return cli_fail(
            c, CLI_CANNOT_CREATE, SAY_BATCH_ENDED, SAY_BATCH_ENDED_REMEDY, slice_str(path), SLICE_EMPTY);
    if (key && !ret_log->begun && files_has(AT_FDCWD, arena_cstr(&c->arena, results_path)))
        return cannot_open(c, ERR_EXISTS, results_path);
    return CLI_OK;
}

int batch_log_begin(
    struct cli *c, const struct batch_plan *plan, struct slice results_path, struct batch_log *log)
{
    const char *path = state_path(c, results_path);
    enum err e = log->begun ? OK : begin_state(log, plan, path);
    if (e != OK)
        return cannot_open(c, e, slice_str(path));
    log->begun = true;
    e = log->is_sealed ? open_results(log, arena_cstr(&c->arena, results_path)) : OK;
    return e == OK ? CLI_OK : cannot_open(c, e, results_path);
}

void batch_log_close(struct batch_log *log)
{
    file_close(&log->state);
    file_close(&log->results);
}

fallible batch_log_put(struct batch_log *log, size_t row, struct slice record)
{
    struct buf box CLEANUP_BUF = BUF_INIT(LIMIT_BATCH_RECORD),
                   line CLEANUP_BUF = BUF_INIT(2 * LIMIT_BATCH_RECORD);
    if (log->results >= 0 && record.n) {
        TRY(box_seal(&log->key, record, &box));
        TRY(buf_check(&box));
        base64_put(&line, buf_slice(&box));
        buf_put_char(&line, '\n');
        TRY(append(log->results, buf_slice(&line)));
    }
    buf_clear(&line);
    buf_printf(&line, "done %zu\n", row + 1);
    TRY(append(log->state, buf_slice(&line)));
    log->done_count += !log->done[row];
    log->done[row] = true;
    return OK;
}

fallible batch_log_end(struct batch_log *log)
{
    return append(log->state, S("end\n"));
}
