/* doctor.h - the parts of `letterlock doctor`: what was asked, and each way of answering it.   room: cli   runs in: cli
 *
 *   explain   what an error text means (run_doctor_explain.c)
 *   check     one person's servers, once or again and again (run_doctor_check.c, run_doctor_watch.c)
 *   batch     many servers of a file, without signing in (run_doctor_batch.c)
 *
 * All return exit codes; what went wrong has been told. The secret lives in the slab of `asked` alone and is wiped by
 * doctor_asked_done; what hides it (doctor/mask.h) holds nothing of it, and lasts as long as anything is shown.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "cli/cli.h"
#include "doctor/grade.h"
#include "doctor/steps/examine.h"
#include "doctor/verdict.h"

/* What the command line says, read and checked. */
struct doctor_asked {
    struct wishes wishes;
    struct examine_way way;
    struct endpoint given[SERVICE_N];   /* by --imap, --pop3, --smtp */
    struct slice given_text[SERVICE_N]; /* as they were typed; empty: not given */
    size_t given_count;
    struct slice domain;      /* behind the last "@" of the address, canonical; empty when it is none */
    struct secret_slab *slab; /* NULL: no secret */
    struct secret secret;
    struct mask *mask; /* hides the secret in what others say, also when it is wiped; NULL: there was none */
    unsigned refusals; /* of the secret, in all rounds of --watch */
    struct buf authorities;
};
/* What both a check and a batch may be given: proxy, authorities, name server, patience. `ret_asked` is zeroed before. */
int doctor_asked_options(struct cli *c, struct doctor_asked *ret_asked);
/* Everything but the secret. */
int doctor_asked_read(struct cli *c, struct doctor_asked *ret_asked);
/* From the file that was named, or from the person; wishes.secret stays NULL when there is none. */
int doctor_ask_secret(struct cli *c, struct doctor_asked *asked);
/* Wipes it, before all else is done with. */
void doctor_forget_secret(struct doctor_asked *asked);
void doctor_asked_done(struct doctor_asked *asked);
/* The domain behind the last "@", in its canonical form; empty when it is none. */
struct slice doctor_domain_of(struct arena *arena, struct slice address);
/* HOST, HOST:PORT, [v6]:PORT; what people paste around it is taken off. `tls` is "implicit", "starttls", "none" or empty.
 * ERR_SYNTAX: no host, or no port. */
fallible doctor_endpoint_parse(
    struct arena *arena, enum service service, struct slice text, struct slice tls,
    struct endpoint *ret_endpoint);

/* From here on Ctrl-C and the like end waiting in order (loop/stop.h), in this command's questions and examinations. */
int doctor_stop_start(struct cli *c, struct doctor_asked *a);
/* No more. The signal that came; 0: none. */
int doctor_stop_end(struct cli *c, struct doctor_asked *a);
/* The exit code of a command that a signal ended; told, but with nothing that was found. */
int doctor_stopped(struct cli *c, int number);
/* One examination of what was asked, with a line on the terminal meanwhile. */
int doctor_examine(
    struct cli *c, const struct knowledge *k, struct doctor_asked *a, struct examination **ret_examination);
void doctor_examination_free(struct examination **x);
/* What went wrong with the examination itself, told. */
int doctor_trouble(struct cli *c, enum err e);

/* The settings that --settings asks for, on standard output or as a member of the JSON object (doctor_program.c). */
int doctor_put_settings(
    struct cli *c, const struct doctor_asked *a, const struct examination *x, const struct verdict *v);

/* --report: may the file be written? And: writes it (doctor_report.c). Nothing without the flag. */
int doctor_report_check(struct cli *c);
int doctor_report_write(
    struct cli *c, const struct examination *x, const struct verdict *v, const struct grading *g);

int doctor_explain(struct cli *c, const struct knowledge *k);
int doctor_check(struct cli *c, const struct knowledge *k);
int doctor_watch(struct cli *c, const struct knowledge *k);
int doctor_batch(struct cli *c, const struct knowledge *k);

#endif
