/* Any text: refused with errors that can be said, or read so that what is written reads back the same. */
#include <assert.h>

#include "base/limits.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say_errors(const struct config_errors *errors)
{
    for (size_t i = 0; i < config_error_count(errors); i++)
        for (int lang = 0; lang < LANG_N; lang++) {
            struct buf out CLEANUP_BUF = BUF_INIT(16384);
            config_error_put(config_error(errors, i), (enum lang)lang, &out);
            config_error_put_remedy(config_error(errors, i), (enum lang)lang, &out);
            assert(buf_check(&out) == OK && out.n > 0);
        }
}

static void check_round_trip(const struct config *c)
{
    struct buf file CLEANUP_BUF = BUF_INIT(4 * LIMIT_CONFIG_FILE);
    struct config_errors *errors = config_errors_new();
    struct config *again = NULL;
    struct config_changes changes;
    config_put_file(c, LANG_ZH, &file);
    assert(buf_check(&file) == OK);
    enum err e = config_parse(buf_slice(&file), errors, &again);
    /* quoting may push a line over its ceiling; nothing else may differ */
    if (e == OK) {
        config_compare(c, again, &changes);
        for (int i = 0; i < CONFIG_KEYS; i++)
            assert(!changes.changed[i]);
    }
    for (size_t i = 0; i < config_error_count(errors); i++)
        assert(
            strcmp(config_error_name(config_error(errors, i)), "line-too-long") == 0 ||
            strcmp(config_error_name(config_error(errors, i)), "missing") == 0);
    config_free(&again);
    config_errors_free(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_errors *errors = config_errors_new();
    struct config *c = NULL;
    if (config_parse(slice_of(data, size), errors, &c) == OK)
        check_round_trip(c);
    else
        assert(!c && config_error_count(errors) > 0);
    say_errors(errors);
    config_free(&c);
    config_errors_free(&errors);
    return 0;
}
