/* A command line, its words separated by line ends: read, or refused with a sentence and a remedy. */
#include <assert.h>

#include "base/utf8.h"
#include "cli/args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 80, LINE_MAX_HERE = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[LINE_MAX_HERE + 1], *words[WORDS_MAX];
    int count = 0;
    size_t n = size < LINE_MAX_HERE ? size : LINE_MAX_HERE;
    for (size_t i = 0; i < n; i++)
        line[i] = data[i] == '\n' ? '\0' : (char)data[i];
    line[n] = '\0';
    for (size_t at = 0; at < n && count < WORDS_MAX; at += strlen(line + at) + 1)
        words[count++] = line + at;
    struct arena arena CLEANUP_ARENA = ARENA_INIT(1 << 20);
    struct args args;
    enum lang lang;
    struct args_trouble trouble = {BUF_INIT(65536), BUF_INIT(65536)};
    enum err e = args_parse(count, words, LANG_EN, 1800000000, &arena, &args, &lang, &trouble);
    assert(e == OK || e == ERR_SYNTAX);
    if (e == OK)
        assert(args.count <= VALUES_MAX);
    else
        assert(trouble.says.n && trouble.remedy.n && buf_check(&trouble.says) == OK);
    buf_done(&trouble.says);
    buf_done(&trouble.remedy);
    return 0;
}
