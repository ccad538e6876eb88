/* fuzz_breach - a hostile filter of breached passwords, with check sums that fit or not. */
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "breach/filter.h"
#include "breach/page.h"
#include "crypto/random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file whose sums are right and whose contents are not. */
static void mend(uint8_t *file, size_t size)
{
    uint64_t pages = size < BREACH_PAGE ? 0 : (size - BREACH_PAGE) / (BREACH_PAGE + 8);
    if (size < BREACH_PAGE || size != BREACH_PAGE + pages * (BREACH_PAGE + 8))
        return;
    struct breach_header h = {
        .bits = (uint8_t)(BREACH_BITS_LEAST + file[12] % (BREACH_BITS_MOST - BREACH_BITS_LEAST + 1)),
        .count = breach_get_u64(file + 16),
        .pages = pages,
    };
    uint8_t *index = file + (pages + 1) * BREACH_PAGE;
    for (uint64_t i = 0; i < pages; i++) {
        uint8_t *page = file + (i + 1) * BREACH_PAGE;
        struct breach_page p;
        if (i && breach_get_u64(page) <= breach_get_u64(page - BREACH_PAGE))
            breach_put_u64(page, breach_get_u64(page - BREACH_PAGE) + 1);
        memcpy(p.octets, page, BREACH_PAGE);
        p.following = page[8] | (uint32_t)page[9] << 8;
        breach_page_seal(&p, i);
        memcpy(page, p.octets, BREACH_PAGE);
        breach_put_u64(index + 8 * i, breach_get_u64(page));
    }
    h.index = hash_of(NULL, slice_of(index, pages * 8));
    breach_header_put(&h, file);
}

static void open_it(const uint8_t *file, size_t size)
{
    struct breach *f = NULL;
    int fd CLEANUP_FD = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0 || file_write_all(fd, slice_of(file, size)) != OK)
        return;
    if (breach_take(TAKE(fd, -1), &f, NULL) != OK)
        return;
    static const char *const words[] = {"", "password", "a", "zzzz"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        (void)breach_find(f, slice_str(words[i]));
    (void)breach_verify(f);
    breach_close(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    crypto_init();
    uint8_t *file = malloc(size ? size : 1);
    memcpy(file, data, size);
    open_it(file, size);
    mend(file, size);
    open_it(file, size);
    free(file);
    return 0;
}
