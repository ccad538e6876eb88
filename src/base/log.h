/* log.h - one event, one line: an event name and typed fields.                 room: base   runs in: all
 *
 * On a terminal the line is for people; elsewhere it is one JSON object. Foreign text is escaped (C0, C1,
 * DEL, U+2028/9, bidi controls, invalid UTF-8, quotes) and cut at LIMIT_LOG_FIELD octets; it is never used as
 * a format. There is no field type for secrets, on purpose. Log once, at the border: rooms below the sessions
 * return errors.
 */
/* Usage: log_event(LOG_INFO, "signin.ok", LOG_ID(session), LOG_TEXT("account", address), LOG_NUM("tries",
 * 2)); */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVELS };
enum log_form { LOG_FORM_AUTO, LOG_FORM_TEXT, LOG_FORM_JSON };

struct log_field {
    const char *key;
    enum { LOG_FIELD_END, LOG_FIELD_TEXT, LOG_FIELD_NUM, LOG_FIELD_ID } kind;
    struct slice text;
    int64_t num;
};
#define LOG_TEXT(key_, slice_) ((struct log_field){.key = (key_), .kind = LOG_FIELD_TEXT, .text = (slice_)})
#define LOG_STR(key_, cstr_) LOG_TEXT(key_, slice_str(cstr_))
#define LOG_NUM(key_, value_)                                                                                \
    ((struct log_field){.key = (key_), .kind = LOG_FIELD_NUM, .num = (int64_t)(value_)})
/* A 64-bit session or message id, printed as 16 hex digits. */
#define LOG_ID(value_) ((struct log_field){.key = "session", .kind = LOG_FIELD_ID, .num = (int64_t)(value_)})
#define LOG_ERR(e_) LOG_STR("error", err_text(e_))
/* errno's words; call before anything can change it. */
#define LOG_ERRNO() LOG_STR("errno", strerror(errno))

#define log_event(level_, event_, ...)                                                                       \
    log_event_fields(                                                                                        \
        (level_), (event_),                                                                                  \
        (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, )(struct log_field){.key = NULL}})
void log_event_fields(enum log_level level, const char *event, const struct log_field *fields);

/* `who` ("keeper-1") is kept by pointer. Lines go to descriptor `fd`. */
void log_init(const char *who, int fd, enum log_form form, enum log_level least);
void log_set_level(enum log_level least);
/* For tests: called instead of writing. */
void log_set_sink(void (*sink)(enum log_level level, struct slice line, void *arg), void *arg);

/* Our environment is unusable: logs and exits with status 70. */
_Noreturn void log_fatal(const char *text);
_Noreturn void log_fatal_errno(const char *text);

#endif
