/* cli.h - one run of the `letterlock` command: what it was asked, and how it speaks.        room: cli   runs in: cli
 *
 * Results go to standard output, everything else to standard error. With --json standard output holds exactly one JSON
 * object: {"ok":true, ...} or {"ok":false,"error":{"code","text","remedy"}}. Colours and progress only on a terminal,
 * and never when NO_COLOR is set or TERM is dumb.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/args.h"
#include "cli/json.h"
#include "cli/say.h"
#include "config/config.h"

struct stop;
struct cli {
    struct arena arena;
    struct args args;
    enum lang lang;
    bool json;     /* --json */
    bool terminal; /* standard output is one */
    bool colour;   /* standard output takes colours */
    bool colour_err;
    struct buf out;        /* standard output, written by cli_flush */
    struct json j;         /* writes into out; its object is open while the command runs */
    const char *dir;       /* DIR; set by cli_folder */
    int dir_fd;            /* -1: not open */
    struct config *config; /* of DIR; NULL: not read */
    struct stop *stop;     /* while Ctrl-C ends the command in order (doctor); NULL: it ends it at once */
};

enum { CLI_OUT_MAX = 64 << 20, CLI_ARENA_MAX = 64 << 20 };

/* The whole command; returns the exit code. */
int cli_main(int argc, char **argv);

/* Text of elsewhere as a terminal may see it; in the arena. */
struct slice cli_safe(struct cli *c, struct slice s);
/* A sentence on standard output; nothing with --json. Texts are made safe here. */
void cli_say(struct cli *c, enum say_id id, struct slice one, struct slice two, struct slice three);
/* A remark on standard error, in both forms. */
void cli_note(struct cli *c, enum say_id id, struct slice one, struct slice two, struct slice three);
/* What went wrong and what to do, on standard error (and as the JSON object); returns `code`. */
int cli_fail(
    struct cli *c, enum cli_exit code, enum say_id says, enum say_id remedy, struct slice one,
    struct slice two);
/* The same with texts of elsewhere. */
int cli_fail_text(
    struct cli *c, enum cli_exit code, const char *name, struct slice says, struct slice remedy);
/* Writes what is collected; false when standard output is closed or full. */
bool cli_flush(struct cli *c);
/* The question was answered, and the answer is no: returns CLI_NO. With --json the object is as good as any ("ok"). */
int cli_no(struct cli *c);
/* What err_text says, in the person's language: for the places of a sentence. */
struct slice cli_error(const struct cli *c, enum err e);
/* Bold or coloured, where that is wanted: "1", "31". The text itself goes between the two. */
void cli_style(struct cli *c, const char *code);
void cli_style_end(struct cli *c);

/* The word for an exit code in JSON: "usage", "not-found"... */
const char *cli_exit_name(enum cli_exit code);

/* Opens DIR (operand DIR, --dir, LETTERLOCK_DIR, /var/lib/letterlock). On trouble says so and returns an exit code. */
int cli_folder(struct cli *c);
/* And reads its letterlock.conf; every error is told. */
int cli_config(struct cli *c);
/* Tells all errors of a configuration on standard error (and as JSON "problems"). */
void cli_config_errors(struct cli *c, const struct config_errors *errors, struct slice path);
/* DIR as the operand, flag and environment say, without opening it. */
const char *cli_dir_path(struct cli *c);

#endif
