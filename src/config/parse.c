/* parse.c - letterlock.conf, line by line: key = value, comments, nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "config/nearest.h"
#include "config/private.h"

struct parse {
    struct config *config;
    struct config_errors *errors;
    unsigned line;
    struct slice text; /* of the line */
    unsigned first_line[CONFIG_KEYS];
    bool cr_seen;
};

static void complain(struct parse *p, struct slice at, enum fault fault, enum config_key key)
{
    size_t column = at.p >= p->text.p && at.p <= p->text.p + p->text.n ? (size_t)(at.p - p->text.p) : 0;
    config_errors_add(p->errors, p->line, (unsigned)column + 1, fault, key, at);
}

/* Characters that nobody sees, or that turn the order of what one reads; a tab is a blank. */
static bool is_invisible(uint32_t c)
{
    return (c < 0x20 && c != '\t') || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff || c == 0x061c;
}

/* False, and one complaint, when the line holds what no line may hold. */
static bool characters_check(struct parse *p)
{
    struct slice rest = p->text;
    while (rest.n) {
        uint32_t c = 0;
        size_t used = utf8_decode(rest, &c);
        if (used == 0 || is_invisible(c)) {
            complain(p, rest, used == 0 ? FAULT_UTF8 : FAULT_CONTROL, CONFIG_KEYS);
            return false;
        }
        rest = slice_from(rest, used);
    }
    return true;
}

static void unknown_key(struct parse *p, struct slice name)
{
    size_t best = SLICE_NPOS;
    enum config_key nearest = CONFIG_KEYS;
    for (int i = 0; i < CONFIG_KEYS; i++) {
        struct slice known = slice_str(config_row((enum config_key)i)->name);
        size_t distance = nearest_distance(name, known);
        if (distance < best && nearest_is_close(name, known)) {
            best = distance;
            nearest = (enum config_key)i;
        }
    }
    complain(p, name, nearest == CONFIG_KEYS ? FAULT_UNKNOWN_KEY : FAULT_MISSPELT_KEY, nearest);
}

static void no_equals(struct parse *p, struct slice line)
{
    static const char *const wide[] = {"＝", "：", "　"};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (slice_search(line, slice_str(wide[i])) != SLICE_NPOS) {
            complain(p, line, FAULT_WIDE, CONFIG_KEYS);
            return;
        }
    size_t word = 0;
    while (word < line.n && ascii_is_alpha(line.p[word]))
        word++;
    bool include = slice_eq_nocase(slice_sub(line, 0, word), S("include"));
    complain(p, line, include ? FAULT_INCLUDE : FAULT_NO_EQUALS, CONFIG_KEYS);
}

static void pair_read(struct parse *p, struct slice name, struct slice value)
{
    enum config_key key;
    struct slice at;
    if (slice_eq_nocase(name, S("include"))) {
        complain(p, name, FAULT_INCLUDE, CONFIG_KEYS);
        return;
    }
    if (config_key_find(name, &key) != OK) {
        unknown_key(p, name);
        return;
    }
    /* Doubled also when the first one was wrong. */
    bool again = p->first_line[key] != 0 && !config_row(key)->repeats;
    if (!p->first_line[key])
        p->first_line[key] = p->line;
    enum fault fault = again ? FAULT_DOUBLED : config_put(p->config, key, value, &at);
    if (fault == FAULT_DOUBLED)
        at = name;
    if (fault != FAULT_NONE)
        complain(p, at, fault, key);
}

static void line_read(struct parse *p)
{
    if (p->text.n && p->text.p[p->text.n - 1] == '\r') {
        p->text.n--;
        if (!p->cr_seen)
            complain(p, slice_from(p->text, p->text.n), FAULT_CR, CONFIG_KEYS);
        p->cr_seen = true;
    }
    if (p->text.n > LIMIT_CONFIG_LINE) {
        complain(p, p->text, FAULT_LINE, CONFIG_KEYS);
        return;
    }
    struct slice line = slice_trim(p->text);
    if (!characters_check(p) || line.n == 0 || line.p[0] == '#')
        return;
    size_t equals = slice_find(line, '=');
    if (equals == SLICE_NPOS)
        no_equals(p, line);
    else
        pair_read(p, slice_trim(slice_sub(line, 0, equals)), slice_trim(slice_from(line, equals + 1)));
}

static void missing_check(struct parse *p)
{
    for (int i = 0; i < CONFIG_KEYS; i++)
        if (config_row((enum config_key)i)->required && !p->first_line[i])
            config_errors_add(p->errors, 0, 0, FAULT_MISSING, (enum config_key)i, SLICE_EMPTY);
}

fallible config_parse(struct slice text, struct config_errors *errors, struct config **ret_config)
{
    struct parse p = {.errors = errors};
    size_t before = config_error_count(errors);
    if (text.n > LIMIT_CONFIG_FILE) {
        config_errors_add(errors, 0, 0, FAULT_FILE_SIZE, CONFIG_KEYS, SLICE_EMPTY);
        return ERR_SYNTAX;
    }
    p.config = config_new();
    if (slice_starts(text, S("\xef\xbb\xbf"))) {
        config_errors_add(errors, 1, 1, FAULT_BOM, CONFIG_KEYS, SLICE_EMPTY);
        text = slice_from(text, 3);
    }
    if (!text.p)
        text = S("");
    while (slice_cut(&text, '\n', &p.text)) {
        p.line++;
        line_read(&p);
    }
    missing_check(&p);
    config_directory_check(p.config, p.first_line, errors);
    if (config_error_count(errors) > before || config_errors_dropped(errors)) {
        config_free(&p.config);
        return ERR_SYNTAX;
    }
    *ret_config = p.config;
    return OK;
}

fallible config_load(const char *path, struct config_errors *errors, struct config **ret_config)
{
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_FILE);
    struct stat st;
    /* O_NONBLOCK: opening a FIFO must not wait for its writer */
    int fd CLEANUP_FD = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_of_errno(errno);
    bool regular = S_ISREG(st.st_mode);
    if (!regular || st.st_size > LIMIT_CONFIG_FILE) {
        config_errors_add(
            errors, 0, 0, regular ? FAULT_FILE_SIZE : FAULT_FILE_KIND, CONFIG_KEYS, SLICE_EMPTY);
        return ERR_SYNTAX;
    }
    TRY(file_read_all(fd, &text));
    return config_parse(buf_slice(&text), errors, ret_config);
}
